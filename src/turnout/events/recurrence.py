"""The dates of a series: a rule followed on the wall clock of the event's zone. Pure rules.

10:00 stays 10:00, whatever the clocks do in between: each date has the offset that is valid on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timedelta
from itertools import chain
from typing import Any

from turnout.events import times
from turnout.events.errors import InvalidRule
from turnout.events.recurrence_rules import DAYS, MOST_EVENTS, Frequency, Rule, parse, refused
from turnout.events.times import Derived, Moment

__all__ = ["MOST_EVENTS", "Occurrence", "Rule", "expand", "parse"]

_CYCLES = (MAXYEAR - 1 - times.LAST_YEAR) // 400 * 400
"""Years, by whole cycles of the calendar (400 years, weekdays included), to move a rule by.

The library looks for the next date until the year 9999, which takes it ten seconds for a rule that
has none (30 February, day by day). Moved near to that year it has some 400 years left to look at.
"""
_LONGEST_CHANGE = timedelta(days=2)
"""More than any clock was ever put forward or back: so far behind UNTIL nothing can lie before."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One date of a series: the wall clock that the rule gives, naive, and what it means there.

    A wall clock that the zone skips goes forward, one that it has twice is the earlier; the note
    of `derived` says so.
    """

    local: datetime
    derived: Derived


def expand(rule: Rule, start: Moment, zone: str) -> tuple[Occurrence, ...]:
    """All dates of the series that begins at `start`, which is the first, at most MOST_EVENTS.

    Raises InvalidRule for more, for fewer than COUNT says, and where the rule does not give
    `start` itself: then its member `first_start` is what it gives first.
    """
    first, found = start.local.replace(fold=0), list[Occurrence]()
    wall_clocks = _wall_clocks(rule, first)
    begins = next(wall_clocks, None)
    if begins != first:
        raise _begins_elsewhere(begins, start, zone)
    for local in chain((first,), wall_clocks):
        if local.year > times.LAST_YEAR or _is_far_behind(local, rule, zone):
            break
        each = _at(local, start, zone)
        if _is_behind(each, rule):
            continue
        if len(found) == MOST_EVENTS:
            raise _too_many(found[-1], zone)
        found.append(each)
        if len(found) == rule.count:
            break
    if not found or len(found) < (rule.count or 0):
        raise _too_few(found)
    return tuple(found)


def _at(local: datetime, start: Moment, zone: str) -> Occurrence:
    # No date lies before the start, so that the earlier of two readings is the nearer one to it.
    return Occurrence(local, times.derive(local, zone, near=start.instant))


def _wall_clocks(rule: Rule, first: datetime) -> Iterator[datetime]:
    """The wall clocks of the rule from `first` on, in their order, without its COUNT and UNTIL."""
    from dateutil import rrule  # heavy for a server on which nobody makes a series

    # The library knows whole seconds alone.
    fraction = timedelta(microseconds=first.microsecond)
    begin = first.replace(year=first.year + _CYCLES, microsecond=0)
    arguments = _arguments(rule, first)
    frequency = getattr(rrule, rule.frequency)
    is_filtered = rule.frequency is Frequency.DAILY and not arguments.keys().isdisjoint(_OF_DAYS)
    interval = rule.interval
    if is_filtered:
        # Day by day the library is slow where few days count; the same days, found by the year.
        frequency, interval = rrule.YEARLY, 1
        arguments = {"bymonthday": _ALL_DAYS if "byweekday" not in arguments else None} | arguments
    if "byweekday" in arguments:
        days = arguments["byweekday"]
        arguments["byweekday"] = [getattr(rrule, DAYS[day])(n or None) for day, n in days]
    found = rrule.rrule(
        frequency, dtstart=begin, interval=interval, wkst=rule.week_start, **arguments
    )
    for each in found:
        if not is_filtered or (each.date() - begin.date()).days % rule.interval == 0:
            yield each.replace(year=each.year - _CYCLES) + fraction


_OF_DAYS = frozenset(("bymonth", "bymonthday", "byweekday"))
_ALL_DAYS = tuple(range(1, 32))


def _arguments(rule: Rule, first: datetime) -> dict[str, Any]:
    arguments: dict[str, Any] = {name.lower(): values for name, values in rule.numbers.items()}
    if rule.days:
        arguments["byweekday"] = rule.days
    elif "byweekno" in arguments and arguments.keys().isdisjoint(("byyearday", "bymonthday")):
        # What the rule leaves open comes from the start; the library takes the whole week instead.
        arguments["byweekday"] = ((first.weekday(), 0),)
    return arguments


def _is_far_behind(local: datetime, rule: Rule, zone: str) -> bool:
    """Whether neither this date nor a later one can count."""
    if rule.until is None:
        return False
    if rule.until.year > times.LAST_YEAR:
        return False
    if rule.until.tzinfo is None or rule.until.year < times.FIRST_YEAR:
        return local > rule.until.replace(tzinfo=None)
    return local > times.moment_at(rule.until, zone).local + _LONGEST_CHANGE


def _is_behind(each: Occurrence, rule: Rule) -> bool:
    """Whether UNTIL, a wall clock or an instant, lies before the date."""
    if rule.until is None:
        return False
    if rule.until.tzinfo is None:
        return each.local > rule.until
    return each.derived.moment.instant > rule.until


def _shown(each: Occurrence, zone: str) -> datetime:
    return times.shown(each.derived.moment.instant, zone)


def _begins_elsewhere(first: datetime | None, start: Moment, zone: str) -> InvalidRule:
    if first is None or first.year > times.LAST_YEAR:
        return refused(f"The rule gives no date up to the year {times.LAST_YEAR}.")
    begins, there = times.shown(start.instant, zone), _shown(_at(first, start, zone), zone)
    message = (
        f"The first date of the rule is {there.isoformat()} ({first:%A}), but the event begins "
        f"at {begins.isoformat()} ({begins:%A}). Move the event there, or change the rule."
    )
    return refused(message, first_start=there)


def _too_many(last: Occurrence, zone: str) -> InvalidRule:
    message = (
        f"The rule gives more than {MOST_EVENTS} events: number {MOST_EVENTS} is at "
        f"{_shown(last, zone).isoformat()}. Let it end by then."
    )
    return refused(message)


def _too_few(found: list[Occurrence]) -> InvalidRule:
    if not found:
        return refused("UNTIL lies before the start of the event.")
    return refused(f"Up to the year {times.LAST_YEAR} the rule gives {len(found)} events only.")
