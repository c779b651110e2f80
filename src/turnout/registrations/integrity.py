"""Counts every event's seats anew and reports what does not add up. Changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.db.base import UtcDateTime


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that does not add up at one event."""

    event_id: UUID
    what: str


# Each selects the events that break one promise; docs/explanation/seats.md lists them in words.
_CHECKS = {
    "more seats are taken than there are": """
        SELECT event_id FROM admissions WHERE capacity IS NOT NULL AND taken > capacity""",
    "the counter of taken seats differs from the registrations": """
        SELECT a.event_id FROM admissions a LEFT JOIN registrations r
        ON r.event_id = a.event_id AND r.status IN ('confirmed', 'offered', 'pending')
        GROUP BY a.event_id, a.taken HAVING count(r.id) <> a.taken""",
    "the counter of the waitlist differs from the registrations": """
        SELECT a.event_id FROM admissions a LEFT JOIN registrations r
        ON r.event_id = a.event_id AND r.status = 'waitlisted'
        GROUP BY a.event_id, a.waiting HAVING count(r.id) <> a.waiting""",
    "the positions of the waitlist have gaps": """
        SELECT event_id FROM registrations WHERE status = 'waitlisted' GROUP BY event_id
        HAVING min(waitlist_position) <> 1 OR max(waitlist_position) <> count(*)
        OR count(DISTINCT waitlist_position) <> count(*)""",
    # When an event is over its waitlist rests: a seat that comes free then is for nobody.
    "a seat is free while someone waits": """
        SELECT a.event_id FROM admissions a JOIN events e ON e.id = a.event_id
        WHERE a.waiting > 0 AND e.status = 'published' AND e.end_at > :now
        AND (a.capacity IS NULL OR a.taken < a.capacity)""",
    "one person holds two live registrations": """
        SELECT event_id FROM registrations WHERE status <> 'cancelled'
        GROUP BY event_id, email_canonical HAVING count(*) > 1""",
    # NOT IN, which both databases look up in a hash; NOT EXISTS is quadratic on SQLite here.
    "a live registration has no message": """
        SELECT event_id FROM registrations WHERE status <> 'cancelled' AND id NOT IN
        (SELECT subject_id FROM outbox_messages WHERE subject_id IS NOT NULL)""",
    "an event has no seats row": """
        SELECT id FROM events WHERE id NOT IN (SELECT event_id FROM admissions)""",
}


async def drifts(db: AsyncSession, now: datetime) -> list[Drift]:
    """Every drift of every event; empty when all promises hold."""
    found: list[Drift] = []
    for what, query in _CHECKS.items():
        statement = text(query)
        if ":now" in query:
            statement = statement.bindparams(bindparam("now", now, UtcDateTime()))
        for value in await db.scalars(statement):
            event_id = value if isinstance(value, UUID) else UUID(bytes=value)
            drift = Drift(event_id, what)
            if drift not in found:
                found.append(drift)
    return found
