"""How common words are, as PostgreSQL's own statistics say: it decides how they are looked for.

The planner knows it of whole words and not of their beginnings, for which it takes one figure that
is wrong for most: a rare beginning was looked for among all events, 4 seconds long.
"""

import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

from turnout.db.session import Database
from turnout.discovery.wanted import Share, Wanted
from turnout.events.search_index import BEGINNING, LONGEST, SHORTEST

KEPT_SECONDS = 300.0
MOST_BEGUN = 8
"""Words with one beginning that are asked about each by itself: of more, the inverted index gives
all that the beginning has sooner than each event that has one of them."""
_LAST = "\U0010ffff"
_STATISTICS = (
    "SELECT attname, most_common_elems::text::text[], most_common_elem_freqs FROM pg_stats "
    "WHERE schemaname = 'public' AND tablename = 'event_search' AND attname IN ('words', 'title')"
)

_BEGUN = f"""SELECT beginning, term FROM unnest($1::text[]) AS beginning
CROSS JOIN LATERAL (SELECT DISTINCT term FROM event_terms
    WHERE term >= beginning AND term < beginning || '{_LAST}'
    ORDER BY term LIMIT {MOST_BEGUN + 1}) AS begun"""  # noqa: S608 - constants of this file


class _Shares:
    """The commonest lexemes of a column with the shares of events that have them there."""

    def __init__(self, lexemes: Sequence[str], shares: Sequence[float]) -> None:
        self._shares = dict(zip(lexemes, shares, strict=False))
        self._words = sorted(self._shares)
        # Whatever is not among them is rarer.
        self._least = min(self._shares.values(), default=1.0)

    def of(self, beginning: str, words: tuple[str, ...] | None) -> Share:
        """The share of events that have a word with this beginning there: one of `words`."""
        if len(beginning) <= LONGEST:
            return self._of_lexeme(as_kept(beginning))
        if words is not None:
            each = [self._of_lexeme(word) for word in words]
            least, most = sum(share.least for share in each), sum(share.most for share in each)
            return Share(min(1.0, least), min(1.0, most), words)
        first = bisect_left(self._words, beginning)
        last = bisect_left(self._words, beginning + _LAST)
        known = min(1.0, sum(self._shares[word] for word in self._words[first:last]))
        longer = self._of_lexeme(as_kept(beginning[:LONGEST]))
        return Share(known, max(known, longer.most))

    def _of_lexeme(self, lexeme: str) -> Share:
        share = self._shares.get(lexeme)
        return Share(0.0, self._least) if share is None else Share(share, share)


def as_kept(beginning: str) -> str:
    """The lexeme of a beginning of at most LONGEST letters: one letter is a word."""
    return beginning if len(beginning) < SHORTEST else BEGINNING + beginning


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

    async def hinted(self, database: Database, wanted: Wanted) -> Wanted:
        """The same, with what is known of its words."""
        begun = await _begun(database, wanted.words)
        in_words, in_title = (
            tuple(self._columns[name].of(word, begun.get(word)) for word in wanted.words)
            for name in ("words", "title")
        )
        return replace(wanted, shares=in_words, shares_of_names=in_title)


async def _begun(database: Database, beginnings: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """By longer beginnings, the words that there are with them; without those that have many."""
    asked = [each for each in beginnings if len(each) > LONGEST]
    if not asked:
        return {}
    found: dict[str, list[str]] = {each: [] for each in asked}
    for beginning, word in await database.lists.fetch(_BEGUN, (asked,)):
        found[beginning].append(word)
    return {each: tuple(words) for each, words in found.items() if len(words) <= MOST_BEGUN}


_KNOWN: WeakKeyDictionary[Database, Frequencies] = WeakKeyDictionary()


async def of(database: Database) -> Frequencies:
    """Those of that database."""
    known = _KNOWN.setdefault(database, Frequencies())
    await known.refresh(database)
    return known
