"""Times as mails say them: the day, the clocks, and always the zone. Pure."""

from datetime import datetime

from turnout.events import times
from turnout.events.zones import UTC_NAME

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)  # fmt: skip


def period(start_at: datetime, end_at: datetime, zone: str) -> str:
    """From when to when: `Sat 5 Dec 2026, 10:00–12:00, Asia/Kolkata (IST, UTC+05:30)`."""
    start, end = times.shown(start_at, zone), times.shown(end_at, zone)
    if start.date() == end.date():
        clocks = f"{_day(start)}, {start:%H:%M}–{end:%H:%M}"
    else:
        clocks = f"{_day(start)}, {start:%H:%M} – {_day(end)}, {end:%H:%M}"
    until = end if end.utcoffset() != start.utcoffset() else None
    return f"{clocks}, {_zone(zone, start, until)}"


def moment(instant: datetime, zone: str) -> str:
    """One time: `Sat 5 Dec 2026, 10:00, Asia/Kolkata (IST, UTC+05:30)`."""
    shown = times.shown(instant, zone)
    return f"{_day(shown)}, {shown:%H:%M}, {_zone(zone, shown, None)}"


def _day(shown: datetime) -> str:
    """Not by strftime: it speaks the language of the machine."""
    return f"{_DAYS[shown.weekday()]} {shown.day} {_MONTHS[shown.month - 1]} {shown.year}"


def _zone(name: str, start: datetime, end: datetime | None) -> str:
    if name == UTC_NAME:
        return UTC_NAME
    offsets = _offset(start) if end is None else f"{_offset(start)}, at the end {_offset(end)}"
    return f"{name} ({offsets})"


def _offset(shown: datetime) -> str:
    """With the letters that people know, where the zone has any: many have numbers alone."""
    offset = f"UTC{shown.isoformat()[-6:]}"
    letters = shown.tzname() or ""
    return f"{letters}, {offset}" if letters.isalpha() and letters != UTC_NAME else offset
