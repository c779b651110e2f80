"""Writes whole mails from facts: words, ticket, calendar. Pure, but for the templates it reads."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from turnout.discovery import invitations
from turnout.discovery.invitations import Invitation, Method, Party
from turnout.notifications import about_accounts, about_events, mime, ticket_picture
from turnout.notifications.kinds import MailKind
from turnout.notifications.letterhead import Letterhead
from turnout.notifications.mime import CalendarPart, Letter
from turnout.notifications.news import EventNews, Facts
from turnout.notifications.sayings import Said
from turnout.registrations.models import Status

_METHODS = {
    MailKind.REGISTRATION_CONFIRMED: Method.REQUEST,
    MailKind.EVENT_CHANGED: Method.REQUEST,
    MailKind.REGISTRATION_CANCELLED: Method.CANCEL,
    MailKind.EVENT_CANCELLED: Method.CANCEL,
}
"""What the calendar of the reader is told."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail as it is handed over: to whom (RFC 5321), and its bytes.

    `is_utf8`: the server that takes it has to know SMTPUTF8 (RFC 6531).
    """

    recipient: str
    raw: bytes
    is_utf8: bool


@dataclass(frozen=True, slots=True)
class Readable:
    """What people read of a mail. The picture of a ticket is in its place, and not in here."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Shown:
    """A mail before it is put together."""

    said: Said
    calendar: CalendarPart | None = None
    picture: bytes | None = None


def write(letterhead: Letterhead, facts: Facts, now: datetime) -> Composed:
    """The mail of these facts, the same each time but for its date and its seals.

    Takes a millisecond; with an organizer's own long words some more the first time. Raises
    mime.Tampered where what was written does not read as it was meant, and ValueError for an
    address that is none: neither is to be tried again.
    """
    recipient = mime.address(facts.reader.address, facts.reader.name)
    shown = _shown(letterhead, facts, recipient.addr_spec)
    text, html = _rendered(facts.kind, shown.said)
    letter = Letter(
        delivery_id=facts.delivery_id,
        host=letterhead.host,
        date=now,
        sender=letterhead.sender,
        recipient=recipient,
        subject=shown.said.subject,
        text=text,
        html=html,
        calendar=shown.calendar,
        picture=shown.picture,
        unsubscribe_url=shown.said.unsubscribe_url,
    )
    is_utf8 = not recipient.addr_spec.isascii()
    return Composed(recipient.addr_spec, mime.write(letter), is_utf8)


def prepare() -> None:
    """Load what the first mail would otherwise wait for, some tenths of a second of it."""
    for kind in MailKind:
        _template(f"{kind}.txt")
        _template(f"{kind}.html")
    ticket_picture.png("0" * 16)
    import_module("icalendar")


def readable(letterhead: Letterhead, facts: Facts) -> Readable:
    """The words of the mail of these facts, which are about an event, to be looked at alone."""
    assert isinstance(facts.news, EventNews)  # noqa: S101 - so the caller says; narrows the type
    has_calendar = facts.kind in _METHODS
    said = about_events.said(letterhead, facts, facts.news, has_calendar=has_calendar)
    text, html = _rendered(facts.kind, said)
    return Readable(said.subject, text, html)


def _shown(letterhead: Letterhead, facts: Facts, address: str) -> _Shown:
    news = facts.news
    if not isinstance(news, EventNews):
        return _Shown(about_accounts.said(letterhead, facts, news))
    calendar = _calendar(letterhead, facts, news, address)
    said = about_events.said(letterhead, facts, news, has_calendar=calendar is not None)
    picture = None
    if facts.kind is MailKind.REGISTRATION_CONFIRMED:
        picture = ticket_picture.png(said.code)
    return _Shown(said, calendar, picture)


def _calendar(
    letterhead: Letterhead, facts: Facts, news: EventNews, address: str
) -> CalendarPart | None:
    """None for whoever has nothing in their calendar, or must keep it."""
    method, event, seat = _METHODS.get(facts.kind), news.event, news.seat
    if method is None or (seat is not None and seat.status == Status.WAITLISTED):
        return None
    if facts.kind is MailKind.REGISTRATION_CANCELLED and seat is not None and seat.is_seated_again:
        return None
    invitation = Invitation(
        method=method,
        organizer=Party(letterhead.sender.addr_spec, event.organizer_name),
        attendee=Party(address, facts.reader.name),
        stamp=max(event.updated_at, seat.updated_at) if seat else event.updated_at,
    )
    content = invitations.calendar(event, letterhead.base_url, invitation)
    return CalendarPart(method, content)


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(("html",), default=False, default_for_string=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


@cache
def _template(name: str) -> Template:
    return _TEMPLATES.get_template(name)


def _rendered(kind: MailKind, said: Said) -> tuple[str, str]:
    """Text and HTML."""
    text = _template(f"{kind}.txt").render(said=said)
    return _single_spaced(text), _template(f"{kind}.html").render(said=said)


def _single_spaced(text: str) -> str:
    """With one blank line at most between two others: what was left out leaves none behind."""
    lines: list[str] = []
    for line in text.strip("\n").split("\n"):
        if line.strip() or (lines and lines[-1]):
            lines.append(line if line == "-- " else line.rstrip())
    return "\n".join(lines) + "\n"
