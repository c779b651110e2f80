"""Reads of events for those who act on them; how people find events is in discovery."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.events.models import Event


@dataclass(frozen=True, slots=True)
class EventBrief:
    """What rules need to know of an event."""

    id: UUID
    status: str
    visibility: str
    organizer_id: UUID
    timezone: str


_BRIEF = select(Event.id, Event.status, Event.visibility, Event.organizer_id, Event.timezone)


async def brief(db: AsyncSession, event_id: UUID) -> EventBrief | None:
    """The event in brief, or None; whether the caller may know of it is for a policy to say."""
    row = (await db.execute(_BRIEF.where(Event.id == event_id))).one_or_none()
    return None if row is None else EventBrief(*row)
