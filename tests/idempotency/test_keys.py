"""A request that is sent again with its Idempotency-Key has its effect once, and one answer."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import time_machine
from tests.db import rows
from tests.factories import ADA, a_person, an_event, make_event
from tests.support.app import RunningApp, running

from turnout import clock
from turnout.events.models import Event
from turnout.idempotency import idempotency
from turnout.idempotency.models import KeptAnswer
from turnout.registrations.models import Registration
from turnout.settings import Settings

KEY = "0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"
KEPT_HEADERS = ("content-type", "etag", "location")


async def send(
    api: httpx2.AsyncClient, path: str, body: dict[str, Any], key: str = KEY
) -> httpx2.Response:
    return await api.post(path, json=body, headers={"Idempotency-Key": key})


def whole(answer: httpx2.Response) -> tuple[int, bytes, list[str | None]]:
    """All of an answer that has to be the same again."""
    return answer.status_code, answer.content, [answer.headers.get(n) for n in KEPT_HEADERS]


async def register_path(api: httpx2.AsyncClient, **changes: Any) -> str:
    return f"/events/{(await make_event(api, **changes))['id']}/register"


async def test_key_sent_again_replays_a_registration_to_the_byte(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    path = await register_path(api)
    first = await send(api, path, ADA)
    after_first = await rows.counts(app.runtime.database)

    again = await send(api, path, ADA)

    assert first.status_code == 201
    assert len(first.json()["manage_token"]) == 56
    assert whole(again) == whole(first)
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert await rows.counts(app.runtime.database) == after_first


async def test_key_sent_again_replays_an_event_to_the_byte(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    first = await send(api, "/events", an_event())

    again = await send(api, "/events", an_event())

    assert first.status_code == 201
    assert whole(again) == whole(first)
    assert await rows.count(app.runtime.database, Event) == 1


async def test_key_sent_again_replays_after_a_restart_and_from_another_process(
    settings: Settings,
) -> None:
    async with running(settings) as before, before.client() as api:
        path = await register_path(api)
        first = await send(api, path, ADA)
        async with running(settings) as beside, beside.client() as other_api:
            from_other = await send(other_api, path, ADA)
    async with running(settings) as after, after.client() as api:
        again = await send(api, path, ADA)
        seats = await rows.count(after.runtime.database, Registration)

    assert first.status_code == 201
    assert [whole(from_other), whole(again)] == [whole(first)] * 2
    assert seats == 1


@pytest.mark.parametrize("other", [a_person(1), {**ADA, "name": "Ada"}])
async def test_key_with_another_body_is_refused(
    app: RunningApp, api: httpx2.AsyncClient, other: dict[str, str]
) -> None:
    path = await register_path(api)
    await send(api, path, ADA)

    answer = await send(api, path, other)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-mismatch")
    assert await rows.count(app.runtime.database, Registration) == 1


async def test_key_on_another_path_is_another_key(api: httpx2.AsyncClient) -> None:
    paths = [await register_path(api), await register_path(api)]

    answers = [await send(api, path, ADA) for path in paths]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] != answers[1].json()["id"]


async def test_key_of_another_caller_is_another_key(
    api: httpx2.AsyncClient, closed_api: httpx2.AsyncClient
) -> None:
    path = await register_path(api)
    first = await send(api, path, ADA)

    answer = await send(closed_api, path, ADA)

    assert first.status_code == 201
    assert (answer.status_code, answer.json()["code"]) == (409, "already-registered")
    assert first.json()["manage_token"] not in answer.text


async def test_key_that_cannot_be_used_is_refused(api: httpx2.AsyncClient) -> None:
    path = await register_path(api)
    keys = ["", " ", "a b", "k" * 256, "caf\u00e9", "a\tb", "a\x7fb"]

    answers = [
        await api.post(where, json=body, headers=[(b"Idempotency-Key", key.encode("latin-1"))])
        for key in keys
        for where, body in ((path, ADA), ("/events", an_event()))
    ]

    told = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert told == [(400, "idempotency-key-invalid")] * 2 * len(keys)


async def test_key_sent_twice_in_one_request_is_refused(api: httpx2.AsyncClient) -> None:
    path = await register_path(api)

    answer = await api.post(path, json=ADA, headers=[("Idempotency-Key", KEY)] * 2)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-invalid")


async def test_key_of_any_visible_characters_counts(api: httpx2.AsyncClient) -> None:
    path = await register_path(api)
    keys = ["k", "k" * 255, "!~'\"<&>", "sp%20ce"]

    first = [await send(api, path, a_person(n), key) for n, key in enumerate(keys)]
    again = [await send(api, path, a_person(n), key) for n, key in enumerate(keys)]

    assert [answer.status_code for answer in first] == [201] * len(keys)
    assert [whole(answer) for answer in again] == [whole(answer) for answer in first]


async def test_key_of_a_refused_request_is_free_again(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    path = await register_path(api, max_capacity=1)
    await api.post(path, json=a_person(1))
    refused = await send(api, path, ADA)
    event_id = path.split("/")[2]
    await rows.change_seats(app.runtime.database, event_id, capacity=2)

    answer = await send(api, path, ADA)

    assert (refused.status_code, refused.json()["code"]) == (409, "event-full")
    assert (answer.status_code, answer.json()["status"]) == (201, "confirmed")


async def test_key_of_a_refused_event_is_free_again(api: httpx2.AsyncClient) -> None:
    refused = await send(api, "/events", an_event(max_capacity=0))

    answer = await send(api, "/events", an_event())

    assert (refused.status_code, answer.status_code) == (422, 201)


async def test_key_older_than_a_day_is_forgotten(app: RunningApp, api: httpx2.AsyncClient) -> None:
    path = await register_path(api)
    start = clock.now()
    with time_machine.travel(start, tick=False):
        first = await send(api, path, ADA)

    with time_machine.travel(start + idempotency.KEPT_FOR - timedelta(seconds=1), tick=False):
        within = await send(api, path, ADA)
    with time_machine.travel(start + idempotency.KEPT_FOR, tick=False):
        after = await send(api, path, ADA)

    assert whole(within) == whole(first)
    assert (after.status_code, after.json()["code"]) == (409, "already-registered")
    assert await rows.count(app.runtime.database, KeptAnswer) == 0


async def test_sweep_forgets_what_is_older_than_a_day_alone(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    start, database = clock.now(), app.runtime.database
    for hours, key in ((0, "old"), (1, "young")):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            await send(api, "/events", an_event(), key)

    async with database.write() as db:
        swept = await idempotency.sweep(db, start + idempotency.KEPT_FOR)

    assert (swept, await rows.count(database, KeptAnswer)) == (1, 1)


async def test_kept_answer_cannot_be_read_from_the_database(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    path = await register_path(api)
    answer = await send(api, path, ADA)

    everything = await rows.dump(app.runtime.database)

    assert await rows.count(app.runtime.database, KeptAnswer) == 1
    assert ADA["email"].encode() in everything
    assert answer.json()["manage_token"].encode() not in everything
    assert answer.json()["ticket_code"].encode() not in everything
    assert KEY.encode() not in everything


async def test_key_still_running_in_one_process_is_in_progress(
    app: RunningApp, api: httpx2.AsyncClient, settings: Settings
) -> None:
    event = await make_event(api)
    path = f"/events/{event['id']}/register"

    async with rows.held(settings.database_url, event["id"]):
        tasks = [asyncio.create_task(api.post(path, json=a_person(0)))]
        await rows.until(lambda: app.runtime.desk._waiting == 1)
        tasks += [asyncio.create_task(send(api, path, ADA)) for _ in range(2)]
        await rows.until(lambda: app.runtime.desk._waiting == 3)
    _, first, second = await asyncio.gather(*tasks)
    later = await send(api, path, ADA)

    assert first.status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "idempotency-in-progress")
    assert whole(later) == whole(first)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("what", ["event", "registration"])
async def test_key_still_running_in_another_process_is_in_progress(
    api: httpx2.AsyncClient, settings: Settings, what: str
) -> None:
    path = "/events" if what == "event" else await register_path(api)
    body = an_event() if what == "event" else ADA
    scope = f"open POST {path}"
    claim = idempotency.Claim(scope, KEY, b"\0" * 32)

    async with running(settings) as other, other.runtime.database.write() as db:
        found = await idempotency.look_up(db, [claim], clock.now())
        meanwhile = await send(api, path, body)
    afterwards = await send(api, path, body)

    assert found == [None]
    assert (meanwhile.status_code, meanwhile.json()["code"]) == (409, "idempotency-in-progress")
    assert afterwards.status_code == 201
