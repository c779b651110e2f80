"""Events with their seats: what has to be made or read together. Knows no HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.audit.audit import Cause
from turnout.db import sets
from turnout.errors import FieldError, Invalid
from turnout.events import service as events
from turnout.events.drafts import EventDraft, Span
from turnout.events.times import Moment
from turnout.registrations.models import Admission


@dataclass(frozen=True, slots=True)
class AdmissionDraft:
    """The rules under which an event takes registrations; capacity None is no limit."""

    capacity: int | None = None
    waitlist_enabled: bool = False
    opens: Moment | None = None
    closes: Moment | None = None


async def host(
    db: AsyncSession,
    actor: Actor,
    cause: Cause,
    wanted: Sequence[tuple[EventDraft, AdmissionDraft]],
    now: datetime,
    *,
    owner: UUID | None = None,
) -> list[UUID]:
    """The ids of new events with their seats, in order; `owner` owns them, or else the caller.

    Raises what `events.create` raises, and Invalid for a registration window that cannot be.
    """
    event_ids = events.create(db, actor, cause, [event for event, _ in wanted], now, owner=owner)
    for event, admission in wanted:
        check_window(event, admission)
    rows = [
        _admission_row(event_id, admission)
        for event_id, (_, admission) in zip(event_ids, wanted, strict=True)
    ]
    sets.insert(db, Admission.__table__, rows)  # type: ignore[arg-type]  # a Table, though declared as FromClause
    await sets.flush(db)
    return event_ids


def check_window(event: Span, admission: AdmissionDraft) -> None:
    """Raises Invalid unless registration opens before it closes, and closes before the end."""
    opens, closes = admission.opens, admission.closes
    if closes is not None and closes.instant > event.end.instant:
        raise _wrong_window("registration_closes_at", "Registration closes before the event ends.")
    if opens is not None and opens.instant >= (closes or event.end).instant:
        raise _wrong_window("registration_opens_at", "Registration opens before it closes.")


def _wrong_window(field: str, message: str) -> Invalid:
    wrong = FieldError(field, "impossible-window", message)
    return Invalid(message, fields=(wrong,))


def _admission_row(event_id: UUID, admission: AdmissionDraft) -> tuple[object, ...]:
    values = admission_values(event_id, admission)
    return tuple(values[column.name] for column in Admission.__table__.columns)


def admission_values(event_id: UUID, admission: AdmissionDraft) -> dict[str, object]:
    """The values of the row of an event's seats while none are taken, by column."""
    opens, closes = admission.opens, admission.closes
    return {
        "event_id": event_id,
        "capacity": admission.capacity,
        "taken": 0,
        "waiting": 0,
        "waitlist_enabled": admission.waitlist_enabled,
        "opens_local": opens and opens.local,
        "opens_at": opens and opens.instant,
        "closes_local": closes and closes.local,
        "closes_at": closes and closes.instant,
    }
