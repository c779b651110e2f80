"""A rule followed the slow way, day by day, straight from RFC 5545, 3.3.10; knows no library.

For comparing: weeks begin on Monday, and BYWEEKNO goes with every year alone.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
ONE_DAY = timedelta(days=1)
Numbers = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class SlowRule:
    """What a rule says; `days` are weekdays from 0, each with its ordinal or 0."""

    frequency: str
    interval: int = 1
    numbers: Numbers = field(default_factory=dict)
    days: Sequence[tuple[int, int]] = ()

    @property
    def text(self) -> str:
        """The rule as it is written, without its end."""
        parts = [f"FREQ={self.frequency}", f"INTERVAL={self.interval}"]
        parts += [f"{name}={','.join(map(str, each))}" for name, each in self.numbers.items()]
        if self.days:
            days = [f"{ordinal or ''}{DAYS[day]}" for day, ordinal in self.days]
            parts.append(f"BYDAY={','.join(days)}")
        return ";".join(parts)


def dates(rule: SlowRule, first: date, last: date) -> list[date]:
    """The days of the rule from `first`, where it begins, up to `last`."""
    begin = date(first.year, 1, 1) - timedelta(days=7)  # positions count in whole periods
    end = date(last.year, 12, 31) + timedelta(days=7)
    periods: dict[object, list[date]] = defaultdict(list)
    for day in _each(begin, end):
        if _is_in_turn(rule, first, day) and _is_taken(rule, first, day):
            periods[_period(rule, day)].append(day)
    found = [day for days in periods.values() for day in _positions(rule, days)]
    return sorted(day for day in found if first <= day <= last)


def _each(begin: date, end: date) -> Iterator[date]:
    return (begin + n * ONE_DAY for n in range((end - begin).days + 1))


def _monday(day: date) -> date:
    return day - day.weekday() * ONE_DAY


def _period(rule: SlowRule, day: date) -> object:
    match rule.frequency:
        case "DAILY":
            return day
        case "WEEKLY":
            return _monday(day)
        case "MONTHLY":
            return day.year, day.month
        case _:
            return day.year


def _is_in_turn(rule: SlowRule, first: date, day: date) -> bool:
    match rule.frequency:
        case "DAILY":
            since = (day - first).days
        case "WEEKLY":
            since = (_monday(day) - _monday(first)).days // 7
        case "MONTHLY":
            since = (day.year - first.year) * 12 + day.month - first.month
        case _:
            since = day.year - first.year
    return since % rule.interval == 0


def _is_taken(rule: SlowRule, first: date, day: date) -> bool:
    month, year = monthrange(day.year, day.month)[1], _days_of(day.year)
    nth = day.timetuple().tm_yday
    week, weeks = day.isocalendar().week, date(day.isocalendar().year, 12, 28).isocalendar().week
    own = {
        "BYMONTH": {day.month},
        "BYMONTHDAY": {day.day, day.day - month - 1},
        "BYYEARDAY": {nth, nth - year - 1},
        "BYWEEKNO": {week, week - weeks - 1},
    }
    said = rule.numbers
    if any(own[name].isdisjoint(said[name]) for name in own if name in said):
        return False
    if rule.days:
        return any(_is_day(rule, day, each, ordinal) for each, ordinal in rule.days)
    if "BYMONTHDAY" in said or "BYYEARDAY" in said:
        return True
    if rule.frequency == "WEEKLY" or "BYWEEKNO" in said:
        return day.weekday() == first.weekday()
    if rule.frequency == "DAILY":
        return True
    is_month = rule.frequency == "MONTHLY" or "BYMONTH" in said or day.month == first.month
    return is_month and day.day == first.day


def _is_day(rule: SlowRule, day: date, weekday: int, ordinal: int) -> bool:
    if day.weekday() != weekday or ordinal == 0:
        return day.weekday() == weekday
    if rule.frequency == "MONTHLY" or "BYMONTH" in rule.numbers:
        at, length = day.day, monthrange(day.year, day.month)[1]
    else:
        at, length = day.timetuple().tm_yday, _days_of(day.year)
    return ordinal in {(at - 1) // 7 + 1, -((length - at) // 7) - 1}


def _days_of(year: int) -> int:
    return date(year, 12, 31).timetuple().tm_yday


def _positions(rule: SlowRule, days: Sequence[date]) -> set[date]:
    wanted = rule.numbers.get("BYSETPOS")
    if wanted is None:
        return set(days)
    places = {n + 1: day for n, day in enumerate(days)}
    places |= {n - len(days): day for n, day in enumerate(days)}
    return {places[each] for each in wanted if each in places}
