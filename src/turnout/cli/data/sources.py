"""What an import reads: rows of JSON and CSV, or the entries of a calendar; it writes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from turnout import clock
from turnout.cli.data import files, rows
from turnout.cli.data.files import Form
from turnout.cli.data.records import Refused, Row, Skipped, Taken, each_once
from turnout.events import ical_lines, ical_reading
from turnout.events.ical_findings import Entry
from turnout.events.ical_findings import Refused as RefusedEntry
from turnout.events.ical_lines import Component
from turnout.places import gazetteer
from turnout.registrations.service import AdmissionDraft


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be used.

    `size` says how many rows there are (None for a calendar: a series becomes many events), `unit`
    what is counted, and `read` gives what each became, for the zone of times that name none.
    """

    size: int | None
    unit: str
    read: Callable[[str], Iterator[Row]]


def opened(data: bytes, form: Form) -> Source:
    """The source in a file of that form. Raises Invalid about `file`, and so may reading it."""
    if form is Form.ICS:
        calendars = ical_lines.read(data)
        return Source(None, "line", partial(_entries, calendars))
    raw = files.read(data, form)
    return Source(len(raw), "row", lambda zone: rows.read(raw, gazetteer.load(), zone))


def _entries(calendars: list[Component], default_zone: str) -> Iterator[Row]:
    found = ical_reading.read(calendars, default_zone, clock.now())
    return each_once(map(_row, found), "line")


def _row(result: ical_reading.Result) -> Row:
    if isinstance(result, Entry):
        # Calendars know no seats: there is no limit, as for a conference without one.
        return Taken(result.line, result.event, AdmissionDraft(None), result.notes)
    kind = Refused if isinstance(result, RefusedEntry) else Skipped
    return kind(result.line, result.name, result.reasons)
