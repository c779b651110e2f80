"""How PostgreSQL is asked for words and facets.

A facet has its events in the order of their start; rare words have an inverted index; and what is
common is met soon enough in the order of all starts. Which words are common, the statistics of the
database tell (frequencies.py): its planner takes one figure for all beginnings of words.
"""

from dataclasses import replace

from turnout.discovery.search_parts import Arm, Parts, Source, is_whole_word
from turnout.discovery.wanted import Sort
from turnout.events.search_index import BEGINNING, LONGEST, SHORTEST

_BY_WORDS = Source(
    "FROM event_search AS s JOIN events AS e ON e.id = s.event_id",
    start="s.start_at",
    row_id="s.event_id",
    end="s.end_at",
)
# What comes out of a subquery with OFFSET is found first, whatever is wanted of it.
_RARE = """FROM (SELECT * FROM (
SELECT event_id, start_at, end_at, title, words FROM event_search WHERE {asked} OFFSET 0) AS r
ORDER BY start_at {order}, event_id {order} OFFSET 0) AS s JOIN events AS e ON e.id = s.event_id"""
_SOONEST = """FROM (SELECT event_id, start_at, end_at, title, words FROM event_search
WHERE start_at > {after} ORDER BY start_at, event_id LIMIT {most}) AS s
JOIN events AS e ON e.id = s.event_id"""
_BY_FACET = Source(
    "FROM event_facets AS f JOIN events AS e ON e.id = f.event_id",
    start="f.start_at",
    row_id="f.event_id",
)
_BY_BOTH = Source(
    "FROM event_facets AS f JOIN event_search AS s ON s.event_id = f.event_id "
    "JOIN events AS e ON e.id = f.event_id",
    start="f.start_at",
    row_id="f.event_id",
    end="s.end_at",
)
SOONEST = 3_000
"""Events in which words are looked for before all events are asked."""
_RAREST_FIRST = "ogctlw"
"""Organizers, places, cities, tags, countries, online: the kinds of facets by their letter."""


class PostgresqlParts(Parts):
    """The parts of a statement of PostgreSQL."""

    joins = "JOIN admissions AS a ON a.event_id = e.id JOIN users AS u ON u.id = e.organizer_id"
    find = "strpos"

    def arm(self, arm: Arm) -> str:
        """The part; of a circle the first of each of its cells, and the first of these."""
        statement = super().arm(arm)
        if not self._goes_by_cell(arm):
            return statement
        cells = f"unnest({self.text(_array(self.cells))}::text[]) AS c (cell)"
        order = "value DESC, row_id DESC" if self.is_descending else "value, row_id"
        limit = self.sql.value(self.limit)
        return (
            f"SELECT p.* FROM {cells} CROSS JOIN LATERAL ({statement}) AS p "  # noqa: S608 - as built here
            f"ORDER BY {order} LIMIT {limit}"
        )

    def source(self, arm: Arm) -> Source:
        """Few long events, rare words, a facet: whatever is likely the rarest leads the way."""
        if self._is_among_soonest(arm):
            after = self.sql.instant(self.begins_after(arm))
            tables = _SOONEST.format(after=after, most=self.sql.value(SOONEST))
            return replace(_BY_WORDS, tables=tables)
        if self._is_rare(arm):
            order = "DESC" if self.wanted.sort is Sort.LATEST else "ASC"
            return replace(_BY_WORDS, tables=_RARE.format(asked=self._rare(arm), order=order))
        if arm.lasting is not None or not (self.wanted.facets or self.cells):
            return _BY_WORDS
        return _BY_BOTH if self._rest() else _BY_FACET

    def indexed(self, arm: Arm) -> list[str]:
        """What is asked of that source."""
        if self._is_rare(arm) and not self._is_among_soonest(arm):
            return (
                [self._have(self._all()), *self._tier(arm)]
                if self._by_title(arm)
                else [*self._tier(arm)] or ["TRUE"]
            )
        if arm.lasting is not None or not (self.wanted.facets or self.cells):
            return [*self._long(arm), self._have(self._all()), *self._tier(arm)]
        rest = self._rest()
        asked = [self._have(rest)] if rest else []
        return [f"f.facet = {self._leading(arm)}", *asked, *self._tier(arm)]

    def _is_rare(self, arm: Arm) -> bool:
        """Whether the words are best looked for by themselves, and sorted then."""
        wanted = self.wanted
        is_common = wanted.is_common_name if self._by_title(arm) else wanted.is_common
        return bool(wanted.words) and not is_common and arm.lasting is None

    def _by_title(self, arm: Arm) -> bool:
        return self.wanted.sort is Sort.RELEVANCE and arm.tier == 0

    def _is_among_soonest(self, arm: Arm) -> bool:
        return self.wanted.is_among_soonest and arm.lasting is None

    def _rare(self, arm: Arm) -> str:
        if self._by_title(arm):
            return f"title @@ {self._tsquery(self._words())}"
        return f"words @@ {self._tsquery(self._all())}"

    def _goes_by_cell(self, arm: Arm) -> bool:
        """Whether each cell is asked for its first events: all of them could be very many."""
        is_led = self._leads_by_cells() and self.is_indexed
        is_few = arm.lasting is not None or self._is_rare(arm)
        return is_led and not is_few and self.wanted.sort is not Sort.DISTANCE

    def _have(self, parts: list[str]) -> str:
        """Whether an event that is met has all that.

        In words that the inverted index is not for, which would read all that is common.
        """
        return f"(s.words @@ {self._tsquery(parts)}) IS TRUE"

    def text(self, text: str) -> str:
        """The placeholder with its type."""
        return f"{self.sql.value(text)}::text"

    def _long(self, arm: Arm) -> list[str]:
        return [] if arm.lasting is None else [f"s.lasting = {arm.lasting}"]

    def _facets(self) -> list[str]:
        """The facets, the one that is likely the rarest first; cells are asked for as one."""
        return sorted(self.wanted.facets, key=lambda facet: _RAREST_FIRST.index(facet[1]))

    def _leads_by_cells(self) -> bool:
        facets = self._facets()
        return bool(self.cells) and not (facets and facets[0][1] == _RAREST_FIRST[0])

    def _leading(self, arm: Arm) -> str:
        if self._goes_by_cell(arm):
            return "c.cell"
        if self._leads_by_cells():
            return f"ANY ({self.text(_array(self.cells))}::text[])"
        return self.text(self._facets()[0])

    def _rest(self) -> list[str]:
        """What is asked of the words beside the facet that leads."""
        facets = self._facets()
        others = facets if self._leads_by_cells() else facets[1:]
        cells = [] if self._leads_by_cells() else self._any_cell()
        return [*self._words(), *(f"'{facet}'" for facet in others), *cells]

    def _all(self) -> list[str]:
        return [*self._words(), *(f"'{each}'" for each in self.wanted.facets), *self._any_cell()]

    def _words(self) -> list[str]:
        return [_as_lexeme(word) for word in self.wanted.words]

    def _any_cell(self) -> list[str]:
        cells = " | ".join(f"'{cell}'" for cell in self.cells)
        return [f"({cells})"] if cells else []

    def _tsquery(self, parts: list[str]) -> str:
        return f"{self.text(' & '.join(parts))}::tsquery"

    def _tier(self, arm: Arm) -> list[str]:
        if self.wanted.sort is not Sort.RELEVANCE:
            return []
        asked = f"s.title @@ {self._tsquery(self._words())}"
        return [f"NOT {asked}" if arm.tier else f"({asked}) IS TRUE"]


def _array(lexemes: list[str]) -> str:
    """As PostgreSQL writes an array; lexemes have no sign that would need a quote."""
    return "{" + ",".join(lexemes) + "}"


def _as_lexeme(word: str) -> str:
    if SHORTEST <= len(word) <= LONGEST:
        return f"'{BEGINNING}{word}'"
    return f"'{word}'" if is_whole_word(word) else f"'{word}':*"
