"""What becomes of a registration after it was made: renamed, cancelled; and who moves up then."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import SYSTEM, Actor
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.events.models import Status as EventStatus
from turnout.outbox import outbox
from turnout.outbox.topics import Topic
from turnout.registrations import policy, queries, seats, statements
from turnout.registrations.errors import RegistrationCancelled
from turnout.registrations.models import Admission, Registration, Status
from turnout.registrations.records import Held
from turnout.registrations.seats import Seats


async def rename(
    db: AsyncSession, actor: Actor, found: Held, name: str, cause: Cause, now: datetime
) -> Held:
    """The registration under another name. Raises NotAllowed, RegistrationCancelled."""
    policy.require_changer(actor, found)
    living = update(Registration).where(
        Registration.event_id == found.event.id,
        Registration.id == found.id,
        Registration.status != Status.CANCELLED,
    )
    changed = await db.execute(living.values(name=name, updated_at=now).returning(Registration.id))
    if changed.one_or_none() is None:
        raise RegistrationCancelled("This registration was cancelled; register anew.")
    audit.record(db, [audit.Entry(now, cause, "registration.renamed", found.event.id, found.id)])
    return replace(found, registration=replace(found.registration, name=name, updated_at=now))


async def cancel(db: AsyncSession, actor: Actor, found: Held, cause: Cause, now: datetime) -> Held:
    """The registration, cancelled; whoever waits longest has its seat in the same transaction.

    One that was cancelled before comes back as it is. Raises NotAllowed.
    """
    policy.require_changer(actor, found)
    event_id = found.event.id
    state = await statements.lock_event(db, event_id)
    # Read anew under the lock: two who cancel at once free one seat.
    found = await queries.held(db, actor, found.id)
    status = found.registration.status
    if status == Status.CANCELLED:
        return found
    await _end(db, found, now)
    taken, waiting = state.taken, state.waiting
    if status == Status.WAITLISTED:
        waiting -= 1
        await _close_gap(db, event_id, behind=found.registration.waitlist_position or 0)
    else:
        taken -= 1
    # The system cancels for people who have themselves erased.
    is_theirs = policy.is_own(actor, found) or actor is SYSTEM
    _tell_of_end(db, found, "attendee" if is_theirs else "organizer", cause, now)
    free = replace(state, taken=taken, waiting=waiting)
    is_open = found.event.status == EventStatus.PUBLISHED and found.event_end > now
    await move_up(db, event_id, free, cause, now, is_open=is_open)
    return await queries.held(db, actor, found.id)


async def _end(db: AsyncSession, found: Held, now: datetime) -> None:
    this = Registration.event_id == found.event.id, Registration.id == found.id
    values = {"status": Status.CANCELLED, "waitlist_position": None, "held_until": None}
    await db.execute(update(Registration).where(*this).values(**values, updated_at=now))


async def move_up(
    db: AsyncSession, event_id: UUID, state: Seats, cause: Cause, now: datetime, *, is_open: bool
) -> int:
    """Give what is free to the head of the waitlist, and keep the counters right.

    `state` is what is true now, under the lock. Returns how many have a seat from now on.
    """
    promoted = list[UUID]()
    if is_open:
        promoted = await _promote(db, event_id, seats.promotions(state), now)
    counters = {
        "taken": state.taken + len(promoted), "waiting": state.waiting - len(promoted)
    }  # fmt: skip
    await db.execute(update(Admission).where(Admission.event_id == event_id).values(**counters))
    _tell_of_seats(db, event_id, promoted, cause, now)
    return len(promoted)


async def _promote(db: AsyncSession, event_id: UUID, count: int, now: datetime) -> list[UUID]:
    """Those who have a seat now, from the head of the waitlist, in their order."""
    if count == 0:
        return []
    # In the words of the index of the waitlist, whose first rows they are.
    waiting = Registration.event_id == event_id, Registration.waitlist_position.is_not(None)
    heads = select(Registration.id).where(*waiting).order_by(Registration.waitlist_position)
    promoted = list(await db.scalars(heads.limit(count)))
    these = Registration.event_id == event_id, Registration.id.in_(promoted)
    values = {"status": Status.CONFIRMED, "waitlist_position": None, "updated_at": now}
    await db.execute(update(Registration).where(*these).values(**values))
    await _close_gap(db, event_id, behind=len(promoted), width=len(promoted))
    return promoted


async def _close_gap(db: AsyncSession, event_id: UUID, *, behind: int, width: int = 1) -> None:
    """Let everyone who waits behind that position step forward."""
    position = Registration.waitlist_position
    later = Registration.event_id == event_id, position > behind
    await db.execute(update(Registration).where(*later).values(waitlist_position=position - width))


def _tell_of_end(db: AsyncSession, found: Held, by: str, cause: Cause, now: datetime) -> None:
    event_id, changes = found.event.id, {"status": Status.CANCELLED}
    audit.record(
        db, [audit.Entry(now, cause, "registration.cancelled", event_id, found.id, changes)]
    )
    outbox.add(db, [_message(Topic.REGISTRATION_CANCELLED, event_id, found.id, now, by=by)])


def _tell_of_seats(
    db: AsyncSession, event_id: UUID, promoted: Sequence[UUID], cause: Cause, now: datetime
) -> None:
    changes = {"status": Status.CONFIRMED}
    audit.record(
        db,
        [audit.Entry(now, cause, "registration.promoted", event_id, i, changes) for i in promoted],
    )
    outbox.add(
        db,
        [
            _message(Topic.REGISTRATION_CONFIRMED, event_id, each, now, moved_up=True)
            for each in promoted
        ],
    )


def _message(
    topic: Topic, event_id: UUID, registration_id: UUID, now: datetime, **facts: object
) -> outbox.Message:
    payload = {"registration_id": str(registration_id), "event_id": str(event_id), **facts}
    return outbox.Message(now, topic, event_id, registration_id, payload)
