"""Turns what happened into what has to reach someone, and gives it its place in the feed.

One dispatcher works at a time in all processes, so that the positions of messages have no gap and
none is given behind one that readers of the feed have seen. A message and its deliveries are one
transaction: it is dispatched once, or not yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.db import sets
from turnout.notifications import (
    announcements,
    audiences,
    choices,
    reminders,
    snapshots,
    webhooks,
)
from turnout.notifications.audiences import Reader
from turnout.notifications.kinds import CHOICES
from turnout.outbox import deliveries
from turnout.outbox.models import OutboxMessage
from turnout.outbox.outbox import WRITTEN, Written
from turnout.outbox.topics import Topic

LARGEST_SET = 100
"""Messages in one transaction: on SQLite whoever wants a seat waits for its end."""
LARGEST_CROWD = 250
"""Readers of one message in one transaction; the next ones come behind what others wait for."""

_LOCK = 0x7475726E6F757464
"""Of PostgreSQL's advisory locks, the one of whoever dispatches."""
_MESSAGES: Any = OutboxMessage.__table__
_LIFE = frozenset(
    (Topic.EVENT_CREATED, Topic.EVENT_PUBLISHED, Topic.EVENT_CHANGED, Topic.EVENT_CANCELLED)
)
"""After these an event may have to be reminded of at another time."""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """How many messages were looked at, and whether others were due beside them."""

    messages: int
    is_all: bool


async def is_any_due(db: AsyncSession, now: datetime) -> bool:
    """Whether there is something to dispatch; for looking before a transaction is begun."""
    return await db.scalar(_due(now).with_only_columns(_MESSAGES.c.id).limit(1)) is not None


async def dispatch(db: AsyncSession, now: datetime, settle: timedelta) -> Dispatched:
    """Dispatch a set of the messages that are due; none while another process does.

    People hear of changes of an event once it has stayed as it is for as long as `settle`.
    """
    if not await _is_alone(db):
        return Dispatched(0, is_all=True)
    messages = await _written(db, _due(now).limit(LARGEST_SET))
    if messages:
        await _dispatch(db, messages, now, settle)
    return Dispatched(len(messages), is_all=len(messages) < LARGEST_SET)


async def hold(db: AsyncSession) -> None:
    """Let nobody else dispatch until the caller's transaction ends.

    Before any event is locked: whoever dispatches waits for those locks in its turn.
    """
    if not await _is_sqlite(db):
        await db.execute(select(func.pg_advisory_xact_lock(_LOCK)))


async def tell_before_deletion(db: AsyncSession, event_ids: Sequence[UUID], now: datetime) -> None:
    """Dispatch all that waits about these events, whose people will be gone with them.

    The caller holds (`hold`) the right to dispatch.
    """
    theirs = WRITTEN.where(_MESSAGES.c.finished_at.is_(None), _MESSAGES.c.event_id.in_(event_ids))
    while messages := await _written(db, theirs.order_by(_MESSAGES.c.id).limit(LARGEST_SET)):
        # What changed of them has no time to settle, and nobody is told of it: they are cancelled.
        await _dispatch(db, messages, now, timedelta())
        await db.flush()
        await sets.flush(db)


def _due(now: datetime) -> Any:
    order = _MESSAGES.c.due_at, _MESSAGES.c.id
    return WRITTEN.where(_MESSAGES.c.finished_at.is_(None), _MESSAGES.c.due_at <= now).order_by(
        *order
    )


async def _written(db: AsyncSession, query: Select[Any]) -> list[Written]:
    return [Written(*row) for row in await db.execute(query)]


async def _dispatch(
    db: AsyncSession, messages: Sequence[Written], now: datetime, settle: timedelta
) -> None:
    await _follow_events(db, messages, now, settle)
    small = [each for each in messages if each.topic not in audiences.CROWDS]
    readers = await audiences.readers(db, small)
    reached = dict[UUID, UUID]()
    for message in messages:
        if message.topic in audiences.CROWDS:
            some = await _crowd(db, message)
            readers += some
            if len(some) == LARGEST_CROWD:
                reached[message.id] = some[-1].recipient_id
    new = [reader.delivery() for reader in await _willing(db, readers)]
    fresh = [each for each in messages if each.position is None]
    new += await webhooks.targets(db, fresh)
    deliveries.add(db, new, now)
    await _mark(db, messages, reached, now)


async def _follow_events(
    db: AsyncSession, messages: Sequence[Written], now: datetime, settle: timedelta
) -> None:
    """Keep what depends on events in step with them: reminders, and what people are told later."""
    moved = {m.event_id for m in messages if m.topic in _LIFE and m.event_id is not None}
    if moved:
        await reminders.follow(db, sorted(moved), now)
    for message in messages:
        if message.event_id is None:
            continue
        if message.topic == Topic.EVENT_CHANGED:
            before = message.payload["before"]
            await announcements.note(db, message.event_id, before, now, settle)
        elif message.topic == Topic.EVENT_CANCELLED:
            await announcements.drop(db, message.event_id)


async def _crowd(db: AsyncSession, message: Written) -> list[Reader]:
    data: dict[str, Any] = {}
    match message.topic:
        case Topic.EVENT_CANCELLED if message.event_id is not None:
            # As it was called off: it may be deleted before the last of them is told.
            data = {"event": await snapshots.take(db, message.event_id)}
        case Topic.EVENT_SETTLED:
            data = {"before": message.payload["before"]}
    return await audiences.crowd(db, message, data, LARGEST_CROWD)


async def _willing(db: AsyncSession, readers: Sequence[Reader]) -> list[Reader]:
    """Those of them who want what they would get; where there is no choice, all."""
    asked = [(each.person, each.kind) for each in readers if each.kind in CHOICES]
    unwanted = await choices.unwanted(db, asked) if asked else set()
    return [
        each
        for each in readers
        if not each.address.endswith(audiences.NOWHERE) and (each.person, each.kind) not in unwanted
    ]


async def _mark(
    db: AsyncSession, messages: Sequence[Written], reached: dict[UUID, UUID], now: datetime
) -> None:
    """Give new messages their places, in the order of their ids, and end those that are done."""
    last = await db.scalar(select(func.max(_MESSAGES.c.position))) or 0
    fresh = sorted(each.id for each in messages if each.position is None)
    places = {message_id: last + n for n, message_id in enumerate(fresh, 1)}
    rows = [
        (
            each.id,
            places.get(each.id, each.position),
            None if each.id in reached else now,
            reached.get(each.id),
            # Behind everything that is due by now: a crowd delays nobody else.
            now if each.id in reached else each.due_at,
        )
        for each in messages
    ]
    sets.change(db, _MESSAGES, ("id",), ("position", "finished_at", "reached", "due_at"), rows)


async def _is_alone(db: AsyncSession) -> bool:
    """Whether no other process dispatches; SQLite has one writer anyway."""
    if await _is_sqlite(db):
        return True
    return bool(await db.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}))


async def _is_sqlite(db: AsyncSession) -> bool:
    return (await db.connection()).dialect.name == "sqlite"
