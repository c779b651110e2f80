"""Records who did what, in the transaction that does it. Knows no feature."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from turnout import ids
from turnout.audit.models import AuditEntry
from turnout.db import sets


@dataclass(frozen=True, slots=True)
class Cause:
    """Who asked, and by which request."""

    standing: str
    actor_id: UUID | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: what (`event.created`), to what, and the values that matter later.

    `changes` holds no secret and no personal data beyond ids: the audit outlives an erased person.
    """

    at: datetime
    cause: Cause
    action: str
    event_id: UUID | None = None
    subject_id: UUID | None = None
    changes: Mapping[str, Any] | None = None


def record(db: AsyncSession, entries: Sequence[Entry]) -> None:
    """Note one row an entry, to be written with the caller's transaction."""
    rows = [
        (
            ids.new_id(),
            entry.at,
            entry.cause.standing,
            entry.cause.actor_id,
            entry.cause.request_id,
            entry.action,
            entry.event_id,
            entry.subject_id,
            entry.changes,
        )
        for entry in entries
    ]
    sets.insert(db, AuditEntry.__table__, rows)  # type: ignore[arg-type]  # a Table, though declared as FromClause
