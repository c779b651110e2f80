"""A thousand clients that lost their answer send again, all at once, to two processes."""

import asyncio
from collections import Counter

import httpx2
import pytest
from tests.db import rows
from tests.factories import a_person, make_event
from tests.support.app import RunningApp, running

from turnout.idempotency.models import KeptAnswer
from turnout.outbox.models import OutboxMessage
from turnout.registrations.models import Registration
from turnout.settings import Settings

CLIENTS = 1_000
AT_ONCE = 100
MOST_TRIES = 200


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Without limits: all that is asked comes from one address, and at once."""
    return settings.model_copy(update={"rate_limits": "off"})


async def lose(api: httpx2.AsyncClient, path: str, n: int) -> None:
    """Send the request, and leave while it may be anywhere on its way."""
    headers = {"Idempotency-Key": f"client-{n}"}
    sent = asyncio.create_task(api.post(path, json=a_person(n), headers=headers))
    for _ in range(n % 30):
        await asyncio.sleep(0)
    sent.cancel()
    await asyncio.wait([sent])


async def send_again(api: httpx2.AsyncClient, path: str, n: int) -> httpx2.Response:
    """The first answer that does not say that the first request is still running."""
    headers = {"Idempotency-Key": f"client-{n}"}
    for _ in range(MOST_TRIES):
        answer = await api.post(path, json=a_person(n), headers=headers)
        if answer.status_code != 409 or answer.json()["code"] != "idempotency-in-progress":
            break
        await asyncio.sleep(0.01)
    return answer


async def test_lost_answers_asked_for_again_make_no_duplicate(
    app: RunningApp, api: httpx2.AsyncClient, settings: Settings
) -> None:
    event = await make_event(api, max_capacity=None)
    path, gate = f"/events/{event['id']}/register", asyncio.Semaphore(AT_ONCE)

    async with running(settings) as other, other.client() as other_api:

        async def client(n: int) -> tuple[httpx2.Response, httpx2.Response]:
            async with gate:
                await lose(api, path, n)
                return await asyncio.gather(
                    send_again(api, path, n), send_again(other_api, path, n)
                )

        answers = await asyncio.gather(*(client(n) for n in range(CLIENTS)))

    database = app.runtime.database
    statuses = Counter(answer.status_code for both in answers for answer in both)
    differing = [n for n, (one, two) in enumerate(answers) if one.content != two.content]
    messages = await rows.count(
        database, OutboxMessage, OutboxMessage.topic == "registration.confirmed"
    )
    assert statuses == {201: 2 * CLIENTS}
    assert differing == []
    assert await rows.count(database, Registration) == CLIENTS
    assert await rows.count(database, KeptAnswer) == CLIENTS
    assert messages == CLIENTS
    assert await rows.drifts(database) == []
