"""Which mails someone wants: asked and said by calls, and looked up by whoever sends mails."""

import pytest
from sqlalchemy import select
from tests.db import rows
from tests.registrations.scene import code
from tests.support import cast
from tests.support.app import RunningApp

from turnout import clock
from turnout.audit.models import AuditEntry
from turnout.db.session import Database
from turnout.notifications import choices
from turnout.notifications.kinds import MailKind
from turnout.notifications.models import MailChoice

PATH = "/users/me/preferences"
UNASKED = {
    "event-created": True,
    "event-reminder": True,
    "new-sign-in": True,
    "registration-received": False,
}


async def recorded(database: Database) -> list[tuple[object, ...]]:
    """What the audit has of choices: standing, actor, subject, changes."""
    columns = AuditEntry.standing, AuditEntry.actor_id, AuditEntry.subject_id, AuditEntry.changes
    query = select(*columns).where(AuditEntry.action == "mail-choice.changed")
    return await rows.read(database, query.order_by(AuditEntry.id))


async def test_preferences_of_someone_who_has_chosen_nothing(closed_app: RunningApp) -> None:
    ada = await cast.ada(closed_app)

    async with ada.api(closed_app) as api:
        answer = await api.get(PATH)
        again = await api.get(PATH, headers={"If-None-Match": answer.headers["etag"]})

    assert (answer.status_code, answer.json()) == (200, UNASKED)
    assert again.status_code == 304


async def test_preferences_changed_stay_and_are_recorded_once(closed_app: RunningApp) -> None:
    ada, bob = await cast.ada(closed_app), await cast.join(closed_app, "Bob")

    async with ada.api(closed_app) as api:
        body = {"event-reminder": False, "registration-received": True, "new-sign-in": True}
        changed = await api.patch(PATH, json=body)
        same = await api.patch(PATH, json=body)
        read = await api.get(PATH)
    async with bob.api(closed_app) as api:
        others = await api.get(PATH)

    wanted = UNASKED | {"event-reminder": False, "registration-received": True}
    assert [each.json() for each in (changed, same, read)] == [wanted] * 3
    assert changed.headers["etag"] == same.headers["etag"] == read.headers["etag"]
    assert others.json() == UNASKED
    told = {"event-reminder": False, "registration-received": True}
    assert await recorded(closed_app.runtime.database) == [("account", ada.id, ada.id, told)]


async def test_preferences_changed_by_someone_who_has_an_older_state_are_refused(
    closed_app: RunningApp,
) -> None:
    ada = await cast.ada(closed_app)

    async with ada.api(closed_app) as api:
        first = (await api.get(PATH)).headers["etag"]
        await api.patch(PATH, json={"event-reminder": False})
        stale = await api.patch(PATH, json={"new-sign-in": False}, headers={"If-Match": first})
        read = await api.get(PATH)

    assert code(stale) == (412, "precondition-failed")
    assert read.json() == UNASKED | {"event-reminder": False}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"registration-confirmed": False}, "registration-confirmed"),
        ({"event_reminder": False}, "event_reminder"),
        ({"event-reminder": "no"}, "event-reminder"),
        ({"event-reminder": 0}, "event-reminder"),
    ],
)
async def test_preferences_that_are_none_are_refused_by_their_names(
    closed_app: RunningApp, body: dict[str, object], field: str
) -> None:
    ada = await cast.ada(closed_app)

    async with ada.api(closed_app) as api:
        refused = await api.patch(PATH, json=body)

    assert code(refused) == (422, "validation-error")
    assert [each["field"] for each in refused.json()["errors"]] == [field]


async def test_preferences_of_an_address_that_is_not_verified_are_its_readers(
    closed_app: RunningApp,
) -> None:
    """Whoever signs up with another's address neither sees nor sets what that one has chosen."""
    async with closed_app.runtime.database.write() as db:
        reminder = {MailKind.EVENT_REMINDER: False}
        await choices.choose(db, "ada@example.com", reminder, cast.CAUSE, clock.now())
    ada = await cast.join(closed_app, "Ada", verified=False)

    async with ada.api(closed_app) as api:
        read = await api.get(PATH)
        refused = await api.patch(PATH, json={"event-reminder": True})

    kept = await rows.read(closed_app.runtime.database, select(MailChoice.is_wanted))
    assert read.json() == UNASKED
    assert code(refused) == (403, "email-not-verified")
    assert kept == [(False,)]


async def test_unwanted_mails_are_those_that_were_refused_or_not_asked_for(
    database: Database,
) -> None:
    now = clock.now()
    async with database.write() as db:
        ada = {MailKind.EVENT_REMINDER: False, MailKind.REGISTRATION_RECEIVED: True}
        await choices.choose(db, "ada@example.com", ada, cast.CAUSE, now)
    addresses = ("ada@example.com", "bob@example.com")
    asked = [(address, kind) for address in addresses for kind in MailKind]

    async with database.read() as db:
        found = await choices.unwanted(db, asked)
        nothing = await choices.unwanted(db, [])

    assert found == {
        ("ada@example.com", MailKind.EVENT_REMINDER),
        ("bob@example.com", MailKind.REGISTRATION_RECEIVED),
    }
    assert nothing == set()


async def test_unwanted_of_very_many_is_one_statement(database: Database) -> None:
    asked = [(f"person{n}@example.com", MailKind.EVENT_REMINDER) for n in range(5_000)]
    async with database.write() as db:
        for n in (7, 4_999):
            no = {MailKind.EVENT_REMINDER: False}
            await choices.choose(db, asked[n][0], no, cast.CAUSE, clock.now())

    async with database.read() as db:
        found = await choices.unwanted(db, asked)

    assert found == {asked[7], asked[4_999]}


async def test_choice_by_a_link_is_that_of_the_account_once_it_is_verified(
    closed_app: RunningApp,
) -> None:
    ada = await cast.ada(closed_app)
    database = closed_app.runtime.database

    async with database.write() as db:
        for email in ("ada@example.com", "guest@example.com"):
            await choices.choose_by_link(
                db, email, MailKind.EVENT_REMINDER, is_wanted=False, cause=cast.CAUSE,
                now=clock.now(),
            )  # fmt: skip
    async with ada.api(closed_app) as api:
        read = await api.get(PATH)

    subjects = [subject for _, __, subject, ___ in await recorded(database)]
    assert read.json() == UNASKED | {"event-reminder": False}
    assert subjects == [ada.id, None]
