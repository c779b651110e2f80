"""Finds the instants of events and their registration windows anew. Knows no HTTP.

For after a release of the tz database; the rules are in `events.retiming`. Doing it twice, or in
two processes at once, is doing it once: an event that is at its instants already stays as it is.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.audit.audit import Cause
from turnout.errors import Invalid
from turnout.events import retiming as rules
from turnout.events.models import Event, Slot, Status
from turnout.events.retiming import Move
from turnout.events.times import Moment
from turnout.registrations import hosting, service
from turnout.registrations.hosting import Hosted
from turnout.registrations.models import Admission

ACTION = "event.retimed"


@dataclass(frozen=True, slots=True)
class Retimed:
    """What becomes of one event: the times that move, or why it is left alone."""

    id: UUID
    name: str
    timezone: str
    moves: tuple[Move, ...] = ()
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the events that are still to end: how many, up to which id, and which are stale."""

    checked: int
    last: UUID | None
    stale: list[UUID]


# Tables, not mapped classes: all that is to come is looked at, and an entity costs ten times a row.
_EVENT = Event.__table__.c
_SEATS = Admission.__table__.c
_SLOT = Slot.__table__.c
_EVENTS: Any = (
    select(
        *(_EVENT.id, _EVENT.timezone),
        *(_EVENT.start_local, _EVENT.start_at, _EVENT.end_local, _EVENT.end_at),
        *(_SEATS.opens_local, _SEATS.opens_at, _SEATS.closes_local, _SEATS.closes_at),
    )
    .join_from(Event.__table__, Admission.__table__, _SEATS.event_id == _EVENT.id)
    .where(_EVENT.status != Status.CANCELLED)
    .order_by(_EVENT.id)
)
_SLOTS: Any = select(
    _SLOT.event_id, _SLOT.start_local, _SLOT.start_at, _SLOT.end_local, _SLOT.end_at
)


async def page(db: AsyncSession, now: datetime, *, after: UUID | None, limit: int) -> Page:
    """The events that have not ended, at most `limit` behind `after` by id, and the stale of them.

    Stale is one with a time to come that the clocks of its zone do not show at its instant, or
    whose zone is gone. A cancelled event stays as it is.
    """
    query = _EVENTS.where(_EVENT.end_at > now).limit(limit)
    if after is not None:
        query = query.where(_EVENT.id > after)
    events = (await db.execute(query)).all()
    slots: dict[UUID, list[Row[Any]]] = defaultdict(list)
    for row in await db.execute(_SLOTS.where(_SLOT.event_id.in_([each.id for each in events]))):
        slots[row.event_id].append(row)
    stale = [each.id for each in events if _is_stale(each, slots[each.id], now)]
    return Page(len(events), events[-1].id if events else None, stale)


def _is_stale(event: Row[Any], slots: Sequence[Row[Any]], now: datetime) -> bool:
    times = [each for row in (event[2:], *(slot[1:] for slot in slots)) for each in _moments(row)]
    try:
        return any(rules.moment(each, event.timezone, now) != each for each in times)
    except Invalid:
        return True


def _moments(values: Sequence[datetime | None]) -> Iterator[Moment]:
    """Moments from their columns, the wall clock and the instant of each after the other."""
    for local, instant in zip(values[::2], values[1::2], strict=True):
        if local is not None and instant is not None:
            yield Moment(local, instant)


async def look(db: AsyncSession, event_ids: Sequence[UUID], now: datetime) -> list[Retimed]:
    """What would become of the events, for those to which anything would happen."""
    found = [_retimed(event, now)[1] for event in await hosting.locked_all(db, event_ids)]
    return [each for each in found if each.moves or each.refusal]


async def retime(
    db: AsyncSession, cause: Cause, event_ids: Sequence[UUID], now: datetime
) -> list[Retimed]:
    """What became of the events, for those to which anything happened.

    Whoever is registered for one that moved is told, as of any change.
    """
    found: list[Retimed] = []
    for before in await hosting.locked_all(db, event_ids):
        after, outcome = _retimed(before, now)
        if outcome.moves:
            await hosting.save(db, cause, before, after, now, action=ACTION)
        if outcome.moves or outcome.refusal:
            found.append(outcome)
    return found


def _retimed(before: Hosted, now: datetime) -> tuple[Hosted, Retimed]:
    event = before.event
    outcome = Retimed(event.id, event.name, event.timezone)
    try:
        after = _after(before, now)
    except Invalid as refusal:
        return before, replace(outcome, refusal=refusal.detail)
    moves = (*rules.moves(event, after.event), *_moves_of_window(before, after))
    return after, replace(outcome, moves=moves)


def _after(before: Hosted, now: datetime) -> Hosted:
    zone, window = before.event.timezone, before.admission
    event = rules.event(before.event, now)
    moved: dict[str, Any] = {
        name: rules.moment(moment, zone, now)
        for name in ("opens", "closes")
        if (moment := getattr(window, name)) is not None
    }
    admission = replace(window, **moved)
    service.check_window(event, admission)
    return replace(before, event=event, admission=admission)


def _moves_of_window(before: Hosted, after: Hosted) -> Iterator[Move]:
    for name in ("opens", "closes"):
        old, new = getattr(before.admission, name), getattr(after.admission, name)
        if old != new:
            yield Move(f"registration_{name}_at", old, new)
