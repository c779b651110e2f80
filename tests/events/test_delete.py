"""An event that is deleted is gone with all that belonged to it; what happened stays on record."""

from uuid import UUID

import httpx2
import pytest
from sqlalchemy import insert
from tests.db import rows
from tests.events import organizing
from tests.events.organizing import BERLIN, Organizing, answered
from tests.factories import register
from tests.support import cast
from tests.support.app import RunningApp

from turnout import clock
from turnout.events.models import Cover, Event, Slot, TeamMember
from turnout.registrations.models import Admission, Registration


@pytest.fixture
async def event(closed_app: RunningApp) -> Organizing:
    """An evening of Olive's with two slots and a cover, which Grace helps with."""
    made = await organizing.olives(closed_app, **BERLIN)
    grace = await cast.join(closed_app, "Grace")
    answered(
        await made.api.post(made.path + "/team", json={"email": grace.email, "role": "editor"})
    )
    cover = {"media_type": "image/webp", "content": b"RIFF", "created_at": clock.now()}
    await rows.change(made.database, insert(Cover).values(event_id=UUID(made.id), **cover))
    return made


async def left(event: Organizing) -> dict[str, int]:
    """How many rows of each table belong to the event."""
    of = UUID(event.id)
    where = {
        Event: Event.id == of,
        Slot: Slot.event_id == of,
        TeamMember: TeamMember.event_id == of,
        Cover: Cover.event_id == of,
        Admission: Admission.event_id == of,
        Registration: Registration.event_id == of,
    }
    return {
        model.__tablename__: await rows.count(event.database, model, of_event)
        for model, of_event in where.items()
    }


async def register_ada(event: Organizing) -> httpx2.Response:
    async with event.app.client() as guest:
        return await register(guest, event.id)


async def test_event_that_is_deleted_is_gone_with_all_that_was_its_own(event: Organizing) -> None:
    other = await organizing.organizing(event.app, event.api, **BERLIN)
    there = await left(event)

    deleted = await event.api.delete(event.path)

    again = await event.api.delete(event.path)
    gone = [
        await event.api.get(event.path),
        await event.api.get(event.path + "/attendees"),
        await event.patch({"name": "Back"}),
        await register_ada(event),
    ]
    assert there == {
        "events": 1,
        "slots": 2,
        "team_members": 1,
        "covers": 1,
        "admissions": 1,
        "registrations": 0,
    }
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert [each.status_code for each in (again, *gone)] == [404] * 5
    assert set((await left(event)).values()) == {0}
    assert await other.read() == other.event
    assert await rows.drifts(event.database) == []


async def test_deletion_stays_on_record_and_is_told(event: Organizing) -> None:
    await event.api.delete(event.path)

    assert await event.audit() == ["event.created", "team.set", "event.deleted"]
    assert await event.topics() == ["event.created", "team.joined", "event.deleted"]
    owner = event.event["organizer"]["id"]
    told = {"event_id": event.id, "organizer_id": owner}
    assert await event.payloads("event.deleted") == [told]


async def test_event_that_people_are_registered_for_is_not_deleted(event: Organizing) -> None:
    answered(await register_ada(event))
    written = await event.written()

    refused = await event.api.delete(event.path)

    assert (refused.status_code, refused.json()["code"]) == (409, "event-has-registrations")
    assert "cancel it first" in refused.json()["detail"]
    assert (await event.read())["seats_taken"] == 1
    assert await event.written() == written


async def test_event_that_people_only_wait_for_is_not_deleted(event: Organizing) -> None:
    """Nobody has a seat: the one who had it is erased from the counters behind the product."""
    await event.change(waitlist_enabled=True, max_capacity=1)
    answered(await register_ada(event))
    await rows.change_seats(event.database, event.id, taken=0, waiting=1)

    refused = await event.api.delete(event.path)

    assert (refused.status_code, refused.json()["code"]) == (409, "event-has-registrations")


async def test_event_that_was_called_off_is_deleted_with_its_registrations(
    event: Organizing,
) -> None:
    answered(await register_ada(event))
    await event.cancel()

    deleted = await event.api.delete(event.path)

    assert deleted.status_code == 204
    assert set((await left(event)).values()) == {0}
    assert (await event.audit())[-2:] == ["event.cancelled", "event.deleted"]


async def test_event_whose_registrations_are_all_cancelled_is_deleted(event: Organizing) -> None:
    seat = answered(await register_ada(event))
    answered(await event.api.post(f"/registrations/{seat['id']}/cancel"))
    kept = await left(event)

    deleted = await event.api.delete(event.path)

    assert (kept["registrations"], deleted.status_code) == (1, 204)
    assert set((await left(event)).values()) == {0}


async def test_if_match_keeps_what_has_changed_from_being_deleted(event: Organizing) -> None:
    etag = (await event.api.get(event.path)).headers["etag"]
    changed = await event.patch({"name": "Changed meanwhile"})

    stale = await event.api.delete(event.path, headers={"If-Match": etag})
    right = await event.api.delete(event.path, headers={"If-Match": changed.headers["etag"]})

    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    assert right.status_code == 204


async def test_guests_token_for_a_deleted_event_is_for_nothing(event: Organizing) -> None:
    seat = answered(await register_ada(event))
    await event.cancel()
    await event.api.delete(event.path)

    ticket = {"Authorization": f"Ticket {seat['manage_token']}"}
    async with event.app.client(headers=ticket) as guest:
        answer = await guest.get(f"/registrations/{seat['id']}")

    assert answer.status_code in {401, 404}
