"""What is asked about webhooks and the feed has its index: no statement reads a whole table."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from tests.db import plans
from tests.db.samples import table_of
from tests.db.test_plans import an_event

from turnout.accounts import service as accounts
from turnout.accounts.actor import SYSTEM, Actor, Role, Standing
from turnout.accounts.models import User
from turnout.audit.audit import Cause
from turnout.db import sets
from turnout.db.session import Database, Db
from turnout.ids import new_id
from turnout.notifications import changes, tidying, webhook_log, webhooks
from turnout.notifications.models import Webhook
from turnout.outbox.models import Delivery, DeliveryAttempt, OutboxMessage
from turnout.registrations import service
from turnout.registrations.service import AdmissionDraft

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
OLD = NOW - timedelta(days=90)
EVENTS, MESSAGES, OWNERS = 300, 20_000, 500
IDS = [UUID(int=(int(NOW.timestamp() * 1000) << 80) + n) for n in range(MESSAGES)]
OLIVE = Actor(Standing.ACCOUNT, IDS[7], "Olive", Role.ORGANIZER)

Work = Callable[[Db], Awaitable[object]]


def user(n: int) -> tuple[Any, ...]:
    email = f"person{n:05}@example.com"
    return (
        IDS[n], email, email, NOW, "Person", f"person {email}", "organizer", None, None, True,
        None, None, None, None, None, NOW, NOW,
    )  # fmt: skip


def hook(n: int) -> tuple[Any, ...]:
    return (
        IDS[n], IDS[n % OWNERS], None, "https://example.com/", "", [], b"s", None, None, True,
        None, None, 1, NOW, NOW,
    )  # fmt: skip


def message(event_ids: list[UUID], n: int) -> tuple[Any, ...]:
    event_id = event_ids[n % EVENTS] if n % 3 else None
    topic = "registration.confirmed"
    if n % 1_000 == 1:
        topic, event_id = "event.deleted", new_id()
    payload = {"organizer_id": str(OLIVE.user_id)}
    return IDS[n], topic, event_id, None, payload, NOW, NOW, NOW, n + 1, None


def delivery(n: int) -> tuple[Any, ...]:
    return (
        IDS[n], IDS[n], "webhook", "direct", "registration.confirmed", None, IDS[n % 1_000], None,
        None, {}, NOW, NOW, 1, None, NOW, "sent", None,
    )  # fmt: skip


def attempt(n: int) -> tuple[Any, ...]:
    return IDS[n], 1, NOW, 12, 204, None


async def fill(database: Database) -> None:
    """A server with many organizers that has told their programs of much."""
    async with database.write() as db:
        built_in = await accounts.built_in_organizer(db, NOW)
        for model, rows in ((User, map(user, range(OWNERS))), (Webhook, map(hook, range(1_000)))):
            sets.insert(db, table_of(model), list(rows))
            await sets.flush(db)  # webhooks are somebody's
        wanted = [(an_event(n), AdmissionDraft(None)) for n in range(EVENTS - 3)]
        event_ids = await service.host(db, built_in, Cause("open"), wanted, NOW)
        own = [(an_event(EVENTS + n), AdmissionDraft(None)) for n in range(3)]
        event_ids += await service.host(db, OLIVE, Cause("account"), own, NOW)
    async with database.write() as db:
        for table, filled in (
            (OutboxMessage, (message(list(event_ids), n) for n in range(MESSAGES))),
            (Delivery, map(delivery, range(MESSAGES))),
            (DeliveryAttempt, map(attempt, range(MESSAGES))),
        ):
            sets.insert(db, table_of(table), list(filled))
            await sets.flush(db)
    await plans.gather_statistics(database)


async def targets(db: Db) -> object:
    query = select(OutboxMessage).where(OutboxMessage.id.in_(IDS[40:80]))
    return await webhooks.targets(db, list(await db.scalars(query)))


BY_INDEX: dict[str, tuple[Work, str]] = {
    "my webhooks": (
        partial(webhooks.page, actor=OLIVE, before=None, limit=21),
        "ix_webhooks_owner_id",
    ),
    "deliveries": (
        partial(webhook_log.page, webhook_id=IDS[5], before=None, limit=21),
        "ix_deliveries_recipient",
    ),
    "feed of one's own": (
        partial(changes.page, actor=OLIVE, after=100, limit=20),
        "ix_outbox_messages_event",
    ),
    "ends of events": (
        partial(changes.page, actor=OLIVE, after=100, limit=20),
        "ix_outbox_messages_deleted",
    ),
    "feed of everyone": (
        partial(changes.page, actor=SYSTEM, after=100, limit=20),
        "uq_outbox_messages_position",
    ),
    "tidying": (partial(tidying.tidy, before=OLD), "uq_outbox_messages_position"),
    "targets": (targets, "webhooks"),
}
_LARGE = "(outbox_messages|deliveries|delivery_attempts)"
WHOLE = re.compile(rf"Seq Scan on {_LARGE}|^SCAN {_LARGE}(?!.*USING)")
"""Of webhooks there are few, and the first that is active ends the look at them."""


@pytest.mark.parametrize("name", BY_INDEX)
async def test_statements_about_webhooks_use_their_index(database: Database, name: str) -> None:
    await fill(database)
    work, index = BY_INDEX[name]

    found = await plans.of(database, work)

    lines = [line.strip(" ->") for plan in found for line in plan.splitlines()]
    assert [line for line in lines if WHOLE.search(line)] == []
    assert re.search(index, "\n".join(lines)), lines
