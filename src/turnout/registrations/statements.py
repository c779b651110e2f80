"""The statements of the gate, as sets, on either database. Decides nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.db import sets
from turnout.events.models import Event
from turnout.registrations.models import Admission, Registration
from turnout.registrations.records import Seated, Wish
from turnout.registrations.seats import Seats, Window

_EVENTS: BindParameter[Any] = bindparam("event_ids", expanding=True)
_SEATS = Admission.__table__.c
_EVENT = Event.__table__.c
_LOCKED = (
    select(_SEATS.event_id)
    .where(_SEATS.event_id.in_(_EVENTS))
    .order_by(_SEATS.event_id)  # every process in the same order: no deadlock
)
_LOCK_AND_WAIT = _LOCKED.with_for_update()
_LOCK_WHAT_IS_FREE = _LOCKED.with_for_update(skip_locked=True)
_STATES = (
    select(
        _SEATS.event_id,
        _SEATS.capacity,
        _SEATS.taken,
        _SEATS.waiting,
        _SEATS.waitlist_enabled,
        _SEATS.opens_at,
        _SEATS.closes_at,
        _EVENT.end_at,
        _EVENT.status,
        _EVENT.visibility,
        _EVENT.organizer_id,
        _EVENT.timezone,
    )
    .join_from(Admission.__table__, Event.__table__, _EVENT.id == _SEATS.event_id)
    .where(_SEATS.event_id.in_(_EVENTS))
)


@dataclass(frozen=True, slots=True)
class State:
    """What the gate must know of one event, read under its lock."""

    seats: Seats
    window: Window
    status: str
    visibility: str
    organizer_id: UUID
    timezone: str


async def lock(db: AsyncSession, event_ids: Collection[UUID], *, wait: bool) -> frozenset[UUID]:
    """Lock the admission rows until the transaction ends; returns those that are locked.

    Without `wait`, rows that another transaction holds are left out. SQLite's one writer holds
    everything already.
    """
    if db.get_bind().dialect.name == "sqlite":
        return frozenset(event_ids)
    statement = _LOCK_AND_WAIT if wait else _LOCK_WHAT_IS_FREE
    connection = await db.connection()
    rows = await connection.execute(statement, {"event_ids": list(event_ids)})
    return frozenset(row.event_id for row in rows)


async def states(db: AsyncSession, event_ids: Collection[UUID]) -> dict[UUID, State]:
    """The state of each event that exists.

    A statement of its own after `lock`: on PostgreSQL the row that was waited for is read anew,
    but what is joined to it would come from before the wait.
    """
    connection = await db.connection()
    rows = await connection.execute(_STATES, {"event_ids": list(event_ids)})
    return {
        row.event_id: State(
            Seats(row.capacity, row.taken, row.waiting, row.waiting, row.waitlist_enabled),
            Window(row.opens_at, row.closes_at, row.end_at, row.status == "cancelled"),
            row.status,
            row.visibility,
            row.organizer_id,
            row.timezone,
        )
        for row in rows
    }


async def present(db: AsyncSession, people: Sequence[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Those of `people` (event, canonical address) that hold a live registration."""
    connection = await db.connection()
    rows: Any
    if connection.dialect.name == "sqlite":
        flat = tuple(part for event_id, person in people for part in (event_id.bytes, person))
        rows = await connection.exec_driver_sql(_present_in_sqlite(len(people)), flat)
        return {(UUID(bytes=event_id), person) for event_id, person in rows}
    columns = ([event_id for event_id, _ in people], [person for _, person in people])
    rows = await connection.exec_driver_sql(_PRESENT_IN_POSTGRESQL, columns)
    return {(event_id, person) for event_id, person in rows}


_PRESENT = (
    "SELECT r.event_id, r.email_canonical FROM wanted AS w {join} registrations AS r "
    "ON r.event_id = w.event_id AND r.email_canonical = w.person WHERE r.status <> 'cancelled'"
)
_PRESENT_IN_POSTGRESQL = " ".join(
    (
        "WITH wanted AS (SELECT * FROM unnest($1::uuid[], $2::text[]) AS u(event_id, person))",
        _PRESENT.format(join="JOIN"),
    )
)


@lru_cache(maxsize=1024)
def _present_in_sqlite(count: int) -> str:
    values = ", ".join(["(?, ?)"] * count)
    # CROSS JOIN keeps the wanted outside, so that each is one probe of the unique index.
    probe = _PRESENT.format(join="CROSS JOIN")
    return f"WITH wanted(event_id, person) AS (VALUES {values}) {probe}"


def insert(db: AsyncSession, rows: Sequence[tuple[object, ...]]) -> None:
    """Note new registrations, a value for every column, to be written with the transaction."""
    sets.insert(db, Registration.__table__, rows)  # type: ignore[arg-type]  # a Table, though declared as FromClause


def move_counters(db: AsyncSession, moves: Sequence[tuple[UUID, int, int]]) -> None:
    """Note what to add to `taken` and `waiting` of each event (event, taken, waiting)."""
    sets.increase(db, Admission.__table__, ("event_id", "taken", "waiting"), moves)  # type: ignore[arg-type]  # as above


def is_second_seat(error: IntegrityError) -> bool:
    """Whether it was the index of people that refused a row, and not another constraint."""
    said = str(error.orig)  # PostgreSQL names the index, SQLite its columns
    return "uq_registrations_person" in said or "registrations.email_canonical" in said


def row_of(wish: Wish, new: Seated) -> tuple[object, ...]:
    """The values of one new registration, in the order of the table's columns."""
    registration, token = new.registration, new.manage_token
    return (
        registration.event_id,
        registration.id,
        registration.name,
        registration.email,
        wish.person,
        wish.account_id,
        registration.status,
        registration.waitlist_position,
        None,
        None if token is None else sha256(token.encode()).digest(),
        registration.answers,
        None,
        registration.created_at,
        registration.updated_at,
    )
