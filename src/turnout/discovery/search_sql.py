"""The one statement by which each database finds events, from what is wanted. Runs nothing."""

from collections.abc import Sequence
from datetime import timedelta

from turnout.db.direct import Statement
from turnout.discovery.search_parts import Arm
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
    first = 0 if position is None else position.tier
    arms = [parts.arm(arm) for arm in _arms(wanted) if arm.tier >= first]
    if len(arms) == 1:
        return arms[0], sql.values
    parted = (f"SELECT * FROM ({arm}) AS p{n}" for n, arm in enumerate(arms))  # noqa: S608 - as built here
    direction = "DESC" if wanted.sort is Sort.LATEST else "ASC"
    order = f"tier, value {direction}, row_id {direction}"
    return f"{' UNION ALL '.join(parted)} ORDER BY {order} LIMIT {sql.value(limit)}", sql.values


def _arms(wanted: Wanted) -> list[Arm]:
    """What has not ended by `since` began shortly before it, or is one of the few long ones."""
    tiers = (0, 1) if wanted.sort is Sort.RELEVANCE else (0,)
    if wanted.since is None or wanted.sort is Sort.DISTANCE or wanted.own_of is not None:
        floor = None if wanted.since is None else wanted.since - LONGEST_EVENT
        return [Arm(tier, after=floor) for tier in tiers]
    # Between two whole seconds: a cursor of SQLite's index counts seconds, and what is in one of
    # them must not be parted by the parts of the list.
    since = wanted.since.replace(microsecond=0) - timedelta(microseconds=1)
    short, *longer = (since - length for length in finding.LENGTHS)
    return [
        arm
        for tier in tiers
        for arm in (
            Arm(tier, after=short),
            *(Arm(tier, after, short, n) for n, after in enumerate(longer, 1)),
        )
    ]


def ring(circle: Circle, part: float) -> Circle:
    """A smaller circle around the same place."""
    return Circle(circle.latitude, circle.longitude, circle.radius_km * part)
