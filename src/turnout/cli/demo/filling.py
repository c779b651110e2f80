"""Makes the demo's database, or finds it made; it must not know how it is served."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from turnout import clock
from turnout.accounts import service as accounts
from turnout.cli.data import files, importing, progress, rows
from turnout.cli.data.files import Form
from turnout.cli.data.records import Taken
from turnout.cli.demo import crowd, moving
from turnout.db import facts
from turnout.db.session import Database
from turnout.discovery import search
from turnout.discovery.wanted import Wanted
from turnout.events.zones import UTC_NAME
from turnout.migrations import schema
from turnout.places import gazetteer

FEWEST_AHEAD = 300
"""With fewer events ahead a demo is made anew."""

MOST_COUNTED = 2_000

FACT = "demo"
"""Its value is the day on which the demo was finished; without it one was interrupted."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was found or made: how many listed events lie ahead, and whether it is new."""

    ahead: int
    is_new: bool


async def prepare(path: Path, say: Callable[[str], None]) -> Made:
    """The demo's database in the file `path`, complete and with enough ahead."""
    if schema.exists(_url(path)):
        ahead = await _ahead_if_complete(path)
        if ahead >= FEWEST_AHEAD:
            return Made(ahead, is_new=False)
        if ahead:
            say(f"Only {ahead} of the demo's events lie ahead: it is made anew.")
            remove(path)
    say("Making the demo's database; this takes some seconds, once.")
    await schema.upgrade(_url(path))
    database = Database(_url(path))
    try:
        return Made(await _fill(database), is_new=True)
    finally:
        await database.aclose()


def remove(path: Path) -> None:
    """Remove an SQLite database with what belongs to it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def shipped() -> list[Taken]:
    """The conferences that come with the product, on their own dates."""
    packed = resources.files("turnout.cli").joinpath("demo", "conferences.json.gz").read_bytes()
    raw = files.read(gzip.decompress(packed), Form.JSON)
    with progress.bar("Reading", len(raw)) as advance:
        read = []
        for row in rows.read(raw, gazetteer.load(), UTC_NAME):
            advance(1)
            if isinstance(row, Taken):
                read.append(row)
    return read


async def _ahead_if_complete(path: Path) -> int:
    """How many events lie ahead; 0 for a demo that was not finished."""
    await schema.upgrade(_url(path))
    database = Database(_url(path))
    try:
        async with database.read() as db:
            if await facts.read(db, FACT) is None:
                return 0
        return await _ahead(database)
    finally:
        await database.aclose()


async def _fill(database: Database) -> int:
    """Everything in it; what an interrupted start has left is gone on with."""
    now = clock.now()
    conferences = shipped()
    by_weeks = moving.weeks([row.event.start.local.date() for row in conferences], now.date())
    moved = [moving.moved(row, by_weeks) for row in conferences]
    with progress.bar("Writing", len(moved)) as advance:
        await importing.write(database, accounts.built_in_organizer, moved, on_set=advance)
    await crowd.come(database, now)
    async with database.write() as db:
        await facts.write(db, FACT, now.date().isoformat())
    return await _ahead(database)


async def _ahead(database: Database) -> int:
    ahead = Wanted(since=clock.now())
    return len(await search.search(database, ahead, after=None, limit=MOST_COUNTED))


def _url(path: Path) -> str:
    return f"sqlite:///{path}"
