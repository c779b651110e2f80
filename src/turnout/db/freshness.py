"""Says cheaply whether anything was committed since, by any process: the base of exact caching.

An answer built after version V was read, and asked for again while the version is still V, is the
answer that would be built now. No invalidation message has to arrive, on one machine or on many.
"""

import asyncio
from contextlib import suppress
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from turnout.db.errors import suspect


class Freshness(Protocol):
    """A source of versions of the whole database."""

    async def version(self) -> object:
        """A value that differs after every commit; read after this call began."""
        ...

    async def aclose(self) -> None:
        """Give the connection back."""
        ...


class SqliteFreshness:
    """`PRAGMA data_version`: some microseconds, changes when another connection commits."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._raw: object = None

    async def version(self) -> object:
        """The number that SQLite changes with each commit of another connection."""
        if self._connection is None:
            self._connection = await self._engine.connect()
            adapted = await self._connection.get_raw_connection()
            self._raw = adapted.driver_connection._conn  # type: ignore[union-attr]  # noqa: SLF001 - the raw connection below aiosqlite's, whose statements run in the loop
        return self._raw.execute("PRAGMA data_version").fetchone()[0]  # type: ignore[attr-defined]  # sqlite3.Connection or its bundled twin

    async def aclose(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()


class PostgresqlFreshness:
    """The text of `pg_current_snapshot()`, asked once for all who wait.

    Two equal snapshots see the same committed transactions. While one question is under way,
    callers gather for the next one, so that each version was read after its caller asked.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._next: asyncio.Future[object] | None = None
        self._asking: asyncio.Task[None] | None = None

    async def version(self) -> object:
        """The snapshot's text; raises what the driver raises when the database is away."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._next)

    async def _ask(self) -> None:
        try:
            while self._next is not None:
                waiting, self._next = self._next, None
                try:
                    waiting.set_result(await self._snapshot())
                except Exception as error:  # noqa: BLE001 - whatever went wrong belongs to those who wait
                    waiting.set_exception(error)
                    waiting.exception()  # all who waited may have gone: not a lost error
                    await self._drop()
        finally:
            self._asking = None

    async def _drop(self) -> None:
        """Give the connection up for good; the pool, which saw no error, must not keep it."""
        connection, self._connection = self._connection, None
        # Whatever this raises says again that the database is away, and those who wait know it.
        with suppress(*suspect()):
            if connection is not None:
                await connection.invalidate()
                await connection.close()

    async def _snapshot(self) -> object:
        if self._connection is None:
            engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
            self._connection = await engine.connect()
        raw = await self._connection.get_raw_connection()
        return await raw.driver_connection.fetchval("SELECT pg_current_snapshot()::text")  # type: ignore[union-attr]  # asyncpg's connection

    async def aclose(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()
