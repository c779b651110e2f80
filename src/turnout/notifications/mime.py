"""Writes a mail as bytes (RFC 5322, MIME), and reads it again before anyone may send it. Pure.

What stands in headers comes from address objects and from here; the texts that people wrote go
through `header_text`. Then the bytes are read, and refused where they hold a header that was not
set, another recipient or another part: no text shall become a header, whatever the library does.
"""

import binascii
import re
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import (
    Address,
    BaseHeader,
    UniqueAddressHeader,
    UniqueUnstructuredHeader,
)
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser
from email.utils import format_datetime, getaddresses
from functools import lru_cache
from textwrap import TextWrapper
from typing import Any
from uuid import UUID

from email_validator import validate_email

LONGEST_SUBJECT = 250
PICTURE_ID = "ticket"
"""The left side of the Content-ID under which the HTML shows the picture."""
# Line ends become spaces. Control characters go, and so does what turns the direction of text.
_IN_LINE: dict[int, str | None] = {
    **dict.fromkeys(
        (*range(32), *range(127, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
    ),
    **dict.fromkeys(map(ord, "\t\n\v\f\r\x85\u2028\u2029"), " "),
}
_READER = BytesHeaderParser()
_BOUNDARY = re.compile(rb"\n--=_turnout_[a-z]+(--)?[ \t]*\r?\n(?:Content-Type: ([^;\r\n]*))?")
"""Where a part begins, with its media type, or the last one ends."""
_ENCODED_WORD, _HARMLESS = "=?", "= ?"
"""What begins an encoded word (RFC 2047): as it stands in a text, some readers decode it."""


class Tampered(Exception):
    """What was written does not read as it was meant: it must not be sent."""


@dataclass(frozen=True, slots=True)
class CalendarPart:
    """What the calendar of the reader is told (RFC 6047); `method` is that in the content."""

    method: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail before it is written. `host` makes its ids unique together with the delivery's."""

    delivery_id: UUID
    host: str
    date: datetime
    sender: Address
    recipient: Address
    subject: str
    text: str
    html: str
    calendar: CalendarPart | None = None
    picture: bytes | None = None
    unsubscribe_url: str | None = None


def one_line(text: str) -> str:
    """The text as one line, without characters that control what stands beside it."""
    return " ".join(text.translate(_IN_LINE).split())


def header_text(text: str) -> str:
    """The text as one line that means itself in a header: also what looks encoded there."""
    return one_line(text).replace(_ENCODED_WORD, _HARMLESS)


def address(text: str, name: str) -> Address:
    """An address as typed, with the name of whose it is; the domain in the form that mail knows.

    Raises ValueError for what is none.
    """
    local, at, domain = text.rpartition("@")
    if not at:
        raise ValueError("not an e-mail address")
    if not domain.isascii():
        known = validate_email(text, check_deliverability=False, strict=True, test_environment=True)
        domain = known.ascii_domain
    return Address(header_text(name), local, domain)


def picture_id(delivery_id: UUID, host: str) -> str:
    """The Content-ID of the picture, without its angle brackets."""
    return f"{PICTURE_ID}.{delivery_id}@{host}"


def write(letter: Letter) -> bytes:
    """The mail, ready to be sent. Raises Tampered."""
    body = _body(letter)
    message = _headed(letter, body)
    raw = message.as_bytes()
    check(raw, letter.recipient, message.keys(), body.types())
    return raw


def check(raw: bytes, recipient: Address, headers: list[str], types: list[str]) -> None:
    """Read a mail's headers as any program does, and where its parts begin and end.

    Raises Tampered unless it goes to `recipient` alone, and has just these headers and these media
    types of itself and of its parts, in this order.
    """
    read = _READER.parsebytes(raw[: raw.find(b"\r\n\r\n") + 4])
    if read.keys() != headers:
        raise Tampered(f"headers {read.keys()} instead of {headers}")
    to = [address for _, address in getaddresses([_header(read, "To")])]
    if to != [recipient.addr_spec]:
        raise Tampered("another recipient than the one it is for")
    lines = _BOUNDARY.findall(raw)
    begun = [media_type.decode() for end, media_type in lines if not end]
    found = [read.get_content_type(), *begun]
    wholes = sum(each.startswith("multipart/") for each in types)
    if found != types or len(lines) - len(begun) != wholes:
        raise Tampered(f"parts {found} instead of {types}")


class _AsItStands(BaseHeader):
    """A header of our own making, which must not be folded: links and ids would break."""

    max_count = 1

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        """Keep the value, as the registry asks for it."""
        if not value.isascii() or not value.isprintable():
            raise ValueError("only ASCII stands as it is")
        kwds["decoded"], kwds["parse_tree"] = value, None

    def fold(self, *, policy: Any) -> str:
        """One line, whatever its length (RFC 5322 allows 998 characters)."""
        return f"{self.name}: {self}{policy.linesep}"


_AS_IT_STANDS = (
    *("date", "message-id", "auto-submitted", "list-unsubscribe", "list-unsubscribe-post"),
    *("mime-version", "content-type"),
)


class _Worded(UniqueUnstructuredHeader, BaseHeader):  # type: ignore[misc]  # so the library joins them itself
    """A text, with one space at most between two words."""

    def fold(self, *, policy: Any) -> str:
        """Folded between words. The library puts an empty line before a long first one."""
        if not self.isascii():
            folded: str = super().fold(policy=policy)
            return folded
        lines = _FOLDS.wrap(str(self))
        whole: str = policy.linesep.join([f"{self.name}: {lines[0]}", *lines[1:], ""])
        return whole


_FOLDS = TextWrapper(
    width=66, subsequent_indent=" ", break_long_words=False, break_on_hyphens=False
)


class _Headers:
    """The headers that a mail can have, and no other: each with what reads and folds it.

    The registry of the library makes a new class whenever a header is set, which takes longer than
    all the rest.
    """

    def __init__(self) -> None:
        addressed: Any = type("Addressed", (UniqueAddressHeader, BaseHeader), {})
        self._known: dict[str, Any] = {
            "from": addressed,
            "to": addressed,
            "subject": _Worded,
            **dict.fromkeys(_AS_IT_STANDS, _AsItStands),
        }

    def __getitem__(self, name: str) -> Any:
        return self._known[name.lower()]

    def __call__(self, name: str, value: Any) -> Any:
        """The header, as the policy asks for it."""
        return self[name](name, value)


_HEADERS = _Headers()
_POLICY = policy.SMTP.clone(header_factory=_HEADERS)
_POLICY_UTF8 = policy.SMTPUTF8.clone(header_factory=_HEADERS)


def _header_of(name: str, written: str, value: Address | str) -> Any:
    """The header as it is written, where it has nothing to encode and to fold; others by the value.

    Of the latter the library makes it: that takes it all apart, for a third of the mail's time.
    """
    is_short = written.isascii() and written.isprintable() and len(written) <= _FOLDS.width
    return _AsItStands(name, written) if is_short else value


@lru_cache(8)
def _from(name: str, local: str, domain: str) -> Any:
    return _HEADERS("From", Address(name, local, domain))


def _headed(letter: Letter, body: "_Part") -> EmailMessage:
    utf8 = not letter.recipient.addr_spec.isascii()
    message = EmailMessage(policy=_POLICY_UTF8 if utf8 else _POLICY)
    sender = letter.sender
    message["From"] = _from(sender.display_name, sender.username, sender.domain)
    message["To"] = _header_of("To", str(letter.recipient), letter.recipient)
    subject = header_text(letter.subject)[:LONGEST_SUBJECT]
    message["Subject"] = _header_of("Subject", subject, subject)
    message["Date"] = format_datetime(letter.date)
    message["Message-ID"] = f"<{letter.delivery_id}@{letter.host}>"
    # RFC 3834: nobody's holiday note shall come back.
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe_url is not None:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = body.media_type
    message.set_payload(body.content.decode("ascii"))
    return message


@dataclass(frozen=True, slots=True)
class _Part:
    """A part as it is written: pure ASCII, lines ending with CR LF. `parts` are those within it."""

    media_type: str
    content: bytes
    headers: str = ""
    parts: tuple["_Part", ...] = ()

    def whole(self) -> bytes:
        """With its headers."""
        return f"Content-Type: {self.media_type}\r\n{self.headers}\r\n".encode() + self.content

    def types(self) -> list[str]:
        """The media types of it and all within it, in their order."""
        inner = [each for part in self.parts for each in part.types()]
        return [self.media_type.partition(";")[0], *inner]


def _body(letter: Letter) -> _Part:
    """By what a reader can show: text, else HTML with its picture, else the calendar."""
    html = _text("text/html", letter.html)
    if letter.picture is not None:
        html = _multipart("related", [html, _picture(letter, letter.picture)])
    shown = [_text("text/plain", letter.text), html]
    if letter.calendar is None:
        return _multipart("alternative", shown)
    method, content = letter.calendar.method, letter.calendar.content
    invite = _base64(f"text/calendar; method={method}; charset=utf-8", content)
    # A second time as a file, for programs that know only those.
    file = _base64(
        'application/ics; name="invite.ics"',
        content,
        'Content-Disposition: attachment; filename="invite.ics"\r\n',
    )
    return _multipart("mixed", [_multipart("alternative", [*shown, invite]), file])


def _multipart(kind: str, parts: Sequence[_Part]) -> _Part:
    # No content can hold it: base64 has no "=_", and quoted-printable writes "=" as "=3D". The same
    # for all, as parsers make a pattern of it, which takes them longer than the mail.
    boundary = f"=_turnout_{kind}"
    open_ = f"--{boundary}\r\n".encode()
    content = b"".join(open_ + part.whole() + b"\r\n" for part in parts)
    end = f"--{boundary}--\r\n".encode()
    return _Part(f'multipart/{kind}; boundary="{boundary}"', content + end, parts=tuple(parts))


def _text(media_type: str, text: str) -> _Part:
    lines = "\r\n".join(text.split("\n")).encode()
    content = binascii.b2a_qp(lines, istext=True)
    return _Part(
        f"{media_type}; charset=utf-8", content, "Content-Transfer-Encoding: quoted-printable\r\n"
    )


def _picture(letter: Letter, png: bytes) -> _Part:
    name = picture_id(letter.delivery_id, letter.host)
    headers = f'Content-ID: <{name}>\r\nContent-Disposition: inline; filename="ticket.png"\r\n'
    return _base64("image/png", png, headers)


def _base64(media_type: str, content: bytes, headers: str = "") -> _Part:
    encoded = encodebytes(content).replace(b"\n", b"\r\n")
    return _Part(media_type, encoded, f"Content-Transfer-Encoding: base64\r\n{headers}")


def _header(read: Message, name: str) -> str:
    """The value as it stands; read from bytes, what is not ASCII comes as surrogates."""
    value = next(str(value) for known, value in read.raw_items() if known == name)
    return value.encode("ascii", "surrogateescape").decode()
