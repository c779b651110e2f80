"""Reads of who did what. Changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, String, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.audit.models import USUAL, AuditEntry


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are asked for; None leaves all in.

    Without an event, a `subject_id` is looked for among what belongs to no event: accounts,
    sign-ins, API tokens.
    """

    actor_id: UUID | None = None
    event_id: UUID | None = None
    subject_id: UUID | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def page(
    db: AsyncSession, wanted: AuditFilter, *, before: UUID | None, limit: int
) -> list[AuditEntry]:
    """The entries, the newest first, at most `limit` older than `before`."""
    query = select(AuditEntry).where(*_conditions(wanted))
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return list(await db.scalars(query.order_by(AuditEntry.id.desc()).limit(limit)))


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.actor_id is not None:
        found.append(AuditEntry.actor_id == wanted.actor_id)
    if wanted.event_id is not None:
        found.append(AuditEntry.event_id == wanted.event_id)
    if wanted.subject_id is not None:
        found.append(AuditEntry.subject_id == wanted.subject_id)
        if wanted.event_id is None:
            found.append(AuditEntry.event_id.is_(None))
    if wanted.action is not None:
        found.append(AuditEntry.action == wanted.action)
        if wanted.action != USUAL:
            # In the words of the partial index ix_audit_entries_action, or it would not be used.
            found.append(AuditEntry.action != literal_column(f"'{USUAL}'", String))
    # The ids begin with the time they were made at: the index of ids finds a time as well.
    if wanted.since is not None:
        found += [AuditEntry.at >= wanted.since, AuditEntry.id >= first_id(wanted.since)]
    if wanted.until is not None:
        found += [AuditEntry.at < wanted.until, AuditEntry.id <= last_id(wanted.until)]
    return found


_SLACK_MS = 60_000
"""An entry's id is made a moment after the time it bears, by a clock that may have been set."""


def first_id(at: datetime) -> UUID:
    """The least id that something may have which was written at that time, of any table."""
    return UUID(int=max(0, _milliseconds(at) - _SLACK_MS) << 80)


def last_id(at: datetime) -> UUID:
    """The greatest such id."""
    return UUID(int=(_milliseconds(at) + _SLACK_MS) << 80 | (1 << 80) - 1)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
