"""What is written about accounts and teams has the payload that the reference shows."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select, update
from tests.db import rows
from tests.factories import make_event, register
from tests.house import tree
from tests.notifications.dispatching import by_the_clock, dispatched
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import CAUSE

from turnout import clock
from turnout.accounts import second_factor, sign_up, users
from turnout.accounts.actor import SYSTEM, Role
from turnout.accounts.models import Link, LinkPurpose, User
from turnout.accounts.users import UserDraft
from turnout.db.session import Db
from turnout.events import team
from turnout.events.models import TeamRole
from turnout.events.team import Invited
from turnout.notifications import trying, webhook_results
from turnout.notifications.models import Reminder
from turnout.notifications.webhook_results import Attempt, Result
from turnout.outbox import deliveries
from turnout.outbox.deliveries import Ended
from turnout.outbox.models import Channel, Lane, OutboxMessage, Outcome
from turnout.outbox.topics import Topic

BOB, NEW = "bob@example.com", "robert@example.com"
HASH = "canary-hash"
SHOWN = re.compile(
    r"^## `(?P<topic>[\w.-]+)`.*?```json\n(?P<body>.*?)```", re.DOTALL | re.MULTILINE
)
REFERENCE = tree.ROOT / "docs" / "reference" / "messages.md"


def shown() -> dict[str, list[str]]:
    """The members of each payload in the reference."""
    found = SHOWN.finditer(REFERENCE.read_text("utf-8"))
    return {one["topic"]: sorted(json.loads(one["body"])) for one in found}


async def live(app: RunningApp, db: Db, event_id: UUID) -> None:
    """All that can happen to one account in its life."""
    now, seals = clock.now(), app.runtime.seals
    draft = UserDraft(BOB, "Bob", password_hash=HASH)
    for _ in range(2):
        await sign_up.sign_up(db, draft, CAUSE, now)
    user = await users.by_email(db, BOB)
    assert user is not None
    await sign_up.ask_for_email(db, user, NEW, CAUSE, now)
    link = await db.scalar(select(Link.id).where(Link.purpose == LinkPurpose.CHANGE_EMAIL))
    assert link is not None
    await sign_up.verify_email(db, seals, seals.link_token(link), CAUSE, now)
    await sign_up.forget_password(db, NEW, CAUSE, now)
    await users.set_password(db, user, HASH, CAUSE, now)
    await users.change(db, user, {"role": Role.ORGANIZER}, CAUSE, now)
    await second_factor.begin(db, seals, user.id, CAUSE, now)
    await second_factor.remove(db, user, CAUSE, now)
    await team.add(db, SYSTEM, event_id, Invited(TeamRole.DOOR, NEW), CAUSE, now)


async def run_an_event(api: httpx2.AsyncClient) -> None:
    """All that can happen to one event in its life."""
    path = f"/events/{(await make_event(api, draft=True))['id']}"
    await api.post(f"{path}/publish")
    await api.patch(path, json={"name": "Renamed"})
    await api.post(f"{path}/cancel", json={"reason": "No power."})
    await api.delete(path)


async def let_time_pass(app: RunningApp, api: httpx2.AsyncClient) -> None:
    """What is said of an event by the clock: that its changes are over, and that it comes."""
    event = await make_event(api)
    await api.patch(f"/events/{event['id']}", json={"location": "Mysuru"})
    await dispatched(app)
    await rows.change(app.runtime.database, update(Reminder).values(due_at=clock.now()))
    await by_the_clock(app)


async def try_a_webhook(app: RunningApp) -> None:
    """An organizer has a webhook, and asks for a message to try it: its receiver is gone."""
    olive = await cast.olive(app)
    async with olive.api(app) as api:
        made = await api.post("/webhooks", json={"url": "https://example.com/hook"})
        tried = await api.post(f"/webhooks/{made.json()['id']}/test")
    assert tried.is_success, tried.text
    now = clock.now()
    async with app.runtime.database.write() as db:
        lease = timedelta(minutes=1)
        [held] = await deliveries.claim(db, Channel.WEBHOOK, Lane.DIRECT, 1, now, lease)
        gone = Attempt(now, 5, trying.of_answer(410, {}, now))
        result = Result(Ended(held, Outcome.DEAD), gone)
        await webhook_results.write(db, [result], now)


@pytest.fixture
async def written(app: RunningApp, api: httpx2.AsyncClient) -> list[OutboxMessage]:
    """The messages of one account's life, of a sign-in, and of two events with what befell them."""
    await cast.ada(app)
    event = await make_event(api, max_capacity=1, waitlist_enabled=True)
    seat = (await register(api, event["id"])).json()
    await register(api, event["id"], email=NEW)
    await api.post(f"/registrations/{seat['id']}/cancel")
    await run_an_event(api)
    async with app.runtime.database.write() as db:
        await live(app, db, UUID(event["id"]))
    await let_time_pass(app, api)
    await try_a_webhook(app)
    async with app.runtime.database.read() as db:
        return list(await db.scalars(select(OutboxMessage)))


async def test_messages_of_all_topics_have_the_payload_that_the_reference_shows(
    written: list[OutboxMessage],
) -> None:
    told = {message.topic: sorted(message.payload) for message in written}

    assert told == shown()
    assert set(told) == set(Topic)


async def test_messages_about_accounts_name_the_account_and_hold_no_secret(
    app: RunningApp, written: list[OutboxMessage]
) -> None:
    people = {user_id for (user_id,) in await rows.read(app.runtime.database, select(User.id))}
    links = [link_id for (link_id,) in await rows.read(app.runtime.database, select(Link.id))]
    tokens = [app.runtime.seals.link_token(link_id) for link_id in links]

    about = [each for each in written if each.topic.startswith(("account.", "sign-in.", "team."))]
    held: list[dict[str, Any]] = [each.payload for each in about]

    assert len(about) >= 11
    assert {each.subject_id for each in about} <= people
    assert [each["user_id"] for each in held] == [str(each.subject_id) for each in about]
    assert len(links) == 3
    assert [secret for secret in (*tokens, HASH, NEW) if secret in json.dumps(held)] == []
