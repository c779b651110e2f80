"""The one statement by which each database finds events, from what is wanted. Runs nothing.

Whatever people typed is a value in it, never a part of its text: words and facets are lexemes,
which hold no sign of any query language (events/lexemes.py).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from turnout.db.direct import Statement
from turnout.discovery.wanted import Circle, Position, Sort, Wanted
from turnout.events import finding, lexemes
from turnout.events.drafts import LONGEST_EVENT
from turnout.events.search_index import SECOND

_LISTED = "e.status = 'published' AND e.visibility = 'public'"
_SEATS = "a.capacity IS NULL OR a.capacity - a.taken >="
# The order of tables is said on SQLite, which keeps no statistics that could choose it.
_JOINS = {
    True: "CROSS JOIN admissions AS a ON a.event_id = e.id "
    "CROSS JOIN users AS u ON u.id = e.organizer_id",
    False: "JOIN admissions AS a ON a.event_id = e.id JOIN users AS u ON u.id = e.organizer_id",
}
_COLUMNS = "e.id, e.version, e.end_at, u.name, a.taken, e.place_latitude, e.place_longitude"
MOST_BEGUN = 200
"""Words with one beginning that are asked about each by itself."""
_MARK, _LAST = "\0", "\U0010ffff"
_NO_WORD = f"{lexemes.MARK}none"
_FROM_TABLE = "FROM events AS e"
_FROM_INDEX = {
    True: "FROM event_search AS s CROSS JOIN event_numbers AS n ON n.number = s.rowid "
    "CROSS JOIN events AS e ON e.id = n.event_id",
    False: "FROM event_search AS s JOIN events AS e ON e.id = s.event_id",
}
_OWN = (
    "e.id IN (SELECT id FROM events WHERE organizer_id = {me} "
    "UNION ALL SELECT event_id FROM team_members WHERE user_id = {me})"
)


@dataclass(frozen=True, slots=True)
class _Arm:
    """A part of the list: events that begin after `after` and not after `until`.

    The parts of one tier follow one another in time. `is_long`: only those that last for days.
    """

    tier: int = 0
    after: datetime | None = None
    until: datetime | None = None
    is_long: bool = False


def build(
    wanted: Wanted, position: Position | None, limit: int, *, is_sqlite: bool
) -> tuple[str, Sequence[object]]:
    """The statement and its values.

    Its columns: tier, value and id of the position, id, version, end, the organizer's name, seats
    taken.
    """
    sql = Statement(is_sqlite=is_sqlite)
    builder = _Builder(wanted, sql, position, limit)
    first = 0 if position is None else position.tier
    parts = [builder.arm(arm) for arm in _arms(wanted) if arm.tier >= first]
    if len(parts) == 1:
        return parts[0], sql.values
    parted = (f"SELECT * FROM ({part}) AS p{n}" for n, part in enumerate(parts))  # noqa: S608 - as built here
    whole = " UNION ALL ".join(parted)
    return f"{whole} LIMIT {sql.value(limit)}", sql.values


def _arms(wanted: Wanted) -> list[_Arm]:
    """What has not ended by `since` began shortly before it, or is one of the few long ones."""
    tiers = (0, 1) if wanted.sort is Sort.RELEVANCE else (0,)
    if wanted.since is None or wanted.sort is Sort.DISTANCE or wanted.own_of is not None:
        floor = None if wanted.since is None else wanted.since - LONGEST_EVENT
        return [_Arm(tier, after=floor) for tier in tiers]
    short = wanted.since - finding.SHORT
    parts = [
        (wanted.since - LONGEST_EVENT, short, True),
        (short, None, False),
    ]
    if wanted.sort is Sort.LATEST:
        parts.reverse()
    return [_Arm(tier, *part) for tier in tiers for part in parts]


class _Builder:
    """Puts the parts of one statement together."""

    def __init__(
        self, wanted: Wanted, sql: Statement, position: Position | None, limit: int
    ) -> None:
        self._wanted = wanted
        self._sql = sql
        self._position = position
        self._limit = limit
        self._cells = _cells(wanted.circle)
        is_indexed = bool(wanted.words or wanted.facets or self._cells)
        self._by_index = is_indexed and wanted.own_of is None
        self._by_number = self._by_index and sql.is_sqlite

    def arm(self, arm: _Arm) -> str:
        """The statement of one part, with its order and limit."""
        conditions = [
            *(self._indexed(arm) if self._by_index else self._scanned(arm)),
            *self._times(arm),
            *self._others(),
            *self._behind(arm),
        ]
        value, row_id = self._key()
        start = _FROM_INDEX[self._sql.is_sqlite] if self._by_index else _FROM_TABLE
        direction = "DESC" if self._is_descending else "ASC"
        order = f"{value} {direction}" + (
            "" if row_id == "NULL" else f", {row_id} {self._id_direction}"
        )
        columns = f"{arm.tier} AS tier, {value} AS value, {row_id} AS row_id, {_COLUMNS}"
        tables = f"{start} {_JOINS[self._sql.is_sqlite]}"
        where = " AND ".join(conditions)
        limit = self._sql.value(self._limit)
        # All parts are of this file; what was asked for is in placeholders alone.
        return f"SELECT {columns} {tables} WHERE {where} ORDER BY {order} LIMIT {limit}"

    @property
    def _is_descending(self) -> bool:
        return self._wanted.sort in {Sort.LATEST, Sort.DISTANCE}

    @property
    def _id_direction(self) -> str:
        return "DESC" if self._wanted.sort is Sort.LATEST else "ASC"

    def _key(self) -> tuple[str, str]:
        """What the list is sorted by."""
        circle = self._wanted.circle
        if self._wanted.sort is Sort.DISTANCE and circle is not None:
            return self._cosine(circle), "e.id"
        if self._by_number:
            return "s.rowid", "NULL"
        if self._by_index:
            return "s.start_at", "s.event_id"
        return "e.start_at", "e.id"

    def _indexed(self, arm: _Arm) -> list[str]:
        """What the index of words and facets is asked."""
        if self._sql.is_sqlite:
            return [f"s.event_search MATCH {self._match(arm)}", *self._numbers(arm)]
        return [f"s.words @@ {self._tsquery(arm)}", *self._tier_of_postgresql(arm)]

    def _scanned(self, arm: _Arm) -> list[str]:
        """What the table is asked where there is no word and no facet, or only one's own events."""
        wanted, sql = self._wanted, self._sql
        if wanted.own_of is None:
            return ["e.is_long", _LISTED] if arm.is_long else [_LISTED]
        conditions = [_OWN.format(me=sql.id(wanted.own_of))]
        if wanted.status is not None:
            conditions.append(f"e.status = {sql.value(wanted.status.value)}")
        words = "' ' || e.title_words || ' ' || e.words"
        find = "instr" if sql.is_sqlite else "strpos"
        conditions += [
            f"{find}({words} || ' ', {self._text(_as_text(word))}) > 0" for word in wanted.words
        ]
        facets = "' ' || e.facets || ' '"
        conditions += [
            f"{find}({facets}, {self._text(f' {facet} ')}) > 0" for facet in wanted.facets
        ]
        if wanted.sort is Sort.RELEVANCE:
            titles = [
                f"{find}(' ' || e.title_words || ' ', {self._text(_as_text(word))}) > 0"
                for word in wanted.words
            ]
            conditions.append(f"{'NOT ' if arm.tier else ''}({' AND '.join(titles)})")
        return conditions

    def _text(self, text: str) -> str:
        return self._sql.value(text) + ("" if self._sql.is_sqlite else "::text")

    def _times(self, arm: _Arm) -> list[str]:
        wanted, sql = self._wanted, self._sql
        # Where the index has the start beside its words, that one can lead the way.
        start = "s.start_at" if self._by_index and not sql.is_sqlite else "e.start_at"
        conditions: list[str] = []
        if arm.after is not None:
            conditions.append(f"{start} > {sql.instant(arm.after)}")
        if arm.until is not None:
            conditions.append(f"{start} <= {sql.instant(arm.until)}")
        if wanted.until is not None:
            conditions.append(f"{start} < {sql.instant(wanted.until)}")
        if wanted.since is not None:
            conditions.append(f"e.end_at > {sql.instant(wanted.since)}")
        return conditions

    def _numbers(self, arm: _Arm) -> list[str]:
        """The same for the numbers of SQLite's index, by whole seconds."""
        conditions: list[str] = []
        if arm.after is not None:
            conditions.append(f"s.rowid >= {self._sql.value(_number(arm.after))}")
        ends = [each for each in (arm.until, self._wanted.until) if each is not None]
        if ends:
            conditions.append(f"s.rowid < {self._sql.value(_number(min(ends)) + SECOND)}")
        return conditions

    def _others(self) -> list[str]:
        wanted, sql = self._wanted, self._sql
        conditions: list[str] = []
        if wanted.min_seats:
            conditions.append(f"({_SEATS} {sql.value(wanted.min_seats)})")
        if wanted.is_online is False:
            conditions.append("e.online_url IS NULL")
        if wanted.circle is not None:
            angle = wanted.circle.radius_km / lexemes.KM_PER_DEGREE
            least = sql.value(math.cos(math.radians(min(angle, 180.0))))
            conditions.append(f"{self._cosine(wanted.circle)} >= {least}")
        return conditions

    def _cosine(self, circle: Circle) -> str:
        """Of the angle between the event and the middle of the circle."""
        x, y, z = lexemes.unit_vector(circle.latitude, circle.longitude)
        value = self._sql.value
        return f"(e.place_x * {value(x)} + e.place_y * {value(y)} + e.place_z * {value(z)})"

    def _behind(self, arm: _Arm) -> list[str]:
        position = self._position
        if position is None or arm.tier != position.tier:
            return []
        value, row_id = self._key()
        if row_id == "NULL":
            sign = "<" if self._is_descending else ">"
            return [f"{value} {sign} {self._sql.value(position.value)}"]
        last_id = self._sql.id(UUID(hex=position.id))
        if self._wanted.sort is Sort.DISTANCE:
            last = self._sql.value(position.value)
            return [f"({value} < {last} OR ({value} = {last} AND {row_id} > {last_id}))"]
        last = self._sql.instant(datetime.fromisoformat(str(position.value)))
        sign = "<" if self._is_descending else ">"
        return [f"({value}, {row_id}) {sign} ({last}, {last_id})"]

    def _match(self, arm: _Arm) -> str:
        """An expression of what SQLite's index is asked, with the beginnings written out."""
        texts = self._match_text(arm).split(_MARK)
        parts = [
            self._begun_with(text) if n % 2 else self._sql.value(text)
            for n, text in enumerate(texts)
            if text
        ]
        return f"({' || '.join(parts)})"

    def _begun_with(self, word: str) -> str:
        """The words that begin so, or the beginning itself where there are very many of them."""
        begin, end = self._sql.value(word), self._sql.value(word + _LAST)
        nothing, most = self._sql.value(f'"{_NO_WORD}"'), self._sql.value(MOST_BEGUN)
        return (
            f"(SELECT CASE WHEN count(*) = 0 THEN {nothing} "  # noqa: S608 - constants and placeholders
            f"WHEN count(*) > {most} THEN '\"' || {begin} || '\" *' "
            "ELSE '(' || group_concat('\"' || term || '\"', ' OR ') || ')' END "
            f"FROM (SELECT term FROM event_terms WHERE term >= {begin} AND term < {end} "
            f"LIMIT {most} + 1))"
        )

    def _match_text(self, arm: _Arm) -> str:
        """What SQLite's index is asked (fts5.html, 3), of lexemes alone; beginnings are marked."""
        wanted = self._wanted
        words = [_as_prefix(word) for word in wanted.words]
        facets = [f'"{facet}"' for facet in (*wanted.facets, *_long(arm))]
        cells = " OR ".join(f'"{cell}"' for cell in self._cells)
        parts = [*facets, *([f"({cells})"] if cells else [])]
        if wanted.sort is not Sort.RELEVANCE:
            return " AND ".join([*words, *parts])
        title = f"(title : ({' AND '.join(words)}))"
        if arm.tier == 0:
            return " AND ".join([title, *parts])
        return f"({' AND '.join([*words, *parts])}) NOT {title}"

    def _tsquery(self, arm: _Arm) -> str:
        wanted = self._wanted
        parts = [_as_lexeme(word) for word in wanted.words]
        parts += [f"'{facet}'" for facet in (*wanted.facets, *_long(arm))]
        if self._cells:
            parts.append("(" + " | ".join(f"'{cell}'" for cell in self._cells) + ")")
        return f"{self._sql.value(' & '.join(parts))}::text::tsquery"

    def _tier_of_postgresql(self, arm: _Arm) -> list[str]:
        if self._wanted.sort is not Sort.RELEVANCE:
            return []
        title = " & ".join(_as_lexeme(word) for word in self._wanted.words)
        asked = f"{self._sql.value(title)}::text::tsquery"
        return [f"NOT s.title @@ {asked}" if arm.tier else f"s.title @@ {asked}"]


def _long(arm: _Arm) -> tuple[str, ...]:
    return (lexemes.LONG,) if arm.is_long else ()


def _cells(circle: Circle | None) -> list[str]:
    if circle is None:
        return []
    return lexemes.cells_around(circle.latitude, circle.longitude, circle.radius_km)


def is_whole_word(word: str) -> bool:
    """Whether the word is found as a whole alone: a single letter begins too many others."""
    return len(word) == 1 and word.isascii()


def _as_prefix(word: str) -> str:
    return f'"{word}"' if is_whole_word(word) else f"{_MARK}{word}{_MARK}"


def _as_lexeme(word: str) -> str:
    return f"'{word}'" if is_whole_word(word) else f"'{word}':*"


def _as_text(word: str) -> str:
    return f" {word} " if is_whole_word(word) else f" {word}"


def _number(instant: datetime) -> int:
    """The first number of the second that the instant lies in."""
    return math.floor(instant.timestamp()) * SECOND


def ring(circle: Circle, part: float) -> Circle:
    """A smaller circle around the same place."""
    return Circle(circle.latitude, circle.longitude, circle.radius_km * part)
