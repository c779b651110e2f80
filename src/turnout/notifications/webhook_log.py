"""What became of the calls of a webhook, and sending one again. Knows no HTTP."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout import ids
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.db import sets
from turnout.errors import NotFound
from turnout.notifications.models import Webhook
from turnout.notifications.webhook_errors import WebhookDisabled
from turnout.notifications.webhook_schemas import WebhookAttemptOut, WebhookDeliveryOut
from turnout.outbox import deliveries
from turnout.outbox.deliveries import NewDelivery
from turnout.outbox.models import Channel, Delivery, DeliveryAttempt, Lane, OutboxMessage
from turnout.outbox.topics import Topic

PENDING = "pending"
"""The state of a delivery that has not ended."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A delivery and the calls that were made for it, in their order."""

    delivery: Delivery
    attempts: Sequence[DeliveryAttempt]

    @property
    def id(self) -> UUID:
        """Its place in the log."""
        return self.delivery.id


async def page(
    db: AsyncSession, webhook_id: UUID, *, before: UUID | None, limit: int
) -> list[Logged]:
    """The deliveries to a webhook, the newest first, at most `limit` older than `before`."""
    query = select(Delivery).where(Delivery.recipient_id == webhook_id)
    if before is not None:
        query = query.where(Delivery.id < before)
    found = list(await db.scalars(query.order_by(Delivery.id.desc()).limit(limit)))
    return await _with_attempts(db, found)


async def one(db: AsyncSession, webhook_id: UUID, delivery_id: UUID) -> Logged:
    """A delivery to that webhook. Raises NotFound for any other."""
    this = Delivery.id == delivery_id, Delivery.recipient_id == webhook_id
    found = await db.scalar(select(Delivery).where(*this).execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    [logged] = await _with_attempts(db, [found])
    return logged


async def redeliver(
    db: AsyncSession, webhook: Webhook, delivery_id: UUID, cause: Cause, now: datetime
) -> Logged:
    """Let a delivery be tried anew from now on, whatever became of it; its id stays.

    Raises NotFound, WebhookDisabled.
    """
    await one(db, webhook.id, delivery_id)
    _require_active(webhook)
    await deliveries.retry(db, delivery_id, now)
    _record(db, webhook, "webhook.redelivered", cause, now, delivery_id)
    return await one(db, webhook.id, delivery_id)


async def test(db: AsyncSession, webhook: Webhook, cause: Cause, now: datetime) -> Logged:
    """A delivery of a message that is about the webhook itself, for nobody else and in no feed.

    It is sent as any other. Raises WebhookDisabled.
    """
    _require_active(webhook)
    message = OutboxMessage(
        id=ids.new_id(),
        topic=Topic.WEBHOOK_TEST,
        subject_id=webhook.id,
        payload={"webhook_id": str(webhook.id)},
        created_at=now,
        due_at=now,
        # It has its one recipient: there is nothing left to dispatch.
        finished_at=now,
    )
    db.add(message)
    await db.flush()
    new = NewDelivery(
        message.id, Channel.WEBHOOK, Lane.DIRECT, Topic.WEBHOOK_TEST, None, webhook.id
    )
    deliveries.add(db, [new], now)
    await sets.flush(db)
    query = select(Delivery).where(Delivery.message_id == message.id)
    made = (await db.scalars(query)).one()
    _record(db, webhook, "webhook.tested", cause, now, made.id)
    return Logged(made, ())


def delivery_out(logged: Logged, zone: tzinfo) -> WebhookDeliveryOut:
    """A delivery as its log shows it, with its times in that zone."""
    row, attempts = logged.delivery, logged.attempts
    is_open = row.finished_at is None
    return WebhookDeliveryOut(
        row.id,
        row.message_id,
        row.kind,
        row.outcome or PENDING,
        row.tries,
        attempts[-1].status if attempts else None,
        row.last_error,
        row.created_at.astimezone(zone),
        row.due_at.astimezone(zone) if is_open else None,
        None if row.finished_at is None else row.finished_at.astimezone(zone),
        [
            WebhookAttemptOut(e.number, e.at.astimezone(zone), e.milliseconds, e.status, e.error)
            for e in attempts
        ],
    )


async def _with_attempts(db: AsyncSession, found: Sequence[Delivery]) -> list[Logged]:
    attempts = defaultdict[UUID, list[DeliveryAttempt]](list)
    if found:
        query = select(DeliveryAttempt).where(
            DeliveryAttempt.delivery_id.in_([each.id for each in found])
        )
        order = DeliveryAttempt.delivery_id, DeliveryAttempt.number
        for attempt in await db.scalars(query.order_by(*order)):
            attempts[attempt.delivery_id].append(attempt)
    return [Logged(each, attempts[each.id]) for each in found]


def _require_active(webhook: Webhook) -> None:
    if not webhook.is_active:
        raise WebhookDisabled


def _record(
    db: AsyncSession,
    webhook: Webhook,
    action: str,
    cause: Cause,
    now: datetime,
    delivery_id: UUID,
) -> None:
    changes = {"delivery_id": str(delivery_id)}
    audit.record(db, [audit.Entry(now, cause, action, webhook.event_id, webhook.id, changes)])
