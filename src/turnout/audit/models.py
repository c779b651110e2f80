"""The table of who did what. Rows are only ever added."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DDL, Index, String, event, text
from sqlalchemy.orm import Mapped, mapped_column

from turnout.db.base import Base, JsonDocument

_BY_SOMEONE = text("actor_id IS NOT NULL")
_NO_EVENT = text("event_id IS NULL")
USUAL = "registration.created"
"""The action of nearly all entries: whoever looks for it finds it anywhere."""
_RARE = text(f"action <> '{USUAL}'")


class AuditEntry(Base):
    """One change of state, written in the transaction that made it."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "event_id", "id"),
        # The three below leave out what guests do at events, which is nearly all there is.
        Index(
            "ix_audit_entries_actor",
            "actor_id",
            "id",
            sqlite_where=_BY_SOMEONE,
            postgresql_where=_BY_SOMEONE,
        ),
        Index(
            "ix_audit_entries_subject",
            "subject_id",
            "id",
            sqlite_where=_NO_EVENT,
            postgresql_where=_NO_EVENT,
        ),
        Index(
            "ix_audit_entries_action",
            "action",
            "id",
            sqlite_where=_RARE,
            postgresql_where=_RARE,
        ),
        {"sqlite_with_rowid": False},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    standing: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[UUID | None]
    request_id: Mapped[str | None] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    event_id: Mapped[UUID | None]
    subject_id: Mapped[UUID | None]
    changes: Mapped[Any] = mapped_column(JsonDocument, nullable=True)


# Append-only by the database's own word: no code of ours, and no session at a prompt that forgets,
# changes what was recorded.
GUARD_OF_SQLITE = tuple(
    f"""CREATE TRIGGER audit_entries_no_{verb.lower()} BEFORE {verb} ON audit_entries
BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END"""
    for verb in ("UPDATE", "DELETE")
)
GUARD_OF_POSTGRESQL = (
    """CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_entries is append-only';
END
$$""",
    """CREATE TRIGGER audit_entries_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit()""",
)

for _dialect, _guard in (("sqlite", GUARD_OF_SQLITE), ("postgresql", GUARD_OF_POSTGRESQL)):
    for _statement in _guard:
        event.listen(
            AuditEntry.__table__,
            "after_create",
            DDL(_statement).execute_if(dialect=_dialect),  # type: ignore[no-untyped-call]  # SQLAlchemy left it untyped
        )
