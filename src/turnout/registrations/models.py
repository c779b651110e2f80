"""The tables of seats. Every unique key includes the event, so that they can be split by event."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from turnout.db.base import Base, JsonDocument, one_of


class Status(StrEnum):
    """Where a registration stands. Confirmed, offered and pending ones hold a seat."""

    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    OFFERED = "offered"
    """A freed seat, held for a while for the head of the waitlist."""
    PENDING = "pending"
    """Held until the address is confirmed."""
    CANCELLED = "cancelled"


_LIVE = text("status <> 'cancelled'")
_WAITING = text("waitlist_position IS NOT NULL")
_OWNED = text("account_id IS NOT NULL")


class Admission(Base):
    """The seats of one event: a narrow row that is also the lock for all who want one."""

    __tablename__ = "admissions"
    __table_args__ = (
        CheckConstraint("capacity IS NULL OR capacity >= 1", name="capacity"),
        CheckConstraint(
            "taken >= 0 AND (capacity IS NULL OR taken <= capacity)", name="never_oversold"
        ),
        CheckConstraint("waiting >= 0", name="waiting"),
    )

    event_id: Mapped[UUID] = mapped_column(
        ForeignKey("events.id", ondelete="CASCADE"), primary_key=True
    )
    capacity: Mapped[int | None]
    taken: Mapped[int]
    waiting: Mapped[int]
    waitlist_enabled: Mapped[bool]
    opens_local: Mapped[datetime | None] = mapped_column(DateTime)
    opens_at: Mapped[datetime | None]
    closes_local: Mapped[datetime | None] = mapped_column(DateTime)
    closes_at: Mapped[datetime | None]


class Registration(Base):
    """One person at one event. Cancelled rows stay as history."""

    __tablename__ = "registrations"
    __table_args__ = (
        PrimaryKeyConstraint("event_id", "id"),
        one_of("status", Status),
        CheckConstraint(
            "(status = 'waitlisted') = (waitlist_position IS NOT NULL)", name="position_waits"
        ),
        # It is this index, not a look before, that stops a second seat for the same person.
        Index(
            "uq_registrations_person",
            "event_id",
            "email_canonical",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("ix_registrations_id", "id"),
        # The waitlist alone: an event may have far more seats than people who wait.
        Index(
            "ix_registrations_waiting",
            "event_id",
            "waitlist_position",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        # What someone registered for as a guest, once their account has verified the address.
        Index("ix_registrations_person", "email_canonical", "id"),
        Index(
            "ix_registrations_account",
            "account_id",
            "id",
            sqlite_where=_OWNED,
            postgresql_where=_OWNED,
        ),
        {"sqlite_with_rowid": False},
    )

    event_id: Mapped[UUID] = mapped_column(ForeignKey("admissions.event_id"))
    id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    email_canonical: Mapped[str] = mapped_column(String(320))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    status: Mapped[str] = mapped_column(String(16))
    waitlist_position: Mapped[int | None]
    held_until: Mapped[datetime | None]
    manage_token_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    answers: Mapped[Any] = mapped_column(JsonDocument)
    checked_in_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
