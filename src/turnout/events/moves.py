"""An event moved as a whole: to another zone, or by a distance on the clock. Pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import assert_never

from turnout.errors import Invalid
from turnout.events import drafts, times
from turnout.events.drafts import Span
from turnout.events.times import Derived, Moment, Note
from turnout.events.whole import Whole


class Keep(StrEnum):
    """What stays when an event gets another time zone."""

    INSTANT = "instant"
    """It happens when it happens, and is told in the new zone."""
    WALL_CLOCK = "wall_clock"
    """It was written down in the wrong zone: 10:00 stays 10:00, in the new one."""


@dataclass(frozen=True, slots=True)
class Warned:
    """Something to look at before a change is made; `field` names the time it is about."""

    code: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The event as it would be, and what had to be decided."""

    event: Whole
    warnings: tuple[Warned, ...] = ()


def to_zone(event: Whole, zone: str, keep: Keep) -> Moved:
    """The event in another zone, with all its slots; each with the offset valid on its own date.

    `zone` is canonical. Nothing is checked: a kept wall clock can put an end before its start.
    """
    if zone == event.timezone:
        return Moved(event)
    derived = in_zone(_moments(event), event.timezone, zone, keep)
    after = replace(_with(event, [each.moment for each in derived]), timezone=zone)
    # The wall clocks are new, and the organizer has just said which zone is right.
    return Moved(replace(after, suggested_timezone=None), _warnings(event, derived, zone, keep))


def in_zone(moments: Sequence[Moment], old_zone: str, zone: str, keep: Keep) -> tuple[Derived, ...]:
    """Moments of an event in another zone, in the order given."""
    match keep:
        case Keep.INSTANT:
            return times.keep_instant(moments, zone)
        case Keep.WALL_CLOCK:
            return times.keep_wall_clock(moments, old_zone, zone)
        case _:
            assert_never(keep)


def shifted(event: Whole, by: timedelta) -> Moved:
    """The event with all its slots, further on (or back) by that distance on the clock.

    Raises Invalid (`time-out-of-range`) outside the years 1970 to 2199.
    """
    derived = [times.shift(each, by, event.timezone) for each in _moments(event)]
    after = _with(event, [each.moment for each in derived])
    return Moved(after, _warnings(event, derived, event.timezone, Keep.WALL_CLOCK))


def starting(event: Whole, start: Moment) -> Moved:
    """The event at another `start`, with all its slots as far from it on the clock as they are.

    Where the clocks change in between, so that something would end before it begins, all of it
    lasts as long by the watch instead. Raises Invalid (`time-out-of-range`).
    """
    old, zone = event.start, event.timezone
    others = _moments(event)[1:]
    derived = [carried(each, old, start, zone) for each in others]
    after = _with(event, [start, *(each.moment for each in derived)])
    try:
        drafts.check_times(after, after.slots)
    except Invalid:
        exact = [carried_exactly(each, old, start, zone) for each in others]
        message = f"The clocks in {zone} change during it; it lasts as long by the watch."
        return Moved(_with(event, [start, *exact]), (Warned("kept-length", "end_time", message),))
    # Of the start there is nothing to say here: whoever chose it knows which of two it is.
    unmoved = Derived(replace(start, local=start.local.replace(fold=0)), Note.EXACT)
    return Moved(after, _warnings(event, [unmoved, *derived], zone, Keep.WALL_CLOCK))


def carried(moment: Moment, old: Moment, new: Moment, zone: str) -> Derived:
    """A time that is as far from `new` on the clock as `moment` is from `old`."""
    distance = new.local.replace(fold=0) - old.local.replace(fold=0)
    near = new.instant + (moment.instant - old.instant)
    return times.shift(moment, distance, zone, near=near)


def carried_exactly(moment: Moment, old: Moment, new: Moment, zone: str) -> Moment:
    """A time that is as long after `new`, by the watch, as `moment` is after `old`."""
    return times.moment_at(new.instant + (moment.instant - old.instant), zone)


def _moments(event: Whole) -> list[Moment]:
    spans: tuple[Span, ...] = (event, *event.slots)
    return [moment for span in spans for moment in (span.start, span.end)]


def _with(event: Whole, moments: Sequence[Moment]) -> Whole:
    slots = tuple(
        replace(slot, start=moments[2 + 2 * n], end=moments[3 + 2 * n])
        for n, slot in enumerate(event.slots)
    )
    return replace(event, start=moments[0], end=moments[1], slots=slots)


def _names(event: Whole) -> list[str]:
    prefixes = ("", *(f"slots.{n}." for n in range(len(event.slots))))
    return [f"{prefix}{name}" for prefix in prefixes for name in ("start_time", "end_time")]


def _warnings(
    event: Whole, derived: Sequence[Derived], zone: str, keep: Keep
) -> tuple[Warned, ...]:
    return tuple(
        warned
        for field, each in zip(_names(event), derived, strict=True)
        if (warned := warning(field, each, zone, keep)) is not None
    )


def warning(field: str, derived: Derived, zone: str, keep: Keep) -> Warned | None:
    """What is to be said of a time that was found by rule, or None."""
    local = derived.moment.local.replace(tzinfo=None, fold=0).isoformat()
    match derived.note:
        case Note.EXACT:
            if not derived.moment.local.fold:
                return None
            # A table keeps a wall clock without its fold, and the instant in that zone has none.
            message = f"It was the second {local} of two; moved back from {zone}, it is the first."
            return Warned("second-of-two", field, message)
        case Note.MOVED:
            message = f"The clocks in {zone} skip that time; it becomes {local}."
            return Warned("moved-out-of-gap", field, message)
        case Note.AMBIGUOUS:
            if keep is Keep.INSTANT:
                return None
            shown = times.shown(derived.moment.instant, zone).isoformat()
            message = f"{local} occurs twice in {zone}; {shown} is taken."
            return Warned("ambiguous", field, message)
        case _:
            assert_never(derived.note)
