"""One event by its name in addresses, with what its page shows beside what the API answers."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.discovery import queries
from turnout.discovery.queries import EventView
from turnout.errors import NotFound
from turnout.events import covers
from turnout.events.covers import CoverOut
from turnout.events.models import Event


@dataclass(frozen=True, slots=True)
class EventFound:
    """An event, its cover, and why it was cancelled if it was."""

    view: EventView
    cover: CoverOut | None
    cancel_reason: str | None


async def event_by_slug(db: AsyncSession, actor: Actor, slug: str) -> EventFound:
    """The event. Raises NotFound where the caller may not know of it."""
    query = select(Event.id, Event.cover, Event.cancel_reason).where(Event.slug == slug)
    row = (await db.execute(query)).one_or_none()
    if row is None:
        raise NotFound
    view = await queries.event(db, actor, row.id)
    cover = covers.shown(row.id, covers.facts_of(row.cover))
    return EventFound(view, cover, row.cancel_reason)
