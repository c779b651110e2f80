"""What geocoders said, kept: the same text is not asked about twice."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from turnout.db.base import Base, JsonDocument


class Geocoding(Base):
    """The answer of one provider to one text."""

    __tablename__ = "geocodings"
    __table_args__ = (Index(None, "expires_at"),)

    provider: Mapped[str] = mapped_column(String(32), primary_key=True)
    query: Mapped[str] = mapped_column(String(400), primary_key=True)
    """The text as it is compared: without case and outer spaces."""
    candidates: Mapped[Any] = mapped_column(JsonDocument)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
