"""Taking a seat while signed in: for oneself, and for others where the event is one's own."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from tests.db import rows
from tests.registrations import scene
from tests.registrations.scene import Stage, code, plain
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import Person

from turnout.accounts.actor import Role
from turnout.events.models import TeamRole
from turnout.registrations.models import Registration

BOB = {"name": "Bob", "email": "bob@example.com"}


async def holder(stage: Stage, made: dict[str, Any]) -> UUID | None:
    """The account that holds a registration."""
    query = select(Registration.account_id).where(Registration.id == UUID(made["id"]))
    [(account_id,)] = await rows.read(stage.database, query)
    found: UUID | None = account_id
    return found


@pytest.mark.parametrize(
    ("wish", "name", "email"),
    [
        ({}, "Ada", "ada@example.com"),
        ({"name": "Ada Lovelace"}, "Ada Lovelace", "ada@example.com"),
        ({"email": "ADA@Example.com"}, "Ada", "ADA@Example.com"),
        ({"name": "A. L.", "email": "ada@example.com"}, "A. L.", "ada@example.com"),
    ],
)
async def test_register_signed_in_is_for_the_account_where_nothing_else_is_said(
    closed_app: RunningApp, wish: dict[str, str], name: str, email: str
) -> None:
    stage = await scene.stage(closed_app)
    ada = await cast.ada(closed_app)

    made = await stage.seat(ada, **wish)

    assert (made["name"], made["email"], made["manage_token"]) == (name, email, None)
    assert await holder(stage, made) == ada.id


async def test_register_without_an_account_needs_name_and_address(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)

    refused = [await stage.ask(None, **wish) for wish in ({}, {"name": "Ada"}, {"email": "a@b.de"})]

    fields = [{each["field"] for each in answer.json()["errors"]} for answer in refused]
    assert [code(answer) for answer in refused] == [(422, "validation-error")] * 3
    assert fields == [{"name", "email"}, {"email"}, {"name"}]
    assert await stage.people() == []


async def test_register_twice_by_account_and_as_a_guest_is_one_person(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    ada = await cast.ada(closed_app)
    await stage.seat(ada)

    again = await stage.ask(ada)
    guest = await stage.ask(None, name="Ada", email="ADA@example.com")

    assert [code(again), code(guest)] == [(409, "already-registered")] * 2
    assert await stage.people() == [("ada@example.com", "confirmed", None)]


async def test_register_somebody_else_is_not_for_those_who_only_come(
    closed_app: RunningApp,
) -> None:
    """An account is one person; for another one signs out. The door is no editor."""
    stage = await scene.stage(closed_app)
    others = [
        await cast.ada(closed_app),
        await cast.mallory(closed_app),
        await stage.helper("Dora", TeamRole.DOOR),
    ]
    before = await rows.counts(stage.database)

    refused = [await stage.ask(by, **BOB) for by in others]

    assert [code(answer) for answer in refused] == [(403, "not-allowed")] * 3
    assert await rows.counts(stage.database) == before
    assert await stage.counters() == (0, 0)


async def test_register_somebody_else_by_an_editor_makes_a_guest(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    editors = [
        stage.olive,
        await stage.helper("Eddie", TeamRole.EDITOR),
        await cast.root(closed_app),
    ]
    bob = await cast.join(closed_app, "Bob")

    made = [
        await stage.seat(by, name="P", email=f"p{n}@example.com") for n, by in enumerate(editors)
    ]
    of_bob = await stage.seat(stage.olive, **BOB)

    assert [await holder(stage, each) for each in (*made, of_bob)] == [None] * 4
    for each in made:
        read = await stage.call("read", each["id"], each)
        assert (read.status_code, read.json()) == (200, plain(each))
    # Bob has shown that the address is his: what is made for it is his to see, and by no token.
    assert (await stage.call("read", of_bob["id"], bob)).json() == plain(of_bob)


async def test_register_oneself_by_an_editor_is_the_account_s(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)

    made = await stage.seat(stage.olive)

    assert (made["email"], made["manage_token"]) == ("olive@example.com", None)
    assert await holder(stage, made) == stage.olive.id


@pytest.mark.parametrize("hidden", [{"visibility": "private"}, {"status": "draft"}])
async def test_register_at_a_hidden_event_is_for_its_team(
    closed_app: RunningApp, hidden: dict[str, str]
) -> None:
    """A draft takes nobody yet, which its team is told; to all others it is not there."""
    stage = await scene.stage(closed_app)
    await rows.change_event(stage.database, stage.event_id, **hidden)
    team: list[Person] = [
        stage.olive,
        await stage.helper("Eddie", TeamRole.EDITOR),
        await stage.helper("Dora", TeamRole.DOOR),
        await cast.root(closed_app),
    ]
    others = [await cast.ada(closed_app), await cast.mallory(closed_app)]

    seen = [await stage.ask(by) for by in team]
    unseen = [await stage.ask(by) for by in others] + [await stage.ask(None, **BOB)]

    is_draft = "status" in hidden
    expected = [by.email for by in team]
    assert [answer.status_code for answer in seen] == [409 if is_draft else 201] * 4
    if is_draft:
        told = [(answer.json()["code"], answer.json()["reason"]) for answer in seen]
        assert told == [("registration-closed", "not-open-yet")] * 4
    assert [code(answer) for answer in unseen] == [(404, "not-found")] * 3
    assert [email for email, _, __ in await stage.people()] == ([] if is_draft else expected)


async def test_register_somebody_else_at_a_hidden_event_tells_strangers_nothing(
    closed_app: RunningApp,
) -> None:
    """404 before 403: what is not allowed would tell that there is something."""
    stage = await scene.stage(closed_app)
    await rows.change_event(stage.database, stage.event_id, visibility="private")
    door = await stage.helper("Dora", TeamRole.DOOR)

    stranger = await stage.ask(await cast.ada(closed_app), **BOB)
    seen = await stage.ask(door, **BOB)

    assert [code(stranger), code(seen)] == [(404, "not-found"), (403, "not-allowed")]


async def test_register_by_one_who_lost_the_event_is_a_stranger_s(closed_app: RunningApp) -> None:
    """The owner of an event who is no organizer any more comes as everyone does."""
    stage = await scene.stage(closed_app)
    root = await cast.root(closed_app)
    async with root.api(closed_app) as api:
        demoted = await api.patch(f"/users/{stage.olive.id}", json={"role": Role.ATTENDEE})

    refused = await stage.ask(stage.olive, **BOB)
    own = await stage.ask(stage.olive)

    assert demoted.status_code == 200
    assert code(refused) == (403, "not-allowed")
    assert own.status_code == 201
