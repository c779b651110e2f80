"""The parts that a search's statement has in both databases. Runs nothing.

Whatever people typed is a value in the statement, never a part of its text: words and facets are
lexemes, which hold no sign of any query language (events/lexemes.py).
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from turnout.db.direct import Statement
from turnout.discovery.wanted import Circle, Own, Position, Sort, Wanted
from turnout.events import lexemes

COLUMNS = (
    "e.id, e.version, e.end_at, u.name, a.taken, e.place_latitude, e.place_longitude, e.start_at"
)
_LISTED = "e.status = 'published' AND e.visibility = 'public'"
# In the words of the partial index: SQLite does not see that 1 is more than 0.
_LONG = f"e.lasting > 0 AND {_LISTED}"
_SEATS = "a.capacity IS NULL OR a.capacity - a.taken >="
_SLACK = 1e-14
"""Taken off the least cosine (0.9 m next to the middle): a scalar product is not exact, and what
lies in the very place that is asked about has to be found however small the circle."""
_OWNED = "SELECT id FROM events WHERE organizer_id ="
_HELPED = "SELECT event_id FROM team_members WHERE user_id ="


@dataclass(frozen=True, slots=True)
class Arm:
    """A part of the list: events that begin after `after` and not after `until`.

    `lasting`: only those of that class of lengths (finding.LENGTHS).
    """

    tier: int = 0
    after: datetime | None = None
    until: datetime | None = None
    lasting: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a part of the list comes from, and by what it is sorted and bounded there.

    `number`, where there is one, sorts alone: SQLite's number of an event in its index.
    """

    tables: str
    start: str = "e.start_at"
    row_id: str = "e.id"
    end: str = "e.end_at"
    number: str | None = None


class Parts(ABC):
    """Puts the parts of one statement together."""

    joins: str
    """The tables that every part needs beside those of its source."""
    columns = COLUMNS
    """What every part has beside the position."""
    place = "e"
    """The table whose positions a circle is held against."""
    find: str
    """The function that says where a text has another."""

    def __init__(
        self, wanted: Wanted, sql: Statement, position: Position | None, limit: int
    ) -> None:
        self.wanted = wanted
        self.sql = sql
        self.cells = _cells(wanted.circle)
        is_indexed = bool(wanted.words or wanted.facets or self.cells)
        self.is_indexed = is_indexed and wanted.own_of is None
        self._position = position
        self.limit = limit

    @abstractmethod
    def source(self, arm: Arm) -> Source:
        """Where the part comes from, while words or facets are asked about."""

    @abstractmethod
    def indexed(self, arm: Arm) -> list[str]:
        """What the index of words and facets is asked."""

    def arm(self, arm: Arm) -> str:
        """The statement of one part, with its order and limit."""
        source = self.source(arm) if self.is_indexed else Source("FROM events AS e")
        conditions = [
            *(self.indexed(arm) if self.is_indexed else self._scanned(arm)),
            *self._times(arm, source),
            *self._others(),
            *self._behind(arm, source),
        ]
        value, row_id = self._key(source)
        columns = f"{arm.tier} AS tier, {value} AS value, {row_id} AS row_id, {self.columns}"
        where = " AND ".join(conditions)
        order = self._order(value, row_id)
        # All parts are of these files; what was asked for is in placeholders alone.
        return (
            f"SELECT {columns} {source.tables} {self.joins} "
            f"WHERE {where} ORDER BY {order} LIMIT {self.most()}"
        )

    def page(self, found: str) -> str:
        """The statement of a page, from that of what all parts have found."""
        return found

    def is_over(self, arm: Arm) -> bool:
        """Whether the position says that nothing of the part is yet to come."""
        return arm.until is not None and self.is_past(arm.until, arm)

    def most(self) -> str:
        """The placeholder of how many are wanted."""
        return self.sql.value(self.limit)

    @property
    def is_descending(self) -> bool:
        """Whether what is sorted by goes down."""
        return self.wanted.sort in {Sort.LATEST, Sort.DISTANCE}

    def _order(self, value: str, row_id: str) -> str:
        if self.wanted.sort is Sort.DISTANCE:
            return f"{value} DESC, {self.place}.start_at, {row_id}"
        direction = "DESC" if self.wanted.sort is Sort.LATEST else "ASC"
        keys = [value] if row_id == "NULL" else [value, row_id]
        return ", ".join(f"{key} {direction}" for key in keys)

    def _key(self, source: Source) -> tuple[str, str]:
        """What the list is sorted by."""
        circle = self.wanted.circle
        if self.wanted.sort is Sort.DISTANCE and circle is not None:
            return self._cosine(circle), "e.id" if self.place == "e" else source.row_id
        return (source.start, source.row_id) if source.number is None else (source.number, "NULL")

    def _scanned(self, arm: Arm) -> list[str]:
        """What the table is asked where there is no word and no facet, or only one's own events."""
        wanted = self.wanted
        if wanted.own_of is None:
            return [_LISTED] if arm.lasting is None else [f"e.lasting = {arm.lasting}", _LONG]
        conditions = [_worked_on(wanted.own_of, self.sql)]
        if wanted.status is not None:
            conditions.append(f"e.status = {self.sql.value(wanted.status.value)}")
        return conditions + self._in_row(arm)

    def _in_row(self, arm: Arm) -> list[str]:
        """What the words and facets in the row itself are asked, where no index is."""
        wanted = self.wanted
        words = "' ' || e.title_words || ' ' || e.words || ' '"
        conditions = [self._has(words, _as_text(word)) for word in wanted.words]
        conditions += [self._has("' ' || e.facets || ' '", f" {each} ") for each in wanted.facets]
        if wanted.sort is Sort.RELEVANCE:
            titles = [
                self._has("' ' || e.title_words || ' '", _as_text(word)) for word in wanted.words
            ]
            conditions.append(f"{'NOT ' if arm.tier else ''}({' AND '.join(titles)})")
        return conditions

    def _has(self, text: str, part: str) -> str:
        return f"{self.find}({text}, {self.text(part)}) > 0"

    @abstractmethod
    def text(self, text: str) -> str:
        """The placeholder of a text, whose type nothing around it tells."""

    def _times(self, arm: Arm, source: Source) -> list[str]:
        wanted, sql = self.wanted, self.sql
        conditions: list[str] = []
        if arm.after is not None and not self.is_past(arm.after, arm):
            conditions.append(f"{source.start} > {sql.instant(arm.after)}")
        if arm.until is not None:
            conditions.append(f"{source.start} <= {sql.instant(arm.until)}")
        if wanted.until is not None:
            conditions.append(f"{source.start} < {sql.instant(wanted.until)}")
        if wanted.since is not None:
            conditions.append(f"{source.end} > {sql.instant(wanted.since)}")
        return conditions

    def begins_after(self, arm: Arm) -> datetime:
        """When the soonest event of the part begins at the earliest."""
        bounds = [] if arm.after is None else [arm.after]
        position = self._position
        if position is not None and position.tier == arm.tier and isinstance(position.value, str):
            # Those that begin with it are yet to come, by their ids.
            bounds.append(datetime.fromisoformat(position.value) - timedelta(microseconds=1))
        return max(bounds)

    def is_past(self, instant: datetime, arm: Arm) -> bool:
        """Whether the position says so already: of two bounds, a database might begin at either."""
        position = self._position
        if position is None or arm.tier != position.tier or self.is_descending:
            return False
        return self.is_behind(position.value, instant)

    def is_behind(self, value: str | float, instant: datetime) -> bool:
        """Whether a position with that value lies behind the instant."""
        return isinstance(value, str) and datetime.fromisoformat(value) > instant

    def _others(self) -> list[str]:
        wanted, sql = self.wanted, self.sql
        conditions: list[str] = []
        if wanted.min_seats:
            conditions.append(f"({_SEATS} {sql.value(wanted.min_seats)})")
        if wanted.is_online is False:
            conditions.append("e.online_url IS NULL")
        if wanted.circle is not None:
            angle = wanted.circle.radius_km / lexemes.KM_PER_DEGREE
            least = sql.value(math.cos(math.radians(min(angle, 180.0))) - _SLACK)
            conditions.append(f"{self._cosine(wanted.circle)} >= {least}")
        return conditions

    def _cosine(self, circle: Circle) -> str:
        """Of the angle between the event and the middle of the circle."""
        x, y, z = lexemes.unit_vector(circle.latitude, circle.longitude)
        value = self.sql.value
        named = (f"{self.place}.place_{axis}" for axis in "xyz")
        products = (f"{name} * {value(part)}" for name, part in zip(named, (x, y, z), strict=True))
        return f"({' + '.join(products)})"

    def _behind(self, arm: Arm, source: Source) -> list[str]:
        position = self._position
        if position is None or arm.tier != position.tier:
            return []
        value, row_id = self._key(source)
        sign = "<" if self.wanted.sort is Sort.LATEST else ">"
        if row_id == "NULL":
            return [f"{value} {sign} {self.sql.value(position.value)}"]
        is_near = self.wanted.sort is Sort.DISTANCE
        started = str(position.start if is_near else position.value)
        start = self.sql.instant(datetime.fromisoformat(started))
        last = f"({start}, {self.sql.id(UUID(hex=position.id))})"
        if not is_near:
            return [f"({value}, {row_id}) {sign} {last}"]
        cosine = self.sql.value(position.value)
        as_far = f"({value} = {cosine} AND ({self.place}.start_at, {row_id}) > {last})"
        return [f"({value} < {cosine} OR {as_far})"]


def _worked_on(own: Own, sql: Statement) -> str:
    parts = [_OWNED] * own.owned + [_HELPED] * own.helped
    me = sql.id(own.user_id)
    return f"e.id IN ({' UNION ALL '.join(f'{part} {me}' for part in parts)})"


def _cells(circle: Circle | None) -> list[str]:
    if circle is None:
        return []
    return lexemes.cells_around(circle.latitude, circle.longitude, circle.radius_km)


def is_whole_word(word: str) -> bool:
    """Whether the word is found as a whole alone: a single letter begins too many others.

    Signs of scripts without spaces are words of their own (lexemes.words).
    """
    return len(word) == 1


def _as_text(word: str) -> str:
    return f" {word} " if is_whole_word(word) else f" {word}"
