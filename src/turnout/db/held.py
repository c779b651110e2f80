"""Small questions, asked of the driver itself on a connection held for them. Knows no table.

Through a pool and a session, a question that the database answers in 20 microseconds costs 500,
and there is one in each turn of the loop in which somebody sends a credential.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, Dialect, Float, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import TypeEngine

from turnout.db import driver
from turnout.db.errors import suspect

Processor = Callable[[Any], Any]
Rows = list[tuple[Any, ...]]
Readers = tuple[tuple[int, Processor], ...]
"""The places of the columns that the driver has in another way, and what reads each."""


class Compiled(NamedTuple):
    """A question as the driver takes it, and how its values are read."""

    sql: str
    values: tuple[Any, ...]
    readers: Readers

    def read(self, rows: Sequence[Sequence[Any]]) -> Rows:
        """What the driver gave, as the columns' types have it."""
        return [self._read(row) for row in rows]

    def _read(self, row: Sequence[Any]) -> tuple[Any, ...]:
        values = list(row)
        for n, read in self.readers:
            values[n] = read(values[n])
        return tuple(values)


class Question:
    """`rows`, a select, of those whose column `key` is one of some keys; compiled once."""

    def __init__(self, rows: Select[*tuple[Any, ...]], key: ColumnElement[Any]) -> None:
        self._rows = rows
        self._key = key
        self._sql: dict[tuple[str, int], str] = {}
        self._types: dict[str, tuple[Processor, Readers]] = {}

    def of(self, keys: Sequence[Any], dialect: Dialect) -> Compiled:
        """The question about these keys, of which there is at least one."""
        # In a few sizes alone, the last key again and again: each size is a statement to prepare.
        padded = [*keys, *[keys[-1]] * ((1 << (len(keys) - 1).bit_length()) - len(keys))]
        write, readers = self._processors(dialect)
        size = dialect.name, len(padded)
        if size not in self._sql:
            wanted = self._rows.where(self._key.in_(padded))
            self._sql[size] = str(
                wanted.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
            )
        return Compiled(self._sql[size], tuple(write(key) for key in padded), readers)

    def _processors(self, dialect: Dialect) -> tuple[Processor, Readers]:
        if dialect.name not in self._types:
            readers = (_reader(each.type, dialect) for each in self._rows.selected_columns)
            reading = [(n, read) for n, read in enumerate(readers) if read is not None]
            writing = self._key.type.dialect_impl(dialect).bind_processor(dialect)
            self._types[dialect.name] = (writing or _same, tuple(reading))
        return self._types[dialect.name]


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    if isinstance(kind, Float):  # either driver has it as a float
        return None
    read: Processor | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return read


def _same(value: Any) -> Any:
    return value


class Asked(Protocol):
    """Whoever can be asked such a question."""

    async def rows(self, question: Question, keys: Sequence[Any]) -> Rows:
        """The rows there are, as they stand after this call began; at least one key is asked."""
        ...


class Held:
    """A connection of the engine that is taken when it is first needed, and kept.

    It has no transaction: each question sees what was committed before it was asked.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._driver: Any = None
        self._one_at_a_time = asyncio.Lock()

    async def rows(self, question: Question, keys: Sequence[Any]) -> Rows:
        """The rows there are, as they stand after this call began. Raises what the driver does."""
        asked = question.of(keys, self._engine.dialect)
        async with self._one_at_a_time:
            try:
                return asked.read(await self._fetch(asked))
            except Exception:
                await self._drop()
                raise

    async def _fetch(self, asked: Compiled) -> Sequence[Sequence[Any]]:
        if self._connection is None:
            self._connection = await self._engine.connect()
            self._driver = (await self._connection.get_raw_connection()).driver_connection
        if not isinstance(self._driver, driver.LoopConnection):
            fetched: Sequence[Sequence[Any]] = await self._driver.fetch(asked.sql, *asked.values)
            return fetched
        try:
            rows: Sequence[Sequence[Any]] = self._driver.raw.execute(*asked[:2]).fetchall()
        except driver.sqlite.Error as error:
            # As the engine would say it, for `db/errors.py` to tell a defect from its state.
            base = driver.sqlite.Error
            raise DBAPIError.instance(asked.sql, None, error, base) from error
        return rows

    async def _drop(self) -> None:
        """Give the connection up for good; the pool, which saw no error, must not keep it."""
        connection, self._connection = self._connection, None
        # Whatever this raises says again that the database is away, and the caller hears it.
        with suppress(*suspect()):
            if connection is not None:
                await connection.invalidate()
                await connection.close()

    async def aclose(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
