"""One event by its name in addresses."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.discovery import queries
from turnout.discovery.queries import EventView
from turnout.errors import NotFound
from turnout.events.models import Event


async def event_by_slug(db: AsyncSession, actor: Actor, slug: str) -> EventView:
    """The event. Raises NotFound where the caller may not know of it."""
    event_id = await db.scalar(select(Event.id).where(Event.slug == slug))
    if event_id is None:
        raise NotFound
    return await queries.event(db, actor, event_id)
