"""Writes what became of calls of webhooks: their log, their deliveries, and what is left to try."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import bindparam, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Standing
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.db import sets
from turnout.notifications import webhooks
from turnout.notifications.models import Webhook
from turnout.notifications.trying import Meaning, Tried
from turnout.outbox import deliveries, outbox
from turnout.outbox.deliveries import Claimed, Ended, Postponed
from turnout.outbox.models import Delivery, DeliveryAttempt, Outcome
from turnout.outbox.topics import Topic

FAILING_FOR = timedelta(days=5)
"""How long nothing may be taken before a webhook is switched off."""
GONE = "Its receiver answered 410: it wants to hear nothing any more."
WORN_OUT = "Nothing was taken for five days."
_BY_ITSELF = Cause(Standing.SYSTEM)
_ATTEMPTS: Any = DeliveryAttempt.__table__
_DELIVERIES: Any = Delivery.__table__


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call that was made."""

    at: datetime
    milliseconds: int
    tried: Tried


@dataclass(frozen=True, slots=True)
class Result:
    """What is to be written of a delivery; without an `attempt`, no call was made."""

    outcome: Ended | Postponed
    attempt: Attempt | None = None
    was_failing: bool = False
    """Whether the webhook was known to fail before it."""

    @property
    def delivery(self) -> Claimed:
        """What it is about."""
        return self.outcome.delivery

    @property
    def is_taken(self) -> bool:
        """Whether the receiver took it."""
        return self.attempt is not None and self.attempt.tried.meaning is Meaning.DONE

    @property
    def is_refused(self) -> bool:
        """Whether a call was made and not taken."""
        return self.attempt is not None and not self.is_taken

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants to hear nothing any more."""
        return self.attempt is not None and self.attempt.tried.meaning is Meaning.GONE


async def write(db: AsyncSession, results: Sequence[Result], now: datetime) -> None:
    """Write them all, those left out that another has taken over meanwhile."""
    # Webhooks before deliveries, as everywhere, so that nobody waits in a circle.
    concerned = await _locked_webhooks(db, results)
    await _log(db, results)
    outcomes = [each.outcome for each in results]
    deliveries.end(db, [each for each in outcomes if isinstance(each, Ended)], now)
    deliveries.postpone(db, [each for each in outcomes if isinstance(each, Postponed)])
    await sets.flush(db)
    # Afterwards: what is ended with a webhook is in nobody's hands any more.
    for webhook in concerned:
        own = [each for each in results if each.delivery.recipient_id == webhook.id]
        await _note_health(db, webhook, own, now)


async def _locked_webhooks(db: AsyncSession, results: Sequence[Result]) -> list[Webhook]:
    """Those that these results may change: a usual success changes none."""
    concerned = {
        each.delivery.recipient_id
        for each in results
        if each.is_refused or (each.is_taken and each.was_failing)
    }
    if not concerned:
        return []
    query = select(Webhook).where(Webhook.id.in_(concerned)).order_by(Webhook.id)
    return list(await db.scalars(query.with_for_update()))


async def _note_health(
    db: AsyncSession, row: Webhook, results: Sequence[Result], now: datetime
) -> None:
    """Keep since when a webhook fails, and switch it off when it has failed for too long."""
    if any(each.is_taken for each in results):
        row.failing_since = None
    elif row.failing_since is None:
        row.failing_since = now
    await db.flush()
    if any(each.is_gone for each in results):
        await _switch_off(db, row, GONE, now)
    elif row.failing_since is not None and now - row.failing_since >= FAILING_FOR:
        await _switch_off(db, row, WORN_OUT, now)


async def _switch_off(db: AsyncSession, row: Webhook, why: str, now: datetime) -> None:
    if not row.is_active:
        return
    row.is_active, row.disabled_reason = False, why
    row.version, row.updated_at = row.version + 1, now
    await db.flush()
    await webhooks.end_open(db, [row.id], Outcome.DEAD, why, now)
    audit.record(db, [audit.Entry(now, _BY_ITSELF, "webhook.disabled", row.event_id, row.id)])
    told = {
        "user_id": str(row.owner_id),
        "webhook_id": str(row.id),
        "host": urlsplit(row.url).hostname or "",
        "reason": why,
    }
    outbox.add(db, [outbox.Message(now, Topic.WEBHOOK_DISABLED, None, row.owner_id, told)])


async def _log(db: AsyncSession, results: Sequence[Result]) -> None:
    """One row a call, numbered on from the last one of its delivery."""
    values = [
        {
            "this": each.delivery.id, "mine": each.delivery.claim, "when": each.attempt.at,
            "took": each.attempt.milliseconds, "answered": each.attempt.tried.status,
            "why": each.attempt.tried.error,
        }
        for each in results
        if each.attempt is not None
    ]  # fmt: skip
    if not values:
        return
    # Holding the delivery, so that no other counts the same calls.
    held = _DELIVERIES.c.id.in_([each["this"] for each in values])
    await db.execute(
        select(_DELIVERIES.c.id).where(held).order_by(_DELIVERIES.c.id).with_for_update()
    )
    connection = await db.connection()
    await connection.execute(_new_attempt(), values)


def _new_attempt() -> Any:
    columns = _ATTEMPTS.c
    last = select(func.coalesce(func.max(columns.number), 0)).where(
        columns.delivery_id == bindparam("this")
    )
    row = select(
        _DELIVERIES.c.id,
        last.scalar_subquery() + literal(1),
        bindparam("when", type_=columns.at.type),
        bindparam("took", type_=columns.milliseconds.type),
        bindparam("answered", type_=columns.status.type),
        bindparam("why", type_=columns.error.type),
    ).where(_DELIVERIES.c.id == bindparam("this"), _DELIVERIES.c.claim == bindparam("mine"))
    return insert(_ATTEMPTS).from_select([column.name for column in columns], row)
