"""Who may read and change a registration, what each of them sees, and whose lists it is in."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from tests.db import rows
from tests.factories import a_person
from tests.registrations import scene
from tests.registrations.scene import CALLS, NOBODYS_ID, Stage, code, plain, told
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import Person

from turnout.accounts.actor import Role
from turnout.db.session import Database
from turnout.events.models import TeamRole
from turnout.registrations.models import Registration
from turnout.settings import Settings

HIDDEN_AT_THE_DOOR = {"email", "ticket_code", "answers"}


async def test_registration_is_shown_to_its_attendee_and_who_edits_the_event(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    ada, root = await cast.ada(closed_app), await cast.root(closed_app)
    editor = await stage.helper("Eddie", TeamRole.EDITOR)
    made = await stage.seat(ada)

    seen = [await stage.call("read", made["id"], by) for by in (ada, stage.olive, editor, root)]

    assert [(answer.status_code, answer.json()) for answer in seen] == [(200, plain(made))] * 4
    assert set(plain(made)) == {
        "id", "event_id", "name", "email", "status", "waitlist_position", "ticket_code",
        "checked_in_at", "created_at", "updated_at", "answers",
    }  # fmt: skip


async def test_registration_at_the_door_has_no_address_and_no_ticket(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    door = await stage.helper("Dora", TeamRole.DOOR)
    made = await stage.seat(await cast.ada(closed_app))

    seen = await stage.call("read", made["id"], door)

    reduced = {k: v for k, v in plain(made).items() if k not in HIDDEN_AT_THE_DOOR}
    assert (seen.status_code, seen.json()) == (200, reduced)
    assert made["email"] not in seen.text
    assert made["ticket_code"] not in seen.text


async def test_registration_of_who_works_at_the_door_is_wholly_their_own(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    door = await stage.helper("Dora", TeamRole.DOOR)
    made = await stage.seat(door)

    seen = await stage.call("read", made["id"], door)
    renamed = await stage.call("rename", made["id"], door)

    assert seen.json() == plain(made)
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Ada King")


async def test_registration_is_not_changed_by_the_door(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    door = await stage.helper("Dora", TeamRole.DOOR)
    made = await stage.seat(await cast.ada(closed_app))
    before = await rows.counts(stage.database)

    refused = [await stage.call(what, made["id"], door) for what in ("rename", "cancel")]

    assert [code(answer) for answer in refused] == [(403, "not-allowed")] * 2
    assert (await stage.call("read", made["id"], stage.olive)).json() == plain(made)
    assert await rows.counts(stage.database) == before


async def strangers(app: RunningApp) -> list[Person]:
    """Another attendee, an organizer and an editor of other events, one with Ada's address."""
    mallory, bob = await cast.mallory(app), await cast.join(app, "Bob")
    elsewhere = await scene.another(app, mallory)
    editor = await elsewhere.helper("Edith", TeamRole.EDITOR)
    return [mallory, bob, editor, await cast.join(app, "Ada", verified=False)]


@pytest.mark.parametrize("what", CALLS)
async def test_registration_is_to_strangers_as_if_there_were_none(
    closed_app: RunningApp, what: str
) -> None:
    """Ada's seat was taken as a guest; the account with her address has not shown it is hers."""
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="ada@example.com")
    found = await strangers(closed_app)
    before = await rows.counts(stage.database)

    real = [told(await stage.call(what, made["id"], by)) for by in found]
    unreal = [told(await stage.call(what, NOBODYS_ID, by)) for by in found]

    assert {status for status, _, __ in real} == {404}
    assert real == unreal
    assert (await stage.call("read", made["id"], made)).json() == plain(made)
    assert await rows.counts(stage.database) == before


@pytest.mark.parametrize("what", CALLS)
async def test_registration_without_a_credential_asks_for_one(
    closed_app: RunningApp, what: str
) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="ada@example.com")

    answers = [
        await stage.call(what, registration_id, None)
        for registration_id in (made["id"], NOBODYS_ID, "1")
    ]

    assert [code(answer) for answer in answers] == [(401, "unauthenticated")] * 3
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}
    assert (await stage.call("read", made["id"], made)).json() == plain(made)


async def test_rename_is_written_once_and_read_by_all(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    ada = await cast.ada(closed_app)
    made = await stage.seat(ada)
    said, recorded = len(await stage.messages()), len(await stage.audit())

    renamed = await stage.call("rename", made["id"], ada)

    read = await stage.call("read", made["id"], stage.olive)
    assert renamed.status_code == 200
    assert renamed.json() == {
        **plain(made), "name": "Ada King", "updated_at": renamed.json()["updated_at"]
    }  # fmt: skip
    assert renamed.json()["updated_at"] > made["updated_at"]
    assert (read.json(), read.headers["etag"]) == (renamed.json(), renamed.headers["etag"])
    assert await stage.audit(after=recorded) == [("registration.renamed", made["id"])]
    assert await stage.messages(after=said) == []


async def test_rename_by_who_edits_the_event_and_by_the_guest(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="ada@example.com")
    editor, root = await stage.helper("Eddie", TeamRole.EDITOR), await cast.root(closed_app)
    renaming = update(Registration).values(name="Ada")

    names = []
    for by in (stage.olive, editor, root, made):
        await rows.change(stage.database, renaming)
        renamed = await stage.call("rename", made["id"], by)
        read = await stage.call("read", made["id"], made)
        names.append((renamed.status_code, renamed.json()["name"], read.json() == renamed.json()))

    assert names == [(200, "Ada King", True)] * 4


WRONG: list[dict[str, Any]] = [
    {},
    {"name": ""},
    {"name": None},
    {"name": "Ada", "email": "mallory@example.com"},
    {"name": "Ada", "status": "confirmed"},
    {"name": "Ada", "waitlist_position": 1},
    {"name": "Ada", "account_id": NOBODYS_ID},
    {"name": "Ada", "event_id": NOBODYS_ID},
]


async def test_rename_takes_a_name_and_nothing_else(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    ada = await cast.ada(closed_app)
    made = await stage.seat(ada)

    async with ada.api(closed_app) as api:
        refused = [await api.patch(f"/registrations/{made['id']}", json=body) for body in WRONG]

    assert [code(answer) for answer in refused] == [(422, "validation-error")] * len(WRONG)
    assert (await stage.call("read", made["id"], ada)).json() == plain(made)


async def test_rename_with_if_match_needs_the_present_version(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    ada = await cast.ada(closed_app)
    made = await stage.seat(ada)
    old = (await stage.call("read", made["id"], ada)).headers["etag"]

    first = await stage.call("rename", made["id"], ada, **{"If-Match": old})
    after = (await stage.call("read", made["id"], ada)).json()
    stale, weak, malformed = [
        await stage.call("rename", made["id"], ada, **{"If-Match": tag})
        for tag in (old, f"W/{first.headers['etag']}", "none")
    ]
    unchanged = (await stage.call("read", made["id"], ada)).json()
    present, any_ = [
        await stage.call("rename", made["id"], ada, **{"If-Match": tag})
        for tag in (first.headers["etag"], "*")
    ]

    assert first.status_code == 200
    assert [code(stale), code(weak)] == [(412, "precondition-failed")] * 2
    assert malformed.status_code == 400
    assert unchanged == after
    assert [present.status_code, any_.status_code] == [200, 200]


async def test_rename_by_two_with_the_same_if_match_counts_once(
    closed_app: RunningApp, settings: Settings
) -> None:
    """Both have found their version before either has written, unless the row is held."""
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="ada@example.com")
    tag = {"If-Match": (await stage.call("read", made["id"], made)).headers["etag"]}
    this = update(Registration).where(Registration.id == UUID(made["id"]))
    other = Database(settings.database_url)

    async with other.write() as db:
        await db.execute(this.values(name="Ada"))
        both = [
            asyncio.create_task(stage.call("rename", made["id"], made, **tag)) for _ in range(2)
        ]
        await asyncio.sleep(0.3)
        waited = [not task.done() for task in both]
    answers = await asyncio.gather(*both)
    await other.aclose()

    assert waited == [True, True]
    assert sorted(answer.status_code for answer in answers) == [200, 412]


async def own(
    app: RunningApp, person: Person, query: str = ""
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of someone's registrations, and the cursor of the next."""
    async with person.api(app) as api:
        answer = await api.get(f"/users/me/registrations{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"], answer.json()["next_cursor"]


async def test_own_registrations_are_the_account_s_newest_first(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    ada, bob = await cast.ada(closed_app), await cast.join(closed_app, "Bob")
    made = [await stage.seat(ada)]
    await stage.seat(bob)
    await stage.seat(stage.olive, name="Carl", email="carl@example.com")
    made += [await (await scene.another(closed_app, stage.olive)).seat(ada) for _ in range(2)]
    cancelled = await stage.cancel(made[0], ada)

    items, cursor = await own(closed_app, ada)

    assert items == [plain(made[2]), plain(made[1]), cancelled]
    assert cursor is None


async def test_own_registrations_by_pages_are_each_there_once(closed_app: RunningApp) -> None:
    """Those of the account and those of the guest take turns; new ones come while one reads."""
    ada = await cast.ada(closed_app)
    stages = [await scene.stage(closed_app)]
    stages += [await scene.another(closed_app, stages[0].olive) for _ in range(7)]
    made = [
        await stage.seat(ada) if n % 2 else await stage.seat(name="Ada", email="ADA@example.com")
        for n, stage in enumerate(stages[:7])
    ]

    pages: list[list[str]] = []
    cursor = ""
    while len(pages) < 9:
        items, following = await own(closed_app, ada, f"?limit=3{cursor}")
        pages.append([each["id"] for each in items])
        if len(pages) == 1:
            await stages[7].seat(ada)
        if following is None:
            break
        cursor = f"&cursor={following}"

    newest_first = [each["id"] for each in reversed(made)]
    assert pages == [newest_first[:3], newest_first[3:6], newest_first[6:]]


async def test_own_registrations_as_a_guest_come_in_once_the_address_is_verified(
    closed_app: RunningApp,
) -> None:
    """Bob's, in whatever case he typed it; those that Ada's account holds are never his."""
    stage = await scene.stage(closed_app)
    typed = ["bob@example.com", "BOB@Example.Com", "Bob@EXAMPLE.com"]
    made = []
    for each in typed:
        another = await scene.another(closed_app, stage.olive)
        made.append(await another.seat(name="Bob", email=each))
    await stage.seat(name="Not Bob", email="bob2@example.com")
    bob = await cast.join(closed_app, "Bob")
    unverified = await cast.join(closed_app, "Carl", verified=False)
    await stage.seat(name="Carl", email="carl@example.com")

    seen, unseen = [await own(closed_app, each) for each in (bob, unverified)]

    assert seen == ([plain(each) for each in reversed(made)], None)
    assert unseen == ([], None)


async def test_own_registration_of_another_account_is_never_shown_by_its_address(
    closed_app: RunningApp,
) -> None:
    """Ada has given her address up since, and Bob has it now: the seat is still Ada's."""
    stage = await scene.stage(closed_app)
    ada = await cast.ada(closed_app)
    made = await stage.seat(ada)
    bob = await cast.join(closed_app, "Bob")
    changed = update(Registration).values(email=bob.email, email_canonical=bob.email)
    await rows.change(stage.database, changed)

    [kept], _ = await own(closed_app, ada)
    others = await own(closed_app, bob)
    refused = await stage.call("read", made["id"], bob)

    assert kept["id"] == made["id"]
    assert others == ([], None)
    assert code(refused) == (404, "not-found")


async def test_own_registrations_are_for_accounts_alone(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(**a_person(1))

    async with closed_app.client() as api:
        anonymous = await api.get("/users/me/registrations")
        guest = await api.get("/users/me/registrations", headers=scene.headers_of(made))

    assert [code(anonymous), code(guest)] == [(401, "unauthenticated")] * 2


async def test_own_registrations_cursor_is_good_for_its_account_alone(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    ada, bob = await cast.ada(closed_app), await cast.join(closed_app, "Bob", Role.ADMIN)
    for each in (stage, await scene.another(closed_app, stage.olive)):
        await each.seat(ada)
    _, cursor = await own(closed_app, ada, "?limit=1")

    async with bob.api(closed_app) as api:
        refused = await api.get(f"/users/me/registrations?limit=1&cursor={cursor}")

    assert cursor is not None
    assert refused.status_code == 422


async def moved(stage: Stage, person: Person) -> set[str]:
    """The offsets of the times of someone's registrations."""
    items, _ = await own(stage.app, person, "?tz=Asia/Kathmandu")
    return {each["created_at"][-6:] for each in items}


async def test_own_registrations_are_shown_in_the_zone_asked_for(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    ada = await cast.ada(closed_app)
    made = await stage.seat(ada)

    offsets = await moved(stage, ada)

    assert (made["created_at"][-6:], offsets) == ("+05:30", {"+05:45"})
