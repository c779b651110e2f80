"""Statements asked of the driver itself, on a few connections kept for them. Knows no table.

A list of twenty rows takes the database 60 microseconds, and a session, a pool and rows of
SQLAlchemy 1,000 more. Values go in and come out as the driver has them.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from turnout.db import driver, sets
from turnout.db.engines import STATEMENT_TIMEOUT_MS
from turnout.db.errors import suspect
from turnout.db.held import Question
from turnout.db.held import Rows as Read

Rows = Sequence[Sequence[Any]]


class Statement:
    """A statement that is being put together: `value` notes a value and gives its placeholder."""

    def __init__(self, *, is_sqlite: bool) -> None:
        self.is_sqlite = is_sqlite
        self.values: list[Any] = []

    def value(self, value: str | float | None) -> str:
        """The placeholder of a text or a number."""
        self.values.append(value)
        return f"{'?' if self.is_sqlite else '$'}{len(self.values)}"

    def instant(self, value: datetime) -> str:
        """The placeholder of an instant (aware)."""
        return self.value(sets.sqlite_instant(value) if self.is_sqlite else value)  # type: ignore[arg-type]  # as the driver takes it

    def id(self, value: UUID) -> str:
        """The placeholder of an id."""
        return self.value(value.bytes if self.is_sqlite else value)  # type: ignore[arg-type]  # as the driver takes it


class Direct:
    """Up to `most` connections of the engine, taken when they are first needed, and kept.

    With `in_threads`, SQLite's statements run in a thread each, for those that may take longer
    than a hop. `setting` is a statement that PostgreSQL gets on each new connection.
    """

    def __init__(
        self, engine: AsyncEngine, most: int, *, in_threads: bool = False, setting: str = ""
    ) -> None:
        self._engine = engine
        self._in_threads = in_threads
        self._setting = setting
        self._few = asyncio.Semaphore(most)
        self._free: list[tuple[AsyncConnection, Any]] = []
        self._is_closed = False

    async def fetch(self, sql: str, values: Sequence[Any]) -> Rows:
        """The rows of one statement, which sees what was committed before it began.

        Raises what the driver raises, as the engine would say it.
        """
        async with self._few:
            held = self._free.pop() if self._free else await self._open()
            try:
                rows = await self._ask(held[1], sql, values)
            except BaseException:
                await _drop(held[0])
                raise
            if self._is_closed:
                await held[0].close()
            else:
                self._free.append(held)
            return rows

    async def rows(self, question: Question, keys: Sequence[Any]) -> Read:
        """The rows there are, as they stand after this call began; at least one key is asked."""
        asked = question.of(keys, self._engine.dialect)
        return asked.read(await self.fetch(asked.sql, asked.values))

    async def _open(self) -> tuple[AsyncConnection, Any]:
        connection = await self._engine.connect()
        raw: Any = (await connection.get_raw_connection()).driver_connection
        if self._setting and not isinstance(raw, driver.LoopConnection):
            await raw.execute(self._setting)
        return connection, raw

    async def _ask(self, raw: Any, sql: str, values: Sequence[Any]) -> Rows:
        if not isinstance(raw, driver.LoopConnection):
            fetched: Rows = await raw.fetch(sql, *values)
            return fetched
        try:
            if not self._in_threads:
                return _of_sqlite(raw.raw, sql, values)
            return await _in_thread(raw, sql, values)
        except driver.sqlite.Error as error:
            # As the engine would say it, for `db/errors.py` to tell a defect from its state.
            raise DBAPIError.instance(sql, None, error, driver.sqlite.Error) from error

    async def aclose(self) -> None:
        """Give the connections back."""
        self._is_closed = True
        while self._free:
            await self._free.pop()[0].close()


def _of_sqlite(raw: Any, sql: str, values: Sequence[Any]) -> Rows:
    rows: Rows = raw.execute(sql, values).fetchall()
    return rows


async def _in_thread(connection: driver.LoopConnection, sql: str, values: Sequence[Any]) -> Rows:
    """As PostgreSQL's statement_timeout does: a statement that takes too long is stopped."""
    work = asyncio.ensure_future(connection.run_in_thread(_of_sqlite, connection.raw, sql, values))
    try:
        async with asyncio.timeout(STATEMENT_TIMEOUT_MS / 1000):
            rows: Rows = await asyncio.shield(work)
            return rows
    except (TimeoutError, asyncio.CancelledError) as error:
        connection.raw.interrupt()
        with suppress(Exception):  # it says that it was interrupted
            await work
        if isinstance(error, asyncio.CancelledError):
            raise
        raise OperationalError(sql, None, error) from None


async def _drop(connection: AsyncConnection) -> None:
    """Give the connection up for good; the pool, which saw no error, must not keep it."""
    with suppress(*suspect()):
        await connection.invalidate()
        await connection.close()
