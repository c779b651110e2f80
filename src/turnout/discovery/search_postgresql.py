"""How PostgreSQL is asked for words and facets: whichever index the planner finds cheapest.

A facet has its events in the order of their start, words have an inverted index, and both can be
left for the order of starts where what is wanted is common.
"""

from turnout.discovery.search_parts import Arm, Parts, Source, is_whole_word
from turnout.discovery.wanted import Sort
from turnout.events.search_index import BEGINNING, LONGEST, SHORTEST

_BY_WORDS = Source(
    "FROM event_search AS s JOIN events AS e ON e.id = s.event_id",
    start="s.start_at",
    row_id="s.event_id",
    end="s.end_at",
)
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
_RAREST_FIRST = "ogctlw"
"""Organizers, places, cities, tags, countries, online: the kinds of facets by their letter."""


class PostgresqlParts(Parts):
    """The parts of a statement of PostgreSQL."""

    joins = "JOIN admissions AS a ON a.event_id = e.id JOIN users AS u ON u.id = e.organizer_id"
    find = "strpos"

    def source(self, arm: Arm) -> Source:
        """The few long events by their own index, all others by a facet where there is one."""
        if arm.lasting is not None or not (self.wanted.facets or self.cells):
            return _BY_WORDS
        return _BY_BOTH if self._rest() else _BY_FACET

    def indexed(self, arm: Arm) -> list[str]:
        """What is asked of that source."""
        source = self.source(arm)
        if source is _BY_WORDS:
            return [*self._long(arm), f"s.words @@ {self._tsquery(self._all())}", *self._tier(arm)]
        rest = self._rest()
        asked = [f"s.words @@ {self._tsquery(rest)}"] if rest else []
        return [f"f.facet = {self._leading()}", *asked, *self._tier(arm)]

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

    def _leading(self) -> str:
        if self._leads_by_cells():
            return f"ANY ({self.sql.value('{' + ','.join(self.cells) + '}')}::text::text[])"
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
        return [f"NOT {asked}" if arm.tier else asked]


def _as_lexeme(word: str) -> str:
    if SHORTEST <= len(word) <= LONGEST:
        return f"'{BEGINNING}{word}'"
    return f"'{word}'" if is_whole_word(word) else f"'{word}':*"
