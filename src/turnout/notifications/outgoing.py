"""What is on its way to people and programs, as administrators see it. Sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.errors import NotFound
from turnout.notifications.errors import DeliveryEnded
from turnout.notifications.models import Webhook
from turnout.outbox import deliveries
from turnout.outbox.models import Channel, Delivery, OutboxMessage, Outcome


class State(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    """It was not tried yet."""
    RETRYING = "retrying"
    """It has failed, and is tried again."""
    SENT = "sent"
    MOOT = "moot"
    """There was nobody or nothing left to tell."""
    DEAD = "dead"
    """It was given up."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A delivery; `to` is an address or that of a webhook, and None once it is forgotten."""

    id: UUID
    channel: Channel
    kind: str
    event_id: UUID | None
    to: str | None
    state: State
    tries: int
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many deliveries need somebody's patience or eyes, and messages that have none yet.

    Those that were sent are not counted: there are as many as there were mails, ever.
    """

    waiting: int
    retrying: int
    dead: int
    undispatched: int


_COLUMNS = (
    *(Delivery.id, Delivery.channel, Delivery.kind, Delivery.event_id, Delivery.address),
    *(Webhook.url, Delivery.outcome, Delivery.tries, Delivery.due_at, Delivery.created_at),
    *(Delivery.finished_at, Delivery.last_error),
)
_OPEN = Delivery.finished_at.is_(None)
# In the words of the partial index ix_deliveries_dead, or it would not be used.
_DEAD = Delivery.outcome == literal_column("'dead'")
_HAS_FAILED = Delivery.last_error.is_not(None)


async def page(
    db: AsyncSession,
    *,
    state: State | None,
    channel: Channel | None,
    before: UUID | None,
    limit: int,
) -> list[Outgoing]:
    """Deliveries, the newest first, at most `limit` made before `before`."""
    query = _deliveries()
    if state is not None:
        query = query.where(_is(state))
    if channel is not None:
        query = query.where(Delivery.channel == channel)
    if before is not None:
        query = query.where(Delivery.id < before)
    rows = await db.execute(query.order_by(Delivery.id.desc()).limit(limit))
    return [_outgoing(row) for row in rows]


async def backlog(db: AsyncSession) -> Backlog:
    """What is left to do; found by indexes of what is open or dead, not by counting it all."""
    open_ = (
        await db.execute(select(func.count(), func.count(Delivery.last_error)).where(_OPEN))
    ).one()
    dead = (await db.execute(select(func.count()).where(_DEAD))).scalar_one()
    undispatched = select(func.count()).where(OutboxMessage.finished_at.is_(None))
    left = (await db.execute(undispatched)).scalar_one()
    return Backlog(open_[0] - open_[1], open_[1], dead, left)


async def retry(db: AsyncSession, delivery_id: UUID, cause: Cause, now: datetime) -> Outgoing:
    """The delivery, which is tried anew from now on. Raises NotFound, DeliveryEnded."""
    lock = select(Delivery.outcome, Delivery.channel, Delivery.address, Delivery.event_id)
    query = lock.where(Delivery.id == delivery_id).with_for_update()
    row = (await db.execute(query)).one_or_none()
    if row is None:
        raise NotFound
    is_forgotten = row.channel == Channel.MAIL and row.address is None
    if row.outcome in {Outcome.SENT, Outcome.MOOT} or is_forgotten:
        raise DeliveryEnded
    await deliveries.retry(db, delivery_id, now)
    entry = audit.Entry(now, cause, "delivery.retried", row.event_id, delivery_id)
    audit.record(db, [entry])
    return (await _by_ids(db, [delivery_id]))[0]


async def _by_ids(db: AsyncSession, ids: Sequence[UUID]) -> list[Outgoing]:
    rows = await db.execute(_deliveries().where(Delivery.id.in_(ids)))
    return [_outgoing(row) for row in rows]


def _deliveries() -> Any:
    is_its = and_(Delivery.channel == Channel.WEBHOOK, Webhook.id == Delivery.recipient_id)
    return select(*_COLUMNS).outerjoin(Webhook, is_its)


def _is(state: State) -> ColumnElement[bool]:
    match state:
        case State.WAITING:
            return and_(_OPEN, ~_HAS_FAILED)
        case State.RETRYING:
            return and_(_OPEN, _HAS_FAILED)
        case State.DEAD:
            return _DEAD
        case State.SENT | State.MOOT:
            return Delivery.outcome == state.value


def _outgoing(row: Row[Any]) -> Outgoing:
    state = State(row.outcome) if row.outcome else _open_state(row.last_error)
    return Outgoing(
        row.id, Channel(row.channel), row.kind, row.event_id, row.address or row.url, state,
        row.tries, row.due_at, row.created_at, row.finished_at, row.last_error,
    )  # fmt: skip


def _open_state(last_error: str | None) -> State:
    return State.WAITING if last_error is None else State.RETRYING
