"""How common words are, as PostgreSQL's own statistics say: it decides how they are looked for.

The planner knows it of whole words and not of their beginnings, for which it takes one figure that
is wrong for most: a rare beginning was looked for among all events, 4 seconds long.
"""

import time
from bisect import bisect_left
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from turnout.db.session import Database
from turnout.events.search_index import BEGINNING, LONGEST, SHORTEST

COMMON = 0.004
"""The share of events from which on a word is met soon enough in the order of their starts."""
KEPT_SECONDS = 300.0
_LAST = "\U0010ffff"
_STATISTICS = (
    "SELECT attname, most_common_elems::text::text[], most_common_elem_freqs FROM pg_stats "
    "WHERE schemaname = 'public' AND tablename = 'event_search' AND attname IN ('words', 'title')"
)


class _Shares:
    """The commonest lexemes of a column with the shares of events that have them there."""

    def __init__(self, lexemes: Sequence[str], shares: Sequence[float]) -> None:
        self._shares = dict(zip(lexemes, shares, strict=False))
        self._words = sorted(self._shares)

    def of(self, beginning: str) -> float:
        """The share of events that have a word with this beginning there, 1 or more for all."""
        if len(beginning) < SHORTEST:
            return self._shares.get(beginning, 0.0)
        if len(beginning) <= LONGEST:
            return self._shares.get(BEGINNING + beginning, 0.0)
        first = bisect_left(self._words, beginning)
        last = bisect_left(self._words, beginning + _LAST)
        return sum(self._shares[word] for word in self._words[first:last])


class Frequencies:
    """How common lexemes were lately, in events and in the names of events."""

    def __init__(self) -> None:
        self._columns = {"words": _Shares([], []), "title": _Shares([], [])}
        self._until = 0.0

    async def refresh(self, database: Database) -> None:
        """Ask again what is older than five minutes."""
        if time.monotonic() < self._until:
            return
        self._until = time.monotonic() + KEPT_SECONDS
        for column, lexemes, shares in await database.lists.fetch(_STATISTICS, ()):
            if lexemes is not None:  # an empty table has none
                self._columns[column] = _Shares(lexemes, shares)

    def are_common(self, words: Sequence[str]) -> bool:
        """Whether events that have a word with each of these beginnings are met soon."""
        return self._are_common("words", words)

    def are_common_in_names(self, words: Sequence[str]) -> bool:
        """Whether events that have them in their names are."""
        return self._are_common("title", words)

    def _are_common(self, column: str, words: Sequence[str]) -> bool:
        share = 1.0
        for word in words:
            share *= min(1.0, self._columns[column].of(word))
        return share >= COMMON


_KNOWN: WeakKeyDictionary[Database, Frequencies] = WeakKeyDictionary()


async def of(database: Database) -> Frequencies:
    """Those of that database."""
    known = _KNOWN.setdefault(database, Frequencies())
    await known.refresh(database)
    return known
