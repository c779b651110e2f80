"""Writes rows into the database, some hundreds a transaction; it must not know files.

Each set is in whole or not at all, and what is in is known by its key: a second import changes
nothing, and one that was interrupted goes on where it stopped.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from turnout import clock, ids
from turnout.accounts.actor import SYSTEM, Actor
from turnout.audit.audit import Cause
from turnout.cli.data import exact
from turnout.cli.data.records import Refused, Skipped, Taken
from turnout.db.session import Database, Db
from turnout.discovery import everything
from turnout.errors import Invalid
from turnout.events import service as events
from turnout.registrations import service as registrations

LARGEST_SET = 250
MOST_TRIES = 5

Owner = Callable[[Db, datetime], Awaitable[Actor]]
"""Finds or makes the account that will own the events, in the transaction that needs it."""


@dataclass
class Outcome:
    """What became of the rows."""

    taken: list[Taken] = field(default_factory=list)
    known: list[Taken] = field(default_factory=list)
    """Those that an import, or the API, had made before."""
    refused: list[Refused] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


async def write(
    database: Database,
    owner: Owner,
    rows: Sequence[Taken],
    *,
    dry_run: bool = False,
    on_set: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """Make events of those rows that are none yet; `on_set` is told how many rows are done.

    With `dry_run` all is written and rolled back again, so that it finds what a real run would.
    """
    outcome = Outcome()
    for part in _parts(rows, LARGEST_SET):
        await _write(database, owner, part, outcome, dry_run=dry_run)
        on_set(len(part))
    return outcome


async def _write(
    database: Database, owner: Owner, rows: Sequence[Taken], outcome: Outcome, *, dry_run: bool
) -> None:
    try:
        await _write_set(database, owner, rows, outcome, dry_run=dry_run)
    except Invalid as error:
        if len(rows) == 1:
            outcome.refused.append(exact.refusal_of(rows[0], error))
            return
        # One bad row never fails its neighbours.
        for row in rows:
            await _write(database, owner, [row], outcome, dry_run=dry_run)


async def _write_set(
    database: Database, owner: Owner, rows: Sequence[Taken], outcome: Outcome, *, dry_run: bool
) -> None:
    for left in reversed(range(MOST_TRIES)):
        fresh: list[Taken] = []
        try:
            async with database.write() as db:
                known = await _known(db, rows)
                fresh = [row for row in rows if row.key not in known]
                await _host(db, owner, fresh)
                if dry_run:
                    await db.rollback()
        except IntegrityError:
            # PostgreSQL lets two imports look at once, and the unique key then stops one of them:
            # on the next look it sees what the other has made.
            if not left:
                raise
            continue
        outcome.taken += fresh
        outcome.known += [row for row in rows if row.key in known]
        return


async def _host(db: Db, owner: Owner, rows: Sequence[Taken]) -> None:
    if not rows:
        return
    now = clock.now()
    actor, cause = await owner(db, now), Cause(SYSTEM.standing)
    await registrations.host(db, actor, cause, [(row.event, row.admission) for row in rows], now)


async def _known(db: Db, rows: Sequence[Taken]) -> set[str]:
    """The keys of rows that are events here: by import, or by id if they were made otherwise."""
    keys = [row.key for row in rows]
    wanted = [found for key in keys if (found := ids.parse_id(key)) is not None]
    known = await everything.known_ids(db, wanted)
    return await events.known_import_keys(db, keys) | {str(each) for each in known}


def _parts(rows: Sequence[Taken], size: int) -> Iterator[Sequence[Taken]]:
    return (rows[first : first + size] for first in range(0, len(rows), size))
