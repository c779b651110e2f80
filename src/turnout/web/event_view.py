"""What the page of an event says, in words; knows no request and no template."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from markupsafe import Markup

from turnout.discovery.queries import EventView, SlotView
from turnout.discovery.schemas import CoverOut, cover_out
from turnout.events import markdown, times
from turnout.events.models import Status, Visibility

SUMMARY_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Clock:
    """A time as people read it, and as machines do (RFC 3339)."""

    text: str
    iso: str


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when, by the clocks of a zone."""

    start: Clock
    end: Clock
    zone: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the agenda."""

    start: Clock
    end: Clock
    title: str
    detail: str
    description: str | None


@dataclass(frozen=True, slots=True)
class Day:
    """The parts that begin on one day."""

    text: str
    parts: list[Part]


@dataclass(frozen=True, slots=True)
class Shown:
    """All that the page says."""

    name: str
    summary: str
    notices: list[str]
    when: list[Period]
    """By the event's own zone, and by that of whoever looks, where it is another."""
    where: list[str]
    online_url: str | None
    organizer: str
    seats: str
    cover: CoverOut | None
    description: Markup | None
    agenda: list[Day]
    agenda_zone: str
    calendar: str
    is_listed: bool
    """Whether search engines may know of it."""


def shown(view: EventView, zone: str | None, now: datetime) -> Shown:
    """What the page says to somebody in `zone`, else by the event's own clocks.

    Turns Markdown into HTML: to be called in a thread.
    """
    row = view.row
    shown_in = zone or row.timezone
    text = markdown.to_html(row.description) if row.description.strip() else None
    return Shown(
        name=row.name,
        summary=markdown.to_text(row.description, SUMMARY_CHARACTERS),
        notices=list(_notices(row, now)),
        when=[period(row.start_at, row.end_at, each) for each in _both(row.timezone, shown_in)],
        where=list(dict.fromkeys(where(row))),
        online_url=_web_address(row.online_url),
        organizer=row.organizer_name,
        seats=seats(row, shown_in, now),
        cover=cover_out(row.id, row.cover),
        description=None if text is None else Markup(text),  # noqa: S704 - that is what the sanitizer gave
        agenda=_agenda(view.slots, shown_in),
        agenda_zone=shown_in,
        calendar=f"/events/{row.id}.ics",
        is_listed=row.visibility == Visibility.PUBLIC and row.status != Status.DRAFT,
    )


def period(start_at: datetime, end_at: datetime, zone: str) -> Period:
    """The period by the clocks of a zone; the day of the end is said where it is another."""
    start, end = times.shown(start_at, zone), times.shown(end_at, zone)
    last = _time(end) if start.date() == end.date() else f"{_day(end)}, {_time(end)}"
    return Period(
        Clock(f"{_day(start)}, {_time(start)}", start.isoformat()),
        Clock(last, end.isoformat()),
        f"{_place_of(zone)}, {_offset(start)}",
    )


def seats(row: Any, zone: str, now: datetime) -> str:
    """Whether there is a seat left, and from when to when one can take it."""
    if row.opens_at is not None and now < row.opens_at:
        opens = times.shown(row.opens_at, zone)
        return f"Registration opens on {_day(opens)} at {_time(opens)}"
    if row.status == Status.CANCELLED or now >= (row.closes_at or row.end_at):
        return "Registration is closed"
    if row.capacity is None:
        return "There is room for everyone"
    left = max(0, row.capacity - row.taken)
    if left:
        return f"{left:,} of {row.capacity:,} seats left"
    return "Full; there is a waitlist" if row.waitlist_enabled else "Full"


def _notices(row: Any, now: datetime) -> Iterable[str]:
    match row.status:
        case Status.DRAFT:
            yield "This is a draft: only those who work on it see it."
        case Status.CANCELLED:
            reason = row.cancel_reason
            yield f"This event is cancelled: {reason}" if reason else "This event is cancelled."
        case _ if row.end_at <= now:
            yield "This event is over."
        case _:
            pass
    if row.visibility == Visibility.PRIVATE:
        yield "This event is private: only those who work on it see it."


def _both(own: str, chosen: str) -> list[str]:
    return [own] if chosen == own else [own, chosen]


def where(row: Any) -> Iterable[str]:
    """The place, line by line; two may be the same."""
    yield row.location
    city = ", ".join(filter(None, (row.place_city, row.place_country)))
    yield from filter(None, (row.place_name, row.place_address, city))


def _web_address(url: str | None) -> str | None:
    """The address, which has been judged when it came in: once more, since here people click."""
    is_one = url is not None and url.lower().startswith(("https://", "http://"))
    return url if is_one else None


def _agenda(slots: Iterable[SlotView], zone: str) -> list[Day]:
    def day_of(slot: SlotView) -> str:
        return _day(times.shown(slot.start_at, zone))

    return [
        Day(text, [_part(slot, zone) for slot in of_day]) for text, of_day in groupby(slots, day_of)
    ]


def _part(slot: SlotView, zone: str) -> Part:
    start, end = times.shown(slot.start_at, zone), times.shown(slot.end_at, zone)
    last = _time(end) if start.date() == end.date() else f"{_day(end)}, {_time(end)}"
    detail = " · ".join(filter(None, (slot.speaker, slot.room)))
    return Part(
        Clock(_time(start), start.isoformat()),
        Clock(last, end.isoformat()),
        slot.title,
        detail,
        slot.description,
    )


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)


def _day(moment: datetime) -> str:
    """Not by strftime: it speaks the language of the machine."""
    name, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{name}, {moment.day} {month} {moment.year}"


def _time(moment: datetime) -> str:
    return f"{moment:%H:%M}"


def _offset(moment: datetime) -> str:
    return f"UTC{moment.isoformat()[-6:]}"


def _place_of(zone: str) -> str:
    return zone.replace("_", " ")
