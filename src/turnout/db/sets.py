"""Inserting a set of rows with one statement, for the paths where each row's cost counts.

An ORM object costs some 50 microseconds a row, most of it in Python; a set statement on the driver
costs a tenth (`executemany` in one crossing on SQLite, arrays through `unnest` on PostgreSQL).
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import DateTime, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.db.base import Id, JsonDocument, UtcDateTime

Converter = Callable[[Any], Any]

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy left it untyped


async def insert(db: AsyncSession, table: Table, rows: Sequence[Sequence[Any]]) -> int:
    """Insert `rows`, each a value for every column of `table` in its order.

    A row that breaks a unique constraint is left out; the answer is how many went in. Values are
    what the ORM would take (UUID, aware datetime, objects for JSON).
    """
    if not rows:
        return 0
    connection = await db.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    statement, converters = (_sqlite_insert if is_sqlite else _postgresql_insert)(table)
    columns = [
        list(map(convert, column)) if convert else list(column)
        for convert, column in zip(converters, zip(*rows, strict=True), strict=True)
    ]
    values: Any = list(zip(*columns, strict=True)) if is_sqlite else tuple(columns)
    result = await connection.exec_driver_sql(statement, values)
    return result.rowcount


@lru_cache
def _sqlite_insert(table: Table) -> tuple[str, list[Converter | None]]:
    names = ", ".join(column.name for column in table.columns)
    marks = ", ".join("?" for _ in table.columns)
    return (
        f"INSERT INTO {table.name} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING",  # noqa: S608 - names of our own tables
        [_for_sqlite(column.type) for column in table.columns],
    )


@lru_cache
def _postgresql_insert(table: Table) -> tuple[str, list[Converter | None]]:
    names = [column.name for column in table.columns]
    kinds = [column.type.compile(_POSTGRESQL) for column in table.columns]
    arrays = ", ".join(
        f"${n}::{'text' if kind == 'JSONB' else kind}[]" for n, kind in enumerate(kinds, 1)
    )
    taken = ", ".join(
        f"s.{name}::jsonb" if kind == "JSONB" else f"s.{name}"
        for name, kind in zip(names, kinds, strict=True)
    )
    listed = ", ".join(names)
    return (
        f"INSERT INTO {table.name} ({listed}) SELECT {taken} "  # noqa: S608 - names of our own tables
        f"FROM unnest({arrays}) AS s({listed}) ON CONFLICT DO NOTHING",
        [_json if isinstance(column.type, JsonDocument) else None for column in table.columns],
    )


def _for_sqlite(kind: object) -> Converter | None:
    match kind:
        case Id():
            return _bytes
        case UtcDateTime():
            return sqlite_instant
        case JsonDocument():
            return _json
        case DateTime():
            return _wall_clock
        case _:
            return None


def _bytes(value: UUID | None) -> bytes | None:
    return None if value is None else value.bytes


@lru_cache(maxsize=256)  # one set has few different instants
def sqlite_instant(value: datetime | None) -> str | None:
    """An instant as SQLAlchemy writes it into SQLite: UTC, microseconds, no offset."""
    if value is None:
        return None
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _wall_clock(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(" ", "microseconds")


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
