"""Mails and mailers for the tests of the way out."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from turnout.notifications import mailer
from turnout.notifications.mailer import Mailer, MailError

SENDER = "events@example.com"
MAIL_FROM = f"Turnout <{SENDER}>"
ADA = "ada@example.org"


def a_mail(name: str = "one", text: str = "Hello") -> bytes:
    """A small mail as composed: CRLF, and a Message-ID that `name` is in."""
    headers = (f"Message-ID: <{name}@example.com>", "Subject: Seats", f"From: {MAIL_FROM}")
    return "\r\n".join((*headers, "", text, "")).encode()


@contextlib.asynccontextmanager
async def opened(url: str, per_second: float = 0.0) -> AsyncIterator[Mailer]:
    """A mailer by SMTP, closed at the end."""
    made = mailer.open_mailer(url, MAIL_FROM, Path("nowhere"), per_second)
    try:
        yield made
    finally:
        await made.aclose()


async def tried(
    by: Mailer, recipient: str = ADA, raw: bytes | None = None, *, urgent: bool = False
) -> MailError | None:
    """What became of a mail: nothing to complain of, or the error."""
    sent = a_mail() if raw is None else raw
    try:
        await by.send(recipient, sent, is_utf8=False, name="one", urgent=urgent)
    except MailError as error:
        return error
    return None


def outcome(error: MailError | None) -> tuple[str, str] | None:
    """An error by its kind and its reason."""
    return None if error is None else (type(error).__name__, error.reason)
