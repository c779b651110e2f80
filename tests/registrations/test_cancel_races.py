"""Many cancel, register and move up at once, from several processes' connections.

The control takes the lock out, and then the same races find faults.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from tests.db import rows
from tests.races import unlocked
from tests.registrations import crowd, scene
from tests.registrations.crowd import Process
from tests.support.app import RunningApp, running

from turnout.db.session import Database
from turnout.outbox.models import OutboxMessage
from turnout.registrations import statements
from turnout.registrations.models import Admission
from turnout.registrations.seats import Seats
from turnout.settings import Settings

SEEDS = 20
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def test_cancel_of_the_same_registration_many_times_at_once_frees_one_seat(
    closed_app: RunningApp, closed_settings: Settings
) -> None:
    """By its guest and its organizer, at two servers; a seat too many would go to the next ones."""
    stage = await scene.stage(closed_app, max_capacity=3, waitlist_enabled=True)
    made = await stage.guests(9)
    said, recorded = len(await stage.messages()), len(await stage.audit())

    async with running(closed_settings) as other_app:
        other = scene.Stage(other_app, stage.olive, stage.event)
        answers = await asyncio.gather(
            *(
                (stage, other)[n % 2].call(
                    "cancel", made[0]["id"], (made[0], stage.olive)[n % 3 > 0]
                )
                for n in range(40)
            )
        )

    assert [answer.status_code for answer in answers] == [200] * 40
    assert len({answer.text for answer in answers}) == 1
    assert await stage.counters() == (3, 5)
    assert await stage.messages(after=said) == [
        ("registration.cancelled", made[0]["id"]), ("registration.confirmed", made[3]["id"])
    ]  # fmt: skip
    assert await stage.audit(after=recorded) == [
        ("registration.cancelled", made[0]["id"]), ("registration.promoted", made[3]["id"])
    ]  # fmt: skip
    assert await rows.drifts(stage.database) == []


@dataclass
class Race:
    """One event at which everyone does something at once, at one of two servers."""

    servers: list[Process]
    event_id: UUID
    capacity: int
    random: Random
    cancelled: set[UUID] = field(default_factory=set)
    registered: set[UUID] = field(default_factory=set)

    @property
    def database(self) -> Database:
        return self.servers[0].database

    async def run(self) -> list[str]:
        """The faults, once all have been answered."""
        before = self.capacity + self.random.randrange(12)
        await crowd.fill(self.database, self.event_id, before)
        for each in await crowd.everyone(self.database, self.event_id):
            self.registered.add(each.id)
        doings = [*self._cancelling(), *(self._coming(n) for n in range(self.random.randrange(12)))]
        self.random.shuffle(doings)
        ended = await asyncio.gather(*doings, return_exceptions=True)
        errors = [type(each).__name__ for each in ended if each is not None]
        return [*errors, *await self._faults()]

    def _server(self) -> Process:
        return self.random.choice(self.servers)

    def _cancelling(self) -> list[Coroutine[Any, Any, None]]:
        """Half of those who are there, some of them several times."""
        chosen = self.random.sample(sorted(self.registered), len(self.registered) // 2)
        self.cancelled.update(chosen)
        return [
            self._server().cancel(each)
            for each in chosen
            for _ in range(self.random.choice((1, 1, 2, 3)))
        ]

    async def _coming(self, n: int) -> None:
        """Someone new, who may change their mind at once."""
        made = await self._server().register(self.event_id, f"late{n}@example.com")
        self.registered.add(made.id)
        if self.random.random() < 0.3:
            self.cancelled.add(made.id)
            await self._server().cancel(made.id)

    async def _faults(self) -> list[str]:
        found = await rows.drifts(self.database)
        everyone = await crowd.everyone(self.database, self.event_id)
        by_status = {
            status: [each.id for each in everyone if each.status == status]
            for status in ("confirmed", "waitlisted", "cancelled")
        }
        confirmed, waiting = by_status["confirmed"], by_status["waitlisted"]
        seated = min(self.capacity, len(self.registered - self.cancelled))
        if {each.id for each in everyone} != self.registered:
            found.append("who is there is not who was told so")
        if set(by_status["cancelled"]) != self.cancelled:
            found.append("who is cancelled is not who cancelled")
        if len(confirmed) != seated:
            found.append(f"{len(confirmed)} have a seat instead of {seated}")
        if confirmed and waiting and max(confirmed) > min(waiting):
            found.append("someone has a seat who came after one who waits")
        if await self._told(found="registration.cancelled") != Counter(self.cancelled):
            found.append("not each cancellation was told once")
        if max((await self._told(found="registration.confirmed")).values(), default=0) > 1:
            found.append("one person was seated twice")
        return found

    async def _told(self, *, found: str) -> Counter[UUID]:
        of_event = OutboxMessage.event_id == self.event_id, OutboxMessage.topic == found
        subjects = await rows.read(self.database, select(OutboxMessage.subject_id).where(*of_event))
        return Counter(subject for (subject,) in subjects)


async def race(url: str, seeds: int) -> dict[int, list[str]]:
    """The faults of each seed that has any."""
    capacities = [(1, 3, 8)[seed % 3] for seed in range(seeds)]
    async with crowd.processes(url) as servers:
        events = await crowd.make_events(servers[0].database, capacities)
        faults: dict[int, list[str]] = {}
        for seed, (event_id, capacity) in enumerate(zip(events, capacities, strict=True)):
            found = await Race(servers, event_id, capacity, Random(seed)).run()
            if found:
                faults[seed] = found
        return faults


async def test_cancel_and_register_at_once_keep_every_promise(database_url: str) -> None:
    faults = await race(database_url, SEEDS)

    assert faults == {}


async def lock_nothing(db: AsyncSession, event_id: UUID) -> Seats:
    """`statements.lock_event` without its lock."""
    columns = Admission.capacity, Admission.taken, Admission.waiting, Admission.waitlist_enabled
    row = (await db.execute(select(*columns).where(Admission.event_id == event_id))).one()
    return Seats(row.capacity, row.taken, row.waiting, row.waiting, row.waitlist_enabled)


@ON_POSTGRESQL
async def test_cancel_and_register_at_once_without_the_lock_break_a_promise(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it is the lock that keeps the promises, and the race sees when it is gone."""
    await unlocked.take_out(database_url)
    monkeypatch.setattr(statements, "lock_event", lock_nothing)

    faults = await race(database_url, SEEDS // 4)

    said = {each for found in faults.values() for each in found}
    assert "the counter of taken seats differs from the registrations" in said
