"""Events as people find them: one statement of what a caller may see, with seats and agenda."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.accounts.models import User
from turnout.events import policy
from turnout.events.drafts import LONGEST_EVENT
from turnout.events.models import Event, Slot
from turnout.registrations.models import Admission


@dataclass(frozen=True, slots=True)
class SlotView:
    """A part of an event's agenda."""

    id: UUID
    title: str
    start_at: datetime
    end_at: datetime
    room: str | None
    speaker: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class EventView:
    """An event with its seats and agenda; `row` has the columns that `_EVENTS` names."""

    row: Row[Any]
    slots: Sequence[SlotView]


_EVENTS: Any = (
    select(
        Event.id,
        Event.slug,
        Event.name,
        Event.description,
        Event.location,
        Event.timezone,
        Event.start_at,
        Event.end_at,
        Event.status,
        Event.visibility,
        Event.place_name,
        Event.place_address,
        Event.place_city,
        Event.place_country,
        Event.place_latitude,
        Event.place_longitude,
        Event.online_url,
        Event.tags,
        Event.version,
        Event.created_at,
        Event.updated_at,
        Event.organizer_id,
        User.name.label("organizer_name"),
        Admission.capacity,
        Admission.taken,
        Admission.waitlist_enabled,
        Admission.opens_at,
        Admission.closes_at,
    )
    .join(User, User.id == Event.organizer_id)
    .join(Admission, Admission.event_id == Event.id)
)


async def event(db: AsyncSession, actor: Actor, event_id: UUID) -> EventView:
    """One event. Raises NotFound where the caller may not know of it."""
    row = (await db.execute(_EVENTS.where(Event.id == event_id))).one_or_none()
    policy.require_visible(actor, row)
    assert row is not None  # noqa: S101 - require_visible has seen to it; narrows the type
    return (await _with_slots(db, [row]))[0]


async def upcoming(
    db: AsyncSession, *, now: datetime, after: tuple[datetime, UUID] | None, limit: int
) -> list[EventView]:
    """Public events that have not ended, soonest first, at most `limit` behind `after`."""
    # No event is longer than LONGEST_EVENT: the bound lets the index skip all of the past.
    query = _EVENTS.where(
        policy.listed_events(), Event.start_at > now - LONGEST_EVENT, Event.end_at > now
    )
    if after is not None:
        query = query.where(tuple_(Event.start_at, Event.id) > after)
    query = query.order_by(Event.start_at, Event.id).limit(limit)
    return await _with_slots(db, (await db.execute(query)).all())


async def _with_slots(db: AsyncSession, rows: Sequence[Row[Any]]) -> list[EventView]:
    query = (
        select(
            Slot.event_id,
            Slot.id,
            Slot.title,
            Slot.start_at,
            Slot.end_at,
            Slot.room,
            Slot.speaker,
            Slot.description,
        )
        .where(Slot.event_id.in_([row.id for row in rows]))
        .order_by(Slot.event_id, Slot.start_at, Slot.id)
    )
    slots: dict[UUID, list[SlotView]] = defaultdict(list)
    for row in await db.execute(query):
        slots[row.event_id].append(SlotView(*row[1:]))
    return [EventView(row, slots[row.id]) for row in rows]
