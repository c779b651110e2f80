"""What a call of a webhook says, read when it is made: where to, signed by what. Sends nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.opaque import Seals
from turnout.notifications import webhooks
from turnout.notifications.models import Webhook
from turnout.outbox.deliveries import Claimed
from turnout.outbox.models import OutboxMessage


@dataclass(frozen=True, slots=True)
class Facts:
    """One call that is to be made. What only its receiver is to know is in no repr."""

    delivery: Claimed
    is_active: bool
    is_failing: bool
    url: str = field(repr=False)
    secrets: Sequence[bytes] = field(repr=False)
    body: bytes = field(repr=False)


async def load(
    db: AsyncSession, seals: Seals, claimed: Sequence[Claimed], now: datetime
) -> dict[UUID, Facts]:
    """By delivery, what there is to send; nothing where the webhook is gone."""
    hook_ids = {each.recipient_id for each in claimed}
    hooks = {
        row.id: row for row in await db.scalars(select(Webhook).where(Webhook.id.in_(hook_ids)))
    }
    secrets = {row.id: webhooks.secrets_of(seals, row, now) for row in hooks.values()}
    bodies = await _bodies(db, {each.message_id for each in claimed})
    return {
        each.id: Facts(
            each,
            hook.is_active,
            hook.failing_since is not None,
            hook.url,
            secrets[hook.id],
            bodies[each.message_id],
        )
        for each in claimed
        if (hook := hooks.get(each.recipient_id)) is not None
    }


async def _bodies(db: AsyncSession, message_ids: set[UUID]) -> dict[UUID, bytes]:
    query = select(
        OutboxMessage.id, OutboxMessage.topic, OutboxMessage.created_at, OutboxMessage.payload
    ).where(OutboxMessage.id.in_(message_ids))
    return {row[0]: body_of(*row[1:]) for row in await db.execute(query)}


def body_of(topic: str, at: datetime, payload: Mapping[str, Any]) -> bytes:
    """What a receiver reads; the same bytes in every try."""
    content = {"type": topic, "timestamp": at.astimezone(UTC), "data": payload}
    return orjson.dumps(content, option=orjson.OPT_UTC_Z)
