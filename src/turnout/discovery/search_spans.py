"""The spans of time in which PostgreSQL looks for words, the soonest first. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from turnout.events.search_index import COARSE, COARSE_DAYS, FINE, FINE_DAYS
from turnout.events.times import LAST_YEAR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = (datetime(LAST_YEAR + 1, 1, 2, tzinfo=UTC) - _EPOCH).days
"""The last day that anything begins on, in whichever zone."""
_STEPS = ((FINE, FINE_DAYS, 2), (FINE, FINE_DAYS, 8), (COARSE, COARSE_DAYS, 4))
"""How many of which spans are asked at once, until a page is full; then all that follow."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of time: what begins in it has one of the lexemes. None: it has no such bound.

    `beginnings`: or one that begins so.
    """

    lexemes: tuple[str, ...]
    begin: datetime | None = None
    before: datetime | None = None
    beginnings: tuple[str, ...] = ()


def spans(after: datetime, before: datetime | None) -> list[Span]:
    """Spans that follow each other and have all that begins after the one and before the other."""
    found = [*_all(after)]
    if before is None:
        return found
    return [each for each in found if each.begin is None or each.begin < before]


def _all(after: datetime) -> Iterator[Span]:
    day, begin = (after - _EPOCH).days, None
    for mark, size, count in _STEPS:
        end = (day // size + count) * size
        yield Span(_lexemes(mark, size, day, end), begin, begin := _instant(end))
        day = end
    # Hundreds by their first digit, as all of them would be many: there is nothing in most.
    first, last = day // COARSE_DAYS, max(day, _LAST) // COARSE_DAYS
    hundred = first // 100 + 1
    single = _lexemes(COARSE, COARSE_DAYS, day, (min(last, hundred * 100 - 1) + 1) * COARSE_DAYS)
    hundreds = tuple(f"{COARSE}{each}" for each in range(hundred, last // 100 + 1))
    yield Span(single, begin, None, hundreds)


def _lexemes(mark: str, size: int, day: int, end: int) -> tuple[str, ...]:
    return tuple(f"{mark}{number}" for number in range(day // size, (end - 1) // size + 1))


def _instant(day: int) -> datetime:
    return _EPOCH + timedelta(days=day)
