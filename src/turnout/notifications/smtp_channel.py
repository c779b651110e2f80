"""One connection to a mail server that is ready for mails: envelope, data, answer (RFC 5321).

Knows neither how it was opened nor who else has one. aiosmtplib, which opens it, would wait for an
answer after each command; here MAIL, RCPT and DATA go out together where the server allows that
(RFC 2920), which halves the time to a server that is not near, and the work.
"""

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from turnout import fields
from turnout.notifications.mail_errors import MailError, MailPostponed, MailRefused, ServerAway

ANSWER_SECONDS = 20.0
"""How long the server may take for the commands; for the content, twice as long."""

BROKE = "the connection to the mail server broke"
MAX_REPLY_BYTES = 32 * 1024
LONGEST_TEXT = 160
LONGEST_WORD = 40

# Answers that are about us and not about the mail, to whichever command: 421 closing (RFC 5321),
# the others want a sign-in or another one (RFC 4954).
_ABOUT_US = frozenset((421, 530, 534, 535, 538))
_TOO_LARGE = 552  # to MAIL, it is about the size that was declared there (RFC 1870)
_LINE_ENDS = re.compile(rb"\r\n|\r|\n")
# Without what could end the command line, or the address on it, in the midst.
_MAILBOX = re.compile(r"[^\s<>\x00-\x20\x7f]+@[^\s<>@\x00-\x20\x7f]+")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the server is told of a mail, and the mail itself, as bytes of RFC 5322."""

    sender: str
    recipient: str
    raw: bytes
    is_utf8: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the server, of one line or more."""

    code: int
    text: str

    @property
    def is_good(self) -> bool:
        """Whether it asks for what comes next, or says that all is done."""
        return 200 <= self.code < 400

    def told(self, step: str) -> str:
        """The answer in words that may be shown: without addresses, links and long codes."""
        words = [_masked(word) for word in self.text.split()]
        return f"{self.code} to {step}: {' '.join(words)}"[:LONGEST_TEXT].rstrip(" :")


class Broken(Exception):
    """The connection is of no use any more.

    `is_stale`: no answer to this mail came at all, and no content of it had gone out, as with a
    connection that the server gave up while nobody used it. `is_farewell`: the server said 421.
    """

    def __init__(self, reason: str, *, is_stale: bool, is_farewell: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_stale = is_stale
        self.is_farewell = is_farewell

    def as_error(self) -> MailError:
        """The same for whoever wanted the mail sent."""
        return ServerAway(self.reason) if self.is_farewell else MailPostponed(self.reason)


class Channel(asyncio.Protocol):
    """A connection on which EHLO, TLS and AUTH are done; takes over `transport`.

    `extensions` is what the server offers: names in lower case, with what follows them. One mail
    at a time; after Broken, or when send() was cancelled, it has to be dropped.
    """

    def __init__(self, transport: asyncio.Transport, extensions: Mapping[str, str]) -> None:
        self._transport: Final = transport
        self.extensions: Final = extensions
        self.mails = 0
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._replies: deque[Reply] = deque()
        self._lines: list[bytes] = []
        self._rest = b""
        self._waiter: asyncio.Future[None] | None = None
        self._is_busy = False
        self._is_answered = False
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Whether a mail can be tried; the other side may still have gone unnoticed."""
        return not self._transport.is_closing() and not self.closed.done()

    async def send(self, envelope: Envelope) -> None:
        """Hand one mail over; on return the server has taken it.

        Raises the errors of mail_errors, after which the channel is as good as before, and Broken.
        """
        commands = self._commands(envelope)
        content = _stuffed(envelope.raw)
        self._is_busy, self._is_answered = True, False
        self.mails += 1
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._announce(commands)
            async with asyncio.timeout(2 * ANSWER_SECONDS):
                reply = await self._ask(content)
        except TimeoutError:
            raise MailPostponed("the mail server did not answer in time") from None
        self._is_busy = False
        if reply.code // 100 != 2:
            raise _judged("the content", reply)

    def quit(self) -> None:
        """Take leave, without waiting for an answer."""
        if self.is_open:
            self._transport.write(b"QUIT\r\n")
        self._transport.close()

    def drop(self) -> None:
        """Close at once."""
        self._transport.abort()

    @property
    def is_clean(self) -> bool:
        """Whether the last mail came to its end, so that another may follow."""
        return not self._is_busy and self.is_open

    def _commands(self, envelope: Envelope) -> tuple[tuple[str, bytes], ...]:
        sender, recipient = _mailbox(envelope.sender), _mailbox(envelope.recipient)
        is_utf8 = envelope.is_utf8 or not (sender + recipient).isascii()
        if is_utf8 and "smtputf8" not in self.extensions:
            raise MailRefused("the mail server takes no international addresses (SMTPUTF8)")
        options = [" SMTPUTF8"] if is_utf8 else []
        if "8bitmime" in self.extensions and not envelope.raw.isascii():
            options.append(" BODY=8BITMIME")
        if "size" in self.extensions:
            options.append(_size(envelope.raw, self.extensions["size"]))
        return (
            ("the sender", f"MAIL FROM:<{sender}>{''.join(options)}\r\n".encode()),
            ("the recipient", f"RCPT TO:<{recipient}>\r\n".encode()),
            ("DATA", b"DATA\r\n"),
        )

    async def _announce(self, commands: tuple[tuple[str, bytes], ...]) -> None:
        """Send the commands, until the server waits for the content; raises what it refuses."""
        is_at_once = "pipelining" in self.extensions
        if is_at_once:
            self._transport.write(b"".join(command for _, command in commands))
        for done, (step, command) in enumerate(commands, start=1):
            reply = await (self._reply() if is_at_once else self._ask(command))
            if not reply.is_good or (step == "DATA" and reply.code != 354):
                # What the server says of this mail counts, even if it leaves right after.
                with contextlib.suppress(Broken):
                    await self._take_back(len(commands) - done if is_at_once else 0)
                raise _judged(step, reply)

    async def _take_back(self, awaited: int) -> None:
        """Undo a mail that was refused, once the answers came that are still awaited."""
        replies = [await self._reply() for _ in range(awaited)]
        # RFC 2920, 3.1: DATA may have been taken though nobody is left to get the mail.
        is_waiting = bool(replies) and replies[-1].code == 354
        await self._ask(b".\r\n" if is_waiting else b"RSET\r\n")
        self._is_busy = False

    async def _ask(self, data: bytes) -> Reply:
        self._transport.write(data)
        return await self._reply()

    async def _reply(self) -> Reply:
        while not self._replies:
            if not self.is_open:
                raise Broken(BROKE, is_stale=not self._is_answered)
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        reply = self._replies.popleft()
        if reply.code == 421:
            self._transport.abort()
            reason = reply.told("a mail")
            raise Broken(reason, is_stale=not self._is_answered, is_farewell=True)
        self._is_answered = True
        return reply

    def data_received(self, data: bytes) -> None:
        """Collect whole answers."""
        if not self._is_busy:
            # Nobody asked: it is a farewell, or an answer would be taken for another's.
            self._transport.abort()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._lines.append(line[4:].strip())
            if line[3:4] != b"-":
                code = int(line[:3]) if line[:3].isdigit() else 0
                text = b" ".join(self._lines).decode("utf-8", "replace")
                self._replies.append(Reply(code, text))
                self._lines = []
        if len(self._rest) + sum(map(len, self._lines)) > MAX_REPLY_BYTES:
            self._transport.abort()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's interface
        """Let nobody wait for an answer any more."""
        if not self.closed.done():
            self.closed.set_result(None)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def is_mailbox(address: str) -> bool:
    """Whether a server can be told that address; not whether there is one."""
    return _MAILBOX.fullmatch(address) is not None


def _mailbox(address: str) -> str:
    """The address as it goes into a command: its domain in ASCII (IDNA), its local part as is."""
    if not address.isascii():
        local = address.rpartition("@")[0]
        address = f"{local}@{fields.canonical_email(address).rpartition('@')[2]}"
    if not is_mailbox(address):
        raise MailRefused("the recipient is no address that a mail server could be told")
    return address


def _size(raw: bytes, limit: str) -> str:
    """The option SIZE of RFC 1870; refuses what is larger than the server says that it takes."""
    if limit.isdigit() and 0 < int(limit) < len(raw):
        raise MailRefused(f"the mail is larger than the {limit} bytes that the mail server takes")
    return f" SIZE={len(raw)}"


def _stuffed(raw: bytes) -> bytes:
    """The content with CRLF alone as line ends, and nothing in it that looks like its end.

    A bare CR or LF would let a text smuggle in a second mail at servers that take it for an end.
    """
    ends = raw.count(b"\r\n")
    if raw.count(b"\n") != ends or raw.count(b"\r") != ends:
        raw = _LINE_ENDS.sub(b"\r\n", raw)
    if not raw.endswith(b"\r\n"):
        raw += b"\r\n"
    if raw.startswith(b"."):
        raw = b"." + raw
    return raw.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _judged(step: str, reply: Reply) -> MailError:
    """What a refusal means for the mail, and for others."""
    reason = reply.told(step)
    is_permanent = reply.code // 100 == 5
    is_about_sender = step == "the sender" and reply.code != _TOO_LARGE
    if reply.code in _ABOUT_US or (is_permanent and is_about_sender):
        return ServerAway(reason)
    return MailRefused(reason) if is_permanent else MailPostponed(reason)


def _masked(word: str) -> str:
    is_telling = "@" in word or "://" in word or len(word) > LONGEST_WORD
    return "…" if is_telling or not word.isprintable() else word
