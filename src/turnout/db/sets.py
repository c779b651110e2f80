"""Writing sets of rows by one statement a set, for the paths where each row's cost counts.

An ORM object costs some 50 microseconds a row, most of it in Python, and each statement a round
trip. Here rows are noted (`insert`, `increase`, `change`) and written together when the transaction
ends or `flush` is called: as one statement with arrays on PostgreSQL, and on SQLite as multi-row
statements in the connection's thread, where they do not hold the interpreter's lock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
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


class _Kind(Enum):
    INSERT = "insert"
    INCREASE = "increase"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is done with rows of a table: `keys` find the row, `names` are inserted or changed."""

    kind: _Kind
    table: Table
    keys: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def columns(self) -> tuple[Column[Any], ...]:
        """The columns that each row has a value for."""
        return tuple(self.table.columns[name] for name in (*self.keys, *self.names))

    def assigned(self, before: str) -> str:
        """What an UPDATE sets from rows called `v`; `before` is the table as it is called there."""
        new = "{before}.{name} + v.{name}" if self.kind is _Kind.INCREASE else "v.{name}"
        return ", ".join(f"{n} = {new.format(before=before, name=n)}" for n in self.names)

    def matched(self, before: str) -> str:
        """The condition by which a row finds its own."""
        return " AND ".join(f"{before}.{name} = v.of_{name}" for name in self.keys)

    def named(self) -> str:
        """The names of a row's values; a key can be changed as well."""
        return ", ".join((*(f"of_{name}" for name in self.keys), *self.names))


@dataclass(frozen=True, slots=True)
class _Noted:
    """Rows to write, each with a value for every column of the shape."""

    shape: _Shape
    rows: list[Sequence[Any]]


def insert(db: AsyncSession, table: Table, rows: Rows) -> None:
    """Note `rows`, each with a value for every column of `table` in its order, to be inserted.

    Values are what the ORM would take (UUID, aware datetime, objects for JSON). A row that breaks
    a constraint fails the whole transaction, when it is written.
    """
    _note(db, _inserted(table), rows)


def increase(db: AsyncSession, table: Table, names: tuple[str, ...], rows: Rows) -> None:
    """Note amounts to add: `names` are the key column and those to increase, as in each row."""
    _note(db, _Shape(_Kind.INCREASE, table, names[:1], names[1:]), rows)


def change(
    db: AsyncSession, table: Table, keys: tuple[str, ...], names: tuple[str, ...], rows: Rows
) -> None:
    """Note values to set: each row has those of the `keys`, then those of `names`.

    A row whose keys match nothing changes nothing.
    """
    _note(db, _Shape(_Kind.CHANGE, table, keys, names), rows)


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


@lru_cache
def _inserted(table: Table) -> _Shape:
    return _Shape(_Kind.INSERT, table, (), tuple(column.name for column in table.columns))


def _note(db: AsyncSession, shape: _Shape, rows: Rows) -> None:
    if not rows:
        return
    noted: list[_Noted] = db.info.setdefault(_PENDING, [])
    for each in noted:
        if each.shape == shape:
            each.rows.extend(rows)
            return
    noted.append(_Noted(shape, list(rows)))


def _all_for_sqlite(noted: Sequence[_Noted]) -> list[tuple[str, list[Any]]]:
    return [statement for each in noted for statement in _sqlite_statements(each)]


def _sqlite_statements(noted: _Noted) -> list[tuple[str, list[Any]]]:
    """Few sizes of statements, powers of two, so that all of them stay prepared."""
    columns = _converted(noted, _sqlite_converters(noted.shape.columns))
    rows = list(zip(*columns, strict=True))
    build = _sqlite_insert if noted.shape.kind is _Kind.INSERT else _sqlite_update
    statements: list[tuple[str, list[Any]]] = []
    done, size = 0, LARGEST_STATEMENT_ROWS
    while done < len(rows):
        while size > len(rows) - done:
            size //= 2
        values = list(chain.from_iterable(rows[done : done + size]))
        statements.append((build(noted.shape, size), values))
        done += size
    return statements


@lru_cache
def _sqlite_insert(shape: _Shape, count: int) -> str:
    table, marks = shape.table.name, _marks(len(shape.columns), count)
    return f"INSERT INTO {table} ({shape.named()}) VALUES {marks}"  # noqa: S608 - names of our own tables


@lru_cache
def _sqlite_update(shape: _Shape, count: int) -> str:
    table = shape.table.name
    return (
        f"WITH v({shape.named()}) AS (VALUES {_marks(len(shape.columns), count)}) "  # noqa: S608 - names of our own tables
        f"UPDATE {table} SET {shape.assigned(table)} FROM v WHERE {shape.matched(table)}"
    )


def _marks(columns: int, rows: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)


async def _write_to_postgresql(connection: AsyncConnection, noted: Sequence[_Noted]) -> None:
    values = [
        column
        for each in noted
        for column in _converted(each, _postgresql_converters(each.shape.columns))
    ]
    statement = _postgresql_statement(tuple(each.shape for each in noted))
    await connection.exec_driver_sql(statement, tuple(values))


@lru_cache
def _postgresql_statement(shapes: tuple[_Shape, ...]) -> str:
    """One statement for all: what changes data in WITH runs whether it is read or not."""
    parts: list[str] = []
    used = 0
    for n, shape in enumerate(shapes):
        build = _postgresql_insert if shape.kind is _Kind.INSERT else _postgresql_update
        parts.append(f"s{n} AS ({build(shape, _arrays(shape, used))})")
        used += len(shape.columns)
    return f"WITH {', '.join(parts)} SELECT 1"


def _postgresql_insert(shape: _Shape, values: str) -> str:
    taken = ", ".join(
        f"v.{column.name}::jsonb" if _is_json(column) else f"v.{column.name}"
        for column in shape.columns
    )
    return f"INSERT INTO {shape.table.name} ({shape.named()}) SELECT {taken} FROM {values}"  # noqa: S608 - names of our own tables


def _postgresql_update(shape: _Shape, values: str) -> str:
    table = shape.table.name
    return f"UPDATE {table} AS t SET {shape.assigned('t')} FROM {values} WHERE {shape.matched('t')}"  # noqa: S608 - names of our own tables


def _arrays(shape: _Shape, used: int) -> str:
    arrays = ", ".join(
        f"${n}::{'text' if _is_json(column) else column.type.compile(_POSTGRESQL)}[]"
        for n, column in enumerate(shape.columns, used + 1)
    )
    return f"unnest({arrays}) AS v({shape.named()})"


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
