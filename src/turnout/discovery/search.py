"""Finds events in whichever database there is, by one statement a page."""

import math
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from turnout.db.paging import Key
from turnout.db.session import Database
from turnout.discovery import counts, frequencies, queries, search_sql
from turnout.discovery.queries import EventView
from turnout.discovery.wanted import Circle, Position, Sort, Wanted
from turnout.events import lexemes

_RINGS = (1 / 64, 1 / 8, 1.0)
"""Parts of the radius in which the nearest events are looked for, one after the other."""
_FEWEST_KM = 0.5


class Hit(NamedTuple):
    """An event that was found, as the driver has its row: most of it is looked at as it is.

    It is enough to know whether what was rendered of the event is still right.
    """

    tier: int
    value: Any
    row_id: Any
    id: bytes | UUID
    version: int
    end_at: str | datetime
    organizer_name: str
    taken: int
    latitude: float | None
    longitude: float | None
    start_at: str | datetime

    @property
    def event_id(self) -> UUID:
        """The event's id."""
        return _id(self.id)

    @property
    def ends(self) -> datetime:
        """When the event ends."""
        return _instant(self.end_at)

    @property
    def position(self) -> Position:
        """Where a list goes on behind it."""
        row_id = None if self.row_id is None else _id(self.row_id).hex
        value = _plain(self.value)
        # Of what is sorted by distance, the value is a cosine.
        start = _instant(self.start_at).isoformat() if isinstance(value, float) else None
        return Position(self.tier, value, row_id, start)

    def km_from(self, circle: Circle) -> float | None:
        """How far the event is from the middle of the circle, to some 10 metres."""
        if self.latitude is None or self.longitude is None:
            return None
        here = lexemes.unit_vector(self.latitude, self.longitude)
        there = lexemes.unit_vector(circle.latitude, circle.longitude)
        angle = 2 * math.asin(min(1.0, math.dist(here, there) / 2))
        return round(math.degrees(angle) * lexemes.KM_PER_DEGREE, 2)


async def search(
    database: Database, wanted: Wanted, *, after: Position | None, limit: int
) -> list[Hit]:
    """At most `limit` events behind `after`, in the order that is wanted."""
    if wanted.sort is not Sort.DISTANCE or wanted.circle is None:
        return await _page(database, wanted, after, limit)
    found: list[Hit] = []
    for part in _RINGS:
        ring = search_sql.ring(wanted.circle, part)
        if part < 1 and ring.radius_km < _FEWEST_KM:
            continue
        found = await _page(database, replace(wanted, circle=ring), after, limit)
        if len(found) == limit:  # all that is nearer is among them
            break
    return found


async def views(database: Database, wanted: Wanted, *, limit: int) -> list[EventView]:
    """The first events of what is wanted, in full, in the order that is wanted."""
    hits = await search(database, wanted, after=None, limit=limit)
    if not hits:
        return []
    shown = await queries.shown(database.lists, [hit.event_id for hit in hits])
    found = {view.row.id: view for view in shown}
    return [found[hit.event_id] for hit in hits if hit.event_id in found]


async def _page(
    database: Database, wanted: Wanted, after: Position | None, limit: int
) -> list[Hit]:
    if wanted.words and wanted.own_of is None and database.is_sqlite:
        wanted = await counts.hinted(database, wanted)
    elif wanted.words and wanted.own_of is None:
        known = await frequencies.of(database)
        wanted = await known.hinted(database, wanted)
    return await _asked(database, wanted, after, limit)


async def _asked(
    database: Database, wanted: Wanted, after: Position | None, limit: int
) -> list[Hit]:
    sql, values = search_sql.build(wanted, after, limit, is_sqlite=database.is_sqlite)
    asked = database.lists if wanted.is_plain else database.searches
    return [Hit._make(row) for row in await asked.fetch(sql, values)]


def _plain(value: Any) -> str | float:
    if isinstance(value, int | float):
        return value
    return _instant(value).isoformat()


def _id(value: Any) -> UUID:
    return UUID(bytes=value) if isinstance(value, bytes) else UUID(int=value.int)


def _instant(value: Any) -> datetime:
    if isinstance(value, str):  # as SQLite keeps it (db/base.UtcDateTime)
        return datetime.fromisoformat(f"{value}+00:00")
    instant: datetime = value
    return instant


def key_of(position: Position) -> Key:
    """The position as a cursor holds it."""
    # A cosine decides between neighbours by its last digit: as text, which JSON leaves alone.
    value = position.value
    if isinstance(value, float):
        return position.tier, repr(value), position.id, position.start
    return position.tier, value, position.id


def position_of(key: Key) -> Position:
    """The position that a cursor of ours holds."""
    tier, value, row_id, *start = key
    assert isinstance(tier, int)  # noqa: S101 - what `key_of` made, and nobody else could sign
    assert value is not None  # noqa: S101 - as above
    if start:
        return Position(tier, float(value), str(row_id), str(start[0]))
    return Position(tier, value, None if row_id is None else str(row_id))
