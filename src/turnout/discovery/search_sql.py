"""The one statement by which each database finds events, from what is wanted. Runs nothing."""

from collections.abc import Sequence
from datetime import timedelta

from turnout.db.direct import Statement
from turnout.discovery.search_parts import Arm, Parts
from turnout.discovery.search_postgresql import PostgresqlParts
from turnout.discovery.search_sqlite import SqliteParts
from turnout.discovery.wanted import Circle, Position, Sort, Wanted
from turnout.events import finding
from turnout.events.drafts import LONGEST_EVENT


def build(
    wanted: Wanted, position: Position | None, limit: int, *, is_sqlite: bool
) -> tuple[str, Sequence[object]]:
    """The statement and its values.

    Its columns: tier, value and id of the position, id, version, end, the organizer's name, seats
    taken, latitude, longitude, start.
    """
    sql = Statement(is_sqlite=is_sqlite)
    parts = (SqliteParts if is_sqlite else PostgresqlParts)(wanted, sql, position, limit)
    first, last = (0 if position is None else position.tier), int(wanted.sort is Sort.RELEVANCE)
    tiers = [_merged(parts, arms(wanted, tier)) for tier in range(first, last + 1)]
    if len(tiers) == 1:
        return parts.page(tiers[0]), sql.values
    # Unsorted, so that the second is not looked for where the first fills the page: a word that
    # most names have is nowhere else, and to find that out is to read all of them.
    return parts.page(f"{_union(tiers)} LIMIT {sql.value(limit)}"), sql.values


def _merged(parts: Parts, those: Sequence[Arm]) -> str:
    """The parts of one tier as one list."""
    ahead = [arm for arm in those if not parts.is_over(arm)]
    if len(ahead) == 1:
        return parts.arm(ahead[0])
    direction = "DESC" if parts.wanted.sort is Sort.LATEST else "ASC"
    found = _union([parts.arm(arm) for arm in ahead])
    return f"{found} ORDER BY value {direction}, row_id {direction} LIMIT {parts.most()}"


def _union(selects: Sequence[str]) -> str:
    # As built here; what was asked for is in placeholders alone.
    parted = (f"SELECT * FROM ({select}) AS p{n}" for n, select in enumerate(selects))  # noqa: S608 - as said
    return " UNION ALL ".join(parted)


def arms(wanted: Wanted, tier: int) -> list[Arm]:
    """What has not ended by `since` began shortly before it, or is one of the few long ones."""
    if wanted.since is None or wanted.sort is Sort.DISTANCE or wanted.own_of is not None:
        return [Arm(tier, after=None if wanted.since is None else wanted.since - LONGEST_EVENT)]
    # Between two whole seconds: a cursor of SQLite's index counts seconds, and what is in one of
    # them must not be parted by the parts of the list.
    since = wanted.since.replace(microsecond=0) - timedelta(microseconds=1)
    short, *longer = (since - length for length in finding.LENGTHS)
    return [
        Arm(tier, after=short),
        *(Arm(tier, after, short, n) for n, after in enumerate(longer, 1)),
    ]


def ring(circle: Circle, part: float) -> Circle:
    """A smaller circle around the same place."""
    return Circle(circle.latitude, circle.longitude, circle.radius_km * part)
