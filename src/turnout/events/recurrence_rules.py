"""Reads an RRULE (RFC 5545, 3.3.10) and refuses what is none, or too much. Pure; knows no date.

Taken is what makes the dates of events: days, weeks, months and years, with an end. What the
standard forbids is refused as well as what it allows and nobody understands.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from enum import StrEnum

from turnout.errors import FieldError
from turnout.events.errors import InvalidRule

MOST_EVENTS = 500
"""Of one series."""
LONGEST_RULE = 500
"""Characters."""
LONGEST_INTERVAL = 1_000
MOST_TIMES_A_DAY = 24
MOST_POSITIONS = 12
"""Values of BYSETPOS."""

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LIMITS: Mapping[str, tuple[int, int]] = {
    "BYMONTH": (1, 12),
    "BYWEEKNO": (-53, 53),
    "BYYEARDAY": (-366, 366),
    "BYMONTHDAY": (-31, 31),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 59),
    "BYSETPOS": (-366, 366),
}
_PARTS = frozenset((*_LIMITS, "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY"))
_LONGEST_MONTHS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NUMBER = re.compile(r"[+-]?[0-9]{1,4}")
_DAY = re.compile(rf"([+-]?[0-9]{{1,2}})?({'|'.join(DAYS)})")
_UNTIL = re.compile(r"([0-9]{4}[0-9]{2}[0-9]{2})(?:T([0-9]{6})(Z?))?")


class Frequency(StrEnum):
    """After what a rule begins anew."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


_TOO_OFTEN = ("HOURLY", "MINUTELY", "SECONDLY")
_NOT_WITH: Mapping[str, tuple[Frequency, ...]] = {
    "BYWEEKNO": (Frequency.DAILY, Frequency.WEEKLY, Frequency.MONTHLY),
    "BYYEARDAY": (Frequency.DAILY, Frequency.WEEKLY, Frequency.MONTHLY),
    "BYMONTHDAY": (Frequency.WEEKLY,),
    "BYSETPOS": (Frequency.DAILY,),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it was read. `until` is naive for a wall clock, or aware in UTC for an instant.

    `numbers` are the values of the parts that hold numbers, by the names of the standard;
    `days` are days of the week from 0 for Monday, each with its ordinal (0 where it has none).
    """

    text: str
    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    week_start: int = 0
    numbers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    days: tuple[tuple[int, int], ...] = ()

    @property
    def times_a_day(self) -> int:
        """How often it happens on one day."""
        parts = ("BYHOUR", "BYMINUTE", "BYSECOND")
        hours, minutes, seconds = (len(set(self.numbers.get(part, (0,)))) for part in parts)
        return hours * minutes * seconds


def refused(message: str, **members: datetime | None) -> InvalidRule:
    """The refusal of a rule that says why."""
    return InvalidRule(message, fields=(FieldError("rule", InvalidRule.code, message),), **members)


def parse(text: str) -> Rule:
    """The rule in a text. Raises InvalidRule, at once, whatever the text is."""
    parts = _parts(text)
    rule = Rule(
        text=";".join(f"{name}={value}" for name, value in parts.items()),
        frequency=_frequency(parts.get("FREQ")),
        interval=_positive(parts, "INTERVAL", LONGEST_INTERVAL) or 1,
        count=_positive(parts, "COUNT", MOST_EVENTS),
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        week_start=_week_start(parts.get("WKST", "MO")),
        numbers={name: _numbers(name, parts[name]) for name in _LIMITS if name in parts},
        days=_days(parts["BYDAY"]) if "BYDAY" in parts else (),
    )
    _check(rule)
    return rule


def _parts(text: str) -> dict[str, str]:
    if len(text) > LONGEST_RULE:
        raise refused(f"A rule has {LONGEST_RULE} characters at most.")
    pairs = [part.partition("=") for part in text.strip().upper().removeprefix("RRULE:").split(";")]
    parts = {name: value for name, _, value in pairs}
    for name, _, value in pairs:
        if name not in _PARTS:
            raise refused(f"{name!a} is no part of a rule. One reads FREQ=WEEKLY;COUNT=10.")
        if not value:
            raise refused(f"{name} has no value.")
    if len(parts) < len(pairs):
        raise refused("A part stands in the rule twice.")
    return parts


def _frequency(text: str | None) -> Frequency:
    if text is None:
        raise refused("FREQ is missing: DAILY, WEEKLY, MONTHLY or YEARLY.")
    if text in _TOO_OFTEN:
        raise refused(f"FREQ={text} is too often: a series is DAILY, WEEKLY, MONTHLY or YEARLY.")
    if text not in Frequency.__members__:
        raise refused("FREQ is DAILY, WEEKLY, MONTHLY or YEARLY.")
    return Frequency(text)


def _positive(parts: Mapping[str, str], name: str, most: int) -> int | None:
    """The number of that part, None without it."""
    if name not in parts:
        return None
    text = parts[name]
    # As digits, not by int(): that takes other scripts, underscores and thousands of digits.
    is_number = text.isascii() and text.isdigit() and len(text.lstrip("0")) <= 4
    if not is_number or not 1 <= int(text) <= most:
        raise refused(f"{name} is a number from 1 to {most:,}.")
    return int(text)


def _numbers(name: str, text: str) -> tuple[int, ...]:
    lowest, highest = _LIMITS[name]
    found: list[int] = []
    for each in text.split(","):
        value = int(each) if _NUMBER.fullmatch(each) else highest + 1
        if not lowest <= value <= highest or (lowest < 0 and value == 0):
            span = f"1 to {highest} or -1 to {lowest}" if lowest < 0 else f"{lowest} to {highest}"
            raise refused(f"{name} holds numbers from {span}, with commas between.")
        found.append(value)
    return tuple(found)


def _days(text: str) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for each in text.split(","):
        read = _DAY.fullmatch(each)
        ordinal = int((read and read[1]) or 0)
        if read is None or abs(ordinal) > 53 or (read[1] and ordinal == 0):
            raise refused("BYDAY holds days such as MO or 2MO or -1FR, with commas between.")
        found.append((DAYS.index(read[2]), ordinal))
    return tuple(found)


def _week_start(text: str) -> int:
    if text not in DAYS:
        raise refused(f"WKST is one of {', '.join(DAYS)}.")
    return DAYS.index(text)


def _until(text: str) -> datetime:
    """A day alone counts to its end."""
    read = _UNTIL.fullmatch(text)
    example = "20261231, 20261231T180000 or 20261231T170000Z"
    if read is None:
        raise refused(f"UNTIL is a day or time such as {example}.")
    try:
        day = datetime.strptime(read[1], "%Y%m%d").date()  # noqa: DTZ007 - a wall clock, or UTC below
        at = time.max if read[2] is None else time.fromisoformat(read[2])
    except ValueError:
        raise refused(f"UNTIL is no day and time that exist; write {example}.") from None
    return datetime.combine(day, at, UTC if read[3] else None)


def _check(rule: Rule) -> None:
    """Raises InvalidRule where parts do not go together."""
    if rule.count is not None and rule.until is not None:
        raise refused("A rule has COUNT or UNTIL, not both.")
    if rule.count is None and rule.until is None:
        raise refused("The rule has no end: add COUNT, such as COUNT=10, or UNTIL.")
    for name, frequencies in _NOT_WITH.items():
        if name in rule.numbers and rule.frequency in frequencies:
            raise refused(f"{name} does not go with FREQ={rule.frequency}.")
    if rule.times_a_day > MOST_TIMES_A_DAY:
        raise refused(f"It happens {MOST_TIMES_A_DAY} times a day at most.")
    _check_dates(rule)
    _check_days(rule)
    _check_positions(rule)


def _check_dates(rule: Rule) -> None:
    """For the most usual rule that never comes to a date: 30 February, 31 November."""
    months, dates = rule.numbers.get("BYMONTH", ()), rule.numbers.get("BYMONTHDAY", ())
    if months and dates and min(map(abs, dates)) > max(_LONGEST_MONTHS[each] for each in months):
        raise refused("No month of BYMONTH has a day of BYMONTHDAY.")


def _check_days(rule: Rule) -> None:
    ordinals = {abs(ordinal) for _, ordinal in rule.days}
    if ordinals <= {0}:
        return
    if 0 in ordinals:
        raise refused("The days of BYDAY have numbers before them, or none of them has.")
    is_possible = rule.frequency in {Frequency.MONTHLY, Frequency.YEARLY}
    if not is_possible or "BYWEEKNO" in rule.numbers:
        raise refused("Numbers before the days of BYDAY count in a month or a year.")
    if (rule.frequency is Frequency.MONTHLY or "BYMONTH" in rule.numbers) and max(ordinals) > 5:
        raise refused("A month has five of a day of the week at most: 1MO to 5MO, -1MO to -5MO.")


def _check_positions(rule: Rule) -> None:
    positions = rule.numbers.get("BYSETPOS", ())
    if not positions:
        return
    others = rule.numbers.keys() - {"BYSETPOS"}
    if not others and not rule.days:
        raise refused("BYSETPOS picks from what another part gives, such as BYDAY.")
    if len(positions) > MOST_POSITIONS:
        raise refused(f"BYSETPOS holds {MOST_POSITIONS} numbers at most.")
    most = {Frequency.WEEKLY: len(set(rule.days)) or 1, Frequency.MONTHLY: 31}
    if max(map(abs, positions)) > most.get(rule.frequency, 366) * rule.times_a_day:
        raise refused("BYSETPOS counts further than the other parts give times.")
