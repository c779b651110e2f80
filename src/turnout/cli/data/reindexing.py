"""Goes through all events and derives anew what they are found by; it must not know how."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from turnout.db.session import Database
from turnout.events import reindexing

PAGE = 200
"""Events that are written in one transaction: others who write wait for no more than these."""


@dataclass(frozen=True, slots=True)
class Reindexed:
    """How many events there are, and how many of them changed."""

    events: int
    changed: int


async def reindex(
    database: Database, on_page: Callable[[int], None], *, page_size: int = PAGE
) -> Reindexed:
    """Derive every event anew; `on_page` is told how many more were looked at.

    Nothing is lost when it ends early: a second run finds what is right already.
    """
    events, changed = 0, 0
    after: UUID | None = None
    while True:
        async with database.read() as db:
            rows = await reindexing.page(db, after=after, limit=page_size)
        changed += await _renew(database, reindexing.stale(rows))
        events += len(rows)
        on_page(len(rows))
        if len(rows) < page_size:
            return Reindexed(events, changed)
        after = rows[-1].id


async def _renew(database: Database, stale: list[reindexing.Stale]) -> int:
    if not stale:
        return 0
    async with database.write() as db:
        return await reindexing.renew(db, stale)
