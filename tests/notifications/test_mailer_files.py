"""Without a mail server each mail is in a file of its own, and the log says so without secrets."""

import asyncio
import io
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.notifications.mailing import ADA, MAIL_FROM, a_mail, outcome, tried

from turnout.notifications.mailer import open_mailer
from turnout.observability import logs


@pytest.fixture
def log() -> Iterator[io.BytesIO]:
    written = io.BytesIO()
    logs.configure(human=False, stream=written, level="debug")
    yield written
    logs.configure(human=False, stream=io.BytesIO(), level="error")


async def test_mail_is_kept_in_a_file_for_its_owner_alone(tmp_path: Path, log: io.BytesIO) -> None:
    mailer = open_mailer("", MAIL_FROM, tmp_path / "data", 1)

    for _ in range(2):
        await mailer.send(ADA, a_mail("first"), is_utf8=False, name="first")
    await mailer.send(ADA, a_mail("canary"), is_utf8=True, name="second", urgent=True)

    folder = tmp_path / "data" / "mail"
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert found == {"first.eml": a_mail("first"), "second.eml": a_mail("canary")}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert (stat.S_IMODE(folder.stat().st_mode), modes) == (0o700, {0o600})
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    said = [(line["message"], line["file"], line["domain"]) for line in lines]
    assert said == [
        ("Mail kept in a file", "first.eml", "example.org"),
        ("Mail kept in a file", "first.eml", "example.org"),
        ("Mail kept in a file", "second.eml", "example.org"),
    ]
    assert [word for word in (b"ada", b"canary") if word in log.getvalue()] == []


async def test_many_mails_at_once_are_each_whole(tmp_path: Path) -> None:
    mailer = open_mailer("", MAIL_FROM, tmp_path, 0)
    mails = {f"{n}": a_mail(f"{n}", "x" * 10_000) for n in range(50)}

    await asyncio.gather(
        *(mailer.send(ADA, raw, is_utf8=False, name=name) for name, raw in mails.items())
    )
    await mailer.aclose()

    found = {path.stem: path.read_bytes() for path in (tmp_path / "mail").iterdir()}
    assert found == mails


async def test_mail_that_cannot_be_written_waits(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be")
    mailer = open_mailer("", MAIL_FROM, tmp_path, 0)

    error = await tried(mailer)

    assert outcome(error) == ("ServerAway", "no file can be written: File exists")


@pytest.mark.parametrize("name", ["../out", "a/b"])
async def test_name_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    mailer = open_mailer("", MAIL_FROM, tmp_path, 0)

    with pytest.raises(ValueError, match="cannot have a folder"):
        await mailer.send(ADA, a_mail(), is_utf8=False, name=name)

    assert os.listdir(tmp_path) == []  # noqa: PTH208 - pathlib is not for async functions
