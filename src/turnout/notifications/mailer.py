"""The way out for composed mails: by SMTP, or into files. Knows neither events nor settings."""

import asyncio
import tempfile
from pathlib import Path
from typing import Protocol

from turnout.notifications.mail_errors import MailError, MailPostponed, MailRefused, ServerAway
from turnout.notifications.smtp import SmtpMailer
from turnout.notifications.smtp_server import MailServer, address_of
from turnout.structured import structlog

__all__ = [
    "FileMailer", "MailError", "MailPostponed", "MailRefused", "Mailer", "ServerAway",
    "SmtpMailer", "open_mailer",
]  # fmt: skip

FOLDER = "mail"

log = structlog.get_logger()


class Mailer(Protocol):
    """Where composed mails leave."""

    async def send(
        self, recipient: str, raw: bytes, *, is_utf8: bool, name: str, urgent: bool = False
    ) -> None:
        """Hand over one mail; on return it is out of our hands.

        `raw` is the whole mail as of RFC 5322; `is_utf8` says that its headers have characters
        beyond ASCII (RFC 6532). `name` tells mails apart and is the name of the file, where mails
        are kept in files. Urgent ones go before others that wait for their turn, for 300 seconds
        at most; the sending itself takes 60 at most. May be called many times at once.

        Raises MailRefused, MailPostponed or ServerAway.
        """
        ...

    async def aclose(self) -> None:
        """Close what is open, once nothing is being sent."""
        ...


class FileMailer:
    """Keeps each mail in a file of its own, for whoever has no mail server: `<name>.eml`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    async def send(
        self,
        recipient: str,
        raw: bytes,
        *,
        is_utf8: bool,  # noqa: ARG002 - the interface of mailers: a file takes either
        name: str,
        urgent: bool = False,  # noqa: ARG002 - as above: nobody waits for a file
    ) -> None:
        """Write the file; a mail that is sent twice is there once. See Mailer."""
        try:
            await asyncio.to_thread(self._write, name, raw)
        except OSError as error:
            raise ServerAway(f"no file can be written: {error.strerror}") from None
        log.info("Mail kept in a file", file=f"{name}.eml", domain=recipient.rpartition("@")[2])

    async def aclose(self) -> None:
        """Nothing is open."""

    def _write(self, name: str, raw: bytes) -> None:
        path = self._folder / f"{name}.eml"
        if path.parent != self._folder:
            raise ValueError("the name of a mail cannot have a folder in it")
        # For nobody else's eyes: mails have links by which their readers act.
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False) as file:
            part = Path(file.name)
        try:
            part.write_bytes(raw)
            # Whole or not at all, for whoever reads along. Not forced to the disk: what has to
            # outlive a crash is in the database, and waiting for the disk takes its time.
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def open_mailer(smtp_url: str, mail_from: str, folder: Path, per_second: float) -> Mailer:
    """The mailer for these settings; nothing is connected or written before the first mail.

    Without `smtp_url` mails go to `<folder>/mail/`. With `smtp://` they go in the clear, also
    where the server offers TLS: what is set is what happens. `smtps://` speaks TLS from the start
    and `smtp+starttls://` from STARTTLS on, or not at all; either checks the certificate. User and
    password are percent-encoded. The address in `mail_from` is the sender of the envelope.
    `per_second` bounds what this process hands to the server (0: not at all).

    Raises ValueError, without the password, for an address that makes no sense.
    """
    if not smtp_url:
        address_of(mail_from)  # refused here as well: it would only fail later, in another mode
        return FileMailer(folder)
    return SmtpMailer(MailServer.parse(smtp_url, mail_from), per_second)
