"""Where the mail server is and how a connection to it is opened. Knows no mail."""

import asyncio
import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass, field
from email.utils import parseaddr
from enum import StrEnum
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import unquote, urlsplit

from turnout import fields
from turnout.notifications.mail_errors import ServerAway
from turnout.notifications.smtp_channel import Channel, Reply, is_mailbox

if TYPE_CHECKING:
    import aiosmtplib

CONNECT_SECONDS = 10.0
"""For the connection with its greeting; as long again for TLS and signing in."""


class Security(StrEnum):
    """How a connection is protected; the values are the schemes of the setting."""

    NONE = "smtp"
    TLS = "smtps"
    STARTTLS = "smtp+starttls"


_NO_SERVER = "the mail server is no smtp://, smtps:// or smtp+starttls:// address"
_PORTS = {Security.NONE: 25, Security.TLS: 465, Security.STARTTLS: 587}


class Crowded(ServerAway):
    """The server wants no further connection just now (4xx in place of a greeting)."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server that the operator has set, and who we are there."""

    host: str
    port: int
    security: Security
    sender: str
    """The address of the envelope: where mails that cannot be delivered come back to."""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, smtp_url: str, mail_from: str) -> Self:
        """From the settings; ValueError, without their text, where they make no sense."""
        try:
            parts = urlsplit(smtp_url)
            security = Security(parts.scheme)
            host, port = parts.hostname or "", parts.port or _PORTS[security]
        except ValueError:
            raise ValueError(_NO_SERVER) from None  # its own text has some of the address
        if not host:
            raise ValueError(_NO_SERVER)
        return cls(
            host=host,
            port=port,
            security=security,
            sender=address_of(mail_from),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )

    @property
    def name(self) -> str:
        """How it is called in what people read."""
        return f"{self.host}:{self.port}"

    @property
    def our_name(self) -> str:
        """Who we say that we are in EHLO: the domain that mails come from (RFC 5321, 4.1.3)."""
        return fields.canonical_email(self.sender).rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Opened:
    """A channel for mails, and how it is protected: the version of TLS, or None."""

    channel: Channel
    tls: str | None


def address_of(mail_from: str) -> str:
    """The address in `Turnout <events@example.com>`; ValueError where there is none.

    For a host that is a number it is what mail has for that: `[192.0.2.1]` (RFC 5321, 4.1.3).
    """
    address = parseaddr(mail_from)[1]
    if not is_mailbox(address):
        raise ValueError("the sender of mails is no address")
    local, _, domain = address.rpartition("@")
    try:
        number = ipaddress.ip_address(domain)
    except ValueError:
        return address
    return f"{local}@[{'IPv6:' if number.version == 6 else ''}{number}]"


async def open_channel(server: MailServer, tls: ssl.SSLContext | None) -> Opened:
    """A new connection with EHLO, TLS and signing in done, as the operator has set them.

    `tls` is needed unless the security is NONE; without TLS where it is set there is no
    connection, and with NONE there is none even where the server offers it. Raises ServerAway.
    """
    # Not at the top: only the process that sends mails needs it.
    import aiosmtplib

    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        local_hostname=server.our_name,
        timeout=CONNECT_SECONDS,
        use_tls=server.security is Security.TLS,
        start_tls=server.security is Security.STARTTLS,
        tls_context=tls,
        username=server.user or None,
        password=server.password or None,
    )
    # Raised anew, and without what caused it: that has the commands, and so the password.
    try:
        async with asyncio.timeout(2 * CONNECT_SECONDS):
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        client.close()
        raise _away(server, error) from None
    except BaseException:
        client.close()
        raise
    return _taken_over(server, client)


def _taken_over(server: MailServer, client: "aiosmtplib.SMTP") -> Opened:
    transport = client.transport
    if transport is None:
        raise ServerAway(f"{server.name}: the connection broke")
    tls = transport.get_extra_info("ssl_object")
    channel = Channel(cast("asyncio.Transport", transport), dict(client.esmtp_extensions))
    return Opened(channel, tls.version() if tls is not None else None)


def _away(server: MailServer, error: Exception) -> ServerAway:
    import aiosmtplib  # opening the connection has brought it in

    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        # Only the code: a server may well repeat what it was sent.
        return ServerAway(f"{server.name}: {error.code} to signing in: user or password is wrong")
    if isinstance(error, aiosmtplib.SMTPResponseException):
        is_greeting = isinstance(error, aiosmtplib.SMTPConnectResponseError)
        step = "connecting" if is_greeting else "EHLO or STARTTLS"
        kind = Crowded if is_greeting and error.code // 100 == 4 else ServerAway
        return kind(f"{server.name}: {Reply(error.code, error.message).told(step)}")
    return ServerAway(f"{server.name}: {_cause(server, error)}")


def _cause(server: MailServer, error: Exception) -> str:
    import aiosmtplib  # opening the connection has brought it in

    root = error.__cause__ if isinstance(error.__cause__, OSError) else error
    what = type(root).__name__
    match root:
        case ssl.SSLCertVerificationError():
            what = f"its certificate is not trusted: {root.verify_message}"
        case ssl.SSLError():
            what = f"no TLS: {root.reason or 'the handshake failed'}"
        case TimeoutError():
            what = "no answer in time"
        case aiosmtplib.SMTPServerDisconnected():
            what = "it closed the connection"
        case OSError():
            what = f"cannot connect: {_said_by_system(root)}"
        case aiosmtplib.SMTPException() if server.security is Security.STARTTLS and (
            "STARTTLS" in root.message
        ):
            what = "it offers no STARTTLS"
        case aiosmtplib.SMTPException() if server.user:
            what = "it offers no way of signing in that is known here"
    return what


def _said_by_system(error: OSError) -> str:
    # The loop's own texts have the address once more; those of name resolution have none.
    if isinstance(error, socket.gaierror):
        return error.strerror or "no such host"
    return os.strerror(error.errno) if error.errno else "it does not answer"
