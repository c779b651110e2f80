"""What a mail about an event says. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from turnout.events.models import Status as EventStatus
from turnout.events.models import TeamRole
from turnout.notifications import mime, periods, sayings, wording
from turnout.notifications.kinds import MailKind
from turnout.notifications.letterhead import Letterhead
from turnout.notifications.news import EventFacts, EventNews, Facts, Seats
from turnout.notifications.sayings import Said
from turnout.registrations import guests
from turnout.registrations.models import Status

_SUBJECTS = {
    MailKind.EVENT_CREATED: "Your event: {event}",
    MailKind.EVENT_CHANGED: "Changed: {event}",
    MailKind.EVENT_CANCELLED: "Cancelled: {event}",
    MailKind.EVENT_REMINDER: "Reminder: {event}",
    MailKind.REGISTRATION_CONFIRMED: "You have a seat: {event}",
    MailKind.REGISTRATION_WAITLISTED: "On the waitlist: {event}",
    MailKind.REGISTRATION_CANCELLED: "Registration cancelled: {event}",
    MailKind.REGISTRATION_RECEIVED: "{guest} has registered: {event}",
    MailKind.TEAM_JOINED: "You are in the team: {event}",
}
_MINE = "You get this mail because somebody, probably you, registered with this address."
_OURS = "You get this mail because the event is yours."
_WHY = {
    MailKind.EVENT_CREATED: _OURS,
    MailKind.REGISTRATION_RECEIVED: _OURS,
    MailKind.TEAM_JOINED: "You get this mail because its organizer put you in the team.",
}
_DUTIES = {
    TeamRole.EDITOR: "You can edit the event, and see who comes.",
    TeamRole.DOOR: "You let people in at the door, and see their names.",
}


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is another than it was, line by line."""

    label: str
    now: list[str]
    was: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSaid(Said):
    """What the templates of mails about events know."""

    event: str
    event_url: str
    when: list[str]
    """By the event's own clocks, and by those of the reader where they are others."""
    starts: list[str]
    where: list[str]
    online_url: str | None
    organizer: str
    words: wording.Said | None
    """The organizer's own."""
    code: str
    picture_id: str
    manage_url: str | None
    """Where whoever has no account can change or cancel the registration."""
    has_account: bool
    has_calendar: bool
    is_draft: bool
    is_on: bool
    is_waiting: bool
    is_seated_again: bool
    is_same_moment: bool
    occurrences: int
    changes: list[Change]
    reason: str | None
    position: int | None
    moved_up: bool
    by: str | None
    guest: str
    seats: str
    duty: str


def said(letterhead: Letterhead, facts: Facts, news: EventNews, *, has_calendar: bool) -> EventSaid:
    """What a mail of that kind says of the event."""
    event, seat, reader = news.event, news.seat, facts.reader
    name, guest = mime.one_line(event.name), mime.one_line(seat.name if seat else "")
    code = letterhead.tickets.code(seat.id) if seat else ""
    words = _words(letterhead, facts, news, code)
    subject = words.subject if words else _SUBJECTS[facts.kind].format(event=name, guest=guest)
    changes = list(_changes(news, reader.zone))
    return EventSaid(
        **sayings.common(letterhead, facts, subject, _WHY.get(facts.kind, _MINE)),
        event=name,
        event_url=f"{letterhead.base_url}/e/{event.slug}",
        when=_when(event.start_at, event.end_at, event.timezone, reader.zone),
        starts=_starts(event, reader.zone),
        where=list(dict.fromkeys(_where(event))),
        online_url=_web_address(event.online_url),
        organizer=mime.one_line(event.organizer_name),
        words=words,
        code=code,
        picture_id=mime.picture_id(facts.delivery_id, letterhead.host),
        manage_url=_manage_url(letterhead, news),
        has_account=reader.has_account,
        has_calendar=has_calendar,
        is_draft=event.status == EventStatus.DRAFT,
        is_on=event.status == EventStatus.PUBLISHED,
        is_waiting=seat is not None and seat.status == Status.WAITLISTED,
        is_seated_again=seat is not None and seat.is_seated_again,
        is_same_moment=_is_same_moment(news),
        occurrences=news.occurrences,
        changes=changes,
        reason=event.cancel_reason,
        position=seat.position if seat else None,
        moved_up=news.moved_up,
        by=news.by,
        guest=guest,
        seats=_seats(news.seats),
        duty=_DUTIES[TeamRole(news.role)] if news.role else "",
    )


def _words(letterhead: Letterhead, facts: Facts, news: EventNews, code: str) -> wording.Said | None:
    if news.words is None:
        return None
    values = wording.values_of(news.event, letterhead.base_url, facts.reader.name, code)
    return wording.said(facts.kind, news.words, values)


def _when(start_at: datetime, end_at: datetime, zone: str, readers: str | None) -> list[str]:
    lines = [periods.period(start_at, end_at, zone)]
    if readers is not None and readers != zone:
        lines.append(f"For you: {periods.period(start_at, end_at, readers)}")
    return lines


def _starts(event: EventFacts, readers: str | None) -> list[str]:
    lines = [periods.moment(event.start_at, event.timezone)]
    if readers is not None and readers != event.timezone:
        lines.append(f"For you: {periods.moment(event.start_at, readers)}")
    return lines


def _where(event: EventFacts) -> Iterator[str]:
    yield mime.one_line(event.location)
    city = ", ".join(filter(None, (event.place_city, event.place_country)))
    yield from map(mime.one_line, filter(None, (event.place_name, event.place_address, city)))


def _web_address(url: str | None) -> str | None:
    """The address, which has been judged when it came in: once more, since here people click."""
    is_one = url is not None and url.lower().startswith(("https://", "http://"))
    return url if is_one else None


def _changes(news: EventNews, readers: str | None) -> Iterator[Change]:
    event, before = news.event, news.before
    if before is None:
        return
    was = (before.start_at, before.end_at, before.timezone)
    now = (event.start_at, event.end_at, event.timezone)
    if was != now:
        yield Change("When", _when(*now, readers), _when(*was, readers))
    if before.location != event.location:
        where = list(dict.fromkeys(_where(event)))
        yield Change("Where", where, [mime.one_line(before.location)])
    if before.name != event.name:
        yield Change("Name", [mime.one_line(event.name)], [mime.one_line(before.name)])


def _is_same_moment(news: EventNews) -> bool:
    event, before = news.event, news.before
    return (
        before is not None
        and before.timezone != event.timezone
        and (before.start_at, before.end_at) == (event.start_at, event.end_at)
    )


def _manage_url(letterhead: Letterhead, news: EventNews) -> str | None:
    """For a guest whose token is still the derived one: no other is known to anybody but them."""
    seat = news.seat
    if seat is None or seat.manage_token_hash is None or seat.status == Status.CANCELLED:
        return None
    token = guests.derived_token(letterhead.seals.secret, seat.id)
    if guests.hash_of(token) != seat.manage_token_hash:
        return None
    return f"{letterhead.base_url}/r/{token}"


def _seats(seats: Seats | None) -> str:
    if seats is None:
        return ""
    if seats.capacity is None:
        return f"{seats.taken:,} taken"
    return f"{seats.taken:,} of {seats.capacity:,} taken"
