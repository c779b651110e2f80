"""The tables of events and their slots.

The wall clock and the zone are the truth for the future; the instants are derived from them, and
only the instants are compared and sorted.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from turnout.db.base import Base, JsonDocument, one_of


class Status(StrEnum):
    """Where an event is in its life."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


class Visibility(StrEnum):
    """Who finds an event."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    """By its link alone."""
    PRIVATE = "private"


class PlaceSource(StrEnum):
    """Who said where an event is."""

    ORGANIZER = "organizer"
    GEOCODER = "geocoder"
    """Found from the text of the location; an organizer's word goes over it."""


_LISTED = text("status = 'published' AND visibility = 'public'")
_LISTED_LONG = text("lasting > 0 AND status = 'published' AND visibility = 'public'")
_SOUGHT = text("place_lookup_at IS NOT NULL")


class Event(Base):
    """An event. Its seats are in `registrations.Admission`."""

    __tablename__ = "events"
    __table_args__ = (
        one_of("status", Status),
        one_of("visibility", Visibility),
        one_of("place_source", PlaceSource),
        CheckConstraint("end_at > start_at", name="ends_after_start"),
        CheckConstraint(
            "(status = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_once"
        ),
        Index(
            "ix_events_place_lookup",
            "place_lookup_at",
            sqlite_where=_SOUGHT,
            postgresql_where=_SOUGHT,
        ),
        Index("ix_events_series", "series_id", "start_at", "id"),
        Index(
            "ix_events_listed",
            "start_at",
            "id",
            "end_at",
            sqlite_where=_LISTED,
            postgresql_where=_LISTED,
        ),
        Index(
            "ix_events_long",
            "lasting",
            "start_at",
            "id",
            "end_at",
            sqlite_where=_LISTED_LONG,
            postgresql_where=_LISTED_LONG,
        ),
        Index("ix_events_organizer", "organizer_id", "start_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    organizer_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    location: Mapped[str] = mapped_column(String(300))
    timezone: Mapped[str] = mapped_column(String(64))
    start_local: Mapped[datetime] = mapped_column(DateTime)
    start_at: Mapped[datetime]
    end_local: Mapped[datetime] = mapped_column(DateTime)
    end_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(16))
    visibility: Mapped[str] = mapped_column(String(16))
    place_name: Mapped[str | None] = mapped_column(String(200))
    place_address: Mapped[str | None] = mapped_column(String(300))
    place_city: Mapped[str | None] = mapped_column(String(120))
    place_country: Mapped[str | None] = mapped_column(String(120))
    place_country_code: Mapped[str | None] = mapped_column(String(2))
    place_latitude: Mapped[float | None] = mapped_column(Double)
    place_longitude: Mapped[float | None] = mapped_column(Double)
    online_url: Mapped[str | None] = mapped_column(String(2000))
    tags: Mapped[Any] = mapped_column(JsonDocument)
    import_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    sequence: Mapped[int]
    """Of the calendar entry: grows with every change that its readers must hear of (RFC 5545)."""
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(1000))
    cover: Mapped[Any | None] = mapped_column(JsonDocument)
    """Of its picture in `covers`: `hash`, `media_type`, `width` and `height` in pixels."""
    series_id: Mapped[UUID | None] = mapped_column(ForeignKey("series.id"))
    series_local: Mapped[datetime | None] = mapped_column(DateTime)
    """The wall clock that the rule of its series gave it, whatever became of it since."""
    place_source: Mapped[str | None] = mapped_column(String(16))
    place_lookup_at: Mapped[datetime | None]
    """When its location is to be looked up next; None where there is nothing to look up."""
    place_lookups: Mapped[int]
    """How often it was tried."""
    suggested_timezone: Mapped[str | None] = mapped_column(String(64))
    """The zone of the place that was found, where it is another than the event's."""
    place_x: Mapped[float | None] = mapped_column(Double)
    place_y: Mapped[float | None] = mapped_column(Double)
    place_z: Mapped[float | None] = mapped_column(Double)
    """The position on a sphere of radius 1, derived from latitude and longitude."""
    lasting: Mapped[int]
    """The class of its length in finding.LENGTHS: those that last for days are looked for apart."""
    title_words: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    facets: Mapped[str] = mapped_column(Text)
    """What it is found by (`lexemes`), derived from the rest; triggers keep it in an index."""


class Series(Base):
    """Events that repeat by one rule; what is common to them is in the events themselves."""

    __tablename__ = "series"
    __table_args__ = (Index(None, "organizer_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organizer_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    rule: Mapped[str] = mapped_column(String(500))
    """An RRULE (RFC 5545, 3.3.10) without DTSTART."""
    timezone: Mapped[str] = mapped_column(String(64))
    start_local: Mapped[datetime] = mapped_column(DateTime)
    created_at: Mapped[datetime]


class Cover(Base):
    """The picture of an event, as this server has written it anew."""

    __tablename__ = "covers"

    event_id: Mapped[UUID] = mapped_column(
        ForeignKey("events.id", ondelete="CASCADE"), primary_key=True
    )
    media_type: Mapped[str] = mapped_column(String(32))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class TeamRole(StrEnum):
    """What someone does for an event that is another's."""

    EDITOR = "editor"
    """Edits the event and sees who comes, as its owner does."""
    DOOR = "door"
    """Lets people in: sees names, no addresses."""


class TeamMember(Base):
    """An account that helps with an event."""

    __tablename__ = "team_members"
    __table_args__ = (one_of("role", TeamRole), Index(None, "user_id", "event_id"))

    event_id: Mapped[UUID] = mapped_column(
        ForeignKey("events.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]


class Slot(Base):
    """A part of an event: it lies inside the event and is told in the event's time zone."""

    __tablename__ = "slots"
    __table_args__ = (
        CheckConstraint("end_at > start_at", name="ends_after_start"),
        Index("ix_slots_agenda", "event_id", "start_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    room: Mapped[str | None] = mapped_column(String(120))
    speaker: Mapped[str | None] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(Text)
    start_local: Mapped[datetime] = mapped_column(DateTime)
    start_at: Mapped[datetime]
    end_local: Mapped[datetime] = mapped_column(DateTime)
    end_at: Mapped[datetime]
