"""The SQLite driver under SQLAlchemy: the bundled library, one hop a statement. Knows no table.

aiosqlite crosses to its thread four times for one SELECT (cursor, execute, fetch, close), and each
crossing waits for the interpreter lock of a busy event loop. Here a statement and its rows are one
crossing (`ThreadConnection`, for writing, so that fsync does not stop the loop) or none at all
(`LoopConnection`, for reading: an indexed read takes less time than a crossing).
"""

import asyncio
from collections.abc import Callable, Generator, Sequence
from types import ModuleType
from typing import Any

import aiosqlite
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

__all__ = ["FIRST_SOUND_SQLITE", "SCHEME", "LoopConnection", "ThreadConnection", "sqlite"]

FIRST_SOUND_SQLITE = (3, 51, 3)
SCHEME = "sqlite+turnout"


def sqlite_version() -> tuple[int, ...]:
    """The version of the SQLite library in use."""
    version: tuple[int, ...] = sqlite.sqlite_version_info
    return version


class OneHopCursor:
    """What SQLAlchemy asks of an asynchronous cursor; rows are fetched with the statement."""

    arraysize = 1

    def __init__(self, connection: "ThreadConnection") -> None:
        self._owner = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "OneHopCursor":
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement and keep its rows."""
        self._rows = await self._owner._execute(self._run, "execute", statement, parameters)  # type: ignore[no-untyped-call]  # noqa: SLF001 - aiosqlite's only way to its thread

    async def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of `rows`; `rowcount` is the sum."""
        self._rows = await self._owner._execute(self._run, "executemany", statement, rows)  # type: ignore[no-untyped-call]  # noqa: SLF001 - aiosqlite's only way to its thread

    def _run(self, method: str, statement: str, parameters: Sequence[Any]) -> list[Any]:
        cursor = getattr(self._owner._conn, method)(statement, parameters)  # noqa: SLF001 - aiosqlite's name for the raw connection
        self.description, self.rowcount = cursor.description, cursor.rowcount
        self.lastrowid = cursor.lastrowid
        rows: list[Any] = cursor.fetchall() if cursor.description else []
        cursor.close()
        return rows

    async def fetchall(self) -> list[Any]:
        """The rows of the statement, once."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is held."""


class ThreadConnection(aiosqlite.Connection):
    """A connection whose statements run in a thread of its own."""

    def __init__(self, connector: Callable[[], Any]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True

    def cursor(self) -> OneHopCursor:  # type: ignore[override]  # SQLAlchemy enters the cursor itself
        """A cursor that crosses to the thread once a statement."""
        return OneHopCursor(self)


class LoopConnection(ThreadConnection):
    """A connection whose statements run in the event loop, for reads of some microseconds."""

    def __await__(self) -> Generator[Any, None, "LoopConnection"]:
        self._connection = self._connector()
        return self._opened().__await__()

    async def _opened(self) -> "LoopConnection":
        return self

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._connection is None:
            raise ValueError("Connection closed")
        return fn(*args, **kwargs)

    async def close(self) -> None:
        """Close the connection; a second call does nothing."""
        self.stop()

    def stop(self) -> asyncio.Future[Any] | None:
        """Close the connection at once."""
        self._running = False
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        return None


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
