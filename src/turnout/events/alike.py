"""The change of one event, told for another of its series: the same, at that one's times. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from turnout.events import moves, times
from turnout.events.moves import Keep, Warned
from turnout.events.patches import EventPatch
from turnout.events.schemas import SlotIn
from turnout.events.times import Derived, Moment
from turnout.events.whole import Whole

_EARLY = datetime(1900, 1, 1, tzinfo=UTC)
"""Nearer to the first of two readings of a wall clock than to the second."""
_GAPS = (timedelta(0), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2))
"""By how much clocks are put forward."""
_WINDOW = ("registration_opens_at", "registration_closes_at")


@dataclass(frozen=True, slots=True)
class Example:
    """A change as it was made of one event: what was sent, and the event before and after."""

    patch: EventPatch
    before: Whole
    after: Whole


@dataclass(frozen=True, slots=True)
class Told:
    """The change as it is sent for another event, and what had to be decided for that."""

    patch: EventPatch
    warnings: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True)
class _Anchors:
    """The start of the example after the change, and that of the other event then."""

    here: Moment
    there: Moment
    zone_here: str
    zone_there: str

    def carried(self, text: str) -> Derived:
        """The time of the example that `text` means, as far from the start of the other."""
        moment = times.read_time(text, self.zone_here, field="start_time")
        return moves.carried(moment, self.here, self.there, self.zone_there)

    def carried_exactly(self, text: str) -> Moment:
        """The same, as long after the start by the watch."""
        moment = times.read_time(text, self.zone_here, field="start_time")
        return moves.carried_exactly(moment, self.here, self.there, self.zone_there)


def told_for(other: Whole, example: Example) -> Told:
    """The change for another event: times by distance on the clock, all else as it was sent.

    `start_time` and `end_time` move as far as they did for the example; the agenda and the
    registration window lie as far from the start as there. Each has the offset of its own date.
    Raises Invalid (`time-out-of-range`).
    """
    patch, before, after = example.patch, example.before, example.after
    zone = after.timezone if patch.timezone is not None else other.timezone
    was, own = (
        moves.to_zone(event, to, Keep.INSTANT).event
        for event, to in ((before, after.timezone), (other, zone))
    )
    derived: dict[str, Derived] = {}
    start = own.start
    if patch.start_time is not None:
        derived["start_time"] = _start(own, was, after)
        start = derived["start_time"].moment
    if patch.end_time is not None:
        lasts = _distance(own.start, own.end) + _distance(was.end, after.end)
        lasts -= _distance(was.start, after.start)
        derived["end_time"] = times.shift(start, lasts, zone)
    anchors = _Anchors(after.start, start, after.timezone, zone)
    derived |= {name: anchors.carried(text) for name, text in _window(patch)}
    said: dict[str, Any] = {name: _text(each.moment, zone) for name, each in derived.items()}
    if patch.slots is not None:
        said["slots"] = [_slot(slot, anchors) for slot in patch.slots]
    found = (moves.warning(n, each, zone, Keep.WALL_CLOCK) for n, each in derived.items())
    warnings = tuple(each for each in found if each is not None)
    return Told(patch.model_copy(update=said), warnings)


def _start(own: Whole, was: Whole, after: Whole) -> Derived:
    """The start of the other event, moved as far on the clock as the example was.

    Both count from where the rule put them as long as they are in step: a start that the clocks
    have put forward once does not stay behind by that. Of two instants it is the earlier.
    """
    if not _offsets(own).isdisjoint(_offsets(was)) and own.timezone == after.timezone:
        ruled, was_ruled = own.series_local, was.series_local
        assert ruled is not None  # noqa: S101 - it has offsets; narrows the type
        assert was_ruled is not None  # noqa: S101 - as above
        by = after.start.local.replace(fold=0) - was_ruled
        return times.shift(Moment(ruled, own.start.instant), by, own.timezone, near=_EARLY)
    return times.shift(own.start, _distance(was.start, after.start), own.timezone, near=_EARLY)


def _offsets(event: Whole) -> set[timedelta]:
    """How far from the rule's wall clock the event can be meant to begin.

    More than one where the clocks skip a time that would lead to the start that it has.
    """
    if event.series_local is None:
        return set()
    start, zone = event.start, event.timezone
    meant = (start.local.replace(fold=0) - gap for gap in _GAPS)
    return {
        each - event.series_local
        for each in meant
        if times.derive(each, zone, near=start.instant).moment.instant == start.instant
    }


def _distance(old: Moment, new: Moment) -> timedelta:
    return new.local.replace(fold=0) - old.local.replace(fold=0)


def _window(patch: EventPatch) -> Sequence[tuple[str, str]]:
    """The times of the registration window that were sent, and are not taken away."""
    said = ((name, getattr(patch, name)) for name in _WINDOW)
    return [(name, text) for name, text in said if text is not None]


def _slot(slot: SlotIn, anchors: _Anchors) -> SlotIn:
    start, end = anchors.carried(slot.start_time).moment, anchors.carried(slot.end_time).moment
    if end.instant <= start.instant:  # the clocks change in between
        start = anchors.carried_exactly(slot.start_time)
        end = anchors.carried_exactly(slot.end_time)
    zone = anchors.zone_there
    said = {"start_time": _text(start, zone), "end_time": _text(end, zone)}
    return slot.model_copy(update=said)


def _text(moment: Moment, zone: str) -> str:
    """As a request would send it: with the offset, so that it is clear in a repeated hour too."""
    return times.shown(moment.instant, zone).isoformat()
