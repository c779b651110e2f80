"""An event with its agenda as it stands, read under its lock to be changed. Decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.errors import NotFound
from turnout.events import finding, policy, queries
from turnout.events.drafts import PlaceDraft
from turnout.events.models import Event, Slot
from turnout.events.times import Moment


@dataclass(frozen=True, slots=True)
class WholeSlot:
    """A part of an event's agenda as it stands."""

    id: UUID
    title: str
    start: Moment
    end: Moment
    room: str | None
    speaker: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class Whole:
    """An event as it stands: what can be changed of it, and what rules need beside that."""

    id: UUID
    organizer_id: UUID
    name: str
    description: str
    location: str
    timezone: str
    start: Moment
    end: Moment
    status: str
    visibility: str
    place: PlaceDraft
    place_source: str | None
    place_lookup_at: datetime | None
    place_lookups: int
    suggested_timezone: str | None
    online_url: str | None
    tags: tuple[str, ...]
    slots: tuple[WholeSlot, ...]
    cancelled_at: datetime | None
    cancel_reason: str | None
    series_id: UUID | None
    series_local: datetime | None
    version: int
    sequence: int


async def locked(db: AsyncSession, actor: Actor, event_id: UUID) -> Whole:
    """An event that the caller may edit, locked until the transaction ends.

    Raises NotFound, NotSignedIn and NotAllowed.
    """
    policy.require_editor(actor, await queries.brief(db, actor, event_id))
    for found in await locked_all(db, [event_id]):
        return found
    raise NotFound


async def locked_all(db: AsyncSession, event_ids: Sequence[UUID]) -> list[Whole]:
    """The events, locked until the transaction ends, by their ids; those that are gone left out.

    No policy is asked. In the order of ids, so that none waits in a circle.
    """
    query = select(Event).where(Event.id.in_(event_ids)).order_by(Event.id)
    rows = await db.scalars(query.with_for_update().execution_options(populate_existing=True))
    events = rows.all()
    slots = await _slots(db, event_ids)
    return [_whole(event, slots.get(event.id, ())) for event in events]


async def _slots(db: AsyncSession, event_ids: Sequence[UUID]) -> dict[UUID, list[WholeSlot]]:
    found: dict[UUID, list[WholeSlot]] = {}
    query = select(Slot).where(Slot.event_id.in_(event_ids)).order_by(Slot.start_at, Slot.id)
    for row in await db.scalars(query.execution_options(populate_existing=True)):
        slot = WholeSlot(
            row.id,
            row.title,
            Moment(row.start_local, row.start_at),
            Moment(row.end_local, row.end_at),
            row.room,
            row.speaker,
            row.description,
        )
        found.setdefault(row.event_id, []).append(slot)
    return found


def _whole(row: Event, slots: Sequence[WholeSlot]) -> Whole:
    return Whole(
        id=row.id,
        organizer_id=row.organizer_id,
        name=row.name,
        description=row.description,
        location=row.location,
        timezone=row.timezone,
        start=Moment(row.start_local, row.start_at),
        end=Moment(row.end_local, row.end_at),
        status=row.status,
        visibility=row.visibility,
        place=PlaceDraft(
            row.place_name,
            row.place_address,
            row.place_city,
            row.place_country,
            row.place_country_code,
            row.place_latitude,
            row.place_longitude,
        ),
        place_source=row.place_source,
        place_lookup_at=row.place_lookup_at,
        place_lookups=row.place_lookups,
        suggested_timezone=row.suggested_timezone,
        online_url=row.online_url,
        tags=tuple(row.tags),
        slots=tuple(slots),
        cancelled_at=row.cancelled_at,
        cancel_reason=row.cancel_reason,
        series_id=row.series_id,
        series_local=row.series_local,
        version=row.version,
        sequence=row.sequence,
    )


def columns_of(event: Whole) -> dict[str, Any]:
    """The values of the event's row, by column, with those that are derived from others."""
    place = event.place
    values = {
        "organizer_id": event.organizer_id,
        "name": event.name,
        "description": event.description,
        "location": event.location,
        "timezone": event.timezone,
        "start_local": event.start.local,
        "start_at": event.start.instant,
        "end_local": event.end.local,
        "end_at": event.end.instant,
        "status": event.status,
        "visibility": event.visibility,
        "place_name": place.name,
        "place_address": place.address,
        "place_city": place.city,
        "place_country": place.country,
        "place_country_code": place.country_code,
        "place_latitude": place.latitude,
        "place_longitude": place.longitude,
        "place_source": event.place_source,
        "place_lookup_at": event.place_lookup_at,
        "place_lookups": event.place_lookups,
        "suggested_timezone": event.suggested_timezone,
        "online_url": event.online_url,
        "tags": list(event.tags),
        "cancelled_at": event.cancelled_at,
        "cancel_reason": event.cancel_reason,
        "series_id": event.series_id,
        "series_local": event.series_local,
        "version": event.version,
        "sequence": event.sequence,
    }
    return values | finding.columns_of(SimpleNamespace(**values))
