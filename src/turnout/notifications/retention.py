"""Takes the people out of events that ended long ago: only counts and check-ins stay.

Knows no schedule. What was taken out is in `anonymizations`, which proves it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import SYSTEM
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.events.models import Event
from turnout.notifications.models import Anonymization
from turnout.outbox import deliveries
from turnout.registrations import erasing, statements
from turnout.registrations.models import Registration

_CAUSE = Cause(SYSTEM.standing)
LARGEST_SET = 500
"""Registrations at once: on SQLite whoever wants a seat waits for its end."""


@dataclass(frozen=True, slots=True)
class Done:
    """That an event has no people any more; `registrations` is how many it had."""

    event_id: UUID
    at: datetime
    registrations: int

    @property
    def id(self) -> UUID:
        """By which the log is sorted."""
        return self.event_id


async def anonymize_past(
    db: AsyncSession, days: int, now: datetime, limit: int = LARGEST_SET
) -> int:
    """How many registrations and events were dealt with, of events that ended `days` ago or before.

    At most `limit` registrations a transaction; to be called again until nothing is left (0). An
    event counts as done once none of its people is left in it.
    """
    done = 0
    while done < limit:
        event_id = await _next(db, now - timedelta(days=days))
        if event_id is None:
            return done
        people = await _people(db, event_id, limit - done)
        await erasing.anonymize(db, event_id, people)
        await deliveries.forget(db, people, now)
        done += len(people) + 1
        if not await _people(db, event_id, 1):
            await _log(db, event_id, now)
    return done


async def is_any_left(db: AsyncSession, days: int, now: datetime) -> bool:
    """Whether there is something to do: a look at all events, for which nothing is locked."""
    return await db.scalar(_undone(now - timedelta(days=days))) is not None


async def page(db: AsyncSession, *, before: UUID | None, limit: int) -> list[Done]:
    """The log, the event that was made last first, at most `limit` made before `before`."""
    columns = Anonymization.event_id, Anonymization.at, Anonymization.registrations
    query = select(*columns).order_by(Anonymization.event_id.desc()).limit(limit)
    if before is not None:
        query = query.where(Anonymization.event_id < before)
    return [Done(*row) for row in await db.execute(query)]


async def _next(db: AsyncSession, ended_before: datetime) -> UUID | None:
    """Some event that is over for long enough, its seats locked until the transaction ends."""
    event_id: UUID | None = await db.scalar(_undone(ended_before))
    if event_id is None:
        return None
    await statements.lock_events(db, [event_id])
    # Asked again under the lock: another server may just have done it.
    if await db.scalar(select(Anonymization.at).where(Anonymization.event_id == event_id)):
        return await _next(db, ended_before)
    return event_id


def _undone(ended_before: datetime) -> Select[UUID]:
    is_done = exists().where(Anonymization.event_id == Event.id)
    return select(Event.id).where(Event.end_at < ended_before, ~is_done).limit(1)


async def _people(db: AsyncSession, event_id: UUID, limit: int) -> list[UUID]:
    """Registrations of the event that still say who they are for."""
    is_nobody = Registration.email_canonical.like(
        f"{erasing.ERASED_PREFIX}%{erasing.ERASED_SUFFIX}"
    )
    query = select(Registration.id).where(Registration.event_id == event_id, ~is_nobody)
    return list(await db.scalars(query.order_by(Registration.id).limit(limit)))


async def _log(db: AsyncSession, event_id: UUID, now: datetime) -> None:
    count = select(func.count()).where(Registration.event_id == event_id)
    registrations = (await db.execute(count)).scalar_one()
    db.add(Anonymization(event_id=event_id, at=now, registrations=registrations))
    await db.flush()
    changes = {"registrations": registrations}
    entry = audit.Entry(now, _CAUSE, "event.anonymized", event_id, event_id, changes)
    audit.record(db, [entry])
