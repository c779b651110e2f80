"""The times of a series by its rule (RFC 5545, 3.3.10), on the wall clock. Pure.

Rules come from anywhere: one may go on for ever, every second, or never hit a day. Whatever it
says, it is done with after some tenths of a second; of those that take so long, whoever reads a
file stops after a few.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from itertools import islice

from turnout.events import times
from turnout.events.ical_findings import Code, Unreadable

LONGEST_RULE = 500
MOST_EXAMINED = 40_000
"""Times of one rule: a century, day by day."""

_FREQUENCIES = frozenset(("DAILY", "WEEKLY", "MONTHLY", "YEARLY"))
_TOO_FREQUENT = frozenset(("HOURLY", "MINUTELY", "SECONDLY"))
_PARTS = frozenset(
    (
        *("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYSECOND", "BYMINUTE", "BYHOUR", "BYDAY"),
        *("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS"),
    )
)
_CYCLE = 400
"""Years after which the calendar repeats, days of the week included."""
_LAST_YEAR = 9998


def starts(rule: str, first: datetime, zone: str, horizon: datetime) -> tuple[list[datetime], bool]:
    """The wall clocks of a rule up to `horizon`, and whether there are more behind it.

    `first` is the naive wall clock in `zone` with which the series begins, `horizon` naive as well.
    Raises Unreadable.
    """
    parts = _parts(rule)
    found: list[datetime] = []
    try:
        for start in islice(_times(parts, first, zone), MOST_EXAMINED):
            if start > horizon:
                return found, True
            found.append(start)
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        raise _unclear() from error
    if len(found) == MOST_EXAMINED:
        sentence = f"The rule gives more than {MOST_EXAMINED:,} times."
        raise Unreadable(Code.TOO_FREQUENT, "RRULE", sentence)
    return found, False


def _times(parts: Mapping[str, str], first: datetime, zone: str) -> Iterator[datetime]:
    from dateutil import rrule  # heavy: a server does without

    # The library looks for the next time until the year 9999. Moved near to that year by whole
    # cycles of the calendar, a rule that never hits is through after hundreds of years, not 8,000.
    cycles = (_LAST_YEAR - max(first.year, times.LAST_YEAR)) // _CYCLE * _CYCLE
    until = _until(parts["UNTIL"], zone) if "UNTIL" in parts else None
    text = ";".join(f"{name}={value}" for name, value in parts.items() if name != "UNTIL")
    rule = rrule.rrulestr(text, dtstart=first.replace(year=first.year + cycles))
    never = True
    for each in rule:
        never, start = False, each.replace(year=each.year - cycles)
        if until is not None and start > until:
            return
        yield start
    if never:
        raise Unreadable(Code.NEVER_COMES, "RRULE", "There is no day that fits the rule.")


def _parts(rule: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in rule.strip().upper().split(";") if part.strip()]
    parts = {name.strip(): value.strip() for name, _, value in pairs}
    frequency = parts.get("FREQ", "")
    if frequency in _TOO_FREQUENT:
        sentence = "Events that repeat every hour, minute or second are not taken."
        raise Unreadable(Code.TOO_FREQUENT, "RRULE", sentence)
    interval = parts.get("INTERVAL", "1")
    is_clear = (
        len(rule) <= LONGEST_RULE
        and len(parts) == len(pairs)
        and frequency in _FREQUENCIES
        and parts.keys() <= _PARTS
        and _is_count(interval)
        and _is_count(parts.get("COUNT", "1"))
    )
    if not is_clear:
        raise _unclear()
    return parts


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0


def _until(text: str, zone: str) -> datetime:
    """The last wall clock that counts; a date alone counts to its end."""
    if "T" not in text:
        return datetime.combine(datetime.strptime(text, "%Y%m%d"), time.max)  # noqa: DTZ007 - a wall clock
    read = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - as above
    if not text.endswith("Z") or not times.FIRST_YEAR <= read.year <= times.LAST_YEAR:
        return read
    return times.moment_at(read.replace(tzinfo=UTC), zone).local


def _unclear() -> Unreadable:
    return Unreadable(Code.RULE_UNCLEAR, "RRULE", "This is not a rule that can be read.")
