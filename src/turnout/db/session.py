"""The two ways to the database: `read()` and `write()`. Nothing else begins or commits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.db import engines, sets
from turnout.db.direct import Direct
from turnout.db.freshness import Freshness, PostgresqlFreshness, SqliteFreshness
from turnout.db.held import Held

Db = AsyncSession
"""A session as doors name it: they pass it on and never speak SQL."""

MOST_READERS = 6
"""Reads at once. More make PostgreSQL slower, not faster (docs/benchmarks.md)."""

MOST_LISTS, MOST_SEARCHES = 4, 3
"""Statements of lists and of searches at once, each on a connection kept for it."""

_FOR_SEARCHES = "SET plan_cache_mode = force_custom_plan; SET work_mem = '16MB'"

DURABLE_POSTGRESQL = ("fsync", "synchronous_commit", "full_page_writes")


class NotDurableError(Exception):
    """The database server may lose what it acknowledged; the message says which setting."""


class Database:
    """One database, as one process uses it."""

    freshness: Freshness

    def __init__(self, url: str, *, pgbouncer: bool = False) -> None:
        self.is_sqlite = engines.is_sqlite(url)
        if self.is_sqlite:
            self.writer = engines.sqlite_engine(url, write=True)
            self.reader = engines.sqlite_engine(url, write=False)
            self.freshness = SqliteFreshness(self.reader)
        else:
            self.writer = engines.postgresql_engine(url, pgbouncer=pgbouncer)
            # A read is one statement that sees one snapshot: no BEGIN and ROLLBACK around it.
            self.reader = self.writer.execution_options(isolation_level="AUTOCOMMIT")
            self.freshness = PostgresqlFreshness(self.writer)
        self.held = Held(self.reader)
        self.lists = Direct(self.reader, MOST_LISTS)
        # What is sought decides the plan: one plan for all would be wrong for most.
        setting = "" if pgbouncer else _FOR_SEARCHES
        self.searches = Direct(self.reader, MOST_SEARCHES, in_threads=True, setting=setting)
        self._few_readers = asyncio.Semaphore(MOST_READERS)
        # SQLite has one writer; those of this process queue here, in order, not in busy loops.
        self._one_writer = asyncio.Lock() if self.is_sqlite else None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading; what it changed would be refused or lost."""
        # The semaphore is fair, which the pool's queue is not: nobody waits until they time out.
        async with (
            self._few_readers,
            AsyncSession(self.reader, expire_on_commit=False, autoflush=False) as db,
        ):
            yield db

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A session in a transaction that commits at the end of the block, or not at all.

        Inside there is no network call, no hashing and no mail: others wait.
        """
        async with AsyncExitStack() as stack:
            if self._one_writer is not None:
                await stack.enter_async_context(self._one_writer)
            db = AsyncSession(self.writer, expire_on_commit=False, autoflush=False)
            await stack.enter_async_context(db)
            yield db
            await sets.write_at_commit(db)
            await db.commit()

    async def check_durability(self) -> None:
        """Raises NotDurableError where a crash could take back what was acknowledged."""
        if self.is_sqlite:
            return  # journal_mode and synchronous are set on each connection in engines.py
        async with self.read() as db:
            for name in DURABLE_POSTGRESQL:
                value = (await db.execute(text(f"SHOW {name}"))).scalar_one()
                if value == "off":
                    raise NotDurableError(f"PostgreSQL runs with {name} = off; turn it on")

    async def aclose(self) -> None:
        """Close every connection."""
        await self.held.aclose()
        await self.lists.aclose()
        await self.searches.aclose()
        await self.freshness.aclose()
        await self.writer.dispose()
        if self.is_sqlite:
            await self.reader.dispose()
