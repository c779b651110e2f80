"""Brings a database to the present schema, or back; one process at a time."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import CreateIndex, CreateTable

from turnout import tables
from turnout.db import engines
from turnout.events import search_index

T = TypeVar("T")
HERE = Path(__file__).parent
WAIT_FOR_OTHERS_MS = 60_000
ADVISORY_LOCK = 7_221_937_001
"""The key of the lock under which one process migrates a PostgreSQL database."""


def head() -> str:
    """The newest revision that this version of the product knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None  # noqa: S101 - the first migration is part of the package
    return revision


def exists(url: str) -> bool:
    """Whether there is a file, where the database is one; a server is asked by connecting to it."""
    return not engines.is_sqlite(url) or Path(engines.sqlite_path(url)).exists()


async def current(url: str) -> str | None:
    """The revision of the database, or None while it is empty or not there; makes none."""
    if not exists(url):
        return None
    return await _with_lock(url, _current)


async def upgrade(url: str, revision: str = "head") -> tuple[str | None, str | None]:
    """Migrate up; returns the revision before and after. Others wait until this one is done."""
    return await _with_lock(url, lambda c: _migrate(c, command.upgrade, revision))


async def downgrade(url: str, revision: str) -> tuple[str | None, str | None]:
    """Migrate down; returns the revision before and after."""
    return await _with_lock(url, lambda c: _migrate(c, command.downgrade, revision))


def statements(dialect: str) -> str:
    """The whole schema as SQL for `sqlite` or `postgresql`."""
    kind = sqlite.dialect() if dialect == "sqlite" else postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy left them untyped
    lines: list[str] = []
    for table in tables.METADATA.sorted_tables:
        lines.append(str(CreateTable(table).compile(dialect=kind)).strip() + ";")
        lines += [
            str(CreateIndex(index).compile(dialect=kind)).strip() + ";"
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        ]
    lines += [each + ";" for each in tables.BESIDE_TABLES[dialect]]
    whole = "\n\n".join(lines) + "\n"
    return "\n".join(line.rstrip() for line in whole.replace("\t", "    ").split("\n"))


def is_compared(name: str | None, kind: str, _: object) -> bool:
    """Whether Alembic holds what has this name against the models: not the index of search."""
    return kind != "table" or name not in search_index.TABLES


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _migrate(
    connection: Connection, move: Callable[[Config, str], None], revision: str
) -> tuple[str | None, str | None]:
    before = _current(connection)
    config = _config()
    config.attributes["connection"] = connection
    move(config, revision)
    return before, _current(connection)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


async def _with_lock(url: str, work: Callable[[Connection], T]) -> T:
    engine = _engine(url)
    try:
        # On SQLite it begins with BEGIN IMMEDIATE: whoever comes second waits.
        async with engine.begin() as connection:
            if engine.dialect.name != "sqlite":
                await connection.execute(text("SET LOCAL statement_timeout = 0"))
                lock = text("SELECT pg_advisory_xact_lock(:key)")
                await connection.execute(lock, {"key": ADVISORY_LOCK})
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _engine(url: str) -> AsyncEngine:
    if not engines.is_sqlite(url):
        return engines.postgresql_engine(url, pgbouncer=False)
    Path(engines.sqlite_path(url)).parent.mkdir(parents=True, exist_ok=True)
    # Batch migrations rebuild tables: with foreign keys on, dropping the old one would take
    # the rows that point at it along.
    return engines.sqlite_engine(
        url, write=True, foreign_keys=False, busy_timeout_ms=WAIT_FOR_OTHERS_MS
    )
