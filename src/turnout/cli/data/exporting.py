"""Writes all events of a database to a file or a stream; it must not know how they are read."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from turnout import ids
from turnout.cli.data import cells, exact, files, mirror
from turnout.cli.data.files import Form
from turnout.db.session import Database
from turnout.discovery import everything, ical, ical_zones
from turnout.discovery.everything import WholeEvent
from turnout.events import times
from turnout.events.models import Status, Visibility

PAGE = 500
MOST_IN_MEMORY = 8 * 1024 * 1024
"""Bytes of a calendar's entries; more wait in a file."""
COLUMNS = tuple(dict.fromkeys(("name", *mirror.FIELDS, *exact.FIELDS)))

_USUAL: dict[str, object] = {
    "online": False,
    "waitlistEnabled": False,
    "status": Status.PUBLISHED,
    "visibility": Visibility.PUBLIC,
}
"""What a field means that is left out."""


async def write(
    database: Database,
    file: BinaryIO,
    form: Form,
    on_page: Callable[[int], None],
    base_url: str = "",
) -> int:
    """Write every event, in the order of their ids; returns how many there are.

    `on_page` is told how many more are written. One page is held in memory at a time. A calendar
    links to the pages of events below `base_url`.
    """
    if form is Form.ICS:
        return await _write_calendar(database, file, on_page, base_url)
    count = 0
    file.write(b"[" if form is Form.JSON else files.csv_line(COLUMNS))
    async for events in _pages(database):
        for event in events:
            row = row_of(event)
            if form is Form.JSON:
                file.write((b",\n" if count else b"\n") + files.json_line(row))
            else:
                file.write(files.csv_line([cells.text(row.get(column)) for column in COLUMNS]))
            count += 1
        on_page(len(events))
    file.write(b"\n]\n" if form is Form.JSON else b"")
    return count


async def _write_calendar(
    database: Database, file: BinaryIO, on_page: Callable[[int], None], base_url: str
) -> int:
    """Entries go aside first: a calendar begins with the zones that they turn out to use."""
    usages: list[tuple[str, ical_zones.Span]] = []
    with tempfile.SpooledTemporaryFile(MOST_IN_MEMORY) as entries:
        async for events in _pages(database):
            entries.writelines(ical.event(each.row, base_url) for each in events)
            usages += [ical.used(each.row) for each in events]
            on_page(len(events))
        file.write(ical.head() + ical.zones(usages))
        entries.seek(0)
        shutil.copyfileobj(entries, file)
        file.write(ical.END)
    return len(usages)


async def _pages(database: Database) -> AsyncIterator[list[WholeEvent]]:
    after = None
    while True:
        async with database.read() as db:
            events = await everything.page(db, after=after, limit=PAGE)
        if events:
            yield events
        if len(events) < PAGE:
            return
        after = events[-1].row.id


def row_of(event: WholeEvent) -> dict[str, object]:
    """The event as a row: the fields of conference lists, and those that an import takes it from.

    What is empty or usual is left out. An event that no import made has its id for a key, by which
    an import into the same database knows it again.
    """
    row = event.row
    zone = row.timezone
    start, end = times.moment_at(row.start_at, zone), times.moment_at(row.end_at, zone)
    values = {
        **mirror.of(start.local, end.local, row.location, row.online_url, row.description),
        "name": row.name,
        "topics": row.tags,
        "city": row.place_city,
        "country": row.place_country,
        "timezone": zone,
        "startTime": times.shown(row.start_at, zone).isoformat(),
        "endTime": times.shown(row.end_at, zone).isoformat(),
        "location": row.location,
        "description": row.description,
        "onlineUrl": row.online_url,
        "placeName": row.place_name,
        "placeAddress": row.place_address,
        "countryCode": row.place_country_code,
        "latitude": row.place_latitude,
        "longitude": row.place_longitude,
        "maxCapacity": row.capacity,
        "waitlistEnabled": row.waitlist_enabled,
        "registrationOpensAt": row.opens_at and times.shown(row.opens_at, zone).isoformat(),
        "registrationClosesAt": row.closes_at and times.shown(row.closes_at, zone).isoformat(),
        "status": row.status,
        "visibility": row.visibility,
        "slots": list(_slots(event)),
        "importKey": row.import_key or str(row.id),
    }
    return {
        column: values[column]
        for column in COLUMNS
        if values[column] not in (None, "", [], _USUAL.get(column))
    }


def _slots(event: WholeEvent) -> Iterator[dict[str, object]]:
    zone = event.row.timezone
    for slot in event.slots:
        values = {
            "title": slot.title,
            "startTime": times.shown(slot.start_at, zone).isoformat(),
            "endTime": times.shown(slot.end_at, zone).isoformat(),
            "room": slot.room,
            "speaker": slot.speaker,
            "description": slot.description,
        }
        yield {field: value for field, value in values.items() if value is not None}


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` at the end of the block, whole or not at all."""
    target = path.resolve()
    part = target.with_name(f".{target.name}.{ids.new_id().hex}")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
