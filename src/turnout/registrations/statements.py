"""The statements of the gate, as sets, on either database. Decides nothing."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from turnout.accounts.models import User
from turnout.db import sets
from turnout.events.models import Event
from turnout.registrations import guests
from turnout.registrations.functions import CALL_LOCK_SEATS
from turnout.registrations.models import Admission, Registration
from turnout.registrations.records import Seated, Wish
from turnout.registrations.seats import Seats, Window

_EVENTS: BindParameter[Any] = bindparam("event_ids", expanding=True)
_SEATS = Admission.__table__.c
_EVENT = Event.__table__.c
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

Person = tuple[UUID, str]
"""An event and the canonical address of someone who wants a seat there."""


@dataclass(frozen=True, slots=True)
class State:
    """What the gate must know of one event, read under its lock.

    Without the lock (`is_locked` false: another transaction has it) only what does not change
    with a registration may be believed. `present` are the addresses that hold a live one.
    """

    is_locked: bool
    seats: Seats
    window: Window
    status: str
    visibility: str
    organizer_id: UUID
    timezone: str
    present: Collection[str]
    team_role: str | None = None
    """What the one who asks does in the event's team, where it matters."""


async def lock(db: AsyncSession, people: Sequence[Person], *, wait: bool) -> dict[UUID, State]:
    """Lock the seats of the events until the transaction ends, and read them.

    Events that do not exist are left out. Without `wait`, locks that others hold are not waited
    for. SQLite's one writer holds everything already.
    """
    connection = await db.connection()
    if connection.dialect.name == "sqlite":
        return await _read_in_sqlite(connection, people)
    columns = ([event_id for event_id, _ in people], [person for _, person in people], wait)
    rows: Any = await connection.exec_driver_sql(CALL_LOCK_SEATS, columns)
    return {UUID(int=row[0].int): _state(row[1], row[2:-1], row[-1]) for row in rows}


async def lock_event(db: AsyncSession, event_id: UUID) -> Seats:
    """Lock the seats of one event until the transaction ends, and read them."""
    query = select(
        *(Admission.capacity, Admission.taken, Admission.waiting, Admission.waitlist_enabled)
    ).where(Admission.event_id == event_id)
    row = (await db.execute(query.with_for_update())).one()
    return Seats(row.capacity, row.taken, row.waiting, row.waiting, row.waitlist_enabled)


async def lock_events(db: AsyncSession, event_ids: Collection[UUID]) -> None:
    """Lock the seats of several events until the transaction ends.

    In the order in which the gate takes its own, so that none waits in a circle.
    """
    query = select(Admission.event_id).where(Admission.event_id.in_(event_ids))
    await db.execute(query.order_by(Admission.event_id).with_for_update())


async def hold_accounts(db: AsyncSession, account_ids: Collection[UUID]) -> set[UUID]:
    """Those of the accounts that are in use, and none of them is erased until the transaction ends.

    Whoever is being erased at this moment is waited for, and is not among them.
    """
    query = select(User.id).where(User.id.in_(account_ids), User.is_active).order_by(User.id)
    return set(await db.scalars(query.with_for_update(read=True, key_share=True)))


async def _read_in_sqlite(
    connection: AsyncConnection, people: Sequence[Person]
) -> dict[UUID, State]:
    event_ids = list({event_id for event_id, _ in people})
    rows = await connection.execute(_STATES, {"event_ids": event_ids})
    flat = tuple(part for event_id, person in people for part in (event_id.bytes, person))
    found: Any = await connection.exec_driver_sql(_present_in_sqlite(len(people)), flat)
    present: dict[bytes, list[str]] = defaultdict(list)
    for event_id, person in found:
        present[event_id].append(person)
    return {
        row.event_id: _state(True, tuple(row[1:]), present[row.event_id.bytes])  # noqa: FBT003 - SQLite's one writer
        for row in rows
    }


def _state(is_locked: bool, row: Sequence[Any], present: Collection[str]) -> State:  # noqa: FBT001 - a value read
    capacity, taken, waiting, waitlist, opens, closes, end, status, visibility, owner, zone = row
    return State(
        is_locked,
        Seats(capacity, taken, waiting, waiting, waitlist),
        Window(opens, closes, end, status == "cancelled"),
        status,
        visibility,
        UUID(int=owner.int),
        zone,
        present,
    )


@lru_cache(maxsize=1024)
def _present_in_sqlite(count: int) -> str:
    values = ", ".join(["(?, ?)"] * count)
    # CROSS JOIN keeps the wanted outside, so that each is one probe of the unique index.
    return f"WITH wanted(event_id, person) AS (VALUES {values}) {_PRESENT}"


_PRESENT = (
    "SELECT r.event_id, r.email_canonical FROM wanted AS w CROSS JOIN registrations AS r "
    "ON r.event_id = w.event_id AND r.email_canonical = w.person WHERE r.status <> 'cancelled'"
)


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
        None if token is None else guests.hash_of(token),
        registration.answers,
        None,
        registration.created_at,
        registration.updated_at,
    )
