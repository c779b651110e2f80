"""Changes of events that people are told of once they have settled: several edits, one mail."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.events.models import Event, Status
from turnout.notifications.models import Announcement
from turnout.outbox import outbox
from turnout.outbox.topics import Topic

LONGEST = 4
"""How many times the time to settle an announcement waits at most, however often it is edited."""
LARGEST_SET = 50


async def note(
    db: AsyncSession, event_id: UUID, before: Mapping[str, Any], now: datetime, settle: timedelta
) -> None:
    """Tell people of a change once no other has followed for as long as `settle`.

    `before` has what they would have to know of; without any of it there is nothing to tell.
    """
    if not before:
        return
    found = await db.get(Announcement, event_id)
    if found is None:
        if await db.get(Event, event_id) is None:
            return  # deleted meanwhile
        db.add(
            Announcement(event_id=event_id, before=dict(before), first_at=now, due_at=now + settle)
        )
    else:
        # What was before the first of the edits is what people know.
        found.before = {**before, **found.before}
        found.due_at = min(found.first_at + LONGEST * settle, now + settle)
    await db.flush()


async def drop(db: AsyncSession, event_id: UUID) -> None:
    """Tell nobody of changes: there is something more important to say of the event."""
    await db.execute(delete(Announcement).where(Announcement.event_id == event_id))


async def settle_due(db: AsyncSession, now: datetime) -> int:
    """Write the messages about what has settled; how many announcements were due."""
    query = (
        select(Announcement, Event)
        .join(Event, Event.id == Announcement.event_id)
        .where(Announcement.due_at <= now)
        .order_by(Announcement.due_at)
        .limit(LARGEST_SET)
        .with_for_update(of=Announcement, skip_locked=True)
    )
    due = (await db.execute(query)).all()
    for announcement, event in due:
        before = _still_different(announcement.before, event)
        if before and event.status == Status.PUBLISHED and event.end_at > now:
            payload = {"event_id": str(event.id), "before": before}
            settled = outbox.Message(now, Topic.EVENT_SETTLED, event.id, event.id, payload)
            outbox.add(db, [settled])
        await db.delete(announcement)
    await db.flush()
    return len(due)


async def is_any_due(db: AsyncSession, now: datetime) -> bool:
    """Whether something has settled."""
    due = select(Announcement.event_id).where(Announcement.due_at <= now)
    return await db.scalar(due.limit(1)) is not None


def _still_different(before: Mapping[str, str], event: Event) -> dict[str, str]:
    """What was other than it is: edits that were taken back are nobody's concern."""
    present = {
        "name": event.name,
        "location": event.location,
        "timezone": event.timezone,
        "start_time": event.start_at.isoformat(),
        "end_time": event.end_at.isoformat(),
    }
    return {name: was for name, was in before.items() if present.get(name) != was}
