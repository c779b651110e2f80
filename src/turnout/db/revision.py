"""The revision of a database's schema, read without the library that migrates: a cheap look."""

from pathlib import Path

from turnout.db import driver, engines


async def current(url: str) -> str | None:
    """The revision, or None where there is no database or nothing in it.

    Raises what the drivers raise when the database cannot be reached.
    """
    return _of_sqlite(url) if engines.is_sqlite(url) else await _of_postgresql(url)


def _of_sqlite(url: str) -> str | None:
    path = Path(engines.sqlite_path(url))
    if not path.exists():
        return None
    connection = driver.sqlite.connect(path, timeout=engines.BUSY_TIMEOUT_MS / 1000)
    try:
        known = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.execute(known).fetchone() is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])
    finally:
        connection.close()


async def _of_postgresql(url: str) -> str | None:
    import asyncpg  # heavy: on SQLite a server does without

    connection = await asyncpg.connect(url, timeout=engines.CONNECT_TIMEOUT_SECONDS)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return revision
    finally:
        await connection.close()
