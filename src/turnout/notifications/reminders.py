"""When those who come to an event are reminded of it: set by its organizers, kept by its start.

Sends nothing; whoever dispatches looks at what is due.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.db import upserts
from turnout.events import policy, queries, whole
from turnout.events.models import Event, Status
from turnout.notifications.models import Reminder
from turnout.outbox import outbox
from turnout.outbox.topics import Topic

DEFAULT_MINUTES = 1440
"""Before the start, for events whose organizers have said nothing: a day."""
FEWEST_MINUTES, MOST_MINUTES = 5, 43_200
LARGEST_SET = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """How long before the start people are reminded, and when that will be.

    `minutes_before` None is never; `due_at` is None where no reminder is to come (any more).
    """

    minutes_before: int | None
    due_at: datetime | None


async def plan(db: AsyncSession, actor: Actor, event_id: UUID) -> Plan:
    """What is planned for an event. Raises NotSignedIn, NotFound, NotAllowed."""
    policy.require_editor(actor, await queries.brief(db, actor, event_id))
    return await _plan(db, event_id)


async def _plan(db: AsyncSession, event_id: UUID) -> Plan:
    query = select(Reminder.minutes_before, Reminder.due_at).where(Reminder.event_id == event_id)
    row = (await db.execute(query)).one_or_none()
    return Plan(DEFAULT_MINUTES, None) if row is None else Plan(*row)


async def set_minutes(
    db: AsyncSession,
    actor: Actor,
    event_id: UUID,
    minutes: int | None,
    cause: Cause,
    now: datetime,
) -> Plan:
    """What is planned once people are reminded so long before the start, or never (None).

    Nobody is reminded twice of the same start, and not at a time that is over. Raises NotSignedIn,
    NotFound, NotAllowed.
    """
    await whole.locked(db, actor, event_id)
    before = await _plan(db, event_id)
    row = {"event_id": event_id, "minutes_before": minutes, "due_at": None, "sent_for": None}
    keep = ("due_at", "sent_for")
    await upserts.put(db, Reminder, [row], key=("event_id",), keep=keep)
    await follow(db, [event_id], now)
    if before.minutes_before != minutes:
        changes = {"minutes_before": minutes}
        entry = audit.Entry(now, cause, "event.reminder-set", event_id, event_id, changes)
        audit.record(db, [entry])
    return await _plan(db, event_id)


async def follow(db: AsyncSession, event_ids: Collection[UUID], now: datetime) -> None:
    """Compute anew when people are reminded of these events, from what they are now.

    To be called whenever they were made, published, moved or cancelled. Some hundreds at once.
    """
    query = select(Event.id, Event.status, Event.start_at).where(Event.id.in_(event_ids))
    events = (await db.execute(query.order_by(Event.id))).all()
    known = await _locked(db, event_ids)
    rows = [row for event in events if (row := _followed(event, known.get(event.id), now))]
    await upserts.put(db, Reminder, rows, key=("event_id",), keep=("minutes_before", "sent_for"))


async def _locked(db: AsyncSession, event_ids: Collection[UUID]) -> dict[UUID, Reminder]:
    """Those that are there, held: the one who sends them must not be overtaken."""
    query = select(Reminder).where(Reminder.event_id.in_(event_ids)).order_by(Reminder.event_id)
    query = query.with_for_update().execution_options(populate_existing=True)
    found: Sequence[Reminder] = (await db.scalars(query)).all()
    return {each.event_id: each for each in found}


def _followed(event: Any, known: Reminder | None, now: datetime) -> dict[str, Any] | None:
    """The row of an event whose reminder is another one now; None where it stays as it is."""
    minutes = DEFAULT_MINUTES if known is None else known.minutes_before
    due_before = None if known is None else known.due_at
    sent_for = None if known is None else known.sent_for
    due = due_at(event.start_at, minutes, now, known=due_before)
    if event.status != Status.PUBLISHED or sent_for == event.start_at:
        due = None
    if due == due_before:
        return None
    return {
        "event_id": event.id, "minutes_before": minutes, "due_at": due, "sent_for": sent_for
    }  # fmt: skip


def due_at(
    start: datetime, minutes: int | None, now: datetime, *, known: datetime | None
) -> datetime | None:
    """When people are reminded of what starts then; None for never, or where that time is over.

    One that is `known` to be due stays so: it is late, and about to be sent.
    """
    if minutes is None or start <= now:
        return None
    due = start - timedelta(minutes=minutes)
    return due if due > now or due == known else None


async def is_any_due(db: AsyncSession, now: datetime) -> bool:
    """Whether people are to be reminded of something."""
    due = select(Reminder.event_id).where(Reminder.due_at <= now)
    return await db.scalar(due.limit(1)) is not None


async def call_due(db: AsyncSession, now: datetime) -> int:
    """Write the messages about what people are to be reminded of; how many events were due."""
    query = (
        select(Reminder, Event.status, Event.start_at)
        .join(Event, Event.id == Reminder.event_id)
        .where(Reminder.due_at <= now)
        .order_by(Reminder.due_at)
        .limit(LARGEST_SET)
        .with_for_update(of=Reminder, skip_locked=True)
    )
    due = (await db.execute(query)).all()
    for reminder, status, start_at in due:
        if status == Status.PUBLISHED and start_at > now:
            outbox.add(db, [_message(reminder, start_at, now)])
            reminder.sent_for = start_at
        reminder.due_at = None
    await db.flush()
    return len(due)


def _message(reminder: Reminder, start_at: datetime, now: datetime) -> outbox.Message:
    assert reminder.due_at is not None  # noqa: S101 - it was found by it; narrows the type
    payload = {
        "event_id": str(reminder.event_id),
        "start_time": start_at.isoformat(),
        "due_at": reminder.due_at.isoformat(),
    }
    return outbox.Message(
        now, Topic.EVENT_REMINDER_DUE, reminder.event_id, reminder.event_id, payload
    )
