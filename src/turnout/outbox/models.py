"""The tables of what happened, and of what has to reach someone because of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from turnout.db.base import Base, JsonDocument, one_of

_OPEN = text("finished_at IS NULL")
_NUMBERED = text("position IS NOT NULL")
_DELETED = text("topic = 'event.deleted' AND position IS NOT NULL")
_DEAD = text("outcome = 'dead'")
_ADDRESSED = text("address IS NOT NULL")


class OutboxMessage(Base):
    """Something that happened, written in the transaction that made it happen."""

    __tablename__ = "outbox_messages"
    __table_args__ = (
        Index(
            "ix_outbox_messages_due",
            "due_at",
            "id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "uq_outbox_messages_position",
            "position",
            unique=True,
            sqlite_where=_NUMBERED,
            postgresql_where=_NUMBERED,
        ),
        # Of the feed of changes. Partial: whoever takes a seat does not wait for its writing.
        Index(
            "ix_outbox_messages_event",
            "event_id",
            "position",
            sqlite_where=_NUMBERED,
            postgresql_where=_NUMBERED,
        ),
        # Of the same feed, for who owned an event that is gone.
        Index(
            "ix_outbox_messages_deleted",
            "position",
            sqlite_where=_DELETED,
            postgresql_where=_DELETED,
        ),
        {"sqlite_with_rowid": False},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(String(64))
    event_id: Mapped[UUID | None]
    subject_id: Mapped[UUID | None]
    payload: Mapped[Any] = mapped_column(JsonDocument)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    """When everyone it concerns had their delivery."""
    position: Mapped[int | None] = mapped_column(BigInteger)
    """Its place in the order in which messages became known, without a gap; given by `dispatch`."""
    reached: Mapped[UUID | None]
    """The last of its many recipients who has a delivery, while others are still to come."""


class Channel(StrEnum):
    """How a delivery travels."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class Lane(StrEnum):
    """Who goes first: what one person waits for is never behind what goes to many."""

    DIRECT = "direct"
    BULK = "bulk"


class Outcome(StrEnum):
    """How a delivery ended."""

    SENT = "sent"
    MOOT = "moot"
    """There is nobody or nothing left to tell: it was never sent."""
    DEAD = "dead"
    """It was refused for good, or too often. Somebody has to look at it."""


class Delivery(Base):
    """One message on its way to one recipient: a mail, or a call of a webhook."""

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("channel", Channel),
        one_of("lane", Lane),
        one_of("outcome", Outcome),
        CheckConstraint("(outcome IS NULL) = (finished_at IS NULL)", name="ends_with_outcome"),
        # It is this key that stops a message from reaching someone twice because it was
        # dispatched twice.
        Index("uq_deliveries_recipient", "message_id", "kind", "recipient_id", unique=True),
        Index(
            "ix_deliveries_due",
            "channel",
            "lane",
            "due_at",
            "id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_deliveries_recipient", "recipient_id", "id"),
        # What went to someone about registrations that are gone with their event.
        Index(
            "ix_deliveries_address",
            text("lower(address)"),
            sqlite_where=_ADDRESSED,
            postgresql_where=_ADDRESSED,
        ),
        Index("ix_deliveries_dead", "id", sqlite_where=_DEAD, postgresql_where=_DEAD),
        {"sqlite_with_rowid": False},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("outbox_messages.id"))
    channel: Mapped[str] = mapped_column(String(8))
    lane: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(64))
    """The kind of mail; of a webhook, the topic."""
    event_id: Mapped[UUID | None]
    recipient_id: Mapped[UUID]
    """The registration, the account or the webhook."""
    address: Mapped[str | None] = mapped_column(String(254))
    """Where a mail goes; None for a webhook, and once it is forgotten."""
    name: Mapped[str | None] = mapped_column(String(200))
    data: Mapped[Any] = mapped_column(JsonDocument)
    """What is not to be looked up any more when it is composed."""
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """When it is tried next; while it is in someone's hands, when their lease ends."""
    tries: Mapped[int]
    claim: Mapped[UUID | None]
    """Of whoever has it in hand: a lease that ran out cannot end what another took over."""
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(8))
    last_error: Mapped[str | None] = mapped_column(String(300))


class DeliveryAttempt(Base):
    """One call of a webhook, as its log shows it."""

    __tablename__ = "delivery_attempts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    delivery_id: Mapped[UUID] = mapped_column(
        ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    milliseconds: Mapped[int]
    status: Mapped[int | None]
    """Of the answer; None where there was none."""
    error: Mapped[str | None] = mapped_column(String(300))
