"""Everything that is known of someone, taken along: all of theirs, and nothing of anyone else's."""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select
from tests.db import rows
from tests.factories import make_event
from tests.notifications.dispatching import dispatched
from tests.registrations import scene
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import Person

from turnout.accounts.actor import Role
from turnout.audit.models import AuditEntry
from turnout.events.models import TeamRole
from turnout.notifications import exporting

PATH = "/users/me/export"


async def exported(app: RunningApp, person: Person) -> dict[str, Any]:
    """The document."""
    async with person.api(app) as api:
        answer = await api.get(PATH)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


async def test_export_of_someone_who_has_done_a_lot(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    guest = await stage.seat(name="Grace as a guest", email="GRACE@example.com")
    grace = await cast.join(closed_app, "Grace", Role.ORGANIZER)
    await stage.let_in(grace, TeamRole.DOOR)
    other = await scene.another(closed_app, stage.olive)
    seat = await other.seat(grace)
    async with grace.api(closed_app) as api:
        event = await make_event(api, name="Hers")
        body = {"name": "Laptop", "scopes": ["events:read"]}
        token = (await api.post("/users/me/tokens", json=body)).json()
        await api.patch("/users/me/preferences", json={"event-reminder": False})
        feed = (await api.post("/users/me/calendar-feed")).json()["url"]
    await dispatched(closed_app)

    found = await exported(closed_app, grace)

    profile = found["profile"]
    assert (profile["email"], profile["role"]) == ("grace@example.com", "organizer")
    assert (profile["has_password"], profile["second_factor_since"]) == (True, None)
    assert profile["calendar_feed_since"] is not None
    assert found["preferences"]["event-reminder"] is False
    assert {each["kind"] for each in found["sign_ins"]} == {"tokens", "page"}
    assert [(each["id"], each["name"]) for each in found["api_tokens"]] == [(token["id"], "Laptop")]
    assert [(each["id"], each["email"]) for each in found["registrations"]] == [
        (guest["id"], "GRACE@example.com"), (seat["id"], "grace@example.com")
    ]  # fmt: skip
    assert [(each["id"], each["name"]) for each in found["events"]] == [(event["id"], "Hers")]
    assert [(each["event_id"], each["role"]) for each in found["teams"]] == [
        (stage.event_id, "door")
    ]
    confirmed = [each for each in found["mails"] if each["kind"] == "registration-confirmed"]
    assert {each["address"] for each in confirmed} == {"GRACE@example.com", "grace@example.com"}
    assert {each["outcome"] for each in confirmed} == {None}
    actions = {each["action"] for each in found["actions"]}
    assert actions >= {"event.created", "api-token.created", "mail-choice.changed"}
    secrets = [token["token"], feed.rpartition("/")[2], grace.token, grace.cookie, "argon2"]
    assert [each for each in secrets if each in repr(found)] == []
    assert set(found) == set(exporting.PersonalData.__dataclass_fields__)


async def test_export_holds_nothing_of_anyone_else(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    ada = await cast.ada(closed_app)
    mallory = await cast.mallory(closed_app)
    for person in (ada, mallory):
        await stage.seat(person)
    await stage.seat(name="Carl Canary", email="carl@example.com")
    await dispatched(closed_app)

    text = repr(await exported(closed_app, ada))

    assert "ada@example.com" in text
    others = ("mallory", "carl", "olive", str(mallory.id), str(stage.olive.id))
    assert [each for each in others if each in text.lower()] == []


async def test_export_of_an_address_that_is_not_verified_leaves_its_guest_out(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    await stage.seat(name="The real Ada", email="ada@example.com")
    ada = await cast.join(closed_app, "Ada", verified=False)
    await dispatched(closed_app)

    found = await exported(closed_app, ada)

    assert found["registrations"] == []
    assert "The real Ada" not in repr(found)
    assert {each["kind"] for each in found["mails"]} == {"verify-email"}


async def test_export_is_whole_however_much_there_is_and_recorded_each_time(
    closed_app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)
    olive = await cast.olive(closed_app)
    async with olive.api(closed_app) as api:
        made = [(await make_event(api))["id"] for _ in range(5)]

    found = [await exported(closed_app, olive) for _ in range(2)]

    assert [[each["id"] for each in one["events"]] for one in found] == [made, made]
    exports = select(AuditEntry.actor_id).where(AuditEntry.action == "user.exported")
    recorded = await rows.read(closed_app.runtime.database, exports)
    assert recorded == [(olive.id,)] * 2
    done = [each["action"] for each in found[1]["actions"]]
    counts = Counter(done)
    assert counts == {"sign-in.opened": 2, "event.created": 5, "user.exported": 2}
