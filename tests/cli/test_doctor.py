"""The doctor finds each thing that can be wrong, says it, and ends accordingly."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.db import rows
from tests.factories import a_person, make_event, register
from tests.support.app import running
from tests.support.processes import free_port
from tests.support.smtp import SmtpServer
from typer.testing import CliRunner

from turnout import settings as settings_
from turnout.cli.main import app
from turnout.db import driver, engines
from turnout.db.session import Database
from turnout.migrations import schema
from turnout.registrations import integrity
from turnout.settings import Settings

Doctor = Callable[[str], tuple[int, dict[str, tuple[bool, list[str]]]]]
SOUND = "every event was counted anew; all adds up"


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Doctor:
    """Examines a database: the exit status, and for each thing whether it is well and why not."""
    for name in os.environ:
        if name.startswith(settings_.PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def examine(url: str) -> tuple[int, dict[str, tuple[bool, list[str]]]]:
        result = CliRunner().invoke(app, ["doctor", "--json"], env={"TURNOUT_DATABASE_URL": url})
        found: dict[str, tuple[bool, list[str]]] = {}
        for each in json.loads(result.stdout):
            ok, details = found.get(each["what"], (True, []))
            found[each["what"]] = (ok and each["ok"], [*details, each["detail"]])
        return result.exit_code, found

    return examine


async def fill(settings: Settings) -> str:
    """One event with two seats taken and two who wait, and one without anybody; the first's id."""
    async with running(settings) as started, started.client() as api:
        event = await make_event(api, max_capacity=2, waitlist_enabled=True)
        for n in range(4):
            await register(api, event["id"], **a_person(n))
        await make_event(api)
    event_id: str = event["id"]
    return event_id


MORE = "more seats are taken than there are"
TAKEN = "the counter of taken seats differs from the registrations"
WAITING = "the counter of the waitlist differs from the registrations"
GAPS = "the positions of the waitlist have gaps"
FREE = "a seat is free while someone waits"
TWICE = "one person holds two live registrations"
SILENT = "a live registration has no message"
SEATLESS = "an event has no seats row"
PLANTED: list[tuple[str, set[str]]] = [
    ("UPDATE admissions SET taken = 3 WHERE waiting > 0", {MORE, TAKEN}),
    ("UPDATE admissions SET taken = 1 WHERE waiting > 0", {TAKEN, FREE}),
    ("UPDATE admissions SET waiting = 1 WHERE waiting > 0", {WAITING}),
    ("UPDATE admissions SET waiting = 0 WHERE waiting > 0", {WAITING}),
    ("UPDATE admissions SET capacity = 3 WHERE waiting > 0", {FREE}),
    ("UPDATE admissions SET capacity = NULL WHERE waiting > 0", {FREE}),
    ("UPDATE registrations SET waitlist_position = 3 WHERE waitlist_position = 2", {GAPS}),
    ("UPDATE registrations SET waitlist_position = 1 WHERE waitlist_position = 2", {GAPS}),
    ("UPDATE registrations SET waitlist_position = waitlist_position + 1", {GAPS}),
    (
        "UPDATE registrations SET status = 'cancelled', waitlist_position = NULL "
        "WHERE waitlist_position = 1",
        {WAITING, GAPS},
    ),
    ("UPDATE registrations SET status = 'offered' WHERE waitlist_position = 2", {TAKEN, WAITING}),
    ("UPDATE registrations SET email_canonical = 'x' WHERE status = 'confirmed'", {TWICE}),
    ("DELETE FROM outbox_messages WHERE topic = 'registration.waitlisted'", {SILENT}),
    ("DELETE FROM admissions WHERE taken = 0", {SEATLESS}),
]


async def plant(url: str, statement: str) -> None:
    """Change rows past the constraints that would refuse it."""
    if engines.is_sqlite(url):
        connection = driver.sqlite.connect(engines.sqlite_path(url))
        connection.executescript(
            "PRAGMA ignore_check_constraints = ON; DROP INDEX uq_registrations_person;" + statement
        )
        connection.close()
        return
    database = Database(url)
    checks = "ALTER TABLE {0} DROP CONSTRAINT ck_{0}_{1}"
    await rows.change(
        database,
        text(checks.format("admissions", "never_oversold")),
        text(checks.format("registrations", "position_waits")),
        text("DROP INDEX uq_registrations_person"),
        text(statement),
    )
    await database.aclose()


def test_doctor_of_a_sound_database_says_so(doctor: Doctor, settings: Settings) -> None:
    asyncio.run(fill(settings))

    status, found = doctor(settings.database_url)

    assert status == 0
    assert {what: ok for what, (ok, _) in found.items()} == dict.fromkeys(
        (
            *("platform", "schema", "database", "durability", "rate limits", "geocoder"),
            *("mail", "administrator", "seats"),
        ),
        True,
    )
    assert found["seats"] == (True, [SOUND])
    assert found["schema"] == (True, [f"revision {schema.head()}, the newest"])


@pytest.mark.parametrize(("statement", "expected"), PLANTED)
def test_doctor_finds_what_does_not_add_up(
    doctor: Doctor, settings: Settings, statement: str, expected: set[str]
) -> None:
    event_id = asyncio.run(fill(settings))
    asyncio.run(plant(settings.database_url, statement))

    status, found = doctor(settings.database_url)

    ok, details = found["seats"]
    told = [detail.removeprefix("event ").split(": ") for detail in details]
    assert (status, ok) == (1, False)
    assert sorted(what for _, what in told) == sorted(expected)
    assert ({each for each, _ in told} == {event_id}) == (expected != {SEATLESS})


def test_doctor_has_a_planted_drift_for_each_check() -> None:
    assert set().union(*(expected for _, expected in PLANTED)) == set(integrity._CHECKS)


def test_doctor_of_a_database_that_is_not_there_makes_none(doctor: Doctor, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "turnout.db"

    status, found = doctor(f"sqlite:///{path}")

    advice = f"there is none at {path}: turnout serve or turnout schema upgrade makes it"
    assert (status, found["database"]) == (1, (False, [advice]))
    assert not path.parent.exists()


def test_doctor_of_a_database_without_its_schema_says_what_to_do(
    doctor: Doctor, database_url: str
) -> None:
    asyncio.run(schema.downgrade(database_url, "base"))

    status, found = doctor(database_url)

    advice = f"revision empty, newest is {schema.head()}: run turnout schema upgrade"
    assert (status, found["schema"]) == (1, (False, [advice]))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_doctor_of_a_database_that_may_forget_says_which_setting(
    doctor: Doctor, database_url: str
) -> None:
    async def make_careless() -> None:
        database = Database(database_url)
        name = database_url.rpartition("/")[2]
        await rows.change(database, text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
        await database.aclose()

    asyncio.run(make_careless())

    status, found = doctor(database_url)

    advice = "PostgreSQL runs with synchronous_commit = off; turn it on"
    assert (status, found["durability"]) == (1, (False, [advice]))


def test_doctor_says_that_no_mail_leaves_without_a_server(
    doctor: Doctor, sqlite_url: str, tmp_path: Path
) -> None:
    _, found = doctor(sqlite_url)

    folder = tmp_path / "var" / "mail"
    said = f"no mail leaves: each is kept as a file in {folder}; set TURNOUT_SMTP_URL, or read them"
    assert found["mail"] == (True, [f"{said} there"])
    assert not folder.exists()


def test_doctor_signs_in_to_the_mail_server_and_sends_nothing(
    doctor: Doctor, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SmtpServer.start(security="smtp+starttls", user="ada", password="canary@") as server:
        monkeypatch.setenv("TURNOUT_SMTP_URL", server.url)
        untrusted = doctor(sqlite_url)
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        sound = doctor(sqlite_url)
        monkeypatch.setenv("TURNOUT_SMTP_URL", server.url_as("ada", "canary!"))
        refused = doctor(sqlite_url)
        mails = server.accepted()

    where = f"127.0.0.1:{server.port}"
    offers = "TLSv1.3, signed in, takes mails of 67,108,864 bytes"
    assert [status for status, _ in (untrusted, sound, refused)] == [1, 0, 1]
    assert untrusted[1]["mail"] == (
        False, [f"{where}: its certificate is not trusted: self-signed certificate"],
    )  # fmt: skip
    assert sound[1]["mail"] == (True, [f"leaves through {where}: {offers}"])
    assert refused[1]["mail"] == (
        False, [f"{where}: 535 to signing in: user or password is wrong"],
    )  # fmt: skip
    assert mails == []


def test_doctor_of_a_mail_server_that_is_away_says_so(
    doctor: Doctor, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("TURNOUT_SMTP_URL", f"smtp://127.0.0.1:{port}")

    status, found = doctor(sqlite_url)

    assert status == 1
    assert found["mail"] == (False, [f"127.0.0.1:{port}: cannot connect: Connection refused"])


def test_doctor_for_people_says_the_same(doctor: Doctor, sqlite_url: str) -> None:
    _, found = doctor(sqlite_url)

    said = CliRunner().invoke(app, ["doctor"], env={"TURNOUT_DATABASE_URL": sqlite_url})

    assert said.exit_code == 0
    assert said.stdout.splitlines() == [
        f"ok    {what}: {detail}" for what, (_, details) in found.items() for detail in details
    ]
