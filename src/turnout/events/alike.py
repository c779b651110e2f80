"""The change of one event, told for another of its series: the same, at that one's times. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from turnout.events import moves, times
from turnout.events.moves import Keep, Warned
from turnout.events.patches import EventPatch
from turnout.events.schemas import SlotIn
from turnout.events.times import Derived, Moment, Note
from turnout.events.whole import Whole

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
        derived["start_time"] = _moved(own.start, was.start, after.start, zone)
        start = derived["start_time"].moment
    if patch.end_time is not None:
        derived["end_time"] = _end(own, was, after, start)
    anchors = _Anchors(after.start, start, after.timezone, zone)
    derived |= {name: anchors.carried(text) for name, text in _window(patch)}
    said: dict[str, Any] = {name: _text(each.moment, zone) for name, each in derived.items()}
    if patch.slots is not None:
        said["slots"] = [_slot(slot, anchors) for slot in patch.slots]
    found = (moves.warning(n, each, zone, Keep.WALL_CLOCK) for n, each in derived.items())
    warnings = tuple(each for each in found if each is not None)
    return Told(patch.model_copy(update=said), warnings)


def _end(own: Whole, was: Whole, after: Whole, start: Moment) -> Derived:
    """The end of the other event, which begins at `start` now."""
    found = _moved(own.end, was.end, after.end, own.timezone)
    by_clock = _distance(own.start, own.end) + _distance(was.end, after.end)
    by_clock -= _distance(was.start, after.start)
    if found.moment.instant <= start.instant and by_clock > timedelta(0):
        # It is the clocks that turn it around: it lasts as long by the watch.
        return Derived(times.moment_at(start.instant + by_clock, own.timezone), Note.EXACT)
    return found


def _moved(moment: Moment, old: Moment, new: Moment, zone: str) -> Derived:
    """The moment, moved by as much on the clock as `old` was to become `new`."""
    return times.shift(moment, _distance(old, new), zone)


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
