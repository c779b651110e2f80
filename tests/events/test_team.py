"""The team of an event: who chooses it, what each role may do, and from when on."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.factories import make_event, register
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import Person

from turnout.accounts.actor import Role
from turnout.audit.models import AuditEntry
from turnout.events.models import TeamMember
from turnout.outbox.models import OutboxMessage
from turnout.outbox.topics import Topic

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Scene:
    """Olive's event, and Grace who may come to help with it."""

    app: RunningApp
    olive: Person
    grace: Person
    event: dict[str, Any]

    @property
    def event_id(self) -> str:
        return str(self.event["id"])

    @property
    def path(self) -> str:
        return f"/events/{self.event_id}/team"

    async def call(self, who: Person, method: str, path: str = "", **more: Any) -> httpx2.Response:
        """The answer to a call about the team, as that person."""
        async with who.api(self.app) as api:
            return await api.request(method, self.path + path, **more)

    async def add(self, role: str, who: Person | None = None) -> httpx2.Response:
        """Olive lets Grace, or another, help."""
        body = {"email": (who or self.grace).email, "role": role}
        return await self.call(self.olive, "POST", json=body)

    async def seen(self, who: Person, path: str = "") -> int:
        """The status that person gets for the event, or for what is below it."""
        async with who.api(self.app) as api:
            return (await api.get(f"/events/{self.event_id}{path}")).status_code

    async def told(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """What the audit has of the team, and the messages about it."""
        entries = select(
            AuditEntry.action, AuditEntry.actor_id, AuditEntry.event_id, AuditEntry.subject_id,
            AuditEntry.changes,
        ).where(AuditEntry.action.startswith("team."))  # fmt: skip
        joined = OutboxMessage.topic == Topic.TEAM_JOINED
        messages = select(OutboxMessage.payload).where(joined).order_by(OutboxMessage.id)
        database = self.app.runtime.database
        return (
            await rows.read(database, entries.order_by(AuditEntry.id)),
            await rows.read(database, messages),
        )


@pytest.fixture
async def scene(closed_app: RunningApp) -> Scene:
    """Nobody helps yet; the event is a draft, so that only those who work on it know of it."""
    olive = await cast.olive(closed_app)
    grace = await cast.join(closed_app, "Grace")
    async with olive.api(closed_app) as api:
        event = await make_event(api, draft=True)
    return Scene(closed_app, olive, grace, event)


async def test_member_that_is_added_is_answered_and_listed(scene: Scene) -> None:
    added = await scene.add("editor")

    listed = await scene.call(scene.olive, "GET")

    made = added.json()
    assert added.status_code == 201
    assert made == {
        "user_id": str(scene.grace.id),
        "name": "Grace",
        "email": "grace@example.com",
        "role": "editor",
        "created_at": made["created_at"],
    }
    assert listed.json() == {"items": [made], "next_cursor": None}


async def test_member_is_added_by_id_as_by_address(scene: Scene) -> None:
    body = {"user_id": str(scene.grace.id), "role": "door"}

    added = await scene.call(scene.olive, "POST", json=body)

    assert (added.status_code, added.json()["email"]) == (201, "grace@example.com")


async def test_address_of_a_member_is_compared_without_case(scene: Scene) -> None:
    body = {"email": "GRACE@Example.com", "role": "door"}

    added = await scene.call(scene.olive, "POST", json=body)

    assert (added.status_code, added.json()["email"]) == (201, "grace@example.com")


async def test_role_counts_from_the_next_request_on(scene: Scene) -> None:
    """On a draft, which nobody else knows of; a kept answer would still say what was."""
    seen = [await scene.seen(scene.grace)]

    await scene.add("door")
    seen += [await scene.seen(scene.grace), await scene.seen(scene.grace, "/attendees")]
    await scene.call(scene.olive, "DELETE", f"/{scene.grace.id}")
    seen += [await scene.seen(scene.grace), await scene.seen(scene.grace, "/attendees")]

    assert seen == [404, 200, 200, 404, 404]


async def test_role_that_is_set_anew_replaces_the_first(scene: Scene) -> None:
    first = (await scene.add("editor")).json()
    as_editor = (await scene.call(scene.grace, "GET")).json()

    second = await scene.add("door")
    as_door = (await scene.call(scene.grace, "GET")).json()

    assert (second.status_code, second.json()) == (201, {**first, "role": "door"})
    assert as_editor["items"] == [first]
    assert as_door["items"] == [{**first, "role": "door", "email": None}]


async def test_people_at_the_door_see_names_but_no_addresses(scene: Scene) -> None:
    don = await cast.join(scene.app, "Don")
    await scene.add("editor")
    await scene.add("door", don)
    async with scene.olive.api(scene.app) as api:
        event = await make_event(api)
        added = {"email": don.email, "role": "door"}
        await api.post(f"/events/{event['id']}/team", json=added)
        async with scene.app.client() as guest:
            await register(guest, event["id"], email="ada.private@example.com")

    team = await scene.call(don, "GET")
    async with don.api(scene.app) as api:
        attendees = await api.get(f"/events/{event['id']}/attendees")

    assert [(each["name"], each["email"]) for each in team.json()["items"]] == [
        ("Grace", None),
        ("Don", None),
    ]
    assert [each["name"] for each in attendees.json()["items"]] == ["Ada Lovelace"]
    for answer in (team, attendees):
        assert "@example.com" not in answer.text


async def test_editor_sees_the_team_but_does_not_choose_it(scene: Scene) -> None:
    ada = await cast.ada(scene.app)
    await scene.add("editor")
    before = await rows.dump(scene.app.runtime.database)

    answers = [
        await scene.call(scene.grace, "POST", json={"email": ada.email, "role": "door"}),
        await scene.call(scene.grace, "DELETE", f"/{scene.grace.id}"),
    ]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (403, "not-allowed")
    ] * 2
    assert await scene.seen(scene.grace) == 200
    assert await rows.dump(scene.app.runtime.database) == before


async def test_administrator_chooses_the_team_of_any_event(scene: Scene) -> None:
    root = await cast.root(scene.app)

    body = {"email": scene.grace.email, "role": "door"}
    added = await scene.call(root, "POST", json=body)
    removed = await scene.call(root, "DELETE", f"/{scene.grace.id}")

    assert (added.status_code, removed.status_code) == (201, 204)
    entries, _ = await scene.told()
    assert [(action, actor) for action, actor, *_ in entries] == [
        ("team.set", root.id),
        ("team.removed", root.id),
    ]


async def test_organizer_of_another_event_learns_nothing_of_a_team(scene: Scene) -> None:
    mallory = await cast.mallory(scene.app)
    await scene.add("door")

    body = {"email": mallory.email, "role": "editor"}
    answers = [
        await scene.call(mallory, "GET"),
        await scene.call(mallory, "POST", json=body),
        await scene.call(mallory, "DELETE", f"/{scene.grace.id}"),
    ]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(404, "not-found")] * 3
    assert "grace" not in "".join(each.text.lower() for each in answers)
    listed = await scene.call(scene.olive, "GET")
    assert [each["name"] for each in listed.json()["items"]] == ["Grace"]


async def test_member_of_one_event_has_no_power_over_another_of_its_owner(scene: Scene) -> None:
    await scene.add("editor")
    async with scene.olive.api(scene.app) as api:
        hidden = (await make_event(api, draft=True))["id"]

    async with scene.grace.api(scene.app) as api:
        answers = [
            await api.get(f"/events/{hidden}{below}") for below in ("", "/attendees", "/team")
        ]

    assert [each.status_code for each in answers] == [404, 404, 404]


async def test_owner_is_no_member_of_the_own_team(scene: Scene) -> None:
    body = {"email": scene.olive.email, "role": "door"}

    refused = await scene.call(scene.olive, "POST", json=body)

    assert refused.status_code == 422
    assert [(each["field"], each["code"]) for each in refused.json()["errors"]] == [
        ("email", "no-such-member")
    ]
    assert (await scene.call(scene.olive, "GET")).json()["items"] == []


@pytest.mark.parametrize("field", ["email", "user_id"])
async def test_account_that_is_not_there_or_disabled_is_refused_alike(
    scene: Scene, field: str
) -> None:
    root = await cast.root(scene.app)
    async with root.api(scene.app) as api:
        await api.patch(f"/users/{scene.grace.id}", json={"is_active": False})
    disabled = {"email": scene.grace.email, "user_id": str(scene.grace.id)}
    unknown = {"email": "nobody@example.com", "user_id": str(uuid4())}

    answers = [
        await scene.call(scene.olive, "POST", json={field: each[field], "role": "door"})
        for each in (disabled, unknown)
    ]

    told = [{**each.json(), "instance": ""} for each in answers]
    assert told[0] == told[1]
    assert (told[0]["status"], told[0]["errors"][0]["field"]) == (422, field)
    assert await rows.count(scene.app.runtime.database, TeamMember) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "door"}, "body"),
        ({"role": "owner", "email": "grace@example.com"}, "role"),
        ({"email": "grace@example.com"}, "role"),
        ({"email": "grace@example.com", "role": "door", "event_id": "x"}, "event_id"),
        ({"user_id": "1", "role": "door"}, "user_id"),
        ({"email": "grace", "role": "door"}, "email"),
    ],
)
async def test_wrong_invitation_is_refused_by_its_field(
    scene: Scene, body: dict[str, Any], field: str
) -> None:
    refused = await scene.call(scene.olive, "POST", json=body)

    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["errors"]] == [field]


async def test_invitation_that_is_sent_again_with_its_key_has_one_answer_and_one_effect(
    scene: Scene,
) -> None:
    body, headers = {"email": scene.grace.email, "role": "door"}, {"Idempotency-Key": "once"}

    first = await scene.call(scene.olive, "POST", json=body, headers=headers)
    again = await scene.call(scene.olive, "POST", json=body, headers=headers)
    other = await scene.call(scene.olive, "POST", json={**body, "role": "editor"}, headers=headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")
    entries, messages = await scene.told()
    assert (len(entries), len(messages)) == (1, 1)


async def test_each_change_is_audited_and_each_new_role_is_told_once(scene: Scene) -> None:
    for role in ("door", "door", "editor"):
        await scene.add(role)
    await scene.call(scene.olive, "DELETE", f"/{scene.grace.id}")

    entries, messages = await scene.told()

    about = (scene.olive.id, UUID(scene.event_id), scene.grace.id)
    assert entries == [
        ("team.set", *about, {"role": "door"}),
        ("team.set", *about, {"role": "editor"}),
        ("team.removed", *about, None),
    ]
    subject = {"event_id": scene.event_id, "user_id": str(scene.grace.id)}
    assert messages == [({**subject, "role": "door"},), ({**subject, "role": "editor"},)]


async def test_removal_of_somebody_who_is_in_no_team_is_not_found(scene: Scene) -> None:
    ada = await cast.ada(scene.app)
    await scene.add("door")
    first = await scene.call(scene.olive, "DELETE", f"/{scene.grace.id}")

    answers = [
        await scene.call(scene.olive, "DELETE", f"/{user_id}")
        for user_id in (scene.grace.id, ada.id, uuid4(), "1", "me")
    ]

    assert (first.status_code, first.content) == (204, b"")
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(404, "not-found")] * 5


async def test_same_person_added_by_many_at_once_is_in_the_team_once(scene: Scene) -> None:
    answers = await asyncio.gather(*(scene.add("door") for _ in range(AT_ONCE)))

    assert [each.status_code for each in answers] == [201] * AT_ONCE
    assert len({each.content for each in answers}) == 1
    entries, messages = await scene.told()
    assert (len(entries), len(messages)) == (1, 1)


async def test_team_is_paged_by_keys(scene: Scene) -> None:
    helpers = [await cast.join(scene.app, name) for name in ("Don", "Eve", "Fay")]
    for helper in helpers:
        await scene.add("door", helper)

    first = await scene.call(scene.olive, "GET", "?limit=2")
    cursor = first.json()["next_cursor"]
    second = await scene.call(scene.olive, "GET", f"?limit=2&cursor={cursor}")

    names = [each["name"] for page in (first, second) for each in page.json()["items"]]
    assert names == ["Don", "Eve", "Fay"]
    assert second.json()["next_cursor"] is None
    assert first.headers["link"] == f'<{scene.path}?limit=2&cursor={cursor}>; rel="next"'


async def test_owner_who_organizes_no_more_has_no_power_over_the_team(scene: Scene) -> None:
    root = await cast.root(scene.app)
    async with root.api(scene.app) as api:
        await api.patch(f"/users/{scene.olive.id}", json={"role": Role.ATTENDEE})

    answers = [await scene.call(scene.olive, "GET"), await scene.add("door")]

    assert [each.status_code for each in answers] == [404, 404]
    assert await rows.count(scene.app.runtime.database, TeamMember) == 0
