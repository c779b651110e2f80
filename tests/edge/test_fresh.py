"""Kept answers are never older than the database, on any process, and never somebody else's."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import time_machine
from sqlalchemy import text
from starlette.types import Message, Receive, Scope, Send
from tests.db import rows
from tests.factories import a_person, make_event, register
from tests.support.app import RunningApp, running

from turnout import clock
from turnout.edge import fresh
from turnout.edge.fresh import Fresh
from turnout.settings import Settings

ETAG = b'"one"'
ROUNDS = 20


class Route:
    """A route that counts how often it is asked; its answers have `size` bytes."""

    def __init__(self, size: int = 10, *, keeps: bool = True) -> None:
        self.asked = 0
        self._size = size
        self._keeps = keeps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        self.asked += 1
        if self._keeps:
            fresh.keep(scope, clock.now() + timedelta(hours=1))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"etag", ETAG)]})
        await send({"type": "http.response.body", "body": b"x" * self._size})


async def no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def get(app: RunningApp, path: str = "/events", query: bytes = b"", **headers: str) -> Scope:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query,
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
        "state": {"runtime": app.runtime},
    }


async def ask(layer: Fresh, scope: Scope) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await layer(scope, no_body, send)
    return sent


async def test_answer_is_built_once_while_nothing_is_written(app: RunningApp) -> None:
    route = Route()
    layer = Fresh(route, prefix="/events")

    answers = [await ask(layer, get(app)) for _ in range(3)]
    await ask(layer, get(app, query=b"limit=1"))

    assert answers[1:] == answers[:1] * 2
    assert route.asked == 2


async def test_answer_is_built_again_after_any_commit_of_any_process(
    app: RunningApp, settings: Settings
) -> None:
    route = Route()
    layer = Fresh(route, prefix="/events")
    await ask(layer, get(app))

    async with running(settings) as other, other.client() as other_api:
        await make_event(other_api)
        await ask(layer, get(app))
        await ask(layer, get(app))

    assert route.asked == 2


@pytest.mark.parametrize(
    ("changed", "asked"),
    [
        ({"authorization": "Bearer x"}, 1),
        ({"cookie": "a=b"}, 1),
        ({"path": "/health/ready"}, 2),
        ({"if_none_match": '"other"'}, 1),
        ({}, 1),
    ],
)
async def test_answer_is_given_again_to_the_same_request_below_the_prefix(
    app: RunningApp, changed: dict[str, Any], asked: int
) -> None:
    route = Route()
    layer = Fresh(route, prefix="/events")

    for _ in range(2):
        await ask(layer, get(app, **changed))

    assert route.asked == asked


CREDENTIALS: list[list[tuple[bytes, bytes]]] = [
    [],
    [(b"authorization", b"Bearer x")],
    [(b"authorization", b"Bearer X")],
    [(b"authorization", b"Bearer xy")],
    [(b"authorization", b"Ticket x")],
    [(b"cookie", b"Bearer x")],
    [(b"cookie", b"a=b")],
    [(b"cookie", b"a=b; c=d")],
    [(b"cookie", b"a=b"), (b"cookie", b"c=d")],
    [(b"cookie", b"a=b"), (b"authorization", b"Bearer x")],
    [(b"authorization", b"Bearer x"), (b"authorization", b"Bearer y")],
]


@pytest.mark.parametrize("are_at_once", [True, False])
async def test_answer_to_a_credential_is_given_again_to_that_very_one_alone(
    app: RunningApp, *, are_at_once: bool
) -> None:
    asked = []

    async def telling(scope: Scope, _: Receive, send: Send) -> None:
        """Answers with the credential, when all the others have come."""
        asked.append(scope["headers"])
        await asyncio.sleep(0)
        fresh.keep(scope, clock.now() + timedelta(hours=1))
        told = repr(scope["headers"]).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"etag", ETAG)]})
        await send({"type": "http.response.body", "body": told})

    layer, calls = Fresh(telling, prefix="/events"), CREDENTIALS * 2
    scopes = [{**get(app), "headers": headers} for headers in calls]
    if are_at_once:
        answers = await asyncio.gather(*(ask(layer, scope) for scope in scopes))
    else:
        answers = [await ask(layer, scope) for scope in scopes]

    assert [answer[1]["body"] for answer in answers] == [repr(each).encode() for each in calls]
    assert asked == CREDENTIALS


async def test_answer_that_the_route_does_not_mark_is_not_kept(app: RunningApp) -> None:
    route = Route(keeps=False)
    layer = Fresh(route, prefix="/events")

    for _ in range(2):
        await ask(layer, get(app))

    assert (route.asked, layer._kept) == (2, {})


async def test_answer_is_kept_until_its_time_alone(app: RunningApp) -> None:
    route, start = Route(), datetime(2027, 3, 1, tzinfo=UTC)
    layer = Fresh(route, prefix="/events")
    asked = []

    for minutes in (0, 59, 60, 61):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            await ask(layer, get(app))
        asked.append(route.asked)

    assert asked == [1, 1, 2, 2]


@pytest.mark.parametrize("size", [100_000, 1, 1_000_001])
async def test_kept_answers_have_a_bound_in_bytes(
    app: RunningApp, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long queries count as well: they are what a flood of different requests would leave."""
    monkeypatch.setattr(fresh, "MOST_BYTES", 1_000_000)
    layer = Fresh(Route(size), prefix="/events")

    for n in range(200):
        await ask(layer, get(app, query=b"%08000d" % n))

    held = [len(query) + len(kept.body["body"]) for (_, query, _), kept in layer._kept.items()]
    assert layer._bytes == sum(kept.size for kept in layer._kept.values())
    assert sum(held) <= layer._bytes <= fresh.MOST_BYTES
    assert len(held) == {100_000: 9, 1: 99, 1_000_001: 0}[size]


async def test_kept_answer_that_is_asked_for_stays_while_others_go(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh, "MOST_BYTES", 10_000)
    route = Route(1_000)
    layer = Fresh(route, prefix="/events")

    for n in range(20):
        await ask(layer, get(app, query=b"wanted"))
        await ask(layer, get(app, query=b"%d" % n))

    assert route.asked == 21


async def test_answer_that_many_ask_for_at_once_is_built_once(app: RunningApp) -> None:
    route = Route()
    layer = Fresh(route, prefix="/events")

    answers = await asyncio.gather(*(ask(layer, get(app)) for _ in range(20)))

    assert answers[1:] == answers[:1] * 19
    assert route.asked == 1


@pytest.mark.parametrize("stuck_at", ["http.response.start", "http.response.body"])
async def test_client_that_reads_slowly_holds_up_nobody_else(
    app: RunningApp, stuck_at: str
) -> None:
    layer, may_read = Fresh(Route(), prefix="/events"), asyncio.Event()

    async def slow_send(message: Message) -> None:
        if message["type"] == stuck_at:
            await may_read.wait()

    slow = asyncio.create_task(layer(get(app), no_body, slow_send))
    async with asyncio.timeout(rows.LONGEST_WAIT_SECONDS):
        others = await asyncio.gather(*(ask(layer, get(app)) for _ in range(3)))
    was_slow = not slow.done()
    may_read.set()
    await slow

    assert was_slow
    assert [len(answer) for answer in others] == [2, 2, 2]


async def test_route_that_fails_leaves_nothing_behind(app: RunningApp) -> None:
    fails = True
    route = Route()

    async def sometimes(scope: Scope, receive: Receive, send: Send) -> None:
        if fails:
            raise ZeroDivisionError
        await route(scope, receive, send)

    layer = Fresh(sometimes, prefix="/events")
    with pytest.raises(ZeroDivisionError):
        await ask(layer, get(app))
    fails = False
    answer = await ask(layer, get(app))

    assert answer[0]["status"] == 200
    assert layer._building == {}


Write = Callable[[httpx2.AsyncClient, str, int], Awaitable[object]]


async def one_registers(api: httpx2.AsyncClient, event_id: str, n: int) -> object:
    return await register(api, event_id, **a_person(n))


async def one_creates(api: httpx2.AsyncClient, _: str, __: int) -> object:
    return await make_event(api, name="Another")


@pytest.mark.parametrize("write", [one_registers, one_creates])
async def test_what_one_process_commits_is_what_the_other_reads_next(
    api: httpx2.AsyncClient, settings: Settings, write: Write
) -> None:
    event = await make_event(api, max_capacity=None)
    path, seen = f"/events/{event['id']}", []

    async with running(settings) as other, other.client() as other_api:
        for n in range(ROUNDS):
            await write((api, other_api)[n % 2], event["id"], n)
            reader = (other_api, api)[n % 2]
            listed = (await reader.get("/events?limit=100")).json()["items"]
            taken = (await reader.get(path)).json()["seats_taken"]
            seen.append(len(listed) - 1 + taken)

    assert seen == list(range(1, ROUNDS + 1))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_reads_after_the_database_cut_every_connection_are_answered_again(
    app: RunningApp, api: httpx2.AsyncClient, settings: Settings
) -> None:
    event = await make_event(api)
    path = f"/events/{event['id']}"
    before = await api.get(path)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"

    async with running(settings) as other, other.runtime.database.read() as db:
        await db.execute(text(f"{cut} AND datname = current_database()"))
        answers = await asyncio.gather(*(api.get(path) for _ in range(10)))
    later = [await api.get(path) for _ in range(10)]
    await register(api, event["id"])
    last = await api.get(path)

    assert {answer.status_code for answer in answers} <= {200, 503}
    assert [answer.content for answer in later[-5:]] == [before.content] * 5
    assert last.json()["seats_taken"] == 1
    assert app.runtime.desk._waiting == 0
