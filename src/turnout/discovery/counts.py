"""How many events there are of some kind, counted up to a bound: it decides how SQLite is asked.

Where one word is rare, or few long events are going on, words are looked for in these rows. To meet
in the index, each word that begins with a common one would be read as far as they reach, by itself.
SQLite keeps no statistics that could tell.
"""

from dataclasses import replace

from turnout.db.direct import Statement
from turnout.db.session import Database
from turnout.discovery import search_sql
from turnout.discovery.search_sqlite import SqliteParts
from turnout.discovery.wanted import Sort, Wanted

FEW = 600
"""Rows that are read to look for words in them."""


async def hinted(database: Database, wanted: Wanted) -> Wanted:
    """What is wanted, with what was counted of it."""
    sql = Statement(is_sqlite=True)
    # By words and times alone: what else is wanted leaves even fewer.
    parts = SqliteParts(Wanted(wanted.since, wanted.until), sql, None, FEW)
    ahead, *long = search_sql.arms(wanted, 0)
    words = wanted.words if len(wanted.words) > 1 else ()
    after = None if wanted.sort is Sort.DISTANCE else ahead.after
    counts = [parts.count_word(word, after, FEW) for word in words]
    counts += [parts.count_in(arm, FEW) for arm in long]
    if not counts:
        return wanted
    [found] = await database.searches.fetch(f"SELECT {', '.join(counts)}", sql.values)
    fewest, rarest = min(zip(found, words, strict=False), default=(FEW, None))
    return replace(
        wanted,
        rare_word=rarest if fewest < FEW else None,
        are_few_long=sum(found[len(words) :]) < FEW,
    )
