"""Who did what is written with what was done, and holds no secret and no address."""

from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from tests.db import rows
from tests.factories import make_event, register
from tests.support.app import RunningApp, running

from turnout.accounts.actor import Standing
from turnout.audit.models import AuditEntry
from turnout.settings import Settings

ALL = select(AuditEntry).order_by(AuditEntry.id)


async def entries(app: RunningApp) -> list[AuditEntry]:
    async with app.runtime.database.read() as db:
        return list(await db.scalars(ALL))


async def test_each_change_has_one_row_with_who_and_by_which_request(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    api.headers["X-Request-Id"] = "olive-makes-it"
    event = await make_event(api)
    api.headers["X-Request-Id"] = "ada-takes-a-seat"
    made = (await register(api, event["id"])).json()

    _, created, registered = await entries(app)

    owner, event_id = app.runtime.default_actor.user_id, UUID(event["id"])
    assert (created.action, created.subject_id, created.request_id) == (
        "event.created", event_id, "olive-makes-it",
    )  # fmt: skip
    assert (registered.action, registered.subject_id, registered.request_id) == (
        "registration.created", UUID(made["id"]), "ada-takes-a-seat",
    )  # fmt: skip
    for entry in (created, registered):
        assert (entry.standing, entry.actor_id, entry.event_id) == ("open", owner, event_id)
    assert [created.at.isoformat(), registered.at.isoformat()] == [
        each.replace("Z", "+00:00") for each in await times_of(api, event["id"])
    ]


async def times_of(api: httpx2.AsyncClient, event_id: str) -> list[str]:
    """When the event and its registration were made, in UTC."""
    event = (await api.get(f"/events/{event_id}?tz=UTC")).json()
    [attendee] = (await api.get(f"/events/{event_id}/attendees?tz=UTC")).json()["items"]
    return [event["created_at"], attendee["created_at"]]


async def test_guest_is_written_as_nobody(
    app: RunningApp, api: httpx2.AsyncClient, closed_api: httpx2.AsyncClient
) -> None:
    event = await make_event(api)

    await register(closed_api, event["id"])

    last = (await entries(app))[-1]
    assert (last.action, last.standing, last.actor_id) == (
        "registration.created", "anonymous", None,
    )  # fmt: skip


async def test_audit_holds_no_secret_and_no_address(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api, name="Hidden words")
    made = (await register(api, event["id"])).json()

    written = repr(await rows.read(app.runtime.database, select(*AuditEntry.__table__.columns)))

    assert made["id"] in written
    for secret in (made["email"], made["name"], made["manage_token"], made["ticket_code"]):
        assert secret not in written


async def test_built_in_organizer_is_made_once(settings: Settings) -> None:
    async with running(settings) as first:
        pass
    async with running(settings) as second:
        found = await entries(second)

    actors = [each.runtime.default_actor for each in (first, second)]
    assert actors[0] == actors[1]
    assert actors[0].standing is Standing.OPEN
    assert [(entry.action, entry.standing, entry.subject_id) for entry in found] == [
        ("user.created", "system", actors[0].user_id)
    ]


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entries SET action = 'nothing'", "DELETE FROM audit_entries"]
)
async def test_audit_cannot_be_changed_at_the_database_either(
    app: RunningApp, api: httpx2.AsyncClient, statement: str
) -> None:
    await make_event(api)
    before = await rows.dump(app.runtime.database)

    with pytest.raises(DBAPIError, match="audit_entries is append-only"):
        await rows.change(app.runtime.database, text(statement))

    assert b"event.created" in before
    assert await rows.dump(app.runtime.database) == before
