"""The product with the lock on an event's seats taken out: the control of the races.

What a race finds with the lock in place says nothing until the same race finds a fault without it.
`take_out` removes the row lock from the database's own function; run as a program this module is
`turnout serve` with a writer on SQLite that begins without the lock.
"""

import re
import sys

import asyncpg

from turnout.cli import main
from turnout.db import driver, engines

_LOCK = re.compile(r" FOR UPDATE( SKIP LOCKED)?")
_FUNCTION = "SELECT pg_get_functiondef('lock_seats'::regproc)"


async def take_out(database_url: str) -> None:
    """Take the row lock out of a PostgreSQL database; on SQLite the lock is in the process."""
    if engines.is_sqlite(database_url):
        return
    connection = await asyncpg.connect(database_url)
    try:
        unlocked, locks = _LOCK.subn("", await connection.fetchval(_FUNCTION))
        assert locks > 0, "the lock is elsewhere by now"
        await connection.execute(unlocked)
    finally:
        await connection.close()


def begin_without_the_lock() -> None:
    """Let a writer on SQLite begin as a reader, which becomes a writer when it first writes."""
    assert driver.BEGIN_WRITING == "BEGIN IMMEDIATE", "the lock is elsewhere by now"
    driver.BEGIN_WRITING = "BEGIN"


if __name__ == "__main__":
    begin_without_the_lock()
    sys.argv[1:1] = ["serve", "--open"]
    main.run()
