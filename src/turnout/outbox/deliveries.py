"""Deliveries on their way: claimed by a lease, tried until they arrive, each ended once.

At least once: whoever dies with a delivery in hand has it taken over when the lease ends. Knows
neither mails nor webhooks.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, literal, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout import ids
from turnout.db import sets
from turnout.outbox.models import Channel, Delivery, Lane, Outcome

LONGEST_ERROR = 300
_TABLE = Delivery.__table__
_C = _TABLE.c


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """What has to reach one recipient because of one message."""

    message_id: UUID
    channel: Channel
    lane: Lane
    kind: str
    event_id: UUID | None
    recipient_id: UUID
    address: str | None = None
    name: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery in our hands until its lease ends. `tries` counts this one."""

    id: UUID
    message_id: UUID
    kind: str
    event_id: UUID | None
    recipient_id: UUID
    address: str | None
    name: str | None
    data: Mapping[str, Any]
    created_at: datetime
    tries: int
    claim: UUID


@dataclass(frozen=True, slots=True)
class Ended:
    """A delivery that needs no more tries, and why."""

    delivery: Claimed
    outcome: Outcome
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Postponed:
    """A delivery that is to be tried again. One that `counts` not was never really tried."""

    delivery: Claimed
    at: datetime
    error: str
    counts: bool = True


def add(db: AsyncSession, new: Sequence[NewDelivery], now: datetime) -> None:
    """Note the deliveries, to be written with the caller's transaction; they are due at once."""
    rows = [
        (
            ids.new_id(), each.message_id, each.channel, each.lane, each.kind, each.event_id,
            each.recipient_id, each.address, each.name, dict(each.data), now, now, 0, None, None,
            None, None,
        )
        for each in new
    ]  # fmt: skip
    sets.insert(db, _TABLE, rows)  # type: ignore[arg-type]  # a Table, though declared as FromClause


async def claim(
    db: AsyncSession,
    channel: Channel,
    lane: Lane,
    limit: int,
    now: datetime,
    lease: timedelta,
    *,
    passing_over: Collection[UUID] = (),
) -> list[Claimed]:
    """At most `limit` deliveries that are due, the longest due first, ours until `lease` is over.

    Those to recipients who are passed over are left for later.

    Must be committed before anything is sent. No two get the same one: on PostgreSQL rows that
    others are just taking are passed over, on SQLite nobody else writes meanwhile.
    """
    due = (
        select(_C.id)
        .where(*_due(channel, lane, now, passing_over))
        .order_by(_C.due_at, _C.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # Evaluated once: without this PostgreSQL may run it for each row, and take more.
        .cte("due")
    )
    taken = (
        update(_TABLE)  # type: ignore[arg-type]  # as above
        .where(_C.id.in_(select(due.c.id)))
        .values(due_at=now + lease, tries=_C.tries + 1, claim=ids.new_id())
        .returning(
            _C.id, _C.message_id, _C.kind, _C.event_id, _C.recipient_id, _C.address, _C.name,
            _C.data, _C.created_at, _C.tries, _C.claim,
        )
    )  # fmt: skip
    rows = await db.execute(taken)
    return sorted((Claimed(*row) for row in rows), key=lambda each: each.id)


async def is_any_due(
    db: AsyncSession,
    channel: Channel,
    lane: Lane,
    now: datetime,
    *,
    passing_over: Collection[UUID] = (),
) -> bool:
    """Whether there is something to claim; for looking before a transaction is begun."""
    due = select(_C.id).where(*_due(channel, lane, now, passing_over))
    return await db.scalar(due.limit(1)) is not None


def _due(
    channel: Channel, lane: Lane, now: datetime, passing_over: Collection[UUID]
) -> list[ColumnElement[bool]]:
    found = [_C.channel == channel, _C.lane == lane, _C.finished_at.is_(None), _C.due_at <= now]
    return [*found, _C.recipient_id.not_in(list(passing_over))] if passing_over else found


def renew(db: AsyncSession, held: Sequence[Claimed], now: datetime, lease: timedelta) -> None:
    """Keep what is in our hands for another `lease`; what another has taken over stays theirs.

    As with `end` and `postpone`, this is noted, to be written with the caller's transaction.
    """
    until = now + lease
    _change(db, ("due_at",), [(each.id, each.claim, until) for each in held])


def end(db: AsyncSession, ended: Sequence[Ended], now: datetime) -> None:
    """Say what became of them; those that another has taken over meanwhile stay theirs."""
    rows = [
        (each.delivery.id, each.delivery.claim, now, each.outcome, _short(each.error), None)
        for each in ended
    ]
    _change(db, ("finished_at", "outcome", "last_error", "claim"), rows)


def postpone(db: AsyncSession, postponed: Sequence[Postponed]) -> None:
    """Let them be tried again at their time; those that another has taken over stay theirs."""
    rows = [
        (
            each.delivery.id, each.delivery.claim, each.at,
            each.delivery.tries - (not each.counts), _short(each.error), None,
        )
        for each in postponed
    ]  # fmt: skip
    _change(db, ("due_at", "tries", "last_error", "claim"), rows)


def _change(db: AsyncSession, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """By id and claim: the claim alone makes it ours."""
    sets.change(db, _TABLE, ("id", "claim"), names, rows)  # type: ignore[arg-type]  # as above


async def retry(db: AsyncSession, delivery_id: UUID, now: datetime) -> None:
    """Let a delivery that has ended, or waits, be tried anew from now on.

    One that is in somebody's hands stays there: it is being tried, and would go out twice.
    """
    is_free = or_(_C.claim.is_(None), _C.due_at <= now)
    # SQL takes the values of the row as it was for all of these.
    await db.execute(
        update(Delivery)
        .where(_C.id == delivery_id)
        .values(
            due_at=case((is_free, literal(now, _C.due_at.type)), else_=_C.due_at),
            claim=case((is_free, null()), else_=_C.claim),
            tries=0,
            finished_at=None,
            outcome=None,
        )
    )


async def forget(db: AsyncSession, recipient_ids: Sequence[UUID], now: datetime) -> None:
    """Take whoever these were out of their deliveries: what is open is not sent any more."""
    await _forget(db, _C.recipient_id.in_(list(recipient_ids)), now)


async def forget_addresses(db: AsyncSession, addresses: Collection[str], now: datetime) -> None:
    """The same for all that goes, or went, to these addresses, in lower case or not."""
    # As both databases lower them: ASCII alone, or every letter.
    lowered = {"".join(c.lower() if c.isascii() else c for c in each) for each in addresses}
    lowered |= {each.lower() for each in addresses}
    # In the words of the partial index ix_deliveries_address, or it would not be used.
    theirs = and_(_C.address.is_not(None), func.lower(_C.address).in_(lowered))
    await _forget(db, theirs, now)


async def _forget(db: AsyncSession, whose: ColumnElement[bool], now: datetime) -> None:
    theirs = update(Delivery).where(whose)
    await db.execute(
        theirs.where(_C.finished_at.is_(None)).values(
            finished_at=now, outcome=Outcome.MOOT, claim=None
        )
    )
    await db.execute(theirs.values(address=None, name=None, data={}, last_error=None))


def _short(text: str | None) -> str | None:
    return None if text is None else text[:LONGEST_ERROR]
