"""Fills a database with many events before a measurement, by set statements beside the server.

One event is made through the API; its rows are then copied with new ids, names and times. That
takes seconds where a hundred thousand requests take minutes, and each row holds what the product
itself would have written.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from turnout import tables
from turnout.db import sets
from turnout.db.session import Database
from turnout.ids import new_id

CHUNK = 5_000
APART = timedelta(minutes=10)

_EVENTS = tables.METADATA.tables["events"]
_ADMISSIONS = tables.METADATA.tables["admissions"]
_TIMES = ("start_local", "start_at", "end_local", "end_at")


async def fill(url: str, pattern: UUID, count: int) -> None:
    """Put `count` copies of the event `pattern` into the database, each ten minutes later.

    The pattern's zone is to have no change of its offset, since all its times move alike.
    """
    database = Database(url)
    try:
        async with database.read() as db:
            event = await _row(db, _EVENTS, _EVENTS.c.id, pattern)
            admission = await _row(db, _ADMISSIONS, _ADMISSIONS.c.event_id, pattern)
        for first in range(1, count + 1, CHUNK):
            numbers = range(first, min(first + CHUNK, count + 1))
            copies = [_copy(event, number) for number in numbers]
            seats = [{**admission, "event_id": copy["id"]} for copy in copies]
            async with database.write() as db:
                sets.insert(db, _EVENTS, _ordered(_EVENTS, copies))
                sets.insert(db, _ADMISSIONS, _ordered(_ADMISSIONS, seats))
        if not database.is_sqlite:
            async with database.write() as db:
                # What autovacuum would have done by the time a database has grown this large.
                await db.execute(text("ANALYZE"))
    finally:
        await database.aclose()


async def _row(db: AsyncSession, table: Table, key: Any, value: UUID) -> dict[str, Any]:
    found = (await db.execute(select(table).where(key == value))).mappings().one()
    return dict(found)


def _copy(event: dict[str, Any], number: int) -> dict[str, Any]:
    moved = {name: event[name] + APART * number for name in _TIMES}
    own = {"id": new_id(), "slug": f"bench-{number}", "name": f"Talk {number}"}
    # A hundred thousand places are not to be looked up while something else is measured.
    own["place_lookup_at"] = None
    return {**event, **moved, **own}


def _ordered(table: Table, rows: list[dict[str, Any]]) -> Sequence[Sequence[Any]]:
    return [[row[column.name] for column in table.columns] for row in rows]
