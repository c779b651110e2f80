"""Instants found anew from wall clocks, after a release of the tz database. Pure rules.

What was promised is the wall clock in the event's zone; what has happened keeps its instant.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from turnout.events import drafts, times
from turnout.events.drafts import Span
from turnout.events.times import Moment
from turnout.events.whole import Whole


@dataclass(frozen=True, slots=True)
class Move:
    """A time that is at another instant from now on; `field` as in the event's answer."""

    field: str
    old: Moment
    new: Moment


def moment(was: Moment, zone: str, now: datetime) -> Moment:
    """The moment at which the clocks of the zone show that time by the rules of today.

    A time that they show twice stays as near as can be to the instant it had, and one that they
    skip by now goes forward with them. Raises InvalidTimezone for a zone that is gone.
    """
    if was.instant <= now:
        return was
    return times.derive(was.local, zone, near=was.instant).moment


def event(was: Whole, now: datetime) -> Whole:
    """The event with its agenda, at the instants that its wall clocks have by the rules of today.

    Raises Invalid where it would contradict itself (an end before its start, a slot outside), and
    InvalidTimezone.
    """
    zone = was.timezone
    slots = tuple(
        replace(slot, start=moment(slot.start, zone, now), end=moment(slot.end, zone, now))
        for slot in was.slots
    )
    start, end = moment(was.start, zone, now), moment(was.end, zone, now)
    after = replace(was, start=start, end=end, slots=slots)
    drafts.check_times(after, after.slots)
    return after


def moves(before: Whole, after: Whole) -> Iterator[Move]:
    """What differs, of the event and then of its slots in their order."""
    yield from _of_span("", before, after)
    for n, (old, new) in enumerate(zip(before.slots, after.slots, strict=True)):
        yield from _of_span(f"slots.{n}.", old, new)


def _of_span(prefix: str, before: Span, after: Span) -> Iterator[Move]:
    for name, old, new in (
        ("start_time", before.start, after.start),
        ("end_time", before.end, after.end),
    ):
        if old != new:
            yield Move(f"{prefix}{name}", old, new)
