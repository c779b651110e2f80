"""When the clocks of a zone change, as VTIMEZONE says it (RFC 5545, 3.6.5). Pure.

A calendar defines each zone that it uses, for programs that do not know it or know it otherwise
than our database does. It says only what holds while its events last: a rule for all years would
have to be taken back when a country changes its mind.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from turnout.events import zones

Span = tuple[datetime, datetime]
"""Two instants, the first the earlier one."""

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Observance:
    """What a zone's clocks show from `onset` on.

    `onset` is the wall clock at that instant by the offset of before; offsets are from UTC.
    """

    onset: datetime
    before: timedelta
    after: timedelta
    name: str
    is_daylight: bool


def observances(zone_name: str, spans: Iterable[Span]) -> list[Observance]:
    """Those which hold at some time within the spans, in the order of their onsets."""
    instants = sorted({each for span in spans for each in _onsets(zone_name, *span)})
    found: list[Observance] = []
    for instant in instants:
        each = _observance(zone_name, instant)
        is_change = each.before != each.after
        if is_change or not found or found[-1].after != each.after:
            found.append(each)
    return found


def _onsets(zone_name: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """The last change before the start (or in want of one some time before it), and all within."""
    first = datetime(start.year - 1, 1, 1, tzinfo=UTC)
    for year in range(start.year - 1, end.year + 1):
        for change in _changes(zone_name, year):
            if change <= start:
                first = change
            elif change <= end:
                yield change
    yield first


@lru_cache(maxsize=2048)
def _changes(zone_name: str, year: int) -> tuple[datetime, ...]:
    """The instants of a year (UTC) from which on the zone has another offset than before.

    Looked for day by day: leaps over weeks would miss the pause of summer time in Ramadan.
    """
    start = datetime(year, 1, 1, tzinfo=UTC)
    days = (datetime(year + 1, 1, 1, tzinfo=UTC) - start).days
    found, offset = [], _offset(zone_name, start - _SECOND)
    for number in range(days):
        midnight = start + number * _DAY
        after = _offset(zone_name, midnight + _DAY - _SECOND)
        if after != offset:
            found.append(_change_after(zone_name, midnight, offset))
            offset = after
    return tuple(found)


def _change_after(zone_name: str, midnight: datetime, offset: timedelta) -> datetime:
    """The second of the day from `midnight` on at which the zone leaves `offset`."""
    seconds = range(24 * 60 * 60)
    at = bisect_left(
        seconds, x=True, key=lambda s: _offset(zone_name, midnight + s * _SECOND) != offset
    )
    return midnight + at * _SECOND


def _offset(zone_name: str, instant: datetime) -> timedelta:
    return instant.astimezone(zones.zone(zone_name)).utcoffset() or timedelta()


def _observance(zone_name: str, onset: datetime) -> Observance:
    local = onset.astimezone(zones.zone(zone_name))
    before = _offset(zone_name, onset - _SECOND)
    return Observance(
        onset=(onset + before).replace(tzinfo=None),
        before=before,
        after=local.utcoffset() or timedelta(),
        name=local.tzname() or zone_name,
        # Ireland and Morocco have their summer time for standard and go back from it in winter.
        is_daylight=(local.dst() or timedelta()) > timedelta(),
    )
