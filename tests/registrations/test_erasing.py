"""Erasing an account: its seats are free, what was is counted, and nothing tells who it was."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from tests.db import rows
from tests.factories import a_person
from tests.registrations import crowd, scene
from tests.registrations.crowd import Process
from tests.registrations.scene import Stage, code
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import Person

from turnout import clock
from turnout.accounts import users
from turnout.accounts.actor import Actor, Role, Standing
from turnout.accounts.models import ApiToken, Link, SignIn
from turnout.accounts.users import UserDraft
from turnout.db import sets
from turnout.db.session import Database
from turnout.registrations import erasing, gate, statements
from turnout.registrations.models import Registration
from turnout.registrations.records import Seated
from turnout.settings import Settings

HOUR = timedelta(hours=1)
NAME, TRACE = "Zebedee", b"zebedee"
"""A name that is in no other word."""


async def zebedee(app: RunningApp, *, verified: bool = True) -> Person:
    """Who is going to be erased: also has an API token, and an open link to verify the address."""
    person = await cast.join(app, NAME, verified=verified)
    async with person.api(app) as api:
        body = {"name": "Zebedee's laptop", "scopes": ["registrations:read"]}
        assert (await api.post("/users/me/tokens", json=body)).status_code == 201
    return person


async def erase(app: RunningApp, person: Person) -> None:
    """As the person does it."""
    async with person.api(app) as api:
        answer = await api.delete("/users/me")
    assert answer.status_code == 204, answer.text


async def end_event(stage: Stage) -> None:
    """Let the event be over."""
    now = clock.now()
    over = {"start_at": now - 2 * HOUR, "end_at": now - HOUR}
    await rows.change_event(stage.database, stage.event_id, **over)


async def traces(database: Database) -> list[bytes]:
    """Each line of the whole database that still tells of the person."""
    return [line for line in (await rows.dump(database)).splitlines() if TRACE in line.lower()]


async def test_erased_account_gives_its_seat_to_the_head_of_the_waitlist(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app, max_capacity=1, waitlist_enabled=True)
    person = await zebedee(closed_app)
    made = await stage.seat(person)
    next_, behind = await stage.guests(2)
    said, recorded = len(await stage.messages()), len(await stage.audit())

    await erase(closed_app, person)

    assert await stage.people() == [
        (f"deleted-{made['id']}@turnout.invalid", "cancelled", None),
        (next_["email"], "confirmed", None),
        (behind["email"], "waitlisted", 1),
    ]
    assert await stage.counters() == (1, 1)
    assert await stage.messages(after=said) == [
        ("registration.cancelled", made["id"]), ("registration.confirmed", next_["id"])
    ]  # fmt: skip
    assert await stage.audit(after=recorded) == [
        ("registration.cancelled", made["id"]), ("registration.promoted", next_["id"])
    ]  # fmt: skip
    assert await traces(stage.database) == []
    assert await rows.drifts(stage.database) == []


async def test_erased_account_leaves_the_waitlist(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app, max_capacity=1, waitlist_enabled=True)
    person = await zebedee(closed_app)
    await stage.guests(2)
    await stage.seat(person)
    last = await stage.seat(**a_person(7))

    await erase(closed_app, person)

    read = await stage.call("read", last["id"], last)
    assert (read.json()["status"], read.json()["waitlist_position"]) == ("waitlisted", 2)
    assert await stage.counters() == (1, 2)
    assert await rows.drifts(stage.database) == []


async def test_erased_account_stays_counted_where_it_has_been(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app, max_capacity=1, waitlist_enabled=True)
    person = await zebedee(closed_app)
    made = await stage.seat(person)
    await stage.guests(1)
    here = update(Registration).where(Registration.id == UUID(made["id"]))
    await rows.change(
        stage.database, here.values(checked_in_at=clock.now(), answers={"diet": "Zebedee's own"})
    )
    await end_event(stage)

    await erase(closed_app, person)

    read = (await stage.call("read", made["id"], stage.olive)).json()
    assert (read["name"], read["email"], read["status"], read["answers"]) == (
        users.ERASED_NAME, f"deleted-{made['id']}@turnout.invalid", "confirmed", {},
    )  # fmt: skip
    assert read["checked_in_at"] is not None
    assert await stage.counters() == (1, 1)
    assert await traces(stage.database) == []
    assert await rows.drifts(stage.database) == []


async def as_guest(stage: Stage) -> list[dict[str, Any]]:
    """What Zebedee took without an account: at an event to come, at one that is over, cancelled."""
    stages = [stage, *[await scene.another(stage.app, stage.olive) for _ in range(2)]]
    made = [await each.seat(name=NAME, email="ZEBEDEE@example.com") for each in stages]
    await end_event(stages[1])
    await stages[2].cancel(made[2])
    return made


async def test_erased_account_is_gone_as_a_guest_under_its_verified_address(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    made = await as_guest(stage)
    other = await stage.seat(name="Carl", email="carl@example.com")
    person = await zebedee(closed_app)

    await erase(closed_app, person)

    read = [(await stage.call("read", each["id"], stage.olive)).json() for each in made]
    tickets = [await stage.call("read", each["id"], each) for each in made]
    assert [each["status"] for each in read] == ["cancelled", "confirmed", "cancelled"]
    assert {each["name"] for each in read} == {users.ERASED_NAME}
    assert [code(answer) for answer in tickets] == [(401, "invalid-token")] * 3
    assert (await stage.call("read", other["id"], other)).json()["name"] == "Carl"
    assert await stage.counters() == (1, 0)
    assert await traces(stage.database) == []
    assert await rows.drifts(stage.database) == []


async def test_erased_account_with_an_unverified_address_leaves_the_guest_alone(
    closed_app: RunningApp,
) -> None:
    """Anyone may make an account with another's address; erasing it takes nothing of theirs."""
    stage = await scene.stage(closed_app)
    made = await as_guest(stage)
    person = await zebedee(closed_app, verified=False)

    await erase(closed_app, person)

    read = await stage.call("read", made[0]["id"], made[0])
    kept = await rows.read(stage.database, select(Registration.email))
    assert (read.json()["name"], read.json()["status"]) == (NAME, "confirmed")
    assert kept == [("ZEBEDEE@example.com",)] * 3
    assert await rows.drifts(stage.database) == []


async def test_erased_account_gets_no_seat_of_its_own(closed_app: RunningApp) -> None:
    """With a new address someone can wait for the seat that they have under the old one."""
    stage = await scene.stage(closed_app, max_capacity=1, waitlist_enabled=True)
    person = await zebedee(closed_app)
    made = [await stage.seat(person)]
    old = update(Registration).where(Registration.id == UUID(made[0]["id"]))
    await rows.change(stage.database, old.values(email_canonical="old-zebedee@example.com"))
    made.append(await stage.seat(person))
    last = await stage.seat(**a_person(1))
    said = len(await stage.messages())

    await erase(closed_app, person)

    assert await stage.messages(after=said) == [
        ("registration.cancelled", made[1]["id"]),
        ("registration.cancelled", made[0]["id"]),
        ("registration.confirmed", last["id"]),
    ]
    assert await traces(stage.database) == []
    assert await rows.drifts(stage.database) == []


async def test_erased_account_leaves_no_trace_in_what_once_let_it_in(
    closed_app: RunningApp,
) -> None:
    """By an administrator; the link was never used, the token and the sign-ins still good."""
    person = await zebedee(closed_app, verified=False)
    root = await cast.root(closed_app)
    database = closed_app.runtime.database
    before = await traces(database)

    async with root.api(closed_app) as api:
        erased = await api.delete(f"/users/{person.id}")
    async with person.api(closed_app) as api:
        refused = await api.get("/users/me")

    sign_ins = select(SignIn.client, SignIn.address).where(SignIn.user_id == person.id)
    assert len(before) >= 4
    assert (erased.status_code, code(refused)) == (204, (401, "invalid-token"))
    assert await traces(database) == []
    assert await rows.read(database, sign_ins) == [("", None)] * 2
    assert await rows.count(database, Link, Link.user_id == person.id) == 0
    assert await rows.read(database, select(ApiToken.name)) == [("",)]


async def test_register_by_an_account_that_is_erased_meanwhile_leaves_nothing(
    closed_app: RunningApp, settings: Settings
) -> None:
    """Let in before it was erased, at the gate after: a seat that nobody could let go of again."""
    stage = await scene.stage(closed_app)
    person = await zebedee(closed_app)
    other = Database(settings.database_url)

    async with other.write() as db:
        user = await users.locked(db, person.id)
        await erasing.erase(db, user, crowd.CAUSE, clock.now())
        asking = asyncio.create_task(stage.ask(person))
        await rows.until(lambda: closed_app.runtime.desk._waiting == 1)
    refused = await asking
    await other.aclose()

    assert code(refused) == (401, "unauthenticated")
    assert await stage.people() == []
    assert await traces(stage.database) == []


async def test_erased_account_that_is_just_taking_a_seat_is_erased_with_it(
    closed_app: RunningApp, settings: Settings
) -> None:
    """The other order: the seat is not committed yet when the account goes."""
    stage = await scene.stage(closed_app)
    person = await zebedee(closed_app)
    wish = crowd.a_wish(UUID(stage.event_id), person.email, actor_for(person))
    other = Database(settings.database_url)

    async with other.write() as db:
        [seated] = await gate.admit(db, [wish], clock.now(), secret=b"x" * 32, wait=True)
        await sets.flush(db)
        erasing_ = asyncio.create_task(erase(closed_app, person))
        await asyncio.sleep(0.3)
        waited = not erasing_.done()
    await erasing_
    await other.aclose()

    assert isinstance(seated, Seated)
    assert waited
    assert [status for _, status, __ in await stage.people()] == ["cancelled"]
    assert await traces(stage.database) == []
    assert await rows.drifts(stage.database) == []


def actor_for(person: Person) -> Actor:
    """The account as it calls."""
    return Actor(
        Standing.ACCOUNT, person.id, person.name, Role.ATTENDEE, None, person.email, person.email
    )


EVENTS, PEOPLE = 4, 5


async def join(database: Database, n: int) -> Actor:
    """One of those who will be erased."""
    draft = UserDraft(f"zebedee{n}@example.com", NAME, is_verified=True)
    async with database.write() as db:
        user = await users.create(db, draft, crowd.CAUSE, clock.now())
    return actor_for(Person(user.id, NAME, draft.email, "", ""))


async def erase_among_others(servers: list[Process], random: Random) -> list[BaseException]:
    """What goes wrong while all accounts are erased at once, and others come and go."""
    database = servers[0].database
    event_ids = await crowd.make_events(database, [2] * EVENTS)
    people = [await join(database, n) for n in range(PEOPLE)]
    leaving: list[UUID] = []
    for n, actor in enumerate(people):
        for event_id in random.sample(event_ids, EVENTS):
            await servers[0].register(event_id, actor.person or "", actor)
            made = await servers[1].register(event_id, f"guest{n}@example.com")
            leaving.append(made.id)
    doings = [
        *(servers[n % 2].erase(actor.person or "") for n, actor in enumerate(people)),
        *(servers[n % 2].cancel(each) for n, each in enumerate(random.sample(leaving, 8))),
        *(
            servers[n % 2].register(random.choice(event_ids), f"late{n}@example.com")
            for n in range(8)
        ),
    ]
    random.shuffle(doings)
    ended = await asyncio.gather(*doings, return_exceptions=True)
    return [each for each in ended if isinstance(each, BaseException)]


async def test_erasing_many_while_others_register_and_cancel_fails_nobody(
    database_url: str,
) -> None:
    errors: list[BaseException] = []
    async with crowd.processes(database_url) as servers:
        for seed in range(3):
            errors += await erase_among_others(servers, Random(seed))
        left = await traces(servers[0].database)
        drifts = await rows.drifts(servers[0].database)

    assert errors == []
    assert left == []
    assert drifts == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_erasing_many_with_locks_in_any_order_fails_some(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what waits in a circle is ended by the database, and the test sees it."""
    monkeypatch.setattr(statements, "lock_events", lock_none)

    errors: list[BaseException] = []
    async with crowd.processes(database_url) as servers:
        for seed in range(3):
            errors += await erase_among_others(servers, Random(seed))
            if errors:
                break

    states = [getattr(e.orig, "sqlstate", None) for e in errors if isinstance(e, DBAPIError)]
    assert "40P01" in states


async def lock_none(db: AsyncSession, event_ids: Collection[UUID]) -> None:
    """`statements.lock_events` that leaves each event to be locked when its turn comes."""
    del db, event_ids
