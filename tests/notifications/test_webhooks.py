"""Webhooks through the door: whose they are, what they say, and what they hear of."""

import base64
import hmac
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from tests.db import rows
from tests.factories import make_event, register
from tests.notifications.hooks import Hooks, hooked, told
from tests.support import cast
from tests.support.outside import Request

from turnout import clock
from turnout.accounts.actor import Role
from turnout.accounts.models import User
from turnout.notifications import signing
from turnout.notifications.models import Webhook
from turnout.outbox.models import OutboxMessage
from turnout.settings import Settings

SECRET = signing.shown(bytes(range(24)))


@pytest.fixture
async def hooks(closed_settings: Settings) -> AsyncIterator[Hooks]:
    async with hooked(closed_settings) as found:
        yield found


def is_signed(request: Request, secret: str) -> bool:
    """Whether one of the signatures is right: as a receiver would find out, by itself."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    sent = request.headers
    content = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + request.body
    expected = "v1," + base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    return expected in sent["webhook-signature"].split(" ")


async def test_webhook_is_told_what_happens_to_events_of_its_owner(hooks: Hooks) -> None:
    olive, mallory = await cast.olive(hooks.app), await cast.mallory(hooks.app)
    async with olive.api(hooks.app) as api, mallory.api(hooks.app) as other:
        made = await hooks.make(api)
        await make_event(other)
        event = await make_event(api)
        seat = (await register(api, event["id"], email="guest@example.com")).json()
        await hooks.work()
        [*_, last] = await hooks.log(api, made)

    assert told(hooks.receiver) == ["event.created", "registration.confirmed"]
    message = json.loads(hooks.receiver.asked[-1].body)
    assert message == {
        "type": "registration.confirmed",
        "timestamp": message["timestamp"],
        "data": {"registration_id": seat["id"], "event_id": event["id"]} | message["data"],
    }
    assert message["timestamp"].endswith("Z")
    assert abs(datetime.fromisoformat(message["timestamp"]) - clock.now()) < timedelta(minutes=5)
    assert set(message["data"]) <= {"registration_id", "event_id", "moved_up"}
    assert (last["state"], last["tries"], last["last_status"]) == ("sent", 1, 204)
    assert [each["status"] for each in last["attempts"]] == [204]


async def test_call_has_the_headers_of_the_standard(hooks: Hooks) -> None:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as api:
        made = await hooks.make(api)
        await make_event(api)
        await hooks.work()
        [delivery] = await hooks.log(api, made)

    [asked] = hooks.receiver.asked
    query = select(OutboxMessage.id).where(OutboxMessage.topic == "event.created")
    assert await rows.read(hooks.app.runtime.database, query) == [
        (UUID(asked.headers["webhook-id"]),)
    ]
    assert (asked.method, asked.headers["content-type"]) == ("POST", "application/json")
    assert asked.headers["webhook-id"] == delivery["message_id"]
    assert abs(int(asked.headers["webhook-timestamp"]) - clock.now().timestamp()) < 60
    assert is_signed(asked, made["secret"])
    assert not is_signed(asked, SECRET)
    assert asked.headers["host"] == hooks.receiver.url.removeprefix("http://")


async def test_secret_is_shown_once_and_kept_sealed(hooks: Hooks) -> None:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as api:
        made = await hooks.make(api, secret=SECRET)
        read = await api.get(f"/webhooks/{made['id']}")
        listed = await api.get("/webhooks")

    assert made["secret"] == SECRET
    assert read.json() == {name: made[name] for name in made if name != "secret"}
    assert listed.json()["items"] == [read.json()]
    [(sealed,)] = await rows.read(hooks.app.runtime.database, select(Webhook.sealed_secret))
    assert bytes(range(24)) not in sealed


async def test_new_secret_signs_beside_the_former_one_for_a_day(hooks: Hooks) -> None:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as api:
        made = await hooks.make(api, secret=SECRET)
        path = f"/webhooks/{made['id']}"
        rotated = (await api.post(f"{path}/rotate-secret")).json()
        await api.post(f"{path}/test")
        await hooks.work()
        await api.post(f"{path}/test")
        await hooks.work(after=timedelta(hours=24, seconds=1))

    both, one = hooks.receiver.asked
    assert rotated["secret"] != SECRET
    assert [is_signed(both, each) for each in (rotated["secret"], SECRET)] == [True, True]
    assert [is_signed(one, each) for each in (rotated["secret"], SECRET)] == [True, False]
    assert len(one.headers["webhook-signature"].split(" ")) == 1


async def test_webhook_hears_of_its_topics_and_its_event_alone(hooks: Hooks) -> None:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as api:
        event, other = await make_event(api), await make_event(api)
        await hooks.work()
        for path in ("/all", "/one", "/seats"):
            hooks.receiver.answers[path] = hooks.receiver.answers["/hook"]
        await hooks.make(api, "/all")
        await hooks.make(api, "/one", event_id=event["id"])
        await hooks.make(api, "/seats", topics=["registration.confirmed"])
        await register(api, other["id"], email="guest@example.com")
        await api.patch(f"/events/{event['id']}", json={"tags": ["new"]})
        await hooks.work()

    heard = sorted((r.path, json.loads(r.body)["type"]) for r in hooks.receiver.asked)
    assert [each for each in heard if each[1] != "event.settled"] == [
        ("/all", "event.changed"),
        ("/all", "registration.confirmed"),
        ("/one", "event.changed"),
        ("/seats", "registration.confirmed"),
    ]


async def test_deletion_of_an_event_is_told_to_who_owned_it(hooks: Hooks) -> None:
    olive, mallory = await cast.olive(hooks.app), await cast.mallory(hooks.app)
    async with olive.api(hooks.app) as api, mallory.api(hooks.app) as other:
        event = await make_event(api)
        await hooks.work()
        await hooks.make(api)
        await hooks.make(other, "/not")
        await api.delete(f"/events/{event['id']}")
        await hooks.work()

    assert [(r.path, json.loads(r.body)["data"]) for r in hooks.receiver.asked] == [
        ("/hook", {"event_id": event["id"], "organizer_id": str(olive.id)})
    ]


@pytest.mark.parametrize("change", [{"role": Role.ATTENDEE}, {"is_active": False}])
async def test_webhook_of_who_may_not_organize_any_more_hears_nothing(
    hooks: Hooks, change: dict[str, Any]
) -> None:
    olive, root = await cast.olive(hooks.app), await cast.root(hooks.app)
    async with olive.api(hooks.app) as api, root.api(hooks.app) as admin:
        event = await make_event(api)
        await hooks.work()
        await hooks.make(api)
        assert (await admin.patch(f"/users/{olive.id}", json=change)).status_code == 200
        await register(admin, event["id"], email="guest@example.com")
        await hooks.work()

    assert hooks.receiver.asked == []


async def test_webhook_for_an_event_of_others_is_for_its_owner_and_administrators(
    hooks: Hooks,
) -> None:
    olive, grace = await cast.olive(hooks.app), await cast.join(hooks.app, "Grace", Role.ORGANIZER)
    mallory, root = await cast.mallory(hooks.app), await cast.root(hooks.app)
    async with olive.api(hooks.app) as api:
        event = await make_event(api)
        member = {"email": grace.email, "role": "editor"}
        await api.post(f"/events/{event['id']}/team", json=member)
    body, answers = {"url": f"{hooks.receiver.url}/hook", "event_id": event["id"]}, []
    for person in (olive, root, grace, mallory):
        async with person.api(hooks.app) as api:
            answers.append((await api.post("/webhooks", json=body)).status_code)

    assert answers == [201, 201, 403, 404]


async def test_webhooks_of_others_are_not_there(hooks: Hooks) -> None:
    olive, grace = await cast.olive(hooks.app), await cast.join(hooks.app, "Grace", Role.ORGANIZER)
    mallory, root = await cast.mallory(hooks.app), await cast.root(hooks.app)
    async with olive.api(hooks.app) as api:
        event = await make_event(api)
        member = {"email": grace.email, "role": "editor"}
        await api.post(f"/events/{event['id']}/team", json=member)
        whole, one = await hooks.make(api), await hooks.make(api, event_id=event["id"])
    seen = {}
    for name, person in (("grace", grace), ("mallory", mallory), ("root", root)):
        async with person.api(hooks.app) as api:
            listed = (await api.get("/webhooks")).json()["items"]
            read = [(await api.get(f"/webhooks/{w['id']}")).status_code for w in (whole, one)]
            seen[name] = [len(listed), *read]

    assert seen == {"grace": [0, 404, 403], "mallory": [0, 404, 404], "root": [2, 200, 200]}


async def test_change_of_a_webhook_honours_if_match(hooks: Hooks) -> None:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as api:
        made = await hooks.make(api)
        path = f"/webhooks/{made['id']}"
        etag = (await api.get(path)).headers["etag"]
        body = {"description": "Badges", "topics": ["event.created", "event.created"]}
        changed = await api.patch(path, json=body, headers={"If-Match": etag})
        stale = [
            await api.patch(path, json={"topics": []}, headers={"If-Match": etag}),
            await api.post(f"{path}/rotate-secret", headers={"If-Match": etag}),
            await api.delete(path, headers={"If-Match": etag}),
        ]
        fresh = changed.headers["etag"]
        deleted = await api.delete(path, headers={"If-Match": fresh})
        gone = await api.get(path)

    assert changed.json() == {
        **{name: made[name] for name in made if name != "secret"},
        "description": "Badges",
        "topics": ["event.created"],
        "updated_at": changed.json()["updated_at"],
    }
    assert [each.status_code for each in stale] == [412, 412, 412]
    assert [deleted.status_code, gone.status_code] == [204, 404]


async def test_webhook_that_is_switched_off_is_not_called_until_it_is_on(hooks: Hooks) -> None:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as api:
        made = await hooks.make(api)
        path = f"/webhooks/{made['id']}"
        await api.patch(path, json={"is_active": False})
        await make_event(api)
        refused = await api.post(f"{path}/test")
        await hooks.work()
        before = len(hooks.receiver.asked)
        await api.patch(path, json={"is_active": True})
        await make_event(api)
        await hooks.work()

    assert (refused.status_code, refused.json()["code"]) == (409, "webhook-disabled")
    assert (before, told(hooks.receiver)) == (0, ["event.created"])


async def test_deleted_webhook_is_not_called_any_more(hooks: Hooks) -> None:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as api:
        made = await hooks.make(api)
        await make_event(api)
        await hooks.dispatch()
        await api.delete(f"/webhooks/{made['id']}")
        await hooks.work()

    assert hooks.receiver.asked == []
    assert await hooks.outcomes() == ["moot"]


async def test_account_has_fifty_webhooks_at_most(hooks: Hooks) -> None:
    olive, mallory = await cast.olive(hooks.app), await cast.mallory(hooks.app)
    body = {"url": f"{hooks.receiver.url}/hook"}
    async with olive.api(hooks.app) as api, mallory.api(hooks.app) as other:
        answers = [(await api.post("/webhooks", json=body)).status_code for _ in range(51)]
        others = await other.post("/webhooks", json=body)

    assert answers == [201] * 50 + [409]
    assert others.status_code == 201


async def test_repeated_request_makes_one_webhook(hooks: Hooks) -> None:
    olive = await cast.olive(hooks.app)
    body, key = {"url": f"{hooks.receiver.url}/hook"}, {"Idempotency-Key": "k1"}
    async with olive.api(hooks.app) as api:
        first, again = [await api.post("/webhooks", json=body, headers=key) for _ in range(2)]

    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert await rows.count(hooks.app.runtime.database, Webhook) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"topics": ["account.created"]}, "unknown-topic"),
        ({"topics": ["event.*"]}, "unknown-topic"),
        ({"topics": "event.created"}, "wrong-type"),
        ({"secret": "whsec_" + base64.b64encode(bytes(23)).decode()}, "invalid-secret"),
        ({"secret": "whsec_" + base64.b64encode(bytes(65)).decode()}, "invalid-secret"),
        ({"secret": base64.b64encode(bytes(24)).decode()}, "invalid-secret"),
        ({"secret": SECRET + "\n"}, "invalid-secret"),
        ({"description": "x" * 201}, "too-long"),
        ({"is_active": False}, "unknown-field"),
        ({"owner_id": "01a202ff-5858-7344-a5f9-a038e1760637"}, "unknown-field"),
    ],
)
async def test_webhook_with_what_is_refused_is_not_made(
    hooks: Hooks, change: dict[str, Any], code: str
) -> None:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as api:
        answer = await api.post("/webhooks", json={"url": f"{hooks.receiver.url}/h", **change})

    assert (answer.status_code, answer.json()["code"]) == (422, "validation-error")
    assert [each["code"] for each in answer.json()["errors"]] == [code]
    assert await rows.count(hooks.app.runtime.database, Webhook) == 0


async def test_erased_account_has_no_webhooks(hooks: Hooks) -> None:
    olive = await cast.olive(hooks.app)
    async with olive.api(hooks.app) as api:
        await hooks.make(api)
        await make_event(api)
        await hooks.dispatch()
        await api.delete("/users/me")
        await hooks.work()

    assert hooks.receiver.asked == []
    assert await rows.count(hooks.app.runtime.database, Webhook) == 0
    assert await rows.count(hooks.app.runtime.database, User, User.id == olive.id) == 1
