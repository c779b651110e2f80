"""The tables of who wants to hear of what, in which words, and how to reach their programs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from turnout.db.base import Base, JsonDocument

_WAITING = text("due_at IS NOT NULL")


class Webhook(Base):
    """An address that someone's program listens at. Its secrets are sealed, as it signs by them."""

    __tablename__ = "webhooks"
    __table_args__ = (Index("ix_webhooks_owner_id", "owner_id", "id"), Index(None, "event_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    event_id: Mapped[UUID | None] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    """The one event it is about; None for all events of its owner."""
    url: Mapped[str] = mapped_column(String(2000))
    description: Mapped[str] = mapped_column(String(200))
    topics: Mapped[Any] = mapped_column(JsonDocument)
    """What it wants to hear of; an empty list for everything."""
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary(128))
    former_sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary(128))
    former_until: Mapped[datetime | None]
    """How long messages are signed with the former secret as well."""
    is_active: Mapped[bool]
    disabled_reason: Mapped[str | None] = mapped_column(String(300))
    failing_since: Mapped[datetime | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Announcement(Base):
    """A change of an event that people hear of once it has settled: one for several edits."""

    __tablename__ = "announcements"
    __table_args__ = (Index(None, "due_at"),)

    event_id: Mapped[UUID] = mapped_column(
        ForeignKey("events.id", ondelete="CASCADE"), primary_key=True
    )
    before: Mapped[Any] = mapped_column(JsonDocument)
    """What was, before the first of the edits, as in the payload of `event.changed`."""
    first_at: Mapped[datetime]
    due_at: Mapped[datetime]


class Reminder(Base):
    """When those who come to an event are reminded of it. An event without a row has none yet."""

    __tablename__ = "reminders"
    __table_args__ = (
        CheckConstraint(
            "minutes_before IS NULL OR minutes_before BETWEEN 5 AND 43200", name="minutes_before"
        ),
        Index("ix_reminders_due_at", "due_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )

    event_id: Mapped[UUID] = mapped_column(
        ForeignKey("events.id", ondelete="CASCADE"), primary_key=True
    )
    minutes_before: Mapped[int | None]
    """Of the start; None where the organizer wants none."""
    due_at: Mapped[datetime | None]
    """None where there is none, or it was sent."""
    sent_for: Mapped[datetime | None]
    """The start that people were reminded of: not twice of the same."""


class Wording(Base):
    """An organizer's own words for a kind of mail about an event, in Markdown."""

    __tablename__ = "wordings"

    event_id: Mapped[UUID] = mapped_column(
        ForeignKey("events.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(64), primary_key=True)
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    updated_at: Mapped[datetime]


class MailChoice(Base):
    """What the reader of an address wants of the mails that are not essential."""

    __tablename__ = "mail_choices"

    email_canonical: Mapped[str] = mapped_column(String(320), primary_key=True)
    kind: Mapped[str] = mapped_column(String(64), primary_key=True)
    is_wanted: Mapped[bool]
    updated_at: Mapped[datetime]


class CalendarFeed(Base):
    """The secret link under which someone's calendar program finds their events."""

    __tablename__ = "calendar_feeds"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]


class Anonymization(Base):
    """That the people of a past event were taken out of it, and when: the proof of it.

    Without a foreign key: it outlives the event.
    """

    __tablename__ = "anonymizations"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    registrations: Mapped[int]
    """How many."""
