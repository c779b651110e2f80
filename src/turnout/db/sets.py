"""Writing sets of rows by one statement a set, for the paths where each row's cost counts.

An ORM object costs some 50 microseconds a row, most of it in Python, and each statement a round
trip. Here rows are noted (`insert`, `increase`) and written together when the transaction ends or
`flush` is called: as one statement with arrays on PostgreSQL, and on SQLite as multi-row statements
in the connection's thread, where they do not hold the interpreter's lock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Column, DateTime, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from turnout.db.base import Id, JsonDocument, UtcDateTime

Converter = Callable[[Any], Any]
Rows = Sequence[Sequence[Any]]

LARGEST_STATEMENT_ROWS = 64
_PENDING = "turnout.pending"
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy left it untyped


@dataclass(frozen=True, slots=True)
class _Noted:
    """Rows to insert, or (with `increased`) amounts to add to the columns of that many rows.

    Rows to increase begin with the key; the columns that are increased follow.
    """

    table: Table
    rows: list[Sequence[Any]] = field(default_factory=list)
    increased: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Column[Any], ...]:
        """The columns that each row has a value for."""
        if self.increased:
            return tuple(self.table.columns[name] for name in self.increased)
        return tuple(self.table.columns)


def insert(db: AsyncSession, table: Table, rows: Rows) -> None:
    """Note `rows`, each with a value for every column of `table` in its order, to be inserted.

    Values are what the ORM would take (UUID, aware datetime, objects for JSON). A row that breaks
    a constraint fails the whole transaction, when it is written.
    """
    _note(db, table, rows, ())


def increase(db: AsyncSession, table: Table, names: tuple[str, ...], rows: Rows) -> None:
    """Note amounts to add: `names` are the key column and those to increase, as in each row."""
    _note(db, table, rows, names)


async def flush(db: AsyncSession) -> None:
    """Write what was noted, so that statements of the same transaction see it.

    Raises IntegrityError where a row breaks a constraint.
    """
    noted: list[_Noted] = db.info.pop(_PENDING, [])
    connection = await db.connection()
    if connection.dialect.name == "sqlite":
        for statement, values in _all_for_sqlite(noted):
            await connection.exec_driver_sql(statement, tuple(values))
    elif noted:
        await _write_to_postgresql(connection, noted)


async def write_at_commit(db: AsyncSession) -> None:
    """Write what was noted with the commit that follows now: on SQLite in one crossing with it.

    There the commit raises IntegrityError where a row breaks a constraint.
    """
    connection = await db.connection()
    if connection.dialect.name == "sqlite":
        adapted = await connection.get_raw_connection()
        raw: Any = adapted.driver_connection
        raw.note(_all_for_sqlite(db.info.pop(_PENDING, [])))
    else:
        await flush(db)


def _note(db: AsyncSession, table: Table, rows: Rows, increased: tuple[str, ...]) -> None:
    if not rows:
        return
    noted: list[_Noted] = db.info.setdefault(_PENDING, [])
    for each in noted:
        if each.table is table and each.increased == increased:
            each.rows.extend(rows)
            return
    noted.append(_Noted(table, list(rows), increased))


def _all_for_sqlite(noted: Sequence[_Noted]) -> list[tuple[str, list[Any]]]:
    return [statement for each in noted for statement in _sqlite_statements(each)]


def _sqlite_statements(noted: _Noted) -> list[tuple[str, list[Any]]]:
    """Few sizes of statements, powers of two, so that all of them stay prepared."""
    columns = _converted(noted, _sqlite_converters(noted.columns))
    rows = list(zip(*columns, strict=True))
    build = _sqlite_increase if noted.increased else _sqlite_insert
    statements: list[tuple[str, list[Any]]] = []
    done, size = 0, LARGEST_STATEMENT_ROWS
    while done < len(rows):
        while size > len(rows) - done:
            size //= 2
        values = list(chain.from_iterable(rows[done : done + size]))
        statements.append((build(noted.table, noted.increased, size), values))
        done += size
    return statements


@lru_cache
def _sqlite_insert(table: Table, _: tuple[str, ...], count: int) -> str:
    names = ", ".join(column.name for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES {_marks(len(table.columns), count)}"  # noqa: S608 - names of our own tables


@lru_cache
def _sqlite_increase(table: Table, names: tuple[str, ...], count: int) -> str:
    changes = ", ".join(f"{name} = {table.name}.{name} + v.{name}" for name in names[1:])
    return (
        f"WITH v({', '.join(names)}) AS (VALUES {_marks(len(names), count)}) "  # noqa: S608 - names of our own tables
        f"UPDATE {table.name} SET {changes} FROM v WHERE {table.name}.{names[0]} = v.{names[0]}"
    )


def _marks(columns: int, rows: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)


async def _write_to_postgresql(connection: AsyncConnection, noted: Sequence[_Noted]) -> None:
    shape = tuple((each.table, each.increased) for each in noted)
    values = [
        column
        for each in noted
        for column in _converted(each, _postgresql_converters(each.columns))
    ]
    await connection.exec_driver_sql(_postgresql_statement(shape), tuple(values))


@lru_cache
def _postgresql_statement(shape: tuple[tuple[Table, tuple[str, ...]], ...]) -> str:
    """One statement for all: what changes data in WITH runs whether it is read or not."""
    parts: list[str] = []
    used = 0
    for n, (table, increased) in enumerate(shape):
        columns = _Noted(table, increased=increased).columns
        build = _postgresql_increase if increased else _postgresql_insert
        parts.append(f"s{n} AS ({build(table, columns, used)})")
        used += len(columns)
    return f"WITH {', '.join(parts)} SELECT 1"


def _postgresql_insert(table: Table, columns: tuple[Column[Any], ...], used: int) -> str:
    names = ", ".join(column.name for column in columns)
    taken = ", ".join(
        f"v.{column.name}::jsonb" if _is_json(column) else f"v.{column.name}" for column in columns
    )
    return f"INSERT INTO {table.name} ({names}) SELECT {taken} FROM {_arrays(columns, used)}"  # noqa: S608 - names of our own tables


def _postgresql_increase(table: Table, columns: tuple[Column[Any], ...], used: int) -> str:
    key, *others = (column.name for column in columns)
    changes = ", ".join(f"{name} = t.{name} + v.{name}" for name in others)
    values = _arrays(columns, used)
    return f"UPDATE {table.name} AS t SET {changes} FROM {values} WHERE t.{key} = v.{key}"  # noqa: S608 - names of our own tables


def _arrays(columns: tuple[Column[Any], ...], used: int) -> str:
    arrays = ", ".join(
        f"${n}::{'text' if _is_json(column) else column.type.compile(_POSTGRESQL)}[]"
        for n, column in enumerate(columns, used + 1)
    )
    return f"unnest({arrays}) AS v({', '.join(column.name for column in columns)})"


def _is_json(column: Column[Any]) -> bool:
    return isinstance(column.type, JsonDocument)


def _converted(noted: _Noted, converters: Sequence[Converter | None]) -> list[list[Any]]:
    return [
        list(map(convert, column)) if convert else list(column)
        for convert, column in zip(converters, zip(*noted.rows, strict=True), strict=True)
    ]


@lru_cache
def _postgresql_converters(columns: tuple[Column[Any], ...]) -> list[Converter | None]:
    return [_json if _is_json(column) else None for column in columns]


@lru_cache
def _sqlite_converters(columns: tuple[Column[Any], ...]) -> list[Converter | None]:
    return [_for_sqlite(column.type) for column in columns]


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
