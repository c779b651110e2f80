"""However a receiver behaves, each message ends once, is tried as promised, and holds up no other.

The receiver is a real server. Time that passes between tries is the worker's clock put forward.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.factories import make_event
from tests.notifications.dispatching import mails
from tests.notifications.hooks import NETWORKS, TAKEN, Hooks, hooked, told
from tests.support import cast
from tests.support.outside import Answer, Request, answer, silence, trickle

from turnout.audit.models import AuditEntry
from turnout.notifications import webhook_sending
from turnout.notifications.models import Webhook
from turnout.notifications.trying import LONGEST_WAIT, RETRIES, SPREAD
from turnout.outbox.models import Delivery
from turnout.outside import OutsideOfUsers
from turnout.settings import Settings

BROKEN = answer(b"no", "500 Internal Server Error")
LONGEST = 1 + SPREAD
SECOND = timedelta(seconds=1)


@pytest.fixture
async def hooks(closed_settings: Settings) -> AsyncIterator[Hooks]:
    async with hooked(closed_settings) as found:
        yield found


@pytest.fixture
async def api(hooks: Hooks) -> AsyncIterator[httpx2.AsyncClient]:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as client:
        yield client


async def flood(_: Request, writer: asyncio.StreamWriter) -> None:
    """It was taken, and then there is no end of what is said about it."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def state_of(hooks: Hooks, api: httpx2.AsyncClient, made: dict[str, Any]) -> Any:
    [delivery] = await hooks.log(api, made)
    return delivery


async def test_failing_call_is_made_again_at_the_times_of_the_standard(
    hooks: Hooks, api: httpx2.AsyncClient
) -> None:
    hooks.receiver.answers["/hook"] = BROKEN
    made = await hooks.make(api)
    await api.post(f"/webhooks/{made['id']}/test")

    counts = []
    await hooks.work()
    for wait in RETRIES:
        await hooks.work(after=wait - SECOND)
        counts.append(len(hooks.receiver.asked))
        await hooks.work(after=wait * SPREAD + 2 * SECOND)
        counts.append(len(hooks.receiver.asked))

    delivery = await state_of(hooks, api, made)
    tries = len(RETRIES) + 1
    assert counts == [n for n in range(1, tries) for n in (n, n + 1)]
    assert (delivery["state"], delivery["tries"], delivery["last_status"]) == ("dead", tries, 500)
    assert delivery["last_error"] == "Answered 500."
    assert [each["number"] for each in delivery["attempts"]] == list(range(1, tries + 1))
    assert len({request.headers["webhook-id"] for request in hooks.receiver.asked}) == 1
    assert len({request.body for request in hooks.receiver.asked}) == 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (BROKEN, "Answered 500."),
        (answer(b"", "400 Bad Request"), "Answered 400."),
        (answer(b"", "401 Unauthorized"), "Answered 401."),
        (answer(b"", "301 Moved", location="/to"), "Answered 301; redirects are not followed."),
        (answer(b"", "307 Moved", location="/to"), "Answered 307; redirects are not followed."),
    ],
)
async def test_what_is_no_success_is_tried_again(
    hooks: Hooks, api: httpx2.AsyncClient, reply: Answer, error: str
) -> None:
    hooks.receiver.answers |= {"/hook": reply, "/to": TAKEN}
    made = await hooks.make(api)
    await api.post(f"/webhooks/{made['id']}/test")
    await hooks.work()
    failed = await state_of(hooks, api, made)
    hooks.receiver.answers["/hook"] = TAKEN
    await hooks.work(after=RETRIES[0] * LONGEST)

    taken = await state_of(hooks, api, made)
    assert (failed["state"], failed["last_error"], failed["finished_at"]) == (
        "pending",
        error,
        None,
    )
    assert (taken["state"], taken["last_status"], taken["tries"]) == ("sent", 204, 2)
    assert hooks.receiver.times_asked("/to") == 0


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_receiver_that_asks_to_wait_is_not_called_before(
    hooks: Hooks, api: httpx2.AsyncClient, status: str
) -> None:
    hooks.receiver.answers["/hook"] = answer(b"", status, retry_after="3600")
    made = await hooks.make(api)
    for _ in range(3):
        await api.post(f"/webhooks/{made['id']}/test")
    await hooks.work()
    asked_first = len(hooks.receiver.asked)
    await hooks.work(after=timedelta(minutes=59))
    asked_before = len(hooks.receiver.asked)
    hooks.receiver.answers["/hook"] = TAKEN
    await hooks.work(after=timedelta(hours=2))

    assert asked_first <= webhook_sending.MOST_AT_ONE_WEBHOOK
    assert asked_before == asked_first
    assert await hooks.outcomes() == ["sent"] * 3


async def test_receiver_cannot_ask_to_wait_for_longer_than_a_day(
    hooks: Hooks, api: httpx2.AsyncClient
) -> None:
    hooks.receiver.answers["/hook"] = answer(b"", "503 Away", retry_after="99999999")
    made = await hooks.make(api)
    await api.post(f"/webhooks/{made['id']}/test")
    await hooks.work()
    hooks.receiver.answers["/hook"] = TAKEN
    await hooks.work(after=LONGEST_WAIT * LONGEST)

    assert await hooks.outcomes() == ["sent"]


async def test_receiver_that_is_gone_is_not_called_any_more(
    hooks: Hooks, api: httpx2.AsyncClient
) -> None:
    hooks.receiver.answers["/hook"] = answer(b"", "410 Gone")
    made = await hooks.make(api)
    for _ in range(5):
        await api.post(f"/webhooks/{made['id']}/test")
    await hooks.work()
    await make_event(api)
    await hooks.work(after=timedelta(days=2))

    seen = (await api.get(f"/webhooks/{made['id']}")).json()
    asked = len(hooks.receiver.asked)
    assert asked <= webhook_sending.MOST_AT_ONE_WEBHOOK
    assert await hooks.outcomes() == ["dead"] * 5
    assert (seen["is_active"], "410" in seen["disabled_reason"]) == (False, True)
    query = select(AuditEntry.standing).where(AuditEntry.action == "webhook.disabled")
    assert await rows.read(hooks.app.runtime.database, query) == [("system",)]
    assert len(await mails(hooks.app, "webhook-disabled")) == 1


async def test_webhook_that_fails_for_five_days_is_switched_off_and_can_be_switched_on(
    hooks: Hooks, api: httpx2.AsyncClient
) -> None:
    hooks.receiver.answers["/hook"] = BROKEN
    made = await hooks.make(api)
    path = f"/webhooks/{made['id']}"
    states = []
    for wait in (timedelta(0), timedelta(days=4), timedelta(days=1, seconds=1)):
        await api.post(f"{path}/test")
        await hooks.work(after=wait)
        states.append((await api.get(path)).json()["is_active"])
    off = (await api.get(path)).json()
    hooks.receiver.answers["/hook"] = TAKEN
    on = (await api.patch(path, json={"is_active": True})).json()
    await api.post(f"{path}/test")
    await hooks.work()

    assert states == [True, True, False]
    assert off["disabled_reason"] == "Nothing was taken for five days."
    assert (on["is_active"], on["disabled_reason"], on["failing_since"]) == (True, None, None)
    assert (await hooks.outcomes()) == ["dead"] * 3 + ["sent"]


async def test_one_success_forgives_all_failures(hooks: Hooks, api: httpx2.AsyncClient) -> None:
    hooks.receiver.answers["/hook"] = BROKEN
    made = await hooks.make(api)
    path = f"/webhooks/{made['id']}"
    await api.post(f"{path}/test")
    await hooks.work()
    failing = (await api.get(path)).json()["failing_since"]
    hooks.receiver.answers["/hook"] = TAKEN
    await hooks.work(after=timedelta(days=4, hours=23))
    forgiven = (await api.get(path)).json()["failing_since"]

    assert failing is not None
    assert forgiven is None


async def test_flood_in_answer_is_not_read(hooks: Hooks, api: httpx2.AsyncClient) -> None:
    hooks.receiver.answers["/hook"] = flood
    made = await hooks.make(api)
    await api.post(f"/webhooks/{made['id']}/test")
    await hooks.work()

    delivery = await state_of(hooks, api, made)
    assert (delivery["state"], delivery["last_status"]) == ("sent", 200)


@pytest.mark.parametrize("slow", [silence, trickle])
async def test_slow_receiver_holds_up_nobody_else(
    hooks: Hooks, api: httpx2.AsyncClient, slow: Answer
) -> None:
    """The slow one has far more waiting, and all of it was due before."""
    hooks.receiver.answers |= {"/slow": slow, "/hook": TAKEN}
    slow_one = await hooks.make(api, "/slow")
    for _ in range(60):
        await api.post(f"/webhooks/{slow_one['id']}/test")
    made = await hooks.make(api)
    for _ in range(10):
        await api.post(f"/webhooks/{made['id']}/test")

    async with asyncio.timeout(10):
        while hooks.receiver.times_asked("/hook") < 10:
            await hooks.calls.work()
            await asyncio.sleep(0.01)

    assert hooks.receiver.times_asked("/hook") == 10
    if slow is silence:
        assert hooks.receiver.times_asked("/slow") <= webhook_sending.MOST_AT_ONE_WEBHOOK


async def test_receiver_that_never_answers_is_given_up_and_tried_again(
    hooks: Hooks, api: httpx2.AsyncClient
) -> None:
    hooks.receiver.answers["/hook"] = silence
    made = await hooks.make(api)
    for _ in range(5):
        await api.post(f"/webhooks/{made['id']}/test")
    hasty = OutsideOfUsers(NETWORKS, total_seconds=0.3)
    patient, hooks.calls = hooks.calls, hooks.worker(hasty)
    await hooks.work()
    asked = len(hooks.receiver.asked)
    failed = await hooks.log(api, made)
    hooks.receiver.answers["/hook"] = TAKEN
    await hooks.work(after=timedelta(minutes=10))
    await hooks.calls.aclose()
    await hasty.aclose()
    hooks.calls = patient

    assert asked == webhook_sending.MOST_AT_ONE_WEBHOOK
    assert {each["last_error"] for each in failed} == {"127.0.0.1: TimeoutError"}
    assert sorted(each["tries"] for each in failed) == [0, 0, 0, 1, 1]
    assert await hooks.outcomes() == ["sent"] * 5


async def test_receiver_that_is_not_there_is_tried_again(
    hooks: Hooks, api: httpx2.AsyncClient
) -> None:
    body = {"url": "http://127.0.0.1:1025/nobody"}
    made = (await api.post("/webhooks", json=body)).json()
    await api.post(f"/webhooks/{made['id']}/test")
    await hooks.work()

    delivery = await state_of(hooks, api, made)
    assert (delivery["state"], delivery["last_status"]) == ("pending", None)
    assert delivery["last_error"] == "127.0.0.1: no connection"


async def test_delivery_that_ended_is_sent_again_on_demand(
    hooks: Hooks, api: httpx2.AsyncClient
) -> None:
    made = await hooks.make(api)
    await api.post(f"/webhooks/{made['id']}/test")
    await hooks.work()
    first = await state_of(hooks, api, made)
    path = f"/webhooks/{made['id']}/deliveries/{first['id']}/redeliver"
    asked = await api.post(path)
    await hooks.work()

    again = await state_of(hooks, api, made)
    one, two = hooks.receiver.asked
    assert (asked.status_code, asked.json()["state"], asked.json()["tries"]) == (200, "pending", 0)
    assert (again["state"], again["tries"], again["id"]) == ("sent", 1, first["id"])
    assert [each["number"] for each in again["attempts"]] == [1, 2]
    assert (one.headers["webhook-id"], one.body) == (two.headers["webhook-id"], two.body)


async def test_delivery_of_another_webhook_is_not_there(
    hooks: Hooks, api: httpx2.AsyncClient
) -> None:
    made, other = await hooks.make(api), await hooks.make(api)
    sent = (await api.post(f"/webhooks/{made['id']}/test")).json()
    answered = await api.post(f"/webhooks/{other['id']}/deliveries/{sent['id']}/redeliver")

    assert answered.status_code == 404


async def test_test_message_is_for_its_webhook_alone_and_in_no_feed(
    hooks: Hooks, api: httpx2.AsyncClient
) -> None:
    hooks.receiver.answers["/other"] = TAKEN
    made = await hooks.make(api)
    await hooks.make(api, "/other")
    sent = (await api.post(f"/webhooks/{made['id']}/test")).json()
    await hooks.work()

    [asked] = hooks.receiver.asked
    assert json.loads(asked.body)["type"] == "webhook.test"
    assert json.loads(asked.body)["data"] == {"webhook_id": made["id"]}
    assert (asked.path, asked.headers["webhook-id"]) == ("/hook", sent["message_id"])
    assert (await api.get("/changes")).json()["items"] == []


async def test_deliveries_in_hand_at_the_end_are_given_back(
    hooks: Hooks, api: httpx2.AsyncClient
) -> None:
    hooks.receiver.answers["/hook"] = silence
    made = await hooks.make(api)
    for _ in range(5):
        await api.post(f"/webhooks/{made['id']}/test")
    await hooks.calls.work()
    await rows.until(lambda: len(hooks.receiver.asked) == webhook_sending.MOST_AT_ONE_WEBHOOK)
    await hooks.calls.aclose()
    hooks.receiver.answers["/hook"] = TAKEN
    await hooks.work()

    given_back = (await hooks.outcomes()).count("sent")
    await hooks.work(after=webhook_sending.LEASE)
    assert given_back == 3
    assert await hooks.outcomes() == ["sent"] * 5


async def test_result_of_a_call_whose_lease_ran_out_changes_nothing(
    hooks: Hooks, api: httpx2.AsyncClient
) -> None:
    """Another has taken it over and delivered it; the late failure of the first is no news."""
    late = asyncio.Event()

    async def fail_late(_: Request, writer: asyncio.StreamWriter) -> None:
        await late.wait()
        writer.write(b"HTTP/1.1 500 Error\r\nContent-Length: 0\r\n\r\n")

    hooks.receiver.answers["/hook"] = fail_late
    made = await hooks.make(api)
    await api.post(f"/webhooks/{made['id']}/test")
    await hooks.calls.work()
    await rows.until(lambda: len(hooks.receiver.asked) == 1)
    hooks.receiver.answers["/hook"] = TAKEN
    first, hooks.calls = hooks.calls, hooks.worker()
    await hooks.work(after=webhook_sending.LEASE + SECOND)
    late.set()
    await asyncio.gather(*first._tasks)

    assert await hooks.outcomes() == ["sent"]
    delivery = await state_of(hooks, api, made)
    assert [each["status"] for each in delivery["attempts"]] == [204]


async def test_address_of_a_webhook_is_not_in_what_is_written_of_its_failures(
    hooks: Hooks, api: httpx2.AsyncClient
) -> None:
    made = await hooks.make(api, "/hook-secret?key=do-not-log-me")
    await api.post(f"/webhooks/{made['id']}/test")
    await hooks.work()
    query = select(Delivery.last_error)
    errors = await rows.read(hooks.app.runtime.database, query)
    entries = await rows.read(hooks.app.runtime.database, select(AuditEntry.changes))

    assert errors == [("Answered 404.",)]
    assert "do-not-log-me" not in repr(entries)
    assert told(hooks.receiver) == ["webhook.test"]
    [(url,)] = await rows.read(hooks.app.runtime.database, select(Webhook.url))
    assert url.endswith("do-not-log-me")
