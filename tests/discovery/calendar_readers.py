"""Two readers of iCalendar that share no code with what writes it; both have to agree."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import Any
from uuid import uuid4

import vobject
from dateutil import tz
from ical.calendar_stream import IcsCalendarStream


@dataclass(frozen=True)
class Seen:
    """An entry as a reader sees it; times in UTC, by the zone definitions of the file itself."""

    uid: str
    summary: str
    description: str | None
    location: str | None
    start: datetime
    end: datetime
    sequence: int
    status: str


def by_ical(body: bytes) -> list[Seen]:
    """As the library `ical` reads it, strictly."""
    calendar = IcsCalendarStream.calendar_from_ics(body.decode())
    return [
        Seen(
            each.uid or "",
            each.summary or "",
            each.description,
            each.location,
            _utc(each.dtstart),
            _utc(each.dtend),
            each.sequence or 0,
            str(each.status and each.status.value),
        )
        for each in calendar.events
    ]


def by_vobject(body: bytes) -> list[Seen]:
    """As the library `vobject` reads it, by the definitions in the file.

    Under names that nobody knows, for it would take a zone that it knows from elsewhere; and told
    of each, for it overlooks those that had no offset until 2020.
    """
    mark = uuid4().hex
    unknown = body.decode().replace("TZID:", f"TZID:{mark}-").replace("TZID=", f"TZID={mark}-")
    for definition in re.findall(r"BEGIN:VTIMEZONE.*?END:VTIMEZONE", unknown, re.DOTALL):
        defined = tz.tzical(StringIO(definition))
        [name] = defined.keys()
        vobject.icalendar.registerTzid(name, defined.get(name))
    calendar = vobject.readOne(unknown)
    entries = calendar.contents.get("vevent", [])
    return [
        Seen(
            _value(each, "uid"),
            _value(each, "summary"),
            _value(each, "description"),
            _value(each, "location"),
            _utc(each.dtstart.value),
            _utc(each.dtend.value),
            int(_value(each, "sequence")),
            _value(each, "status"),
        )
        for each in entries
    ]


def read(body: bytes) -> list[Seen]:
    """What both see."""
    seen = by_ical(body)
    assert by_vobject(body) == seen
    return seen


def _value(entry: Any, name: str) -> Any:
    found = entry.contents.get(name)
    return found[0].value if found else None


def _utc(time: Any) -> datetime:
    assert isinstance(time, datetime)
    return time.astimezone(UTC)
