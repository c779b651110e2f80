"""What the page about webhooks says to do is what finds out genuine messages, and no others."""

import re
import subprocess
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.docs import samples
from tests.house import tree
from tests.support import product

from turnout import clock
from turnout.notifications import signing

PAGE = (tree.ROOT / "docs" / "how-to" / "webhooks.md").read_text("utf-8")
SECRET, OTHER = bytes(range(32)), bytes(32)
MESSAGE = UUID("01a20302-10f7-7d06-9e8a-7b6c5d4e3f2a")
BODY = '{"type":"webhook.test","data":{"name":"Ä"}}\n'.encode()

IsGenuine = Callable[[str, Mapping[str, str], bytes], bool]


def block(kind: str) -> str:
    """The first block of that language."""
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def is_genuine() -> IsGenuine:
    names: dict[str, IsGenuine] = {}
    exec(block("python"), names)  # noqa: S102 - what the page shows is what is tested
    return names["is_genuine"]


def test_python_of_the_page_takes_what_is_genuine_and_nothing_else(is_genuine: IsGenuine) -> None:
    now, secret = clock.now(), signing.shown(SECRET)
    headers = signing.headers([SECRET], MESSAGE, now, BODY)
    rotated = signing.headers([OTHER, SECRET], MESSAGE, now, BODY)
    old = signing.headers([SECRET], MESSAGE, now - timedelta(minutes=6), BODY)
    forged = signing.headers([OTHER], MESSAGE, now, BODY)

    assert is_genuine(secret, headers, BODY)
    assert is_genuine(secret, rotated, BODY)
    assert not is_genuine(secret, headers, BODY + b" ")
    assert not is_genuine(secret, {**headers, "webhook-id": "other"}, BODY)
    assert not is_genuine(secret, old, BODY)
    assert not is_genuine(secret, forged, BODY)


def test_openssl_of_the_page_makes_the_signature(tmp_path: Path) -> None:
    (tmp_path / "body.json").write_bytes(BODY)
    headers = signing.headers([SECRET], MESSAGE, clock.now(), BODY)
    given = {
        "SECRET": signing.shown(SECRET),
        "WEBHOOK_ID": headers["webhook-id"],
        "WEBHOOK_TIMESTAMP": headers["webhook-timestamp"],
        "PATH": "/usr/bin:/bin:/usr/local/bin",
    }
    made = subprocess.run(
        ["bash", "-euc", block("bash")], cwd=tmp_path, env=given, capture_output=True, check=True
    )

    assert f"v1,{made.stdout.decode()}" == headers["webhook-signature"]


def test_samples_of_the_page_get_what_it_says(tmp_path: Path) -> None:
    found = samples.samples_of(PAGE)
    with product.served(tmp_path) as server:
        calls = samples.run(found, server.url, tmp_path)

    assert [call.status for call in calls] == [each for one in found for each in one.statuses]
    assert len(calls) == 2
