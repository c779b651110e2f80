"""Looks up where events are, one after the other. Knows neither geocoders nor tables."""

import random
from datetime import timedelta

from turnout import clock
from turnout.events import placing
from turnout.events.placing import Claim
from turnout.places.candidates import Candidate
from turnout.places.geocoding import GeocodingFailed
from turnout.runtime import Runtime

MOST_TRIES = 8
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
GROWTH = 3
"""Of the wait from try to try: eight of them last past a quota that is counted by the day."""
JITTER = 0.25
"""How much shorter a wait may be, so that many events do not all come back at once."""


async def look_up_all(runtime: Runtime) -> int:
    """Look up every event that is due, and say how many were."""
    done = 0
    while await look_up_one(runtime):
        done += 1
    return done


async def look_up_one(runtime: Runtime) -> bool:
    """Look up the event that has waited for the longest time; False where none is due."""
    now = clock.now()
    async with runtime.database.read() as db:
        # Before anything is locked: most often there is nothing.
        is_due = await placing.is_any_due(db, now)
    if not is_due:
        return False
    async with runtime.database.write() as db:
        claimed = await placing.claim(db, now)
    if claimed is None:
        return False
    await _look_up(runtime, claimed)
    return True


async def _look_up(runtime: Runtime, claimed: Claim) -> None:
    """Ask outside of any transaction, then write what became of it."""
    try:
        found = await _ask(runtime, claimed)
    except GeocodingFailed:
        await _postpone(runtime, claimed)
        return
    async with runtime.database.write() as db:
        if found is None:
            await placing.look_again(db, claimed, None)
        else:
            await placing.place(db, claimed, found, clock.now())


async def _ask(runtime: Runtime, claimed: Claim) -> Candidate | None:
    """Where the event is, or None; raises GeocodingFailed where it is worth another try."""
    geocoder, location, timezone = runtime.geocoder, claimed.location, claimed.timezone
    if claimed.tries <= MOST_TRIES:  # one more is of an event whose workers did not live to tell
        try:
            return await geocoder.locate(location, timezone, clock.now())
        except GeocodingFailed as error:
            if not error.is_permanent and claimed.tries < MOST_TRIES:
                raise
    return await geocoder.guess(location, timezone)


async def _postpone(runtime: Runtime, claimed: Claim) -> None:
    at = clock.now() + wait_after(claimed.tries)
    async with runtime.database.write() as db:
        await placing.look_again(db, claimed, at)


def wait_after(tries: int) -> timedelta:
    """How long to wait after so many tries have failed: 1 minute and growing, at most 6 hours."""
    wait = min(FIRST_WAIT * float(GROWTH) ** (tries - 1), LONGEST_WAIT)
    return wait * random.uniform(1 - JITTER, 1)  # noqa: S311 - spreads load, keeps no secret
