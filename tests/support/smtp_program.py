"""The process of the mail server for tests: aiosmtpd, with a ledger and bad manners on demand.

Run as `python -m tests.support.smtp_program <folder> <port> <offer>`. Re-reads `behaviour.json` in
the folder before each answer. Appends to `ledger` after it has a mail and before it says so, and a
byte to `connections` for each connection. Ends when its standard input does.
"""

import asyncio
import json
import os
import socket
import ssl
import struct
import sys
from collections.abc import Iterable
from dataclasses import asdict
from email import policy
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from tests.support.processes import LOOPBACK
from tests.support.smtp_rules import UNLIMITED_BYTES, Accepted, Behaviour, Offer

from turnout import clock

READY = "Ready for mails"
CERTIFICATE, KEY = "certificate.pem", "key.pem"
BEHAVIOUR, LEDGER, CONNECTIONS = "behaviour.json", "ledger", "connections"
_END = b"\r\n.\r\n"
_LONGEST_LINE = 998  # RFC 5322, 2.1.1
_RESET = struct.pack("ii", 1, 0)  # linger for no time: the other side gets a reset


class World:
    """What all connections share."""

    def __init__(self, folder: Path, offer: Offer) -> None:
        self.offer = offer
        self.open = 0
        self.connections = 0
        self._heard_of = 0
        self._seen: set[tuple[str, str]] = set()
        self._path = folder / BEHAVIOUR
        self._stamp = (0, 0)
        self._behaviour = Behaviour()
        mode = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._ledger = os.open(folder / LEDGER, mode, 0o600)
        self._counter = os.open(folder / CONNECTIONS, mode, 0o600)

    @property
    def behaviour(self) -> Behaviour:
        """As it was last written."""
        found = self._path.stat()
        stamp = (found.st_ino, found.st_mtime_ns)
        if stamp != self._stamp:
            self._behaviour, self._stamp = Behaviour.read(self._path.read_text()), stamp
        return self._behaviour

    def connect(self) -> int:
        """Count a connection and give its number."""
        self.connections += 1
        os.write(self._counter, b".")
        return self.connections

    def welcomes(self) -> bool:
        """Whether there is a place for one more, which is then taken."""
        most = self.behaviour.most_connections
        is_free = not most or self.open < most
        self.open += is_free
        return is_free

    def refusal(self, recipient: str) -> str | None:
        """What RCPT is answered with, unless all is well."""
        behaviour = self.behaviour
        if recipient in behaviour.recipients:
            return behaviour.recipients[recipient]
        if behaviour.greylists and self.is_first("greylist", recipient):
            return "451 4.7.1 Greylisted"
        self._heard_of += 1
        percent = behaviour.refused_percent
        # So that of each hundred in a row exactly so many are refused, evenly spread.
        is_due = self._heard_of * percent // 100 > (self._heard_of - 1) * percent // 100
        return behaviour.refusal if is_due else None

    def is_first(self, what: str, recipient: str) -> bool:
        """Whether this happens to the recipient for the first time."""
        is_new = (what, recipient) not in self._seen
        self._seen.add((what, recipient))
        return is_new

    def breaks(self, how: str, what: str, recipients: Iterable[str]) -> bool:
        """Whether the connection has to break here."""
        return how == "always" or (
            how == "first" and any(self.is_first(what, each) for each in recipients)
        )

    def note(self, accepted: Accepted) -> None:
        """Write it down, for good as far as this process can be killed."""
        os.write(self._ledger, json.dumps(asdict(accepted)).encode() + b"\n")


class Handler:
    """What aiosmtpd asks."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle_EHLO(  # noqa: N802 - aiosmtpd finds it by this name
        self, _server: SMTP, state: Session, _envelope: Envelope, name: str, offers: list[str]
    ) -> list[str]:
        state.host_name = name
        more = ["250-PIPELINING"] if self._world.offer.is_pipelining else []
        return [*offers[:-1], *more, offers[-1]]

    async def handle_MAIL(  # noqa: N802 - as above
        self, server: "Talk", _state: Session, envelope: Envelope, sender: str, options: list[str]
    ) -> str:
        behaviour = self._world.behaviour
        if behaviour.sender:
            return behaviour.sender
        if behaviour.mails_each and server.mails >= behaviour.mails_each:
            return "421 4.7.0 Enough for one connection"
        envelope.mail_from = sender
        envelope.mail_options.extend(options)
        return "250 2.1.0 Sender ok"

    async def handle_RCPT(  # noqa: N802 - as above
        self, server: "Talk", _state: Session, envelope: Envelope, recipient: str, _: list[str]
    ) -> str:
        if refusal := self._world.refusal(recipient):
            server.hangs_up = self._world.behaviour.hangs_up_on_refusal
            return refusal
        envelope.rcpt_tos.append(recipient)
        return "250 2.1.5 Recipient ok"

    async def handle_DATA(  # noqa: N802 - as above
        self, server: "Talk", _state: Session, envelope: Envelope
    ) -> str:
        behaviour = self._world.behaviour
        recipients = envelope.rcpt_tos
        is_slow = not behaviour.slow_recipients or {*behaviour.slow_recipients} & {*recipients}
        if behaviour.slow_seconds and is_slow:
            await asyncio.sleep(behaviour.slow_seconds)
        if behaviour.content:
            return behaviour.content
        server.mails += 1
        for recipient in recipients:
            self._world.note(_accepted(server, envelope, recipient, behaviour))
        if self._world.breaks(behaviour.breaks_after_content, "after", recipients):
            server.reset()
        return "250 2.0.0 Taken"


class Talk(SMTP):
    """One connection."""

    line_length_limit = UNLIMITED_BYTES + 1024  # of its reader, which has to hold a whole mail

    def __init__(self, world: World, loop: asyncio.AbstractEventLoop, options: Any) -> None:
        super().__init__(Handler(world), loop=loop, **options)
        self.world = world
        self.number = 0
        self.mails = 0
        self.hangs_up = False
        self.is_welcome = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self.number == 0:  # else TLS has begun on the same connection
            self.number = self.world.connect()
            self.is_welcome = self.world.welcomes()
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.world.open -= self.is_welcome
        self.is_welcome = False
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        crowd = "" if self.is_welcome else "421 4.7.0 Too many connections"
        if greeting := self.world.behaviour.greeting or crowd:
            await self.push(greeting)
            assert self.transport is not None
            self.transport.close()
            return
        await super()._handle_client()

    async def push(self, status: str | bytes) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        text = status if isinstance(status, str) else status.decode()
        await super().push(text)
        if text.startswith("421") or self.hangs_up:
            self.transport.close()

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd finds it so
        assert self.envelope is not None
        recipients = self.envelope.rcpt_tos
        behaviour = self.world.behaviour
        if not recipients and behaviour.takes_data_anyway:
            await self._read_for_nobody()
            return
        if not recipients or arg:
            await super().smtp_DATA(arg or "")
            return
        await self.push("354 Go on")
        if self.world.breaks(behaviour.breaks_in_content, "in", recipients):
            await self._reader.readexactly(64)
            self.reset()
            return
        # In one piece, which takes a fifth of the time that line by line does.
        content = await self._reader.readuntil(_END)
        await self._take(content[: -len(_END)] + b"\r\n")

    def reset(self) -> None:
        """Break the connection so that the other side notices."""
        assert isinstance(self.transport, asyncio.WriteTransport)
        self.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, _RESET
        )
        self.transport.abort()

    def _forget(self) -> None:
        """End the mail that is being sent, and be ready for the next."""
        self._set_rset_state()  # type: ignore[no-untyped-call]  # aiosmtpd's

    async def _read_for_nobody(self) -> None:
        await self.push("354 Go on")
        while await self._reader.readuntil(b"\r\n") != b".\r\n":
            pass
        self._forget()
        await self.push("554 5.5.1 No valid recipients")

    async def _take(self, content: bytes) -> None:
        assert self.envelope is not None
        if problem := _problem(content, self.world.offer):
            self._forget()
            await self.push(problem)
            return
        content = content.replace(b"\r\n..", b"\r\n.")
        self.envelope.content = content[1:] if content.startswith(b"..") else content
        status = await self.event_handler.handle_DATA(self, self.session, self.envelope)
        self._forget()
        await self.push(status)


def _problem(content: bytes, offer: Offer) -> str | None:
    """What makes a strict server refuse the content (RFC 5321, 2.3.8 and 4.5.3.1)."""
    ends = content.count(b"\r\n")
    if content.count(b"\r") != ends or content.count(b"\n") != ends:
        return "554 5.6.0 A line ends with CR or LF alone"
    if max(map(len, content.split(b"\r\n"))) > _LONGEST_LINE:
        return "554 5.6.0 A line is too long"
    if len(content) > offer.max_bytes:
        return "552 5.3.4 Too large"
    return None


def _accepted(server: Talk, envelope: Envelope, recipient: str, behaviour: Behaviour) -> Accepted:
    content = envelope.content
    assert isinstance(content, bytes)
    headers = BytesHeaderParser(policy=policy.compat32).parsebytes(
        content.partition(b"\r\n\r\n")[0]
    )
    return Accepted(
        message_id=str(headers.get("Message-ID", "")),
        recipient=recipient,
        sender=envelope.mail_from or "",
        at=clock.now().timestamp(),
        connection=server.number,
        bytes=len(content),
        is_utf8=bool(envelope.smtp_utf8),
        content=content.decode("latin-1") if behaviour.keeps_content else "",
    )


def _options(folder: Path, offer: Offer) -> tuple[dict[str, Any], ssl.SSLContext | None]:
    """What aiosmtpd is told, and what the listening socket is told."""

    def authenticate(
        _server: SMTP, _state: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        wanted = LoginPassword(offer.user.encode(), offer.password.encode())
        return AuthResult(success=data == wanted, handled=False)

    options: dict[str, Any] = {
        "hostname": "mail.test",
        "enable_SMTPUTF8": offer.is_utf8,
        "data_size_limit": offer.max_bytes,
    }
    if offer.user:
        options |= {
            "authenticator": authenticate, "auth_required": True, "auth_require_tls": False,
        }  # fmt: skip
    if offer.security == "smtp":
        return options, None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / CERTIFICATE, folder / KEY)
    if offer.security == "smtps":
        return options, tls
    return options | {"tls_context": tls, "require_starttls": True}, None


async def _serve(folder: Path, port: int, offer: Offer) -> None:
    loop = asyncio.get_running_loop()
    world = World(folder, offer)
    options, tls = _options(folder, offer)
    server = await loop.create_server(
        lambda: Talk(world, loop, options), LOOPBACK, port, ssl=tls, backlog=1024
    )
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)  # who started us is gone
    print(READY, flush=True)
    await ended.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), Offer.read(sys.argv[3])))
