"""The tables of events and their slots.

The wall clock and the zone are the truth for the future; the instants are derived from them, and
only the instants are compared and sorted.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Double, ForeignKey, Index, String, Text, text
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


_LISTED = text("status = 'published' AND visibility = 'public'")


class Event(Base):
    """An event. Its seats are in `registrations.Admission`."""

    __tablename__ = "events"
    __table_args__ = (
        one_of("status", Status),
        one_of("visibility", Visibility),
        CheckConstraint("end_at > start_at", name="ends_after_start"),
        Index(
            "ix_events_listed",
            "start_at",
            "id",
            "end_at",
            sqlite_where=_LISTED,
            postgresql_where=_LISTED,
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
