"""How PostgreSQL is asked for words and facets.

A facet has its events in the order of their start. Words have an inverted index, which knows no
order: it is asked of one span of time after the other, until the page is full. What is common is
met soon enough in the order of all starts; which words are, the statistics of the database tell
(frequencies.py). Only what is on the page is joined to the other tables.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from turnout.discovery.search_parts import COLUMNS, Arm, Parts, Source, is_whole_word
from turnout.discovery.search_spans import Span, spans
from turnout.discovery.wanted import Share, Sort
from turnout.events import lexemes
from turnout.events.search_index import BEGINNING, LONGEST, SHORTEST

_BY_WORDS = Source(
    "FROM event_search AS s", start="s.start_at", row_id="s.event_id", end="s.end_at"
)
# What comes out of a subquery with OFFSET is found first, whatever is wanted of it.
_INVERTED = """FROM (SELECT event_id, start_at, end_at, title, words FROM event_search
WHERE {column} @@ {asked} OFFSET 0) AS s"""
_BY_FACET = Source(
    "FROM event_facets AS f", start="f.start_at", row_id="f.event_id", end="f.end_at"
)
_AND_WORDS = "JOIN event_search AS s ON s.event_id = f.event_id"
_EDGE = """WITH edge AS MATERIALIZED (SELECT start_at AS at FROM event_search AS soonest
WHERE start_at > {after} ORDER BY start_at OFFSET {most} LIMIT 1) """
COMMON, RARE = 0.02, 0.03
"""The shares of events from which on words are met soon enough in the order of all starts, and up
to which they are not."""
SOONEST = 3_000
"""How many events are looked at in that order, for words that are or may be common."""
LONG_WORD = 6
"""Letters of a beginning that not very many words have."""
_RAREST_FIRST = "ogctlw"
"""Organizers, places, cities, tags, countries, online: the kinds of facets by their letter."""


class PostgresqlParts(Parts):
    """The parts of a statement of PostgreSQL."""

    joins = "JOIN admissions AS a ON a.event_id = e.id JOIN users AS u ON u.id = e.organizer_id"
    find = "strpos"

    def arm(self, arm: Arm) -> str:
        """The part: which events come first in it."""
        if not self.is_indexed:
            return super().arm(arm)
        self.place = "f" if self._has_positions(arm) else "e"
        # All parts are of these files; what was asked for is in placeholders alone.
        found = f"SELECT {arm.tier} AS tier, value, row_id FROM ({self._found(arm)}) AS k"  # noqa: S608 - as said
        self.place = "e"
        return found

    def page(self, found: str) -> str:
        """What is shown of the events that all parts have found."""
        if not self.is_indexed:
            return found
        return (
            f"SELECT k.tier, k.value, k.row_id, {COLUMNS} FROM ({found}) AS k "  # noqa: S608 - as above
            f"JOIN events AS e ON e.id = k.row_id {self.joins} "
            f"ORDER BY k.tier, {self._order('k.value', 'k.row_id')}"
        )

    def source(self, arm: Arm) -> Source:
        """A facet, or all events in the order of their start."""
        if arm.lasting is None and not (self.wanted.facets or self.cells):
            return _BY_WORDS
        asks_words = bool(self._rest(arm)) or self.wanted.sort is Sort.RELEVANCE
        return replace(_BY_FACET, tables=f"{_BY_FACET.tables} {_AND_WORDS * asks_words}")

    def indexed(self, arm: Arm) -> list[str]:
        """What is asked of that source."""
        leading, rest = self._leading(arm), self._rest(arm)
        facets = [f"f.facet = {leading}"] if leading else []
        return [*facets, *([self._have(rest)] if rest else []), *self._tier(arm)]

    def text(self, text: str) -> str:
        """The placeholder with its type."""
        return f"{self.sql.value(text)}::text"

    def _found(self, arm: Arm) -> str:
        """The keys of the part's first events."""
        if self._goes_by_spans(arm):
            return self._by_spans(arm)
        found = self._keys(arm, self.source(arm), self.indexed(arm))
        if not self._goes_by_cell(arm):
            return found
        cells = f"unnest({self.text(_array(self.cells))}::text[]) AS c (cell)"
        return (
            f"SELECT p.* FROM {cells} CROSS JOIN LATERAL ({found}) AS p "  # noqa: S608 - as built here
            f"ORDER BY {self._order('value', 'row_id')} LIMIT {self.most()}"
        )

    def _keys(self, arm: Arm, source: Source, asked: Sequence[str]) -> str:
        """What the list is sorted by, of the first events of the source that all holds for."""
        conditions = [
            *asked,
            *self._times(arm, source),
            *self._others(),
            *self._behind(arm, source),
        ]
        value, row_id = self._key(source)
        return (
            f"SELECT {value} AS value, {row_id} AS row_id {source.tables} "
            f"{self._needed(source)} WHERE {' AND '.join(conditions or ['TRUE'])} "
            f"ORDER BY {self._order(value, row_id)} LIMIT {self.most()}"
        )

    def _needed(self, source: Source) -> str:
        """The tables without which it is not known whether an event is wanted."""
        wanted, joins = self.wanted, ""
        if wanted.is_online is False or (wanted.circle is not None and self.place == "e"):
            joins += f" JOIN events AS e ON e.id = {source.row_id}"
        if wanted.min_seats:
            joins += f" JOIN admissions AS a ON a.event_id = {source.row_id}"
        return joins

    def _by_spans(self, arm: Arm) -> str:
        """The soonest events of all first, then one span of time after the other.

        None is asked once the page is full.
        """
        if not self._has_start(arm):
            return self._within(arm, Span(()))
        after = self.begins_after(arm)
        ends = [each for each in (arm.until, self.wanted.until) if each is not None]
        followed = [self._within(arm, each) for each in spans(after, min(ends, default=None))]
        if self._is_rare(arm):
            return self._follow(followed)
        edge = _EDGE.format(after=self.sql.instant(after), most=self.sql.value(SOONEST))
        is_soon = "s.start_at <= coalesce((SELECT at FROM edge), 'infinity')"
        soonest = self._keys(arm, _BY_WORDS, [*self.indexed(arm), is_soon])
        return edge + self._follow([soonest, *followed])

    def _follow(self, parts: Sequence[str]) -> str:
        # Unsorted, as they follow each other: sorted, all would be asked.
        several = (f"SELECT * FROM ({part}) AS p{n}" for n, part in enumerate(parts))  # noqa: S608 - as built here
        return f"{' UNION ALL '.join(several)} LIMIT {self.most()}"

    def _within(self, arm: Arm, span: Span) -> str:
        """The keys of what begins in that span, by the inverted index."""
        column = "title" if self._by_title(arm) else "words"
        words, beside = self._by_inverted(arm)
        asked = self._tsquery([*words, *_any(span.lexemes, span.beginnings)])
        source = replace(_BY_WORDS, tables=_INVERTED.format(column=column, asked=asked))
        conditions = [self._have(beside)] if beside else []
        bounds = [(">=", span.begin), ("<", span.before)]
        conditions += [f"s.start_at {sign} {self.sql.instant(at)}" for sign, at in bounds if at]
        if self._has_start(arm) and not self._is_rare(arm):
            # Where the edge lies behind the span, nothing of it is asked.
            before = "'infinity'" if span.before is None else self.sql.instant(span.before)
            edge = "(SELECT at FROM edge)"
            conditions += [f"s.start_at > {edge}", f"{edge} < {before}"]
        return self._keys(arm, source, [*conditions, *self._tier(arm)])

    def _by_inverted(self, arm: Arm) -> tuple[list[str], list[str]]:
        """What the inverted index is asked, and what is asked of the events that it gives.

        A beginning is asked of every word that begins so: of a common one that is very much. It has
        lexemes for the first letters, and the rest is held against what was found.
        """
        facets = [*self._quoted(self.wanted.facets), *_any(self.cells)]
        words = list(zip(self.wanted.words, self._shares(arm), strict=True))
        exact = {n for n, (word, share) in enumerate(words) if _is_quick(word, share)}
        if not exact and (self._by_title(arm) or not facets):
            exact = {min(range(len(words)), key=lambda n: (words[n][1].least, -len(words[n][0])))}
        asked = [
            _as_lexemes(word, share.words) if n in exact else _as_lexeme(word[:LONGEST])
            for n, (word, share) in enumerate(words)
        ]
        beside = [_as_lexeme(word) for n, (word, _) in enumerate(words) if n not in exact]
        if self._by_title(arm):  # which has words alone
            return asked, facets
        return [*asked, *facets], beside

    def _goes_by_spans(self, arm: Arm) -> bool:
        """Whether the words lead the way: they are rarer than any facet is likely to be."""
        if not self.wanted.words or arm.lasting is not None:
            return False
        is_alone = not (self.wanted.facets or self.cells)
        return (is_alone and self._has_start(arm)) or not self._is_common(arm)

    def _has_start(self, arm: Arm) -> bool:
        sort = self.wanted.sort
        return arm.after is not None and sort in {Sort.START_TIME, Sort.RELEVANCE}

    def _shares(self, arm: Arm) -> Sequence[Share]:
        wanted = self.wanted
        known = wanted.shares_of_names if self._by_title(arm) else wanted.shares
        return known or [Share()] * len(wanted.words)

    def _is_common(self, arm: Arm) -> bool:
        return math.prod(share.least for share in self._shares(arm)) >= COMMON

    def _is_rare(self, arm: Arm) -> bool:
        """Whether what is asked for is not met soon in the order of all starts."""
        if self.wanted.facets or self.cells:
            return True
        return math.prod(share.most for share in self._shares(arm)) < RARE

    def _by_title(self, arm: Arm) -> bool:
        return self.wanted.sort is Sort.RELEVANCE and arm.tier == 0

    def _goes_by_cell(self, arm: Arm) -> bool:
        """Whether each cell is asked for its first events: all of them could be very many."""
        return self._leads_by_cells(arm) and self.wanted.sort is not Sort.DISTANCE

    def _leads_by_cells(self, arm: Arm) -> bool:
        """Whether they are likely rarer than any facet: only an organizer has fewer events."""
        facets = self._facets()
        is_led = bool(facets) and facets[0][1] == _RAREST_FIRST[0]
        return bool(self.cells) and arm.lasting is None and not is_led

    def _has_positions(self, arm: Arm) -> bool:
        """Whether what leads the way has positions, as search_index.PLACED says."""
        if self._goes_by_spans(arm):
            return False
        return arm.lasting is not None or self._leads_by_cells(arm)

    def _leading(self, arm: Arm) -> str:
        """The facet that leads the way, or nothing: few events are long."""
        if arm.lasting is not None:
            return self.text(lexemes.lasting(arm.lasting))
        if self._goes_by_cell(arm):
            return "c.cell"
        if self._leads_by_cells(arm):
            return f"ANY ({self.text(_array(self.cells))}::text[])"
        facets = self._facets()
        return self.text(facets[0]) if facets else ""

    def _rest(self, arm: Arm) -> list[str]:
        """What is asked of the words beside the facet that leads; a position tells of cells."""
        facets = self._facets()
        if arm.lasting is None and not self._leads_by_cells(arm):
            return [*self._words(), *self._quoted(facets[1:]), *_any(self.cells)]
        return [*self._words(), *self._quoted(facets)]

    def _words(self) -> list[str]:
        return [_as_lexeme(word) for word in self.wanted.words]

    def _facets(self) -> list[str]:
        """The facets, the one that is likely the rarest first; cells are asked for as one."""
        return sorted(self.wanted.facets, key=lambda facet: _RAREST_FIRST.index(facet[1]))

    def _quoted(self, facets: Sequence[str]) -> list[str]:
        return [f"'{facet}'" for facet in facets]

    def _have(self, parts: Sequence[str]) -> str:
        """Whether an event that is met has all that.

        In words that the inverted index is not for, which would read all that is common.
        """
        return f"(s.words @@ {self._tsquery(parts)}) IS TRUE"

    def _tsquery(self, parts: Sequence[str]) -> str:
        return f"{self.text(' & '.join(parts))}::tsquery"

    def _tier(self, arm: Arm) -> list[str]:
        if self.wanted.sort is not Sort.RELEVANCE:
            return []
        asked = f"s.title @@ {self._tsquery(self._words())}"
        return [f"NOT {asked}" if arm.tier else f"({asked}) IS TRUE"]


def _is_quick(word: str, share: Share) -> bool:
    """Whether the inverted index knows soon what has a word that begins so."""
    if len(word) <= LONGEST or share.words is not None:
        return True
    return len(word) >= LONG_WORD and share.least < COMMON


def _any(lexemes: Sequence[str], beginnings: Sequence[str] = ()) -> list[str]:
    """That one of them is there, or one that begins so, where there are any."""
    found = [*(f"'{each}'" for each in lexemes), *(f"'{each}':*" for each in beginnings)]
    return [f"({' | '.join(found)})"] if found else []


def _array(lexemes: list[str]) -> str:
    """As PostgreSQL writes an array; lexemes have no sign that would need a quote."""
    return "{" + ",".join(lexemes) + "}"


def _as_lexemes(word: str, words: Sequence[str] | None) -> str:
    """The words that begin so, where all are known."""
    return _any(words)[0] if words else _as_lexeme(word)


def _as_lexeme(word: str) -> str:
    if SHORTEST <= len(word) <= LONGEST:
        return f"'{BEGINNING}{word}'"
    return f"'{word}'" if is_whole_word(word) else f"'{word}':*"
