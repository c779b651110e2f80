"""The IANA zone that a calendar means by a TZID (RFC 5545, 3.2.19). Pure.

Programs write the IANA name, a path that ends with it, the name that Windows has for it, or one of
their own that only their definition explains.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from turnout.events import times
from turnout.events.errors import InvalidTimezone
from turnout.events.ical_findings import Code, Unreadable
from turnout.events.ical_lines import Component
from turnout.events.ical_rules import LONGEST_RULE
from turnout.events.ical_values import read_local, read_offset

MOST_RULES = 500
"""Rules of definitions that are followed, in one calendar: a hostile one takes some hundredths of
a second, and every year is looked at anew."""
_MOST_PARTS = 50
_LONGEST_NAME = 255
_CYCLE = 7_600
"""Years: a multiple of 400, after which the calendar repeats. See `ical_rules`."""


@dataclass(frozen=True, slots=True)
class Found:
    """A zone, and whether it was found by nothing but its offsets."""

    name: str
    by_offset: bool = False


class Zones:
    """The zones of one calendar; `default` is that of times which name none."""

    def __init__(self, calendar: Component, default: str) -> None:
        self._definitions = {_text(each, "TZID"): each for each in calendar.named("VTIMEZONE")}
        self._server_default = default
        self._rules_left = MOST_RULES
        self._found: dict[tuple[str, int], Found] = {}
        own = calendar.first("X-WR-TIMEZONE")
        named = _by_name(own.value.strip()) if own is not None else None
        self.default = named or default
        self.is_default_said = named is not None

    def find(self, tzid: str, at: datetime) -> Found:
        """The zone that is meant at the naive wall clock `at`. Raises Unreadable."""
        key = (tzid, at.year)
        if key not in self._found:
            self._found[key] = self._find(tzid[:_LONGEST_NAME], at)
        return self._found[key]

    def _find(self, tzid: str, at: datetime) -> Found:
        definition = self._definitions.get(tzid)
        place = _text(definition, "X-LIC-LOCATION") if definition is not None else ""
        named = _by_name(tzid) or _by_name(place)
        if named is not None:
            return Found(named)
        onsets = _onsets(definition, at.year) if definition and self._rules_left > 0 else []
        if not onsets:
            sentence = f"Nothing says which time zone “{_shown(tzid)}” is."
            raise Unreadable(Code.ZONE_UNKNOWN, "TZID", sentence)
        self._rules_left -= len(definition.parts) if definition else 0
        return Found(self._by_offsets(tzid, onsets, at), by_offset=True)

    def _by_offsets(self, tzid: str, onsets: "list[_Onset]", at: datetime) -> str:
        """A zone whose clocks go alike all that year, or at least at that time."""
        months = (datetime(at.year, month, 15, 12) for month in range(1, 13))  # noqa: DTZ001 - wall clocks
        now = [(at, _offset(onsets, at))]
        year = [*now, *((each, _offset(onsets, each)) for each in months)]
        for wanted in (year, now):
            for name in (self._server_default, *_likely(), *times.all_zones()):
                if all(_has_offset(name, local, offset) for local, offset in wanted):
                    return name
        sentence = f"No time zone has the offsets of “{_shown(tzid)}”."
        raise Unreadable(Code.ZONE_UNKNOWN, "TZID", sentence)


@dataclass(frozen=True, slots=True, order=True)
class _Onset:
    """From which wall clock on a zone has which offset, and which it had before."""

    local: datetime
    after: timedelta
    before: timedelta


def _by_name(text: str) -> str | None:
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # heavy: 10 MiB

    tzid = text.strip('"').strip("/")
    steps = tzid.split("/")
    endings = ("/".join(steps[n:]) for n in range(max(0, len(steps) - 3), len(steps)))
    for name in (tzid, WINDOWS_TO_OLSON.get(tzid, ""), *endings):
        with suppress(InvalidTimezone):
            return times.canonical_zone(name)
    return None


def _likely() -> Iterator[str]:
    """One zone for each of those that Windows tells apart, by the table of the CLDR."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # heavy: 10 MiB

    known = set(times.all_zones())
    return (name for name in WINDOWS_TO_OLSON.values() if name in known)


def _onsets(definition: Component, year: int) -> list[_Onset]:
    """What the definition says of that year, in order."""
    found: list[_Onset] = []
    for part in definition.parts[:_MOST_PARTS]:
        first = read_local(_text(part, "DTSTART"))
        before = read_offset(_text(part, "TZOFFSETFROM"))
        after = read_offset(_text(part, "TZOFFSETTO"))
        if first is not None and before is not None and after is not None:
            texts = ",".join(each.value for each in part.all("RDATE")).split(",")
            dates = map(read_local, texts)
            rule = _text(part, "RRULE")
            locals_ = [first, *filter(None, dates), *(_by_rule(rule, first, year) if rule else ())]
            found += [_Onset(local, after, before) for local in locals_]
    return sorted(found)


def _offset(onsets: Sequence[_Onset], at: datetime) -> timedelta:
    """The offset at a naive wall clock: that of the last onset, else that before the first one."""
    begun = [each for each in onsets if each.local <= at]
    return begun[-1].after if begun else onsets[0].before


def _by_rule(rule: str, first: datetime, year: int) -> list[datetime]:
    """The onsets of that year and the one before; definitions repeat every year or not at all."""
    from dateutil import rrule  # heavy: a server does without

    parts = rule.upper().split(";")
    ends = [each[6:].removesuffix("Z") for each in parts if each.startswith("UNTIL=")]
    until = read_local(ends[0]) if ends else None
    text = ";".join(each for each in parts if not each.startswith(("UNTIL=", "COUNT=")))
    if "FREQ=YEARLY" not in parts or first.year > year or len(rule) > LONGEST_RULE:
        return []
    begin, last = max(first.year, year - 1), datetime(year, 12, 31, 23)  # noqa: DTZ001 - a wall clock
    found: list[datetime] = []
    try:
        start = first.replace(year=begin + _CYCLE, day=1 if "BY" in text else first.day)
        for each in rrule.rrulestr(text, dtstart=start):
            onset = each.replace(year=each.year - _CYCLE)
            if onset > last or (until is not None and onset > until):
                break
            found += [onset] if onset >= first else []
    except (ValueError, TypeError, LookupError, ArithmeticError):
        return []
    return found


def _has_offset(name: str, local: datetime, offset: timedelta) -> bool:
    try:
        instant = local.replace(tzinfo=timezone(offset)).astimezone(UTC)
        return times.moment_at(instant, name).local == local
    except (ValueError, OverflowError):
        return False


def _text(component: Component, name: str) -> str:
    found = component.first(name)
    return found.value.strip() if found is not None else ""


def _shown(tzid: str) -> str:
    return "".join(filter(str.isprintable, tzid))[:80]
