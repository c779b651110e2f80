"""What the server offers, and how the connection is secured, decides what is sent and how."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.notifications.mailing import ADA, MAIL_FROM, a_mail, opened, outcome, tried
from tests.support.processes import LOOPBACK, environment
from tests.support.smtp import SmtpServer

from turnout.notifications import smtp
from turnout.notifications.mailer import MailRefused, ServerAway, open_mailer
from turnout.notifications.smtp_server import MailServer
from turnout.observability import logs

USER, PASSWORD = "canary:us/er@example.com", "canary-päss:w@rd/%41"


@pytest.fixture
def log() -> Iterator[io.BytesIO]:
    written = io.BytesIO()
    logs.configure(human=False, stream=written, level="debug")
    yield written
    logs.configure(human=False, stream=io.BytesIO(), level="error")


@pytest.mark.parametrize(
    ("recipient", "told", "is_utf8"),
    [
        ("jörg@example.org", "jörg@example.org", True),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example", True),
        ("ada@bücher.example", "ada@xn--bcher-kva.example", False),
    ],
)
async def test_international_address_is_told_so_that_servers_know_it(
    recipient: str,
    told: str,
    is_utf8: bool,  # noqa: FBT001 - a column of the table
) -> None:
    with SmtpServer.start() as server:
        async with opened(server.url) as mailer:
            await mailer.send(recipient, a_mail(), is_utf8=is_utf8, name="one")
        [mail] = server.accepted()

    assert (mail.recipient, mail.is_utf8) == (told, is_utf8)


async def test_international_mail_is_refused_where_the_server_takes_none() -> None:
    with SmtpServer.start(is_utf8=False) as server:
        async with opened(server.url) as mailer:
            by_address = await tried(mailer, "jörg@example.org")
            with pytest.raises(MailRefused) as by_content:
                await mailer.send(ADA, a_mail(text="ä"), is_utf8=True, name="one")
            assert outcome(await tried(mailer, "ada@bücher.example")) is None
        taken = [each.recipient for each in server.accepted()]

    reason = "the mail server takes no international addresses (SMTPUTF8)"
    assert outcome(by_address) == ("MailRefused", reason)
    assert str(by_content.value) == reason
    assert taken == ["ada@xn--bcher-kva.example"]


async def test_mail_that_is_too_large_is_refused_before_it_is_sent() -> None:
    with SmtpServer.start(max_bytes=1000) as server:
        async with opened(server.url) as mailer:
            error = await tried(mailer, raw=a_mail(text="x" * 1001))
            assert outcome(await tried(mailer)) is None
        taken = [each.bytes for each in server.accepted()]

    reason = "the mail is larger than the 1000 bytes that the mail server takes"
    assert outcome(error) == ("MailRefused", reason)
    assert taken == [len(a_mail())]


@pytest.mark.parametrize("security", ["smtp", "smtps", "smtp+starttls"])
async def test_mail_goes_signed_in_and_secured_as_set(
    monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    with SmtpServer.start(security=security, user=USER, password=PASSWORD) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        async with opened(server.url) as mailer:
            tries = [outcome(await tried(mailer)) for _ in range(3)]
        said = await smtp.probe(MailServer.parse(server.url, MAIL_FROM))
        taken = [(each.recipient, each.connection) for each in server.accepted()]

    assert tries == [None] * 3
    assert taken == [(ADA, 1)] * 3
    secured = {
        "smtp": "without TLS, signed in with the password in the clear",
        "smtps": "TLSv1.3, signed in",
        "smtp+starttls": "TLSv1.3, signed in",
    }[security]
    size = "takes mails of 67,108,864 bytes"
    assert said == f"through {LOOPBACK}:{server.port}: {secured}, {size}"


@pytest.mark.parametrize("security", ["smtps", "smtp+starttls"])
async def test_certificate_that_nobody_trusts_keeps_all_mails(security: str) -> None:
    with SmtpServer.start(security=security) as server:
        async with opened(server.url) as mailer:
            error = await tried(mailer)
        taken = server.accepted()

    what = "its certificate is not trusted: self-signed certificate"
    assert outcome(error) == ("ServerAway", f"{LOOPBACK}:{server.port}: {what}")
    assert taken == []


async def test_certificate_of_another_host_keeps_all_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    with SmtpServer.start(security="smtps") as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        async with opened(server.url.replace(LOOPBACK, "localhost")) as mailer:
            error = await tried(mailer)

    what = "its certificate is not trusted: Hostname mismatch, certificate is not valid for"
    where = f"localhost:{server.port}"
    assert outcome(error) == ("ServerAway", f"{where}: {what} 'localhost'.")


async def test_server_without_starttls_gets_no_mail_where_it_is_set() -> None:
    with SmtpServer.start() as server:
        url = server.url.replace("smtp:", "smtp+starttls:")
        async with opened(url) as mailer:
            error = await tried(mailer)
        taken = server.accepted()

    where = f"{LOOPBACK}:{server.port}"
    assert outcome(error) == ("ServerAway", f"{where}: it offers no STARTTLS")
    assert taken == []


async def test_server_that_speaks_no_tls_is_away() -> None:
    with SmtpServer.start() as server:
        async with opened(server.url.replace("smtp:", "smtps:")) as mailer:
            error = await tried(mailer)

    where = f"{LOOPBACK}:{server.port}"
    assert isinstance(error, ServerAway)
    assert error.reason.startswith(f"{where}: no TLS: ")


async def test_wrong_password_keeps_all_mails_and_is_said_nowhere(log: io.BytesIO) -> None:
    with SmtpServer.start(user=USER, password="another") as server:
        async with opened(server.url_as(USER, PASSWORD)) as mailer:
            error = await tried(mailer)
        unsigned = await _tried_by(f"smtp://{LOOPBACK}:{server.port}")
        taken = server.accepted()

    assert error is not None
    where = f"{LOOPBACK}:{server.port}"
    reason = f"{where}: 535 to signing in: user or password is wrong"
    assert outcome(error) == ("ServerAway", reason)
    assert (error.__cause__, error.__suppress_context__) == (None, True)
    assert outcome(unsigned) == ("ServerAway", "530 to the sender: 5.7.0 Authentication required")
    assert taken == []
    assert b"canary" not in log.getvalue()


async def test_server_that_knows_no_signing_in_is_away() -> None:
    with SmtpServer.start() as server:
        url = f"smtp://{LOOPBACK}:{server.port}".replace("//", "//ada:secret@")
        async with opened(url) as mailer:
            error = await tried(mailer)

    assert isinstance(error, ServerAway)
    assert "secret" not in error.reason


async def test_what_the_server_says_is_passed_on_without_addresses_and_links() -> None:
    answer = "550 5.1.1 <ada@example.org> is unknown, see https://example.net/?id=3 " + "x" * 50
    with SmtpServer.start() as server:
        server.behave(recipients={ADA: answer})
        error = await _tried_by(server.url)

    told = "550 to the recipient: 5.1.1 … is unknown, see … …"
    assert outcome(error) == ("MailRefused", told)


@pytest.mark.parametrize(
    "url",
    [
        "http://ada:canary@example.org",
        "smtp://",
        "smtp://ada:canary@example.org:canary",
        "smtp://ada:can/ary@example.org:25",
    ],
)
def test_address_of_a_server_that_makes_no_sense_is_not_repeated(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the mail server is no") as caught:
        open_mailer(url, MAIL_FROM, tmp_path, 0)

    assert "can" not in str(caught.value)


@pytest.mark.parametrize(
    ("mail_from", "sender", "our_name"),
    [
        ("Turnout <events@example.com>", "events@example.com", "example.com"),
        ("events@bücher.example", "events@bücher.example", "xn--bcher-kva.example"),
        ("Turnout <turnout@127.0.0.1>", "turnout@[127.0.0.1]", "[127.0.0.1]"),
        ("turnout@localhost", "turnout@localhost", "localhost"),
    ],
)
def test_sender_is_the_address_alone(mail_from: str, sender: str, our_name: str) -> None:
    server = MailServer.parse("smtp://mail.example.com", mail_from)

    assert (server.sender, server.our_name) == (sender, our_name)
    assert (server.name, server.security) == ("mail.example.com:25", "smtp")


@pytest.mark.parametrize("mail_from", ["", "Turnout", "a b@example.com", "a@b@example.com"])
def test_sender_who_is_no_address_is_no_setting(mail_from: str, tmp_path: Path) -> None:
    for url in ("smtp://mail.example.com", ""):
        with pytest.raises(ValueError, match="the sender of mails is no address"):
            open_mailer(url, mail_from, tmp_path, 0)


def test_password_is_in_no_description_of_the_server() -> None:
    server = MailServer.parse("smtps://us%3Aer:canary%40@example.org", MAIL_FROM)

    assert (server.user, server.password, server.port) == ("us:er", "canary@", 465)
    assert "canary" not in repr(server)


def test_mailer_that_sends_nothing_leaves_the_library_out() -> None:
    program = "import sys, turnout.notifications.mailer; print('aiosmtplib' in sys.modules)"

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, env=environment()
    )

    assert said.stdout.strip() == b"False"


async def _tried_by(url: str) -> Any:
    async with opened(url) as mailer:
        return await tried(mailer)
