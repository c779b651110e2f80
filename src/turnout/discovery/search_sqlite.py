"""How SQLite is asked: FTS5 over events numbered by their start, and places band by band.

The parts of a list find no more than which events they are; what a page shows of them is read once
the page is chosen.
"""

import math
from datetime import datetime

import orjson

from turnout.db.direct import Statement
from turnout.discovery.search_parts import COLUMNS, Arm, Parts, Source, is_whole_word
from turnout.discovery.wanted import Position, Sort, Wanted
from turnout.events import lexemes
from turnout.events.search_index import LONGEST, SECOND, SHORTEST, band

MOST_BEGUN = 600
"""Words with one beginning that are asked about each by itself."""
_MARK, _LAST = "\0", "\U0010ffff"
_NO_WORD = f"{lexemes.MARK}none"
_INDEX = Source(
    "FROM event_search AS s CROSS JOIN event_numbers AS n ON n.number = s.rowid "
    "CROSS JOIN events AS e ON e.id = n.event_id",
    # Beside the number, so that nothing else is read of what has ended.
    end="n.end_at",
    number="s.rowid",
)
_PLACES = Source("FROM event_places AS e")
# The order of tables is said, as SQLite keeps no statistics that could choose it.
_PAGE = (
    "CROSS JOIN events AS e ON e.id = page.event_id "
    "CROSS JOIN admissions AS a ON a.event_id = e.id "
    "CROSS JOIN users AS u ON u.id = e.organizer_id"
)


class SqliteParts(Parts):
    """The parts of a statement of SQLite."""

    columns = "e.id AS event_id"
    find = "instr"

    def __init__(
        self, wanted: Wanted, sql: Statement, position: Position | None, limit: int
    ) -> None:
        super().__init__(wanted, sql, position, limit)
        self.joins = "CROSS JOIN admissions AS a ON a.event_id = e.id" if wanted.min_seats else ""
        is_by_place = wanted.sort is Sort.DISTANCE and not (wanted.words or wanted.facets)
        # Whether it is online is not told with its place.
        self._is_by_place = is_by_place and wanted.own_of is None and wanted.is_online is not False
        self.is_indexed = self.is_indexed or self._is_by_place

    def page(self, found: str) -> str:
        """The statement of the page: what is shown of those that were found, in their order."""
        direction = "DESC" if self.is_descending else "ASC"
        last = "page.row_id" if self.wanted.sort is not Sort.DISTANCE else "e.start_at, e.id"
        last = f"{last} DESC" if self.wanted.sort is Sort.LATEST else last
        return (
            f"SELECT page.tier, page.value, page.row_id, {COLUMNS} "  # noqa: S608 - as built here
            f"FROM ({found}) AS page {_PAGE} "
            f"ORDER BY page.tier, page.value {direction}, {last}"
        )

    def source(self, arm: Arm) -> Source:
        """The index of words and facets, or the table of places."""
        del arm
        return _PLACES if self._is_by_place else _INDEX

    def indexed(self, arm: Arm) -> list[str]:
        """What that source is asked."""
        if self._is_by_place:
            return self._around()
        others = [] if self._words_of(arm) == self.wanted.words else self._in_row(arm)
        return [*self._matching(arm), *others]

    def text(self, text: str) -> str:
        """The placeholder alone."""
        return self.sql.value(text)

    def is_behind(self, value: str | float, instant: datetime) -> bool:
        """Of a number as well."""
        if isinstance(value, str):
            return super().is_behind(value, instant)
        return value >= _number(instant) + SECOND

    def count_word(self, word: str, after: datetime | None, most: int) -> str:
        """An expression of how many events have the word of those that begin then, or `most`."""
        match = f"event_search MATCH {self._expression(_as_prefix(word))}"
        return self._count("event_search", [match, *self._bounds("rowid", Arm(after=after))], most)

    def count_in(self, arm: Arm, most: int) -> str:
        """An expression of how many events the part has by their times alone, or `most`."""
        by_times = Source("events AS e")
        conditions = [*self._scanned(arm), *self._times(arm, by_times)]
        return self._count(by_times.tables, conditions, most)

    def _count(self, tables: str, conditions: list[str], most: int) -> str:
        asked, limit = " AND ".join(conditions), self.sql.value(most)
        return f"(SELECT count(*) FROM (SELECT 1 FROM {tables} WHERE {asked} LIMIT {limit}))"  # noqa: S608 - as built here

    def _words_of(self, arm: Arm) -> tuple[str, ...]:
        """The words that the index is asked about; the others are looked for in what it finds."""
        if self.wanted.are_few_long and arm.lasting is not None:
            return ()
        rare = self.wanted.rare_word
        return self.wanted.words if rare is None else (rare,)

    def _around(self) -> list[str]:
        """The bands that the circle touches, and how far along each."""
        circle = self.wanted.circle
        assert circle is not None  # noqa: S101 - without one nothing is sorted by distance
        south, north, spans = lexemes.box_around(
            circle.latitude, circle.longitude, circle.radius_km
        )
        bands = orjson.dumps([*range(band(south), band(north) + 1)]).decode()
        value = self.sql.value
        along = " OR ".join(
            f"e.longitude BETWEEN {value(west)} AND {value(east)}" for west, east in spans
        )
        return [f"e.band IN (SELECT value FROM json_each({value(bands)}))", f"({along})"]  # noqa: S608 - of placeholders alone

    def _matching(self, arm: Arm) -> list[str]:
        """The match, and the bounds of the numbers."""
        match = f"s.event_search MATCH {self._expression(self._match_text(arm))}"
        return [match, *self._bounds("s.rowid", arm)]

    def _bounds(self, number: str, arm: Arm) -> list[str]:
        """The bounds of the numbers, by whole seconds."""
        conditions: list[str] = []
        if arm.after is not None and not self.is_past(arm.after, arm):
            conditions.append(f"{number} >= {self.sql.value(_number(arm.after))}")
        ends = [each for each in (arm.until, self.wanted.until) if each is not None]
        if ends:
            conditions.append(f"{number} < {self.sql.value(_number(min(ends)) + SECOND)}")
        return conditions

    def _expression(self, text: str) -> str:
        """An expression of what the index is asked, with the beginnings written out."""
        parts = [
            self._begun_with(part) if n % 2 else self.sql.value(part)
            for n, part in enumerate(text.split(_MARK))
            if part
        ]
        return f"({' || '.join(parts)})"

    def _begun_with(self, word: str) -> str:
        """The words that begin so, or the beginning itself where there are very many of them."""
        begin, end = self.sql.value(word), self.sql.value(word + _LAST)
        nothing, most = self.sql.value(f'"{_NO_WORD}"'), self.sql.value(MOST_BEGUN)
        return (
            f"(SELECT CASE WHEN count(*) = 0 THEN {nothing} "  # noqa: S608 - constants and placeholders
            f"WHEN count(*) > {most} THEN '\"' || {begin} || '\" *' "
            "ELSE '(' || group_concat('\"' || term || '\"', ' OR ') || ')' END "
            f"FROM (SELECT term FROM event_terms WHERE term >= {begin} AND term < {end} "
            f"LIMIT {most} + 1))"
        )

    def _match_text(self, arm: Arm) -> str:
        """What the index is asked (fts5.html, 3), of lexemes alone; beginnings are marked."""
        wanted = self.wanted
        words = [_as_prefix(word) for word in self._words_of(arm)]
        long = () if arm.lasting is None else (lexemes.lasting(arm.lasting),)
        cells = " OR ".join(f'"{cell}"' for cell in self.cells)
        parts = [f'"{facet}"' for facet in (*wanted.facets, *long)]
        parts += [f"({cells})"] if cells else []
        if wanted.sort is not Sort.RELEVANCE or len(words) < len(wanted.words):
            return " AND ".join([*words, *parts])
        title = f"(title : ({' AND '.join(words)}))"
        if arm.tier == 0:
            return " AND ".join([title, *parts])
        return f"({' AND '.join([*words, *parts])}) NOT {title}"


def _as_prefix(word: str) -> str:
    # Of two and three letters FTS5 keeps the beginnings themselves.
    if SHORTEST <= len(word) <= LONGEST:
        return f'"{word}" *'
    return f'"{word}"' if is_whole_word(word) else f"{_MARK}{word}{_MARK}"


def _number(instant: datetime) -> int:
    """The first number of the second that the instant lies in."""
    return math.floor(instant.timestamp()) * SECOND
