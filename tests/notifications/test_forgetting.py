"""Whoever is erased is in no table any more, what was sent to them included; others keep theirs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update
from tests.accounts.calls import link_tokens
from tests.db import rows
from tests.notifications.dispatching import dispatched
from tests.registrations import scene
from tests.registrations.scene import Stage
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import PASSWORD, Person

from turnout import clock, ids
from turnout.accounts import sign_ins, users
from turnout.accounts.actor import Role
from turnout.accounts.models import SignInKind
from turnout.accounts.sign_ins import Client
from turnout.audit.models import AuditEntry
from turnout.db.session import Database
from turnout.notifications import choices, retention
from turnout.notifications.kinds import MailKind
from turnout.notifications.models import Anonymization, CalendarFeed, MailChoice, Webhook
from turnout.outbox.models import Delivery, OutboxMessage
from turnout.outbox.topics import Topic
from turnout.registrations.models import Registration

TRACE = b"zebedee"
"""Of a name that is in no other word."""


async def traces(database: Database) -> list[bytes]:
    """Each line of the whole database that still tells of the person."""
    return [line for line in (await rows.dump(database)).splitlines() if TRACE in line.lower()]


async def deliveries(database: Database) -> list[tuple[Any, ...]]:
    """Kind, address and outcome of every mail, in their order."""
    columns = Delivery.kind, Delivery.address, Delivery.outcome
    return await rows.read(database, select(*columns).order_by(Delivery.id))


async def busy(app: RunningApp, stage: Stage) -> Person:
    """Zebedee, who has done all there is to do, and whose mails are partly sent, partly not."""
    person = await cast.join(app, "Zebedee", Role.ORGANIZER)
    await stage.seat(person)
    await stage.seat(name="Carl", email="carl@example.com")
    await dispatched(app)
    sent = update(Delivery).values(outcome="sent", finished_at=clock.now())
    theirs = sent.where(Delivery.address == person.email)
    refused = theirs.values(last_error="550 no zebedee here")
    await rows.change(app.runtime.database, sent, refused)
    async with person.api(app) as api:
        await api.patch("/users/me/preferences", json={"registration-received": True})
        await api.post("/users/me/calendar-feed")
    await webhook(app, person)
    person = await move_to(app, person, "new.zebedee@example.com")
    await dispatched(app)
    return person


async def webhook(app: RunningApp, person: Person) -> None:
    now = clock.now()
    values: dict[str, Any] = {
        "id": ids.new_id(), "owner_id": person.id, "event_id": None,
        "url": "https://zebedee.example.com/", "description": "Zebedee's", "topics": [],
        "sealed_secret": b"x", "is_active": True, "version": 1, "created_at": now,
        "updated_at": now,
    }  # fmt: skip
    await rows.change(app.runtime.database, insert(Webhook).values(**values))


async def move_to(app: RunningApp, person: Person, email: str) -> Person:
    """The person, signed in anew, once the account has another address by the link to it."""
    async with person.api(app) as api:
        asked = await api.patch("/users/me", json={"email": email, "current_password": PASSWORD})
        assert asked.status_code == 200, asked.text
        [link] = await link_tokens(app, Topic.EMAIL_CHANGE_ASKED)
        assert (await api.post("/auth/verify-email", json={"token": link})).status_code == 204
    runtime, now = app.runtime, clock.now()
    async with runtime.database.write() as db:
        found = sign_ins.candidate_of(await users.by_id(db, person.id))
        opened = await sign_ins.open_(
            db, found, SignInKind.TOKENS, Client("test", None), cast.CAUSE, now
        )
    token = runtime.access_tokens.write(person.id, opened.sign_in_id, now)
    return replace(person, email=email, token=token)


@pytest.mark.parametrize("by", ["themselves", "an administrator"])
async def test_erased_account_is_in_no_table_any_more(closed_app: RunningApp, by: str) -> None:
    stage = await scene.stage(closed_app)
    person = await busy(closed_app, stage)
    root = await cast.root(closed_app)
    before = await traces(stage.database)

    caller, path = (person, "/users/me") if by == "themselves" else (root, f"/users/{person.id}")
    async with caller.api(closed_app) as api:
        erased = await api.delete(path)

    assert erased.status_code == 204
    assert len(before) > 15
    assert await traces(stage.database) == []
    assert await rows.count(stage.database, MailChoice) == 0
    assert await rows.count(stage.database, CalendarFeed) == 0
    assert await rows.count(stage.database, Webhook) == 0
    mails = await deliveries(stage.database)
    # What was sent stays counted; what was not is sent no more. Carl's is as it was.
    others = [each for each in mails if each[1] == "carl@example.com"]
    assert others == [("registration-confirmed", "carl@example.com", "sent")]
    assert {address for _, address, __ in mails} == {"carl@example.com", "olive@example.com", None}
    assert {outcome for _, address, outcome in mails if address is None} == {"sent", "moot"}
    await dispatched(closed_app)
    assert await traces(stage.database) == []
    assert await rows.drifts(stage.database) == []


async def test_former_address_that_was_not_told_yet_is_forgotten_as_well(
    closed_app: RunningApp,
) -> None:
    person = await cast.join(closed_app, "Zebedee")
    database = closed_app.runtime.database
    person = await move_to(closed_app, person, "new@example.com")
    said = select(OutboxMessage.payload).where(OutboxMessage.topic == Topic.EMAIL_CHANGED)
    before = await rows.read(database, said)

    async with person.api(closed_app) as api:
        await api.delete("/users/me")
    after = await rows.read(database, said)
    await dispatched(closed_app)

    user_id = {"user_id": str(person.id)}
    assert before == [(user_id | {"former_email": "zebedee@example.com"},)]
    assert after == [(user_id,)]
    assert await traces(database) == []
    assert [kind for kind, *_ in await deliveries(database) if kind == "email-changed"] == []


async def test_former_address_that_is_anothers_now_keeps_its_mails_and_choices(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    person = await cast.join(closed_app, "Ada")
    person = await move_to(closed_app, person, "new@example.com")
    await stage.seat(name="Ada the second", email="ada@example.com")
    await dispatched(closed_app)
    async with stage.database.write() as db:
        no = {MailKind.EVENT_REMINDER: False}
        await choices.choose(db, "ada@example.com", no, cast.CAUSE, clock.now())

    async with person.api(closed_app) as api:
        await api.delete("/users/me")

    kept = [each for each in await deliveries(stage.database) if each[1] == "ada@example.com"]
    assert kept == [("registration-confirmed", "ada@example.com", None)]
    assert await rows.count(stage.database, MailChoice) == 1


async def test_account_whose_address_is_not_verified_takes_nothing_of_its_readers(
    closed_app: RunningApp,
) -> None:
    """Or anyone could keep another's mails from being sent."""
    stage = await scene.stage(closed_app)
    await stage.seat(name="Zebedee", email="zebedee@example.com")
    await dispatched(closed_app)
    async with stage.database.write() as db:
        no = {MailKind.EVENT_REMINDER: False}
        await choices.choose(db, "zebedee@example.com", no, cast.CAUSE, clock.now())
    person = await cast.join(closed_app, "Zebedee", verified=False)

    async with person.api(closed_app) as api:
        await api.delete("/users/me")

    mails = await deliveries(stage.database)
    assert ("registration-confirmed", "zebedee@example.com", None) in mails
    assert await rows.count(stage.database, MailChoice) == 1


async def test_guests_mails_about_an_event_that_was_deleted_go_with_the_account(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Zebedee", email="ZEBEDEE@example.com")
    await stage.cancel(made)
    await dispatched(closed_app)
    async with stage.olive.api(closed_app) as api:
        assert (await api.delete(f"/events/{stage.event_id}")).status_code == 204
    person = await cast.join(closed_app, "Zebedee")
    before = await traces(stage.database)

    async with person.api(closed_app) as api:
        await api.delete("/users/me")

    assert b"'ZEBEDEE@example.com'" in before
    assert await traces(stage.database) == []


async def past(stage: Stage, days: float) -> None:
    """Let the event have ended so long ago."""
    end = clock.now() - timedelta(days=days)
    await rows.change_event(
        stage.database, stage.event_id, start_at=end - timedelta(hours=1), end_at=end
    )


async def anonymize(database: Database, days: int = 30, limit: int = 500) -> list[int]:
    """As the worker does it: again and again until nothing is left."""
    done = list[int]()
    while not done or done[-1]:
        async with database.write() as db:
            done.append(await retention.anonymize_past(db, days, clock.now(), limit))
    return done


async def test_people_of_an_event_that_is_long_over_are_taken_out_of_it(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app, max_capacity=3, waitlist_enabled=True)
    recent = await scene.another(closed_app, stage.olive)
    zebedees = [await stage.seat(name="Zebedee", email=f"zebedee{n}@example.com") for n in range(5)]
    await stage.cancel(zebedees[4])
    kept = await recent.seat(name="Carl", email="carl@example.com")
    await dispatched(closed_app)
    in_ = update(Registration).where(Registration.id == UUID(zebedees[0]["id"]))
    await rows.change(stage.database, in_.values(checked_in_at=clock.now()))
    await past(stage, 31)
    await past(recent, 29)

    done = await anonymize(stage.database, limit=2)
    again = await anonymize(stage.database)

    assert sum(done) >= 6
    assert again == [0]
    assert await traces(stage.database) == []
    assert [status for _, status, __ in await stage.people()] == [
        *(["confirmed"] * 3), "waitlisted", "cancelled",
    ]  # fmt: skip
    assert await stage.counters() == (3, 1)
    checked_in = Registration.checked_in_at.is_not(None)
    assert await rows.count(stage.database, Registration, checked_in) == 1
    assert (await recent.call("read", kept["id"], kept)).json()["name"] == "Carl"
    log = await rows.read(
        stage.database, select(Anonymization.event_id, Anonymization.registrations)
    )
    assert log == [(UUID(stage.event_id), 5)]
    query = select(AuditEntry.standing, AuditEntry.event_id, AuditEntry.changes)
    recorded = await rows.read(stage.database, query.where(AuditEntry.action == "event.anonymized"))
    assert recorded == [("system", UUID(stage.event_id), {"registrations": 5})]
    assert await rows.drifts(stage.database) == []


async def test_log_of_anonymized_events_is_shown_to_administrators_in_pages(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    stages = [stage, *[await scene.another(closed_app, stage.olive) for _ in range(2)]]
    for each in stages:
        await past(each, 2)
    await anonymize(stage.database, days=1)
    root = await cast.root(closed_app)

    async with root.api(closed_app) as api:
        first = (await api.get("/admin/anonymizations?limit=2")).json()
        cursor = first["next_cursor"]
        second = (await api.get(f"/admin/anonymizations?limit=2&cursor={cursor}")).json()

    found = [each["event_id"] for page in (first, second) for each in page["items"]]
    assert found == [each.event_id for each in reversed(stages)]
    assert second["next_cursor"] is None
    assert {each["registrations"] for each in first["items"]} == {0}
