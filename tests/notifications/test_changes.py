"""The feed: everything once, in one order, for those alone whose events it is about."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select, update
from tests.db import rows
from tests.factories import make_event, register
from tests.notifications.hooks import Hooks, hooked
from tests.support import cast

from turnout import clock, ids
from turnout.accounts.actor import SYSTEM
from turnout.db.session import Database
from turnout.notifications import changes, dispatch, tidying
from turnout.outbox import outbox
from turnout.outbox.models import Delivery, DeliveryAttempt, OutboxMessage
from turnout.outbox.outbox import Message
from turnout.outbox.topics import Topic
from turnout.settings import Settings

WRITERS, EACH_WRITES = 6, 15


@pytest.fixture
async def hooks(closed_settings: Settings) -> AsyncIterator[Hooks]:
    async with hooked(closed_settings) as found:
        yield found


async def read(api: httpx2.AsyncClient, **asked: str) -> Any:
    answer = await api.get("/changes", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def types(page: Any) -> list[str]:
    return [item["type"] for item in page["items"]]


async def test_feed_has_what_happened_to_own_events_in_order(hooks: Hooks) -> None:
    olive, mallory = await cast.olive(hooks.app), await cast.mallory(hooks.app)
    async with olive.api(hooks.app) as api, mallory.api(hooks.app) as other:
        event = await make_event(api)
        await make_event(other)
        seat = (await register(api, event["id"], email="guest@example.com")).json()
        await hooks.dispatch()
        page, others = await read(api), await read(other)

    assert types(page) == ["event.created", "registration.confirmed"]
    assert types(others) == ["event.created"]
    first, second = page["items"]
    assert set(first) == {"id", "type", "timestamp", "data", "cursor"}
    assert second["data"]["registration_id"] == seat["id"]
    assert int(first["cursor"]) < int(second["cursor"])
    assert page["next_after"] == second["cursor"]


async def test_feed_goes_on_from_where_it_was_read_to(hooks: Hooks) -> None:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as api:
        event = await make_event(api)
        for n in range(4):
            await register(api, event["id"], email=f"guest{n}@example.com", name=f"Guest {n}")
        await hooks.dispatch()
        seen, after = [], "0"
        for _ in range(3):
            page = await read(api, after=after, limit="2")
            after = page["next_after"]
            seen.append(types(page))
        nothing = await read(api, after=after)
        answer = await api.get("/changes", params={"after": after})
        same = await api.get(
            "/changes", params={"after": after}, headers={"If-None-Match": answer.headers["etag"]}
        )
        await make_event(api)
        await hooks.dispatch()
        new = await read(api, after=after)

    confirmed = "registration.confirmed"
    assert seen == [["event.created", confirmed], [confirmed, confirmed], [confirmed]]
    assert nothing == {"items": [], "next_after": after}
    assert same.status_code == 304
    assert types(new) == ["event.created"]


async def test_feed_is_for_editors_too_and_administrators_read_all(hooks: Hooks) -> None:
    olive, grace = await cast.olive(hooks.app), await cast.join(hooks.app, "Grace")
    don, ada = await cast.join(hooks.app, "Don"), await cast.ada(hooks.app)
    root, mallory = await cast.root(hooks.app), await cast.mallory(hooks.app)
    async with olive.api(hooks.app) as api, mallory.api(hooks.app) as other:
        event = await make_event(api)
        await make_event(other)
        for person, role in ((grace, "editor"), (don, "door")):
            body = {"email": person.email, "role": role}
            await api.post(f"/events/{event['id']}/team", json=body)
    await hooks.dispatch()
    seen: dict[str, Any] = {}
    for person in (grace, don, ada, root):
        async with person.api(hooks.app) as api:
            answer = await api.get("/changes")
            is_read = answer.status_code == 200
            seen[person.name] = types(answer.json()) if is_read else answer.status_code

    of_event = ["event.created", "team.joined", "team.joined"]
    assert seen["Grace"] == of_event
    assert (seen["Don"], seen["Ada"]) == (403, 403)
    assert seen["Root"] == ["event.created", *of_event]


async def test_feed_tells_the_owner_that_an_event_is_gone(hooks: Hooks) -> None:
    olive, mallory = await cast.olive(hooks.app), await cast.mallory(hooks.app)
    async with olive.api(hooks.app) as api, mallory.api(hooks.app) as other:
        event = await make_event(api)
        await api.delete(f"/events/{event['id']}")
        await hooks.dispatch()
        page, others = await read(api), await read(other)

    assert types(page) == ["event.deleted"]
    assert page["items"][0]["data"]["event_id"] == event["id"]
    assert types(others) == []


@pytest.mark.parametrize("after", ["-1", "x", "1.0", "²", "1" * 20, " 1", "+1", "1_0", "%00"])
async def test_cursor_that_is_none_is_refused(hooks: Hooks, after: str) -> None:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as api:
        answer = await api.get("/changes", params={"after": after})

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["after"]


async def test_cursor_of_the_future_finds_nothing_and_stays(hooks: Hooks) -> None:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as api:
        await make_event(api)
        await hooks.dispatch()
        page = await read(api, after="9" * 19)

    assert page["items"] == []


async def test_feed_says_so_when_what_is_asked_for_is_not_kept_any_more(hooks: Hooks) -> None:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as api:
        made = await hooks.make(api)
        for _ in range(3):
            await make_event(api)
        await hooks.work()
        first = await read(api, limit="1")
        database, later = hooks.app.runtime.database, clock.now() + timedelta(seconds=1)
        await send_mails(database)
        async with database.write() as db:
            # Two that her account was entered, and two of her events.
            is_more = await tidying.tidy(db, later, limit=4)
        gone = await api.get("/changes", params={"after": "0"})
        behind = await read(api, after=gone.json()["oldest"])
        oldest = await read(api)
        log = await hooks.log(api, made)
        async with database.write() as db:
            last = [await tidying.tidy(db, later) for _ in range(2)]
        kept = await read(api)

    assert types(first) == ["event.created"]
    assert is_more
    assert (gone.status_code, gone.json()["code"]) == (409, "changes-gone")
    assert oldest == behind
    assert len(behind["items"]) == len(log) == 1
    assert last == [False, False]
    assert kept == oldest


async def test_tidying_removes_deliveries_and_attempts_and_stops_at_what_is_open(
    hooks: Hooks,
) -> None:
    olive = await cast.olive(hooks.app)
    database = hooks.app.runtime.database
    async with olive.api(hooks.app) as api:
        made = await hooks.make(api)
        await api.post(f"/webhooks/{made['id']}/test")
        for _ in range(4):
            await make_event(api)
        await hooks.work()
    await send_mails(database)
    log = select(Delivery.id).where(Delivery.channel == "webhook").order_by(Delivery.id)
    delivery_ids = [found for (found,) in await rows.read(database, log)]
    values = {"finished_at": None, "outcome": None}
    await rows.change(
        database, update(Delivery).where(Delivery.id == delivery_ids[2]).values(**values)
    )
    young = await tidied(database, clock.now() - timedelta(days=90))
    old = await tidied(database, clock.now() + timedelta(minutes=5))

    # Beside the four events: that her account was entered twice, and the test.
    assert young == (7, 5, 5)
    # The second event's is open: it stays, and all behind it.
    assert old == (3, 3, 3)


async def send_mails(database: Database) -> None:
    """Let the mails that were to be sent be sent."""
    mails = update(Delivery).where(Delivery.channel == "mail", Delivery.finished_at.is_(None))
    await rows.change(database, mails.values(finished_at=clock.now(), outcome="sent"))


async def tidied(database: Database, before: Any) -> tuple[int, int, int]:
    """How many messages, deliveries and attempts are left."""
    async with database.write() as db:
        await tidying.tidy(db, before)
    tables = OutboxMessage, Delivery, DeliveryAttempt
    hooks_only = Delivery.channel == "webhook"
    first, _, third = [await rows.count(database, each) for each in tables]
    return first, await rows.count(database, Delivery, hooks_only), third


async def write_some(database: Database, n: int) -> None:
    """Messages whose ids are made, while others make theirs and commit them before."""
    for _ in range(EACH_WRITES):
        async with database.write() as db:
            message = Message(clock.now(), Topic.EVENT_CREATED, ids.new_id(), None, {})
            outbox.add(db, [message])
            await asyncio.sleep(0.003 * (n % 3))


async def keep_dispatching(database: Database, written: asyncio.Event) -> None:
    """Dispatch until all that was written is."""
    while True:
        is_last = written.is_set()
        async with database.write() as db:
            done = await dispatch.dispatch(db, clock.now(), timedelta(0))
        if is_last and done.messages == 0:
            return
        await asyncio.sleep(0.001)


async def keep_reading(database: Database, dispatching: Sequence[asyncio.Task[None]]) -> list[UUID]:
    """Read on until nothing comes any more; what was seen, in order."""
    after, seen = 0, list[UUID]()
    while True:
        is_last = all(task.done() for task in dispatching)
        async with database.read() as db:
            page, after = await changes.page(db, SYSTEM, after, 7)
        seen.extend(change.id for change in page)
        if is_last and not page:
            return seen
        await asyncio.sleep(0)


async def test_reader_sees_every_message_once_while_commits_overlap(database: Database) -> None:
    """The ids of the messages are in another order than their commits."""
    written = asyncio.Event()
    dispatching = [asyncio.create_task(keep_dispatching(database, written)) for _ in range(2)]
    reading = asyncio.create_task(keep_reading(database, dispatching))
    await asyncio.gather(*(write_some(database, n) for n in range(WRITERS)))
    written.set()
    await asyncio.gather(*dispatching)
    seen = await reading

    query = select(OutboxMessage.id, OutboxMessage.position).order_by(OutboxMessage.position)
    stored = await rows.read(database, query)
    assert [position for _, position in stored] == list(range(1, WRITERS * EACH_WRITES + 1))
    assert seen == [message_id for message_id, _ in stored]
    assert len(set(seen)) == WRITERS * EACH_WRITES
