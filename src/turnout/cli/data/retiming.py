"""Goes through the events that are to come and finds their instants anew; says which moved."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from turnout import clock
from turnout.accounts.actor import SYSTEM
from turnout.audit.audit import Cause
from turnout.db import facts
from turnout.db.session import Database
from turnout.events import times
from turnout.registrations import retiming
from turnout.registrations.retiming import Retimed

FACT = "tzdata"
"""The name under which the database knows by which tz database its instants were found."""
PAGE = 500
LARGEST_SET = 100
"""Events that one transaction writes: others wait for it, some tenths of a second."""

_CAUSE = Cause(SYSTEM.standing)
Tell = Callable[[str], None]


@dataclass(slots=True)
class Summary:
    """How many events were looked at, how many moved, and how many contradict themselves then."""

    checked: int = 0
    moved: int = 0
    left: int = 0


async def at_start(database: Database, tell: Tell) -> None:
    """Find the instants anew if the database knows them by an older tz database.

    A database that knows none has only what this one has made (migration 0003 says so of others).
    By a newer one they stay: another server of the same installation has it already, and would be
    undone; `turnout data retime` does it on purpose.
    """
    async with database.read() as db:
        known = await facts.read(db, FACT)
    present = times.tzdata_version()
    if known is not None and known > present:
        tell(f"Times are by tz database {known}, and this server has {present}: bring it up to it.")
    if known is not None and known < present:
        found = await run(database, tell, dry_run=False)
        tell(f"Times: tz database {known} -> {present}. {said(found)}")
    if known is None or known < present:
        async with database.write() as db:
            await facts.advance(db, FACT, present)


async def on_purpose(database: Database, tell: Tell, *, dry_run: bool) -> Summary:
    """Find the instants anew, whatever tz database they were found by before."""
    found = await run(database, tell, dry_run=dry_run)
    if not dry_run:
        async with database.write() as db:
            await facts.write(db, FACT, times.tzdata_version())
    return found


async def run(database: Database, tell: Tell, *, dry_run: bool) -> Summary:
    """Go through all events that are to come, in the order of their ids."""
    summary, now, after = Summary(), clock.now(), None
    while True:
        async with database.read() as db:
            page = await retiming.page(db, now, after=after, limit=PAGE)
        summary.checked, after = summary.checked + page.checked, page.last
        for start in range(0, len(page.stale), LARGEST_SET):
            some = page.stale[start : start + LARGEST_SET]
            for each in await _set(database, some, dry_run=dry_run):
                summary.moved += each.refusal is None
                summary.left += each.refusal is not None
                tell("\n".join(_lines(each)))
        if page.checked < PAGE:
            return summary


async def _set(database: Database, event_ids: list[UUID], *, dry_run: bool) -> list[Retimed]:
    if dry_run:
        async with database.read() as db:
            return await retiming.look(db, event_ids, clock.now())
    async with database.write() as db:
        return await retiming.retime(db, _CAUSE, event_ids, clock.now())


def said(summary: Summary) -> str:
    """The summary as one line."""
    counts = (("Checked", summary.checked), ("Moved", summary.moved), ("Left alone", summary.left))
    return ", ".join(f"{what}: {count:,}" for what, count in counts)


def _lines(event: Retimed) -> Iterator[str]:
    yield f"{event.id}  {event.name} ({event.timezone})"
    if event.refusal is not None:
        yield f"  left alone: {event.refusal}"
    for move in event.moves:
        old, new = (
            f"{each.local.isoformat()} ({each.instant.isoformat()})"
            for each in (move.old, move.new)
        )
        yield f"  {move.field}: {old} -> {new}"
