"""What a change of an event does, as it is answered: old and new times, who is affected and told.

A rehearsal answers the same as the change itself. Knows no HTTP.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from turnout.discovery.schemas import EventOut
from turnout.events import agenda, times
from turnout.events.drafts import Span
from turnout.events.models import Status
from turnout.events.moves import Warned
from turnout.events.times import Moment
from turnout.outbox.topics import Topic
from turnout.registrations.hosting import Change, Hosted

_TO_ATTENDEES = frozenset((Topic.EVENT_CHANGED, Topic.EVENT_CANCELLED))
_TO_NOBODY = frozenset((Topic.EVENT_PUBLISHED, Topic.EVENT_DELETED))


@dataclass(frozen=True, slots=True)
class MoveOut:
    """A time that changes: `old` in the zone the event had, `new` in the one it has then."""

    field: Annotated[str, Field(examples=["start_time"])]
    slot_id: Annotated[UUID | None, Field(description="null for the event's own times.")]
    old: datetime | None
    new: datetime | None


@dataclass(frozen=True, slots=True)
class AffectedOut:
    """How many people it concerns, and how many of those who wait get a seat by it."""

    confirmed: int
    waitlisted: int
    promoted: int


@dataclass(frozen=True, slots=True)
class ToldOut:
    """A message that is sent, and to how many."""

    topic: Annotated[str, Field(examples=["event.changed"])]
    recipients: int


@dataclass(frozen=True, slots=True)
class WarningOut:
    """What should be looked at; `field` names the time or the slot that it is about."""

    code: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class ChangeOut:
    """An event as it is now (or would be, in a rehearsal), and all that the change does."""

    dry_run: Annotated[bool, Field(description="Whether nothing was changed.")]
    event: EventOut
    moves: list[MoveOut]
    affected: AffectedOut
    messages: list[ToldOut]
    warnings: list[WarningOut]


def change_out(
    change: Change, event: EventOut, told: Mapping[str, int], *, dry_run: bool
) -> ChangeOut:
    """The answer to a change; `told` counts the messages of each topic that it wrote."""
    after = change.after
    people = after.taken + after.waiting
    return ChangeOut(
        dry_run=dry_run,
        event=event,
        moves=list(moves_of(change.before, after)),
        affected=AffectedOut(after.taken, after.waiting, change.promoted),
        messages=[ToldOut(topic, recipients(topic, n, people)) for topic, n in told.items()],
        warnings=[
            WarningOut(each.code, each.field, each.message)
            for each in (*change.warnings, *_clashes(after, event.display_timezone))
        ],
    )


def _clashes(after: Hosted, zone: str) -> Sequence[Warned]:
    """What of the agenda gets in each other's way, while it is to take place."""
    is_off = after.event.status == Status.CANCELLED
    return () if is_off else agenda.warnings(after.event.slots, zone)


def recipients(topic: str, count: int, people: int) -> int:
    """To how many those messages about one event go, which that many `people` hold on to."""
    if topic in _TO_ATTENDEES:
        return people
    return 0 if topic in _TO_NOBODY else count


def moves_of(before: Hosted, after: Hosted) -> Iterator[MoveOut]:
    """The times that differ, of the event, of its agenda and of its registration window."""
    zones = before.event.timezone, after.event.timezone
    yield from _moves_of_span(before.event, after.event, None, zones)
    former = {slot.id: slot for slot in before.event.slots}
    for slot in after.event.slots:
        if slot.id in former:
            yield from _moves_of_span(former[slot.id], slot, slot.id, zones)
    old, new = before.admission, after.admission
    yield from _move("registration_opens_at", None, (old.opens, new.opens), zones)
    yield from _move("registration_closes_at", None, (old.closes, new.closes), zones)


def _moves_of_span(
    before: Span, after: Span, slot_id: UUID | None, zones: tuple[str, str]
) -> Iterator[MoveOut]:
    yield from _move("start_time", slot_id, (before.start, after.start), zones)
    yield from _move("end_time", slot_id, (before.end, after.end), zones)


def _move(
    field: str, slot_id: UUID | None, pair: Sequence[Moment | None], zones: Sequence[str]
) -> Iterator[MoveOut]:
    old, new = (
        None if moment is None else times.shown(moment.instant, zone)
        for moment, zone in zip(pair, zones, strict=True)
    )
    if pair[0] != pair[1] or (zones[0] != zones[1] and old is not None):
        yield MoveOut(field, slot_id, old, new)
