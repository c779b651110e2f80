"""The table of messages that wait to be handled."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from turnout.db.base import Base, JsonDocument

_OPEN = text("finished_at IS NULL")


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
