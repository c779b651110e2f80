"""Series: one event made to repeat, and one change made to it and to all that follow it.

Whatever is asked for happens to all of the events or to none. Knows no HTTP.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.accounts.policy import refused
from turnout.audit.audit import Cause
from turnout.errors import Conflict, Invalid, NotFound
from turnout.events import alike, life, moves, policy, recurrence, saving, times
from turnout.events import queries as events
from turnout.events import series as rows
from turnout.events.alike import Example
from turnout.events.drafts import EventDraft, Span
from turnout.events.errors import AlreadyInSeries, EventCancelled
from turnout.events.models import PlaceSource, Status
from turnout.events.moves import Keep, Warned
from turnout.events.patches import EventPatch
from turnout.events.recurrence import Occurrence, Rule
from turnout.events.recurrence_rules import refused as rule_refused
from turnout.outbox import outbox
from turnout.outbox.topics import Topic
from turnout.registrations import hosting, service
from turnout.registrations.errors import CapacityTaken, EventHasRegistrations
from turnout.registrations.hosting import Change, Hosted
from turnout.registrations.service import AdmissionDraft

MOST_SLOTS = 5_000
"""Of all events that one rule makes together: each is a row to write while others wait."""
EVENTS_AT_ONCE = 50
"""Written by one statement, which ends in time also where each has a long text to be found by."""
MOST_NAMED = 20
"""Events that one refusal names."""


@dataclass(frozen=True, slots=True)
class Made:
    """A new series: its events in the order of the rule, the first being the one that repeats.

    A warning's `field` says whose it is: `events.3.start_time`.
    """

    series_id: UUID
    rule: str
    timezone: str
    events: Sequence[tuple[UUID, Span]]
    warnings: tuple[Warned, ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """What one change did to an event, and the topics of the messages that it wrote."""

    change: Change
    topics: Sequence[Topic]


@dataclass(frozen=True, slots=True)
class Reached:
    """An event and those that follow it in their series, locked with their seats."""

    series_id: UUID
    target: Hosted
    others: Sequence[Hosted]


# ---- making one


async def repeat(
    db: AsyncSession, actor: Actor, cause: Cause, first: Hosted, rule: Rule, now: datetime
) -> Made:
    """The series that begins with an event: the others are made, in its state, for its owner.

    They have its agenda, its seats, its registration window and its team. Raises InvalidRule,
    AlreadyInSeries, EventCancelled, and what `service.host` raises.
    """
    event = first.event
    if event.series_id is not None:
        raise AlreadyInSeries("The event is in a series already.")
    if event.status == Status.CANCELLED:
        raise EventCancelled("A cancelled event does not repeat; duplicate it first.")
    dates = recurrence.expand(rule, event.start, event.timezone)
    if (len(dates) - 1) * len(event.slots) > MOST_SLOTS:
        sentence = f"{len(dates)} events with {len(event.slots)} slots each are too many to make"
        raise rule_refused(f"{sentence} at once: all together may have {MOST_SLOTS:,}.")
    series_id = await rows.add(db, event, rule, now)
    spans: list[tuple[UUID, Span]] = [(event.id, event)]
    warnings: list[Warned] = []
    for n in range(1, len(dates), EVENTS_AT_ONCE):
        some = enumerate(dates[n : n + EVENTS_AT_ONCE], n)
        copies = [_copied(first, date, series_id, each) for each, date in some]
        wanted = [(copy.event, copy.admission) for copy in copies]
        made = await service.host(db, actor, cause, wanted, now, owner=event.organizer_id)
        spans += [(made_id, copy.event) for made_id, copy in zip(made, copies, strict=True)]
        warnings += [each for copy in copies for each in copy.warnings]
        await asyncio.sleep(0)  # SQLite works in the loop: whoever only reads goes on in between
    await rows.share_team(db, event.id, [event_id for event_id, _ in spans[1:]])
    one = replace(event, series_id=series_id, series_local=dates[0].local)
    await saving.save(db, cause, event, one, now, action="event.repeated")
    return Made(series_id, rule.text, event.timezone, spans, tuple(warnings))


@dataclass(frozen=True, slots=True)
class _Copy:
    event: EventDraft
    admission: AdmissionDraft
    warnings: Sequence[Warned]


def _copied(first: Hosted, date: Occurrence, series_id: UUID, n: int) -> _Copy:
    """The event on another date of its series, the `n`-th after it."""
    was, start = first.event, date.derived.moment
    moved = moves.starting(was, start)
    draft = replace(
        life.drafted(moved.event),
        series_id=series_id,
        series_local=date.local,
        status=Status(was.status),
        # It is the same place: nobody has to look for it again.
        place=was.place,
        place_source=PlaceSource(was.place_source or PlaceSource.ORGANIZER),
    )
    own = moves.warning("start_time", date.derived, was.timezone, Keep.WALL_CLOCK)
    found = [*([own] if own else []), *moved.warnings]
    warnings = [replace(each, field=f"events.{n}.{each.field}") for each in found]
    return _Copy(draft, hosting.window_of(first, moved.event), warnings)


# ---- changing one and those that follow


async def reach(db: AsyncSession, actor: Actor, event_id: UUID, *, owner: bool = False) -> Reached:
    """An event that the caller may edit (with `owner`, decide about) and those that follow it.

    They follow by the rule, wherever they were moved since. Raises NotSignedIn, NotFound,
    NotAllowed (also where it is one of the others that the caller may not change), NotInSeries.
    """
    require = policy.require_owner if owner else policy.require_editor
    require(actor, await events.brief(db, actor, event_id))
    found = await rows.following(db, actor, event_id)
    may = policy.may_own if owner else policy.may_edit
    if not all(may(actor, each) for each in found.events):
        raise refused(actor, "You may not do this to all of the events that follow.")
    order = [each.id for each in found.events]
    hosted = {each.event.id: each for each in await hosting.locked_all(db, order)}
    if event_id not in hosted:
        raise NotFound
    target = hosted.pop(event_id)
    others = [hosted[each] for each in order if each in hosted]
    return Reached(found.series_id, target, others)


async def edit(
    db: AsyncSession, cause: Cause, reached: Reached, patch: EventPatch, now: datetime
) -> list[Followed]:
    """Make a change of the event, and the same of those that follow and are yet to end.

    Raises what `hosting.edit` raises; CapacityTaken names the event that it is about.
    """
    target = reached.target
    found = [await _done(db, target, lambda it: hosting.edit(db, cause, it, patch, now))]
    example = Example(patch, target.event, found[0].change.after.event)

    async def same(it: Hosted) -> Change:
        told = alike.told_for(it.event, example)
        change = await hosting.edit(db, cause, it, told.patch, now)
        return replace(change, warnings=(*told.warnings, *change.warnings))

    return [*found, *[await _done(db, each, same) for each in _open(reached, now)]]


async def cancel(
    db: AsyncSession, cause: Cause, reached: Reached, reason: str, now: datetime
) -> list[Followed]:
    """Cancel the event and those that follow and are yet to end, but for drafts among them.

    Raises EventOver and EventNotPublished for the event itself.
    """

    async def work(it: Hosted) -> Change:
        return await hosting.cancel(db, cause, it, reason, now)

    known = [each for each in _open(reached, now) if each.event.status != Status.DRAFT]
    return [await _done(db, each, work) for each in (reached.target, *known)]


async def delete(db: AsyncSession, cause: Cause, reached: Reached, now: datetime) -> None:
    """Take away the event and those that follow and have not ended, cancelled ones as well.

    Raises EventHasRegistrations, which names the events that people are registered for.
    """
    to_come = [each for each in reached.others if each.event.end.instant > now]
    doomed = [reached.target, *to_come]
    busy = [each for each in doomed if hosting.has_people(each)]
    if busy:
        raise _has_people(busy)
    for each in doomed:
        await hosting.delete_event(db, cause, each, now)
    await rows.forget_empty(db, reached.series_id)


def _open(reached: Reached, now: datetime) -> list[Hosted]:
    """Those that follow and still are to take place, or go on."""
    return [
        each
        for each in reached.others
        if each.event.status != Status.CANCELLED and each.event.end.instant > now
    ]


async def _done(
    db: AsyncSession, hosted: Hosted, work: Callable[[Hosted], Awaitable[Change]]
) -> Followed:
    before = len(outbox.noted(db))
    try:
        change = await work(hosted)
    except (CapacityTaken, Invalid) as refusal:
        raise _named(refusal, hosted) from refusal
    await asyncio.sleep(0)  # as in `repeat`
    return Followed(change, outbox.noted(db)[before:])


def _named(refusal: Conflict | Invalid, hosted: Hosted) -> Conflict | Invalid:
    """The same refusal, which says what event it is about."""
    detail = f"The event at {_when(hosted)}: {refusal.detail}"
    members = {**refusal.members, "event_id": str(hosted.event.id)}
    return type(refusal)(detail, fields=refusal.fields, **members)


def _has_people(busy: Sequence[Hosted]) -> EventHasRegistrations:
    named = ", ".join(_when(each) for each in busy[:MOST_NAMED])
    more = f" and {len(busy) - MOST_NAMED} more" if len(busy) > MOST_NAMED else ""
    event_ids = ", ".join(str(each.event.id) for each in busy[:MOST_NAMED])
    detail = f"People are registered for the events at {named}{more}; cancel them first."
    return EventHasRegistrations(detail, event_ids=event_ids)


def _when(hosted: Hosted) -> str:
    event = hosted.event
    return times.shown(event.start.instant, event.timezone).isoformat()
