"""An event is changed by several at once, while people register: at two servers of one database.

The control takes the lock of the seats out, and then the same race finds faults.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.events import organizing
from tests.events.organizing import BERLIN, Organizing
from tests.factories import a_person, in_days, register
from tests.races import unlocked
from tests.support.app import RunningApp, running

from turnout.events.models import Event
from turnout.registrations.models import Admission, Registration
from turnout.settings import Settings

SEEDS = 4
CONTROL_SEEDS = 40
"""At most so many are tried until one goes wrong, on however busy a machine."""
PEOPLE = 24
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
CAPACITIES = [1, 3, 6, 12, None, 2, 20]
Answers = list[httpx2.Response]


@pytest.fixture
async def apis(settings: Settings) -> AsyncIterator[tuple[RunningApp, list[httpx2.AsyncClient]]]:
    """A client of each of two servers; nobody is counted, since one address asks for all."""
    unlimited = settings.model_copy(update={"rate_limits": "off"})
    async with (
        running(unlimited) as one,
        running(unlimited) as other,
        one.client() as first,
        other.client() as second,
    ):
        yield one, [first, second]


@dataclass(frozen=True, slots=True)
class Race:
    """One event, and those who do something with it at once, each at one of the servers."""

    apis: list[httpx2.AsyncClient]
    event: Organizing
    random: Random

    def register(self, n: int) -> Coroutine[Any, Any, httpx2.Response]:
        """Someone wants a seat."""
        return register(self.random.choice(self.apis), self.event.id, **a_person(n))

    def change(self, **fields: Any) -> Coroutine[Any, Any, httpx2.Response]:
        """Somebody changes the event."""
        return self.random.choice(self.apis).patch(self.event.path, json=fields)

    def post(self, what: str, body: Any) -> Coroutine[Any, Any, httpx2.Response]:
        """Somebody does something else with it."""
        return self.random.choice(self.apis).post(f"{self.event.path}/{what}", json=body)

    def delete(self) -> Coroutine[Any, Any, httpx2.Response]:
        """Somebody deletes it."""
        return self.random.choice(self.apis).delete(self.event.path)

    async def all_at_once(self, *doings: Coroutine[Any, Any, httpx2.Response]) -> Answers:
        """The answers, in the order given; they begin in any."""
        order = list(range(len(doings)))
        self.random.shuffle(order)
        answers = await asyncio.gather(*(doings[n] for n in order))
        return [answers[order.index(n)] for n in range(len(doings))]


async def prepared(
    app: RunningApp, apis: list[httpx2.AsyncClient], seed: int, **event: Any
) -> Race:
    return Race(apis, await organizing.organizing(app, apis[0], **event), Random(seed))


def told(answers: Answers) -> Counter[str]:
    """How many were answered by each status, and by which code where it is a refusal."""
    return Counter(
        f"{each.status_code} {each.json()['code']}" if each.status_code >= 400
        else str(each.status_code)
        for each in answers
    )  # fmt: skip


async def people_and_seats(event: Organizing) -> tuple[Counter[str], tuple[Any, ...]]:
    """How many registrations have each status; and capacity, taken and waiting."""
    of = Registration.event_id == UUID(event.id)
    statuses = await rows.read(event.database, select(Registration.status).where(of))
    columns = Admission.capacity, Admission.taken, Admission.waiting
    query = select(*columns).where(Admission.event_id == UUID(event.id))
    [seats] = await rows.read(event.database, query)
    return Counter(status for (status,) in statuses), seats


async def faults_of_seats(race: Race) -> list[str]:
    """What is wrong after people came, went, and the seats became more and fewer meanwhile."""
    there = (await race.all_at_once(*(race.register(n) for n in range(6))))[:3]
    cancelling = [
        race.apis[n % 2].post(
            f"/registrations/{each.json()['id']}/cancel",
            headers={"Authorization": f"Ticket {each.json()['manage_token']}"},
        )
        for n, each in enumerate(there)
    ]
    answers = await race.all_at_once(
        *(race.register(n) for n in range(6, PEOPLE)),
        *(race.change(max_capacity=capacity) for capacity in CAPACITIES),
        *cancelling,
    )
    allowed = {"200", "201", "409 capacity-taken"}
    found = [what for what in told(answers) if what not in allowed]
    found += await rows.drifts(race.event.database)
    everyone, (capacity, taken, waiting) = await people_and_seats(race.event)
    if capacity is not None and taken > capacity:
        found.append("more seats are taken than there are")
    if (everyone["confirmed"], everyone["waitlisted"]) != (taken, waiting):
        found.append("the counters are not the registrations")
    if everyone.total() != PEOPLE:
        found.append("someone who was answered is not there")
    return found


async def race_of_seats(app: RunningApp, apis: list[httpx2.AsyncClient], seed: int) -> list[str]:
    """The faults of one seed."""
    return await faults_of_seats(
        await prepared(app, apis, seed, max_capacity=3, waitlist_enabled=True)
    )


async def test_seats_that_become_more_and_fewer_while_people_come_and_go_keep_every_promise(
    apis: tuple[RunningApp, list[httpx2.AsyncClient]],
) -> None:
    for seed in range(SEEDS):
        assert await race_of_seats(*apis, seed) == []


@ON_POSTGRESQL
async def test_seats_that_become_more_and_fewer_without_the_lock_break_a_promise(
    database_url: str, apis: tuple[RunningApp, list[httpx2.AsyncClient]]
) -> None:
    """The control: it is the lock that keeps the promises, and the race sees when it is gone."""
    await unlocked.take_out(database_url)

    for seed in range(CONTROL_SEEDS):
        if await race_of_seats(*apis, seed):
            return
    pytest.fail("no fault was found without the lock")


async def test_event_that_is_called_off_while_people_come_takes_nobody_afterwards(
    apis: tuple[RunningApp, list[httpx2.AsyncClient]],
) -> None:
    for seed in range(SEEDS):
        race = await prepared(*apis, seed, max_capacity=5, waitlist_enabled=True)

        answers = await race.all_at_once(
            *(race.register(n) for n in range(PEOPLE)),
            *(race.post("cancel", {"reason": f"Reason {n}"}) for n in range(3)),
        )

        coming, cancelling = answers[:PEOPLE], answers[PEOPLE:]
        assert set(told(coming)) <= {"201", "409 registration-closed"}
        assert told(cancelling) == {"200": 3}
        assert len({each.json()["cancel_reason"] for each in cancelling}) == 1
        assert (await race.event.topics()).count("event.cancelled") == 1
        everyone, _ = await people_and_seats(race.event)
        assert everyone.total() == told(coming)["201"]
    assert await rows.drifts(apis[0].runtime.database) == []


async def test_event_that_is_deleted_while_people_come_is_gone_or_has_all_of_them(
    apis: tuple[RunningApp, list[httpx2.AsyncClient]],
) -> None:
    outcomes = set[str]()
    for seed in range(SEEDS):
        race = await prepared(*apis, seed)

        *coming, deleting = await race.all_at_once(
            *(race.register(n) for n in range(3)), race.delete()
        )

        outcomes |= set(told([deleting]))
        of = Event.id == UUID(race.event.id)
        there = await rows.count(race.event.database, Event, of)
        is_deleted = deleting.status_code == 204
        assert there == (not is_deleted)
        assert told(coming) == ({"404 not-found": 3} if is_deleted else {"201": 3})
    assert outcomes <= {"204", "409 event-has-registrations"}
    assert await rows.drifts(apis[0].runtime.database) == []


async def test_changes_at_once_are_made_one_after_the_other(
    apis: tuple[RunningApp, list[httpx2.AsyncClient]],
) -> None:
    """Each is a version of its own, and none takes another's back."""
    race = await prepared(*apis, 1)
    changes: dict[str, Any] = {
        "name": "Name", "location": "Bonn", "description": "Words", "max_capacity": 9,
        "tags": ["a"], "online_url": "https://example.com/", "waitlist_enabled": True,
        "visibility": "unlisted",
    }  # fmt: skip

    answers = await race.all_at_once(*(race.change(**{k: v}) for k, v in changes.items()))

    assert told(answers) == {"200": len(changes)}
    after = await race.event.read()
    assert {name: after[name] for name in changes} == changes
    versions = sorted(int(each.headers["etag"].strip('"').partition("-")[0]) for each in answers)
    assert versions == list(range(2, 2 + len(changes)))
    assert (await race.event.topics()).count("event.changed") == len(changes)


async def test_everything_at_once_waits_in_no_circle(
    apis: tuple[RunningApp, list[httpx2.AsyncClient]],
) -> None:
    """Seats, event, agenda, zone and copies, in transactions that take several locks each."""
    for seed in range(SEEDS):
        race = await prepared(*apis, seed, **BERLIN, max_capacity=2, waitlist_enabled=True)

        answers = await race.all_at_once(
            *(race.register(n) for n in range(8)),
            *(race.change(max_capacity=capacity) for capacity in CAPACITIES),
            *(race.change(start_time=f"2030-03-{day}T18:00:00") for day in (28, 30)),
            race.change(slots=[]),
            *(race.post("timezone", {"timezone": zone}) for zone in ("UTC", "Asia/Tokyo")),
            *(race.post("duplicate", {"start_time": in_days(n)}) for n in (20, 30)),
            race.post("timezone", {"timezone": "Europe/Paris", "dry_run": True}),
            race.post("publish", None),
        )

        assert set(told(answers)) <= {"200", "201", "409 capacity-taken"}
    assert await rows.drifts(apis[0].runtime.database) == []
