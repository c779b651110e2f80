"""Makes the engines of either database, with the settings that durability needs. Knows no table."""

import importlib
import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from turnout.db import driver

BUSY_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT_SECONDS = 3.0
POOL_TIMEOUT_SECONDS = 4.0
# Few at once are faster: PostgreSQL often shares its cores with this process (docs/benchmarks.md).
POSTGRESQL_CONNECTIONS = 16
SQLITE_READERS = 16


def is_sqlite(url: str) -> bool:
    """Whether `url` names an SQLite file."""
    return url.startswith("sqlite:")


def sqlite_path(url: str) -> str:
    """The file that an SQLite `url` names."""
    return url.removeprefix("sqlite:///").partition("?")[0]


def load_driver(url: str) -> None:
    """Load what talks to the database of `url`, so that what it raises is known (see `errors`)."""
    if not is_sqlite(url):
        importlib.import_module("asyncpg")


def sqlite_engine(
    url: str, *, write: bool, foreign_keys: bool = True, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> AsyncEngine:
    """An engine over one SQLite file.

    The writer has one connection in a thread and begins with BEGIN IMMEDIATE: a deferred BEGIN that
    has to become a writer fails at once when another has written since, whatever the busy time-out.
    """
    path = sqlite_path(url)

    def connect() -> Any:
        return _connect_sqlite(path, write, foreign_keys, busy_timeout_ms)

    engine = create_async_engine(
        f"{driver.SCHEME}:///{path}",
        connect_args={
            "async_creator_fn": lambda *_, **__: driver.LoopConnection(
                connect, busy_timeout_ms=busy_timeout_ms
            )
        },
        pool_size=1 if write else SQLITE_READERS,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,
    )
    begin = driver.BEGIN_WRITING if write else "BEGIN"
    event.listen(engine.sync_engine, "begin", lambda c: c.exec_driver_sql(begin) and None)
    return engine


def _connect_sqlite(path: str, write: bool, foreign_keys: bool, busy_timeout_ms: int) -> Any:  # noqa: FBT001 - as its one caller has them
    connection = driver.sqlite.connect(
        path, isolation_level=None, check_same_thread=False, timeout=busy_timeout_ms / 1000
    )
    _use_wal(connection, busy_timeout_ms / 1000)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
    connection.execute("PRAGMA temp_store = MEMORY")
    if not write:
        connection.execute("PRAGMA query_only = ON")
        # The system keeps the file's pages anyway; a copy each would cost 32 MiB.
        connection.execute("PRAGMA cache_size = -512")
        # One checkpointer: only writers may move the log into the database.
        connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def _use_wal(connection: Any, patience_seconds: float) -> None:
    """Keep the write-ahead log, as the file says from then on.

    Two processes that make one file at once can meet here, and for this SQLite calls no busy
    handler: whoever comes second is refused at once, and asks again.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except driver.sqlite.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def postgresql_engine(url: str, *, pgbouncer: bool) -> AsyncEngine:
    """An engine over PostgreSQL by asyncpg, with time-outs for all that could hang."""
    server_settings = {
        "application_name": "turnout",
        "timezone": "UTC",
        "jit": "off",
        # A search is put together of parts that follow one another: in order, and by one process.
        "max_parallel_workers_per_gather": "0",
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": "15000",
    }
    arguments: dict[str, Any] = {"timeout": CONNECT_TIMEOUT_SECONDS}
    if pgbouncer:
        # In transaction mode a prepared statement may meet another server connection, and
        # start-up parameters are refused.
        arguments |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
        arguments["prepared_statement_name_func"] = lambda: ""
    else:
        arguments["server_settings"] = server_settings
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        connect_args=arguments,
        pool_size=POSTGRESQL_CONNECTIONS,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,
    )
