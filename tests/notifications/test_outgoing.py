"""What is on its way, as administrators see it: what waits, what failed, and trying once more."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from tests.db import rows
from tests.notifications.dispatching import dispatched
from tests.registrations import scene
from tests.registrations.scene import NOBODYS_ID, Stage, code
from tests.support import cast
from tests.support.app import RunningApp

from turnout import clock, ids
from turnout.audit.models import AuditEntry
from turnout.outbox.models import Delivery

PATH = "/admin/outbox"


async def with_mails(app: RunningApp) -> tuple[Stage, list[UUID]]:
    """Five people have registered, and their mails are handed on; the ids of those, in order."""
    stage = await scene.stage(app)
    await stage.guests(5)
    await dispatched(app)
    confirmed = select(Delivery.id).where(Delivery.kind == "registration-confirmed")
    found = await rows.read(stage.database, confirmed.order_by(Delivery.id))
    # Others' mails would be in the way of what is counted.
    rest = update(Delivery).where(Delivery.kind != "registration-confirmed")
    await rows.change(stage.database, rest.values(outcome="sent", finished_at=clock.now()))
    return stage, [row[0] for row in found]


async def set_(stage: Stage, delivery_id: UUID, **values: Any) -> None:
    """Let a delivery have come to that."""
    if "outcome" in values:
        values["finished_at"] = clock.now()
    this = update(Delivery).where(Delivery.id == delivery_id)
    await rows.change(stage.database, this.values(**values))


async def test_outbox_shows_each_delivery_with_its_state(closed_app: RunningApp) -> None:
    stage, mails = await with_mails(closed_app)
    root = await cast.root(closed_app)
    await set_(stage, mails[1], last_error="451 later", tries=2)
    await set_(stage, mails[2], outcome="dead", last_error="550 unknown", tries=1)
    await set_(stage, mails[3], outcome="sent", tries=1)
    await set_(stage, mails[4], outcome="moot")
    expected = dict(zip(mails, ("waiting", "retrying", "dead", "sent", "moot"), strict=True))

    async with root.api(closed_app) as api:
        answer = await api.get(PATH, params={"limit": 100})
        found = {
            state: (await api.get(PATH, params={"state": state})).json()["items"]
            for state in expected.values()
        }
        none = await api.get(PATH, params={"channel": "webhook"})

    items = {each["id"]: each for each in answer.json()["items"]}
    assert {UUID(key): each["state"] for key, each in items.items() if UUID(key) in expected} == (
        expected
    )
    dead = items[str(mails[2])]
    assert (dead["to"], dead["kind"], dead["channel"], dead["event_id"], dead["last_error"]) == (
        "person2@example.com", "registration-confirmed", "mail", stage.event_id, "550 unknown",
    )  # fmt: skip
    assert list(items) == sorted(items, reverse=True)
    for state in ("waiting", "retrying", "dead", "moot"):
        assert {each["state"] for each in found[state]} == {state}
        assert len(found[state]) == 1
    assert {each["state"] for each in found["sent"]} == {"sent"}
    assert none.json()["items"] == []
    # Root's account was made since, and nobody has handed that on.
    assert answer.json()["backlog"].items() >= {"waiting": 1, "retrying": 1, "dead": 1}.items()


async def test_outbox_in_pages_has_each_once_while_others_come(closed_app: RunningApp) -> None:
    stage, mails = await with_mails(closed_app)
    root = await cast.root(closed_app)

    async with root.api(closed_app) as api:
        seen, path = list[str](), f"{PATH}?limit=2&state=waiting"
        more: str | None = ""
        while more is not None:
            page = (await api.get(f"{path}{more}")).json()
            seen += [each["id"] for each in page["items"]]
            cursor = page["next_cursor"]
            more = cursor and f"&cursor={cursor}"
            await stage.seat(name="Late", email=f"late{len(seen)}@example.com")
            await dispatched(closed_app)
        other = await api.get(PATH, params={"state": "dead", "cursor": page_cursor(closed_app)})

    assert seen == [str(each) for each in reversed(mails)]
    assert code(other) == (422, "invalid-cursor")


def page_cursor(app: RunningApp) -> str:
    """A cursor of another list."""
    return app.runtime.cursors.write("another", ("x",))


async def test_messages_that_were_not_handed_on_are_counted(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    root = await cast.root(closed_app)

    async with root.api(closed_app) as api:
        before = (await api.get(PATH)).json()["backlog"]["undispatched"]
        await stage.guests(3)
        after = (await api.get(PATH)).json()["backlog"]["undispatched"]
        await dispatched(closed_app)
        handed_on = (await api.get(PATH)).json()["backlog"]["undispatched"]

    assert (after - before, handed_on) == (3, 0)


@pytest.mark.parametrize(
    "state", [{"outcome": "dead", "tries": 9}, {"last_error": "451 later", "tries": 3}]
)
async def test_delivery_that_failed_is_tried_anew(
    closed_app: RunningApp, state: dict[str, Any]
) -> None:
    stage, mails = await with_mails(closed_app)
    root = await cast.root(closed_app)
    await set_(stage, mails[0], **state)

    async with root.api(closed_app) as api:
        answer = await api.post(f"{PATH}/{mails[0]}/retry")

    columns = Delivery.outcome, Delivery.finished_at, Delivery.tries, Delivery.claim
    query = select(*columns).where(Delivery.id == mails[0])
    audit = select(AuditEntry.actor_id, AuditEntry.event_id, AuditEntry.subject_id)
    recorded = audit.where(AuditEntry.action == "delivery.retried")
    assert (answer.status_code, answer.json()["tries"]) == (200, 0)
    assert answer.json()["id"] == str(mails[0])
    assert await rows.read(stage.database, query) == [(None, None, 0, None)]
    assert await rows.read(stage.database, recorded) == [(root.id, UUID(stage.event_id), mails[0])]


@pytest.mark.parametrize("minutes", [1, -1])
async def test_delivery_in_the_hands_of_a_worker_stays_there_until_its_lease_ends(
    closed_app: RunningApp, minutes: int
) -> None:
    """Else it would go out twice."""
    stage, mails = await with_mails(closed_app)
    root = await cast.root(closed_app)
    until = clock.now() + timedelta(minutes=minutes)
    await set_(stage, mails[0], claim=UUID(NOBODYS_ID), due_at=until, tries=3)

    async with root.api(closed_app) as api:
        answer = await api.post(f"{PATH}/{mails[0]}/retry")

    query = select(Delivery.claim, Delivery.due_at, Delivery.tries).where(Delivery.id == mails[0])
    [(claim, due_at, tries)] = await rows.read(stage.database, query)
    is_held = minutes > 0
    assert (answer.status_code, tries) == (200, 0)
    assert (claim is not None, due_at == until) == (is_held, is_held)
    assert is_held or due_at > until


@pytest.mark.parametrize(
    "state", [{"outcome": "sent"}, {"outcome": "moot"}, {"outcome": "dead", "address": None}]
)
async def test_delivery_that_has_nobody_left_to_reach_is_not_tried_anew(
    closed_app: RunningApp, state: dict[str, Any]
) -> None:
    stage, mails = await with_mails(closed_app)
    root = await cast.root(closed_app)
    await set_(stage, mails[0], **state)

    async with root.api(closed_app) as api:
        refused = await api.post(f"{PATH}/{mails[0]}/retry")
        missing = [
            await api.post(f"{PATH}/{each}/retry") for each in (NOBODYS_ID, ids.new_id(), "x")
        ]

    kept = await rows.read(stage.database, select(Delivery.outcome).where(Delivery.id == mails[0]))
    assert code(refused) == (409, "delivery-ended")
    assert [code(each) for each in missing] == [(404, "not-found")] * 3
    assert kept == [(state["outcome"],)]
    retried = AuditEntry.action == "delivery.retried"
    assert await rows.count(stage.database, AuditEntry, retried) == 0
