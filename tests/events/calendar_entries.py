"""What the tests of reading calendars share: files to give, and what they became."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from turnout.events import ical_lines, ical_reading
from turnout.events.ical_findings import Entry, Refused
from turnout.events.ical_reading import Result

CALENDARS = Path(__file__).parent / "calendars"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ZONE = "Asia/Kolkata"
FOREIGN = "01a20d2b-3a21-719d-955b-e08b9de41a9e"


def read(data: bytes, now: datetime = NOW) -> list[Result]:
    return list(ical_reading.read(ical_lines.read(data), ZONE, now))


def read_file(name: str) -> list[Result]:
    return read((CALENDARS / name).read_bytes())


def calendar(*entries: Sequence[str], head: Sequence[str] = ()) -> bytes:
    """A calendar with entries of these lines, each with a UID, a name and a place unless given."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test", *head]
    for n, entry in enumerate(entries):
        usual = (f"UID:{n}@test", "SUMMARY:Talk", "LOCATION:Hall")
        given = {line.partition(":")[0] for line in entry}
        kept = [line for line in usual if line.partition(":")[0] not in given]
        lines += ["BEGIN:VEVENT", *kept, *entry, "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def entries(results: Sequence[Result]) -> list[Entry]:
    assert [each for each in results if not isinstance(each, Entry)] == []
    return [each for each in results if isinstance(each, Entry)]


def one(*lines: str, head: Sequence[str] = ()) -> Entry:
    [entry] = entries(read(calendar(lines, head=head)))
    return entry


def codes(entry: Entry) -> list[str]:
    return [str(note.code) for note in entry.notes]


def reasons(results: Sequence[Result]) -> list[tuple[str, str]]:
    """Of what is refused: the code and the property of each reason."""
    refused = [each for each in results if isinstance(each, Refused)]
    return [(str(why.code), why.field) for each in refused for why in each.reasons]


def when(result: Result) -> tuple[Any, ...]:
    assert isinstance(result, Entry)
    event = result.event
    return (
        event.name,
        event.timezone,
        event.start.local.isoformat(" ", "minutes"),
        event.end.local.isoformat(" ", "minutes"),
    )


def starts(results: Sequence[Result]) -> list[str]:
    return [each.event.start.local.isoformat(" ", "minutes") for each in entries(results)]


CUSTOM = [
    "BEGIN:VTIMEZONE", "TZID:Ours", "BEGIN:STANDARD", "DTSTART:20000101T000000",
    "TZOFFSETFROM:{0}", "TZOFFSETTO:{0}", "END:STANDARD", "END:VTIMEZONE",
]  # fmt: skip
