"""Rows for every table, with values that are easily damaged; it knows each type and no feature."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from turnout import tables
from turnout.db.base import Base, Id, JsonDocument, UtcDateTime

AN_ID = UUID("0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07")
INSTANT = datetime(2027, 3, 1, 12, 30, 15, 123_456, tzinfo=UTC)
WALL_CLOCK = datetime(2027, 3, 1, 18, 0, 15, 123_456)  # noqa: DTZ001 - a wall clock has no offset
DOCUMENT = {"text": 'zo\u00eb \U0001f40d " \\ \u2028', "n": [1, 2.5, None, True], "deep": {"a": {}}}
CHOSEN: dict[str, Any] = {
    "users.role": "organizer",
    "sign_ins.kind": "page",
    "links.purpose": "set-up",
    "team_members.role": "door",
    "events.status": "published",
    "events.visibility": "public",
    "events.place_country_code": "IN",
    "events.place_source": "organizer",
    "events.cancelled_at": None,
    "events.series_id": None,
    "deliveries.channel": "mail",
    "deliveries.lane": "bulk",
    "deliveries.outcome": "sent",
    "reminders.minutes_before": 60,
    "registrations.status": "confirmed",
    "registrations.waitlist_position": None,
    "admissions.capacity": 9,
    "admissions.taken": 2,
    "admissions.waiting": 0,
}


def table_of(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def a_value(kind: Any, name: str, n: int) -> Any:
    """A value that a column of this kind may have, another for each n where keys need it."""
    if isinstance(kind, Id):
        return UUID(int=AN_ID.int + n)
    if isinstance(kind, UtcDateTime):
        return INSTANT + timedelta(days=name.startswith("end"), microseconds=n)
    if isinstance(kind, JsonDocument):
        return DOCUMENT
    text = f"{name} zo\u00eb \U0001f40d {n}"
    of_type = {
        str: text,
        bytes: text.encode().ljust(32, b"\0")[:32],
        datetime: WALL_CLOCK,
        bool: n % 2 == 0,
        int: n,
        float: n / 3,
    }
    return of_type[kind.python_type]


def a_row(table: Table, n: int) -> tuple[Any, ...]:
    return tuple(
        CHOSEN.get(f"{table.name}.{column.name}", a_value(column.type, column.name, n))
        for column in table.columns
    )


def emptied(table: Table, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row with nothing where nothing may be."""
    pairs = zip(table.columns, row, strict=True)
    return tuple(None if column.nullable else value for column, value in pairs)


def in_order() -> list[type[Base]]:
    """The tables, each behind those that its rows point at."""
    order = tables.METADATA.sorted_tables
    return sorted(tables.ALL, key=lambda model: order.index(table_of(model)))
