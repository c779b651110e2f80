"""One race: many clients want the few seats of one event at once. Tells what happened, no more."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from tests.factories import an_event
from tests.races.wire import Client, Reply

CLIENTS = 200
CALLS = 2
KEYED_CLIENTS = 5
MOST_TRIES = 200
IN_PROGRESS = "idempotency-in-progress"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the clients do: the same for the same seed, but for who comes first."""

    seed: int
    capacity: int
    waitlist: bool = False
    clients: int = CLIENTS
    calls: int = CALLS

    def wishes(self) -> list[list[dict[str, str]]]:
        """For each client whom it registers, in order.

        The crowd is smaller than the event, a little larger, or far larger, and everyone in it is
        registered by several clients, with the address in another case.
        """
        chance = random.Random(f"{self.seed} {self.capacity} {self.waitlist}")
        crowd = chance.choice((max(2, self.capacity * 4 // 5), self.capacity + 5, 150))
        return [
            [_person(chance.randrange(crowd), chance) for _ in range(self.calls)]
            for _ in range(self.clients)
        ]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request with its answer, and when it was sent and answered (seconds, monotonic)."""

    person: str
    sent: float
    answered: float
    reply: Reply


@dataclass(frozen=True, slots=True)
class Finish:
    """What is there after a race: all answers, the event and its attendees, as the API has them."""

    capacity: int
    waitlist: bool
    asked: Sequence[Asked]
    event: dict[str, Any]
    attendees: Sequence[dict[str, Any]] = field(repr=False)


def canonical(email: str) -> str:
    """The address in the one form that counts, for the letters that `Plan.wishes` uses."""
    return email.lower()


async def run(ports: Sequence[int], plan: Plan) -> Finish:
    """The race of `plan` over the servers at `ports`."""
    clients = [Client(ports[n % len(ports)]) for n in range(plan.clients)]
    async with Client(ports[0]) as api:
        event_id = await make_event(api, plan.capacity, waitlist=plan.waitlist)
        await asyncio.gather(*(client.dial() for client in clients))
        mine = zip(clients, plan.wishes(), strict=True)
        done = await asyncio.gather(*(_register_all(each, event_id, w) for each, w in mine))
        for client in clients:
            client.hang_up()
        return await finish(api, event_id, [asked for each in done for asked in each])


async def run_keyed(ports: Sequence[int], plan: Plan) -> tuple[Finish, list[list[Reply]]]:
    """A race in which each request is sent by five clients at once, under one Idempotency-Key.

    Whoever hears that it is in progress asks again. Gives the replies to each such request too.
    """
    people = [_person(n, random.Random(plan.seed)) for n in range(plan.clients // KEYED_CLIENTS)]
    async with Client(ports[0]) as api:
        event_id = await make_event(api, plan.capacity, waitlist=plan.waitlist)
        calls = [
            _register_with_key(ports[(n + copy) % len(ports)], event_id, person)
            for n, person in enumerate(people)
            for copy in range(KEYED_CLIENTS)
        ]
        asked = await asyncio.gather(*calls)
        finished = await finish(api, event_id, asked)
    return finished, [
        [each.reply for each in asked[n : n + KEYED_CLIENTS]]
        for n in range(0, len(asked), KEYED_CLIENTS)
    ]


async def make_event(api: Client, capacity: int | None, *, waitlist: bool = False) -> str:
    """The id of a new event with so many seats."""
    made = await api.post("/events", an_event(max_capacity=capacity, waitlist_enabled=waitlist))
    assert made.status == 201, made
    return str(made.json["id"])


async def finish(api: Client, event_id: str, asked: Sequence[Asked]) -> Finish:
    """How the event stands now."""
    event = (await api.get(f"/events/{event_id}")).json
    attendees = await attendees_of(api, event_id)
    return Finish(event["max_capacity"], event["waitlist_enabled"], asked, event, attendees)


async def attendees_of(api: Client, event_id: str) -> list[dict[str, Any]]:
    """Every live registration of the event, in order."""
    path = f"/events/{event_id}/attendees?limit=100"
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await api.get(path + (f"&cursor={cursor}" if cursor else ""))).json
        found += page["items"]
        cursor = page["next_cursor"]
    return found


async def _register_all(
    client: Client, event_id: str, people: Sequence[dict[str, str]]
) -> list[Asked]:
    return [await _register(client, event_id, person) for person in people]


async def _register(
    client: Client, event_id: str, person: dict[str, str], key: str | None = None
) -> Asked:
    headers = {} if key is None else {"Idempotency-Key": key}
    sent = monotonic()
    reply = await client.post(f"/events/{event_id}/register", person, headers)
    return Asked(canonical(person["email"]), sent, monotonic(), reply)


async def _register_with_key(port: int, event_id: str, person: dict[str, str]) -> Asked:
    async with Client(port) as client:
        for _ in range(MOST_TRIES):
            asked = await _register(client, event_id, person, person["name"].replace(" ", "-"))
            if asked.reply.code != IN_PROGRESS:
                return asked
            await asyncio.sleep(0.02)
    return asked


def _person(n: int, chance: random.Random) -> dict[str, str]:
    address = f"j\u00f6rg{n}@example.org" if n % 3 == 0 else f"person{n}@example.org"
    typed = "".join(chance.choice((letter, letter.upper())) for letter in address)
    return {"name": f"Person {n}", "email": typed}
