"""Removes messages that were handled long ago, with their deliveries. Knows no HTTP."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.audit import queries as audit
from turnout.outbox.models import Delivery, OutboxMessage

LARGEST_SET = 500
"""Messages in one transaction: on SQLite whoever wants a seat waits for its end."""


async def tidy(db: AsyncSession, before: datetime, *, limit: int = LARGEST_SET) -> bool:
    """Remove messages that were finished before that time; whether there may be more.

    From the beginning of the feed on and without a gap, so that what is left is all that there was
    since its oldest. The newest message of the feed stays: places are counted on from it.
    """
    found = [*await _oldest(db, before, limit), *await _outside(db, before, limit)]
    if found:
        await db.execute(delete(Delivery).where(Delivery.message_id.in_(found)))
        await db.execute(delete(OutboxMessage).where(OutboxMessage.id.in_(found)))
    return len(found) >= limit


async def _oldest(db: AsyncSession, before: datetime, limit: int) -> list[UUID]:
    """The first messages of the feed, up to one that has to stay."""
    newest = select(func.max(OutboxMessage.position)).scalar_subquery()
    is_over = _is_over(before) & (OutboxMessage.position < newest)
    query = (
        select(OutboxMessage.id, is_over)
        .where(OutboxMessage.position.is_not(None))
        .order_by(OutboxMessage.position)
        .limit(limit)
    )
    found = list[UUID]()
    for message_id, may_go in await db.execute(query):
        if not may_go:
            break
        found.append(message_id)
    return found


async def _outside(db: AsyncSession, before: datetime, limit: int) -> list[UUID]:
    """Messages that were never in the feed: tests of webhooks."""
    query = (
        select(OutboxMessage.id)
        .where(
            # Its id begins with the time it was made at: what is younger is not looked at.
            OutboxMessage.id < audit.first_id(before),
            OutboxMessage.position.is_(None),
            _is_over(before),
        )
        .order_by(OutboxMessage.id)
        .limit(limit)
    )
    return list(await db.scalars(query))


def _is_over(before: datetime) -> ColumnElement[bool]:
    is_open = exists().where(
        Delivery.message_id == OutboxMessage.id, Delivery.finished_at.is_(None)
    )
    return OutboxMessage.finished_at.is_not(None) & (OutboxMessage.finished_at < before) & ~is_open
