"""The SQLite driver under SQLAlchemy: the bundled library, one hop a statement. Knows no table.

aiosqlite crosses to its thread four times for one SELECT (cursor, execute, fetch, close), and each
crossing back waits for the interpreter lock of a busy event loop, up to 5 ms. A statement of ours
takes some microseconds. So statements run in the loop, and only what may really wait crosses:
COMMIT (for the disk), and large sets of rows. Another process's lock is waited for in the loop.
"""

import asyncio
from collections.abc import Callable, Generator, Sequence
from time import monotonic
from types import ModuleType
from typing import Any

import aiosqlite
from aiosqlite.core import _STOP_RUNNING_SENTINEL
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_dbapi,
    SQLiteDialect_aiosqlite,
)

# Builds from 3.7.0 to 3.51.2 have a WAL-reset race between connections, and distributions carry
# old builds for years; where the wheel with a current one exists it is a dependency.
try:
    import pysqlite3 as sqlite
except ImportError:
    import sqlite3 as sqlite

__all__ = ["BEGIN_WRITING", "FIRST_SOUND_SQLITE", "SCHEME", "LoopConnection", "sqlite"]

FIRST_SOUND_SQLITE = (3, 51, 3)
SCHEME = "sqlite+turnout"
BEGIN_WRITING = "BEGIN IMMEDIATE"
GAP_SECONDS = 0.001
"""Between two tries to become the one writer: others take some milliseconds. The library's own
waits grow to a tenth of a second, in which whoever writes again and again leaves no gap."""
_PRIMARY = 0xFF
"""Of an error code of the library; what is above tells the kind more closely."""


def sqlite_version() -> tuple[int, ...]:
    """The version of the SQLite library in use."""
    version: tuple[int, ...] = sqlite.sqlite_version_info
    return version


class LoopCursor:
    """What SQLAlchemy asks of an asynchronous cursor; rows are fetched with the statement."""

    arraysize = 1

    def __init__(self, connection: "LoopConnection") -> None:
        self._owner = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "LoopCursor":
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement and keep its rows."""
        if statement == BEGIN_WRITING:
            await self._owner.begin_writing()
        else:
            self._run("execute", statement, parameters)

    async def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of `rows`; `rowcount` is the sum."""
        self._run("executemany", statement, rows)

    def _run(self, method: str, statement: str, parameters: Sequence[Any]) -> None:
        cursor = getattr(self._owner.raw, method)(statement, parameters)
        self.description, self.rowcount = cursor.description, cursor.rowcount
        self.lastrowid = cursor.lastrowid
        self._rows = cursor.fetchall() if cursor.description else []
        cursor.close()

    async def fetchall(self) -> list[Any]:
        """The rows of the statement, once."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is held."""


class LoopConnection(aiosqlite.Connection):
    """A connection whose statements run in the event loop, and what may wait in a thread."""

    def __init__(self, connector: Callable[[], Any], *, busy_timeout_ms: int) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._busy_timeout_ms = busy_timeout_ms
        self._noted: Sequence[tuple[str, Sequence[Any]]] = ()
        self._thread.daemon = True

    def __await__(self) -> Generator[Any, None, "LoopConnection"]:
        self._connection = self._connector()
        return self._opened().__await__()

    async def _opened(self) -> "LoopConnection":
        return self

    @property
    def raw(self) -> Any:
        """The connection of the SQLite library. Raises ValueError when it is closed."""
        return self._conn

    async def run_in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Run `work` in the connection's thread, which is started when it is first needed."""
        if self._thread.ident is None:
            self._thread.start()
        return await super()._execute(work, *arguments)  # type: ignore[no-untyped-call]  # as in aiosqlite

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._connection is None:
            raise ValueError("Connection closed")
        return fn(*args, **kwargs)

    def cursor(self) -> LoopCursor:  # type: ignore[override]  # SQLAlchemy enters the cursor itself
        """A cursor over this connection."""
        return LoopCursor(self)

    async def begin_writing(self) -> None:
        """Become the one writer: at once where nobody else is, else in the first gap."""
        self.raw.execute("PRAGMA busy_timeout = 0")
        try:
            await self._begin_in_a_gap(monotonic() + self._busy_timeout_ms / 1000)
        finally:
            self.raw.execute(f"PRAGMA busy_timeout = {self._busy_timeout_ms}")

    async def _begin_in_a_gap(self, deadline: float) -> None:
        while True:
            try:
                self.raw.execute(BEGIN_WRITING)
            except sqlite.OperationalError as error:
                is_busy = error.sqlite_errorcode & _PRIMARY == sqlite.SQLITE_BUSY
                if not is_busy or monotonic() >= deadline:
                    raise
                await asyncio.sleep(GAP_SECONDS)
            else:
                return

    def note(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> None:
        """Statements to run when the transaction commits, in the same crossing to the thread."""
        self._noted = statements

    async def commit(self) -> None:
        """Run what was noted and commit; the disk is waited for in the thread."""
        if self.raw.in_transaction:
            await self.run_in_thread(self._write_and_commit)

    def _write_and_commit(self) -> None:
        noted, self._noted = self._noted, ()
        try:
            for statement, values in noted:
                self.raw.execute(statement, values)
            self.raw.commit()
        except BaseException:
            # SQLAlchemy takes a transaction whose commit failed for ended; SQLite keeps it open.
            self.raw.rollback()
            raise

    async def rollback(self) -> None:
        """Take back what was done; what was noted is forgotten."""
        self._noted = ()
        self.raw.rollback()

    async def close(self) -> None:
        """Close the connection; a second call does nothing."""
        self.stop()

    def stop(self) -> asyncio.Future[Any] | None:
        """Close the connection at once, and end its thread."""
        self._running = False
        connection, self._connection = self._connection, None
        if self._thread.ident is not None:
            self._tx.put_nowait((None, _stop_thread))
        if connection is not None:
            connection.close()
        return None


def _stop_thread() -> Any:
    return _STOP_RUNNING_SENTINEL


class _Dbapi(AsyncAdapt_aiosqlite_dbapi):
    """SQLAlchemy's view of the driver, with the error classes of the library really in use."""

    def _init_dbapi_attributes(self) -> None:
        for name in (
            "DatabaseError", "Error", "IntegrityError", "InterfaceError", "NotSupportedError",
            "OperationalError", "ProgrammingError", "sqlite_version", "sqlite_version_info",
            "PARSE_COLNAMES", "PARSE_DECLTYPES", "Binary",
        ):  # fmt: skip
            setattr(self, name, getattr(self.sqlite, name))


class TurnoutSqlite(SQLiteDialect_aiosqlite):
    """SQLAlchemy's aiosqlite dialect over the bundled library."""

    driver = "turnout"
    supports_statement_cache = True
    supports_server_side_cursors = False

    @classmethod
    def import_dbapi(cls) -> AsyncAdapt_aiosqlite_dbapi:
        """The driver module that SQLAlchemy wraps."""
        module: ModuleType = sqlite
        return _Dbapi(aiosqlite, module)


registry.register("sqlite.turnout", __name__, "TurnoutSqlite")
