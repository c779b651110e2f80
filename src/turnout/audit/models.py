"""The table of who did what. Rows are only ever added."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from turnout.db.base import Base, JsonDocument


class AuditEntry(Base):
    """One change of state, written in the transaction that made it."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index(None, "event_id", "id"), {"sqlite_with_rowid": False})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    standing: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[UUID | None]
    request_id: Mapped[str | None] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    event_id: Mapped[UUID | None]
    subject_id: Mapped[UUID | None]
    changes: Mapped[Any] = mapped_column(JsonDocument, nullable=True)
