"""Signatures are those of Standard Webhooks, whoever checks them."""

import base64
import shutil
import subprocess
from datetime import UTC, datetime
from uuid import UUID

import pytest

from turnout.notifications import signing

MESSAGE = UUID("01a20302-10f7-7d06-9e8a-7b6c5d4e3f2a")
AT = datetime(2031, 3, 1, 12, 0, 0, 999_999, UTC)
SECRET = bytes(range(32))


def test_signature_is_the_one_of_the_published_example() -> None:
    """As in the tests of the libraries beside the specification."""
    secret = signing.read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert secret is not None

    signed = signing.signature(
        secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
    )

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.skipif(shutil.which("openssl") is None, reason="checks by a program that is not there")
def test_signature_is_the_one_that_openssl_makes() -> None:
    body = b'{"type":"webhook.test"}'
    headers = signing.headers([SECRET], MESSAGE, AT, body)

    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = f"hexkey:{SECRET.hex()}"
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", key, "-binary"]
    made = subprocess.run(command, input=signed, capture_output=True, check=True).stdout

    assert headers["webhook-signature"] == "v1," + base64.b64encode(made).decode()


def test_headers_have_whole_seconds_and_a_signature_for_each_secret() -> None:
    headers = signing.headers([SECRET, SECRET[:24]], MESSAGE, AT, b"{}")

    seconds = int(AT.timestamp())
    assert headers == {
        "Content-Type": "application/json",
        "webhook-id": str(MESSAGE),
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(
            signing.signature(each, str(MESSAGE), seconds, b"{}") for each in (SECRET, SECRET[:24])
        ),
    }


@pytest.mark.parametrize("length", [24, 25, 32, 64])
def test_secret_reads_back_as_it_is_shown(length: int) -> None:
    secret = bytes(range(length))

    assert signing.read(signing.shown(secret)) == secret


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        signing.shown(bytes(23)),
        signing.shown(bytes(65)),
        signing.shown(bytes(24)).removeprefix("whsec_"),
        signing.shown(bytes(24)) + "=",
        signing.shown(bytes(25))[:-1],
        signing.shown(bytes(25)).replace("A==", "B=="),
        " " + signing.shown(bytes(24)),
        "WHSEC_" + signing.shown(bytes(24)).removeprefix("whsec_"),
        "whsec_" + "ä" * 32,
        "whsec_" + "-" * 32,
    ],
)
def test_text_that_is_no_secret_is_none(text: str) -> None:
    assert signing.read(text) is None


def test_new_secrets_differ_and_are_long() -> None:
    found = {signing.new_secret() for _ in range(100)}

    assert len(found) == 100
    assert {len(each) for each in found} == {32}
