"""What is due by the clock: reminders, changes that have settled, and what is to be forgotten."""

from datetime import datetime, timedelta

from turnout import clock
from turnout.notifications import announcements, reminders, retention, tidying
from turnout.places import cache
from turnout.runtime import Runtime

LARGEST_SET = 200
"""People who are anonymized in one transaction: on SQLite others wait for its end."""
OUTBOX_KEPT = timedelta(days=90)


async def keep(runtime: Runtime) -> bool:
    """Write the messages whose time has come; whether there may be more."""
    now, database = clock.now(), runtime.database
    async with database.read() as db:
        is_due = await announcements.is_any_due(db, now) or await reminders.is_any_due(db, now)
    if not is_due:
        return False
    async with database.write() as db:
        settled = await announcements.settle_due(db, now)
    async with database.write() as db:
        reminded = await reminders.call_due(db, now)
    return settled == announcements.LARGEST_SET or reminded == reminders.LARGEST_SET


async def tidy(runtime: Runtime) -> bool:
    """Remove what has expired, a little at a time; whether there may be more."""
    now, database = clock.now(), runtime.database
    async with database.write() as db:
        await cache.forget_expired(db, now)
    async with database.write() as db:
        is_more = await tidying.tidy(db, now - OUTBOX_KEPT)
    return await _anonymize(runtime, now) or is_more


async def _anonymize(runtime: Runtime, now: datetime) -> bool:
    """Take people out of events that are long over; whether there may be more."""
    days, database = runtime.settings.retention_days, runtime.database
    if not days:
        return False
    async with database.read() as db:
        if not await retention.is_any_left(db, days, now):
            return False
    async with database.write() as db:
        done = await retention.anonymize_past(db, days, now, LARGEST_SET)
    return done >= LARGEST_SET
