"""Rows as they stand in the database, read and changed behind the product's back; no HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, Table, func, select, update

from turnout import clock, tables
from turnout.db.base import Base
from turnout.db.session import Database
from turnout.events.models import Event
from turnout.registrations import integrity
from turnout.registrations.models import Admission

LONGEST_WAIT_SECONDS = 20.0


async def change(database: Database, *statements: Executable) -> None:
    """Run the statements in one transaction."""
    async with database.write() as db:
        for statement in statements:
            await db.execute(statement)


async def change_event(database: Database, event_id: str, **values: Any) -> None:
    """Set columns of one event; one that is cancelled was so just now."""
    if values.get("status") == "cancelled":
        values = {"cancelled_at": clock.now(), **values}
    await change(database, update(Event).where(Event.id == UUID(event_id)).values(**values))


async def change_seats(database: Database, event_id: str, **values: Any) -> None:
    """Set columns of one event's admission row."""
    of_event = Admission.event_id == UUID(event_id)
    await change(database, update(Admission).where(of_event).values(**values))


async def read(database: Database, statement: Executable) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    async with database.read() as db:
        return [tuple(row) for row in await db.execute(statement)]


async def count(database: Database, model: type[Base], *where: ColumnElement[bool]) -> int:
    """How many rows of a table meet the conditions."""
    found = await read(database, select(func.count()).select_from(model).where(*where))
    number: int = found[0][0]
    return number


async def counts(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    return {model.__tablename__: await count(database, model) for model in tables.ALL}


async def dump(database: Database) -> bytes:
    """Everything in every table: what is text as text, what is bytes as they are."""
    parts: list[bytes] = []
    for model in tables.ALL:
        table = model.__table__
        assert isinstance(table, Table)
        for row in await read(database, select(table)):
            parts += [each if isinstance(each, bytes) else repr(each).encode() for each in row]
    return b"\n".join(parts)


async def drifts(database: Database) -> list[str]:
    """What does not add up; empty when every promise about seats holds."""
    async with database.read() as db:
        return [drift.what for drift in await integrity.drifts(db, clock.now())]


@asynccontextmanager
async def held(url: str, event_id: str) -> AsyncIterator[None]:
    """Hold the event's lock, as another process would; on SQLite that is the whole database's."""
    other = Database(url)
    of_event = Admission.event_id == UUID(event_id)
    try:
        async with other.write() as db:
            await db.execute(update(Admission).where(of_event).values(taken=Admission.taken))
            yield
    finally:
        await other.aclose()


async def until(happens: Callable[[], bool]) -> None:
    """Wait for something that this process does, and fail if it does not."""
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while not happens():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.002)
