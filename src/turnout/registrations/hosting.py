"""An event together with its seats, changed under both their locks. Knows no HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.audit.audit import Cause
from turnout.errors import Invalid, NotFound
from turnout.events import drafts, life, moves, patches, policy, queries, saving, times, whole
from turnout.events.models import Status
from turnout.events.moves import Keep, Warned
from turnout.events.patches import EventPatch
from turnout.events.times import Moment
from turnout.events.whole import Whole
from turnout.registrations import changes, seats, service
from turnout.registrations.errors import CapacityTaken, EventHasRegistrations
from turnout.registrations.models import Admission, Registration
from turnout.registrations.seats import Seats
from turnout.registrations.service import AdmissionDraft

_ADMISSIONS: Any = Admission.__table__


@dataclass(frozen=True, slots=True)
class Hosted:
    """An event as it stands, with the rules of its seats and how many are taken."""

    event: Whole
    admission: AdmissionDraft
    taken: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Change:
    """What an event was and is from now on, who moved up from the waitlist, and what to look at."""

    before: Hosted
    after: Hosted
    promoted: int = 0
    warnings: tuple[Warned, ...] = ()


async def locked(db: AsyncSession, actor: Actor, event_id: UUID, *, owner: bool = False) -> Hosted:
    """An event that the caller may edit (with `owner`, decide about), locked with its seats.

    Raises NotSignedIn, NotFound and NotAllowed.
    """
    brief = await queries.brief(db, actor, event_id)
    (policy.require_owner if owner else policy.require_editor)(actor, brief)
    for found in await locked_all(db, [event_id]):
        return found
    raise NotFound


async def locked_all(db: AsyncSession, event_ids: Sequence[UUID]) -> list[Hosted]:
    """The events with their seats, locked until the transaction ends; those that are gone left out.

    No policy is asked.
    """
    # Seats before the event, as everyone does who takes both locks.
    query = select(Admission).where(Admission.event_id.in_(event_ids)).order_by(Admission.event_id)
    rows = await db.scalars(query.with_for_update().execution_options(populate_existing=True))
    admissions = {row.event_id: row for row in rows}
    events = await whole.locked_all(db, event_ids)
    return [_hosted(event, admissions[event.id]) for event in events if event.id in admissions]


def _hosted(event: Whole, row: Admission) -> Hosted:
    admission = AdmissionDraft(
        row.capacity,
        row.waitlist_enabled,
        _moment(row.opens_local, row.opens_at),
        _moment(row.closes_local, row.closes_at),
    )
    return Hosted(event, admission, row.taken, row.waiting)


def _moment(local: datetime | None, instant: datetime | None) -> Moment | None:
    return None if local is None or instant is None else Moment(local, instant)


async def edit(
    db: AsyncSession, cause: Cause, before: Hosted, patch: EventPatch, now: datetime
) -> Change:
    """Make the change that was asked for. Raises Invalid, CapacityTaken."""
    patched = patches.patched(before.event, patch)
    zone = patched.event.timezone
    admission, warnings = _in_zone(before, zone, Keep.INSTANT)
    admission = replace(admission, **_said(patch, zone))
    after = replace(before, event=patched.event, admission=admission)
    return await save(db, cause, before, after, now, (*patched.warnings, *warnings))


async def move_to_zone(
    db: AsyncSession, cause: Cause, before: Hosted, zone: str, keep: Keep, now: datetime
) -> Change:
    """Move the event, all its slots and its registration window to another zone.

    Raises Invalid where a kept wall clock would put an end before its start.
    """
    moved = moves.to_zone(before.event, zone, keep)
    drafts.check_times(moved.event, moved.event.slots)
    admission, warnings = _in_zone(before, zone, keep)
    after = replace(before, event=moved.event, admission=admission)
    return await save(db, cause, before, after, now, (*moved.warnings, *warnings))


def _in_zone(before: Hosted, zone: str, keep: Keep) -> tuple[AdmissionDraft, tuple[Warned, ...]]:
    """The registration window in another zone."""
    if zone == before.event.timezone:
        return before.admission, ()
    names = {"opens": "registration_opens_at", "closes": "registration_closes_at"}
    there = {name: getattr(before.admission, name) for name in names}
    moved: dict[str, Any] = {}
    warnings: list[Warned | None] = []
    for name, moment in there.items():
        if moment is not None:
            [derived] = moves.in_zone([moment], before.event.timezone, zone, keep)
            moved[name] = derived.moment
            warnings.append(moves.warning(names[name], derived, zone, keep))
    return replace(before.admission, **moved), tuple(w for w in warnings if w is not None)


def _said(patch: EventPatch, zone: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if patch.says("max_capacity"):
        said["capacity"] = patch.max_capacity
    if patch.waitlist_enabled is not None:
        said["waitlist_enabled"] = patch.waitlist_enabled
    for name, field in (("opens", "registration_opens_at"), ("closes", "registration_closes_at")):
        if patch.says(field):
            text = getattr(patch, field)
            said[name] = None if text is None else times.read_time(text, zone, field=field)
    return said


async def save(
    db: AsyncSession,
    cause: Cause,
    before: Hosted,
    after: Hosted,
    now: datetime,
    warnings: Sequence[Warned] = (),
    *,
    action: str = "event.changed",
) -> Change:
    """Write what differs, of the event and of its seats. Raises Invalid, CapacityTaken."""
    service.check_window(after.event, after.admission)
    also = [n for n, (old, new) in _differing(before, after).items() if old != new]
    event = await saving.save(db, cause, before.event, after.event, now, action=action, also=also)
    after = replace(after, event=event)
    if also:
        await _save_admission(db, after)
    promoted = await _fill(db, cause, after, now)
    after = replace(after, taken=after.taken + promoted, waiting=after.waiting - promoted)
    return Change(before, after, promoted, tuple(warnings))


def _differing(before: Hosted, after: Hosted) -> dict[str, tuple[object, object]]:
    old, new = before.admission, after.admission
    return {
        "max_capacity": (old.capacity, new.capacity),
        "waitlist_enabled": (old.waitlist_enabled, new.waitlist_enabled),
        "registration_opens_at": (old.opens, new.opens),
        "registration_closes_at": (old.closes, new.closes),
    }


async def _save_admission(db: AsyncSession, after: Hosted) -> None:
    capacity, taken = after.admission.capacity, after.taken
    if capacity is not None and capacity < taken:
        detail = f"{taken} seats are taken; the capacity cannot be less."
        raise CapacityTaken(detail, seats_taken=taken)
    values = service.admission_values(after.event.id, after.admission)
    for name in ("event_id", "taken", "waiting"):
        del values[name]
    # By the table, see `events.saving.save`.
    found = update(_ADMISSIONS).where(_ADMISSIONS.c.event_id == after.event.id)
    await db.execute(found.values(**values))


async def _fill(db: AsyncSession, cause: Cause, after: Hosted, now: datetime) -> int:
    """How many moved up from the waitlist: seats are new, or the event takes place again.

    While it is over the waitlist rests, so that another end can find seats that are free.
    """
    rules, event = after.admission, after.event
    free = Seats(rules.capacity, after.taken, after.waiting, after.waiting, rules.waitlist_enabled)
    is_open = event.status == Status.PUBLISHED and event.end.instant > now
    if not (is_open and seats.promotions(free)):
        return 0
    return await changes.move_up(db, event.id, free, cause, now, is_open=True)


async def publish(db: AsyncSession, cause: Cause, before: Hosted, now: datetime) -> Change:
    """Publish the event. Raises what `life.publish` raises."""
    event = await life.publish(db, cause, before.event, now)
    return Change(before, replace(before, event=event))


async def cancel(
    db: AsyncSession, cause: Cause, before: Hosted, reason: str | None, now: datetime
) -> Change:
    """Cancel the event; registrations stay as they are, so that everyone can be told.

    Raises EventOver, EventNotPublished.
    """
    event = await life.cancel(db, cause, before.event, reason, now)
    return Change(before, replace(before, event=event))


def has_people(event: Hosted) -> bool:
    """Whether people count on the event, so that it must not vanish."""
    return event.taken + event.waiting > 0 and event.event.status != Status.CANCELLED


async def delete_event(db: AsyncSession, cause: Cause, event: Hosted, now: datetime) -> None:
    """Take the event away, with what is left of its seats. Raises EventHasRegistrations."""
    if has_people(event):
        raise EventHasRegistrations("People are registered for this event; cancel it first.")
    event_id = event.event.id
    await db.execute(delete(Registration).where(Registration.event_id == event_id))
    await db.execute(delete(Admission).where(Admission.event_id == event_id))
    await life.delete(db, cause, event.event, now)


async def duplicate(
    db: AsyncSession, actor: Actor, cause: Cause, original: Hosted, start: Moment, now: datetime
) -> UUID:
    """The id of a draft of the same event at another time; the caller owns it.

    The registration window goes along by the same distance on the clock. Raises Invalid.
    """
    moved = moves.starting(original.event, start).event
    event, admission = life.drafted(moved), window_of(original, moved)
    return (await service.host(db, actor, cause, [(event, admission)], now))[0]


def window_of(original: Hosted, moved: Whole) -> AdmissionDraft:
    """The rules of an event's seats for the same event at another start (`moves.starting`).

    The window is as far from the start on the clock as it was; where the clocks change in between,
    so that it cannot be, by the watch. Raises Invalid (`time-out-of-range`).
    """
    rules, old, new, zone = original.admission, original.event.start, moved.start, moved.timezone
    there: dict[str, Moment] = {
        name: moment for name in ("opens", "closes") if (moment := getattr(rules, name)) is not None
    }
    by_clock: dict[str, Any] = {
        name: moves.carried(moment, old, new, zone).moment for name, moment in there.items()
    }
    window = replace(rules, **by_clock)
    try:
        service.check_window(moved, window)
    except Invalid:
        exact: dict[str, Any] = {
            name: moves.carried_exactly(moment, old, new, zone) for name, moment in there.items()
        }
        return replace(rules, **exact)
    return window
