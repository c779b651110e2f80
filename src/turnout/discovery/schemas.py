"""Events as they are answered, with their times in a display zone. Knows no HTTP."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from turnout.discovery.queries import EventView, SlotView
from turnout.events import times
from turnout.events.models import Status, Visibility


@dataclass(frozen=True, slots=True)
class PlaceOut:
    """Where an event is; coordinates are WGS 84 degrees."""

    name: str | None
    address: str | None
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class OrganizerOut:
    """Who an event belongs to."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class SlotOut:
    """A part of an event's agenda, in the display zone."""

    id: UUID
    title: str
    start_time: datetime
    end_time: datetime
    room: str | None
    speaker: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class CoverOut:
    """The picture of an event; `width` and `height` in pixels."""

    url: Annotated[str, Field(description="Path on this server; another one for each picture.")]
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class EventOut:
    """An event. All times are in `display_timezone`; its own zone is `timezone`."""

    id: UUID
    slug: Annotated[str, Field(description="Its name in addresses.")]
    name: str
    description: Annotated[str, Field(description="Markdown.")]
    location: str
    timezone: Annotated[str, Field(examples=["Asia/Kolkata"])]
    start_time: datetime
    end_time: datetime
    max_capacity: Annotated[int | None, Field(description="null is no limit.")]
    seats_taken: int
    seats_left: Annotated[int | None, Field(description="null is no limit.")]
    waitlist_enabled: bool
    status: Status
    visibility: Visibility
    place: PlaceOut | None
    online_url: str | None
    tags: list[str]
    organizer: OrganizerOut
    slots: list[SlotOut]
    registration_opens_at: datetime | None
    registration_closes_at: datetime | None
    cover: CoverOut | None
    cancel_reason: str | None
    series_id: UUID | None
    suggested_timezone: Annotated[
        str | None, Field(description="Of the place that was found, where it is another zone.")
    ]
    created_at: datetime
    updated_at: datetime
    display_timezone: Annotated[str, Field(examples=["Asia/Kolkata"])]
    distance_km: Annotated[float | None, Field(description="From `near`, where that was asked.")]


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of events."""

    items: list[EventOut]
    next_cursor: str | None


def event_out(view: EventView, zone: str | None) -> EventOut:
    """The event as it is answered, its times in `zone`, else in its own."""
    row = view.row
    shown_in = zone or row.timezone

    def shown(instant: datetime | None) -> Any:
        return None if instant is None else times.shown(instant, shown_in)

    return EventOut(
        id=row.id,
        slug=row.slug,
        name=row.name,
        description=row.description,
        location=row.location,
        timezone=row.timezone,
        start_time=shown(row.start_at),
        end_time=shown(row.end_at),
        max_capacity=row.capacity,
        seats_taken=row.taken,
        seats_left=None if row.capacity is None else row.capacity - row.taken,
        waitlist_enabled=row.waitlist_enabled,
        status=row.status,
        visibility=row.visibility,
        place=_place(row),
        online_url=row.online_url,
        tags=row.tags,
        organizer=OrganizerOut(row.organizer_id, row.organizer_name),
        slots=[slot_out(slot, shown_in) for slot in view.slots],
        registration_opens_at=shown(row.opens_at),
        registration_closes_at=shown(row.closes_at),
        cover=cover_out(row.id, row.cover),
        cancel_reason=row.cancel_reason,
        series_id=row.series_id,
        suggested_timezone=row.suggested_timezone,
        created_at=shown(row.created_at),
        updated_at=shown(row.updated_at),
        display_timezone=shown_in,
        distance_km=None,
    )


def cover_out(event_id: UUID, cover: Any) -> CoverOut | None:
    """The picture whose record is `cover` in the event's row, if any."""
    if cover is None:
        return None
    url = f"/events/{event_id}/cover?v={cover['hash']}"
    return CoverOut(url, cover["media_type"], cover["width"], cover["height"])


def _place(row: Any) -> PlaceOut | None:
    place = PlaceOut(
        row.place_name,
        row.place_address,
        row.place_city,
        row.place_country,
        row.place_latitude,
        row.place_longitude,
    )
    return None if place == _NOWHERE else place


_NOWHERE = PlaceOut(None, None, None, None, None, None)


def slot_out(slot: SlotView, zone: str) -> SlotOut:
    """The slot as it is answered, its times in `zone`."""
    return SlotOut(
        slot.id,
        slot.title,
        times.shown(slot.start_at, zone),
        times.shown(slot.end_at, zone),
        slot.room,
        slot.speaker,
        slot.description,
    )
