"""The races that prove the promises about seats, and what they found; the tests run a few seeds."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from tests.db import rows
from tests.races import race, verdict
from tests.races.race import Plan

from turnout.accounts.models import User
from turnout.db.session import Database

CAPACITIES = (1, 7, 50)
KEYED_CAPACITIES = (25, 100)
"""Of 40 people: some are refused, or nobody is."""


@dataclass
class Tally:
    """How many races and requests there were, and each broken promise by its race."""

    races: int = 0
    requests: int = 0
    seats: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, finish: race.Finish, found: list[str]) -> None:
        """Count one race."""
        self.races += 1
        self.requests += len(finish.asked)
        self.seats += finish.event["seats_taken"]
        if found:
            self.faults[name] = found


async def capacity(ports: Sequence[int], seats: int, seeds: int) -> Tally:
    """The races for so many seats, each seed with and without a waitlist."""
    tally = Tally()
    for seed in range(seeds):
        for waitlist in (False, True):
            finish = await race.run(ports, Plan(seed, seats, waitlist=waitlist))
            name = f"seed {seed}, {'with' if waitlist else 'without'} a waitlist"
            tally.add(name, finish, verdict.faults(finish))
    return tally


async def keyed(ports: Sequence[int], seeds: int) -> Tally:
    """The races in which each request is sent several times at once, under one key."""
    tally = Tally()
    for seed in range(seeds):
        for seats in KEYED_CAPACITIES:
            finish, replies = await race.run_keyed(ports, Plan(seed, seats))
            found = verdict.faults(finish, repeated=True) + verdict.keyed_faults(replies)
            tally.add(f"seed {seed}, {seats} seats", finish, found)
    return tally


async def control(ports: Sequence[int], tries: int) -> list[str]:
    """The faults of the first race, of `tries` at most, that has any.

    A race in which nobody at all got a seat shows a server that is broken, not one that races.
    """
    for seed in range(tries):
        finish = await race.run(ports, Plan(seed, CAPACITIES[seed % 3], waitlist=seed % 2 == 1))
        found = verdict.faults(finish)
        if found and finish.attendees:
            return found
    return []


async def drifts(database_url: str) -> list[str]:
    """What a recount of every event finds wrong."""
    database = Database(database_url)
    try:
        return await rows.drifts(database)
    finally:
        await database.aclose()


async def accounts(database_url: str) -> list[str]:
    """Whom the servers made when they all started at once on an empty database."""
    database = Database(database_url)
    try:
        found = await rows.read(database, select(User.email).order_by(User.email))
        return [email for (email,) in found]
    finally:
        await database.aclose()
