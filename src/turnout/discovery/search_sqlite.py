"""How SQLite is asked for words and facets: FTS5 over events numbered by their start."""

import math
from datetime import datetime

from turnout.discovery.search_parts import Arm, Parts, Source, is_whole_word
from turnout.discovery.wanted import Sort
from turnout.events import lexemes
from turnout.events.search_index import LONGEST, SECOND, SHORTEST

MOST_BEGUN = 600
"""Words with one beginning that are asked about each by itself."""
_MARK, _LAST = "\0", "\U0010ffff"
_NO_WORD = f"{lexemes.MARK}none"
_INDEX = Source(
    "FROM event_search AS s CROSS JOIN event_numbers AS n ON n.number = s.rowid "
    "CROSS JOIN events AS e ON e.id = n.event_id",
    number="s.rowid",
)


class SqliteParts(Parts):
    """The parts of a statement of SQLite."""

    # The order of tables is said, as SQLite keeps no statistics that could choose it.
    joins = (
        "CROSS JOIN admissions AS a ON a.event_id = e.id "
        "CROSS JOIN users AS u ON u.id = e.organizer_id"
    )
    find = "instr"

    def source(self, arm: Arm) -> Source:
        """The index."""
        del arm
        return _INDEX

    def indexed(self, arm: Arm) -> list[str]:
        """The match, and the bounds of the numbers, by whole seconds."""
        conditions = [f"s.event_search MATCH {self._match(arm)}"]
        if arm.after is not None and not self.is_past(arm.after, arm):
            conditions.append(f"s.rowid >= {self.sql.value(_number(arm.after))}")
        ends = [each for each in (arm.until, self.wanted.until) if each is not None]
        if ends:
            conditions.append(f"s.rowid < {self.sql.value(_number(min(ends)) + SECOND)}")
        return conditions

    def text(self, text: str) -> str:
        """The placeholder alone."""
        return self.sql.value(text)

    def is_behind(self, value: str | float, instant: datetime) -> bool:
        """Of a number as well."""
        if isinstance(value, str):
            return super().is_behind(value, instant)
        return value >= _number(instant) + SECOND

    def _match(self, arm: Arm) -> str:
        """An expression of what the index is asked, with the beginnings written out."""
        texts = self._match_text(arm).split(_MARK)
        parts = [
            self._begun_with(text) if n % 2 else self.sql.value(text)
            for n, text in enumerate(texts)
            if text
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
        words = [_as_prefix(word) for word in wanted.words]
        long = () if arm.lasting is None else (lexemes.lasting(arm.lasting),)
        cells = " OR ".join(f'"{cell}"' for cell in self.cells)
        parts = [f'"{facet}"' for facet in (*wanted.facets, *long)]
        parts += [f"({cells})"] if cells else []
        if wanted.sort is not Sort.RELEVANCE:
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
