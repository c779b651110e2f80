"""More or fewer seats: never fewer than are taken, and what is new goes to those who wait."""

from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.events import organizing
from tests.events.organizing import Organizing
from tests.factories import a_person, in_days, register
from tests.support.app import RunningApp

from turnout.audit.models import AuditEntry
from turnout.outbox.models import OutboxMessage
from turnout.registrations.models import Registration

SEATS, PEOPLE = 2, 6


@pytest.fixture
async def event(app: RunningApp, api: httpx2.AsyncClient) -> Organizing:
    """Two seats, six people in their order."""
    made = await organizing.organizing(app, api, max_capacity=SEATS, waitlist_enabled=True)
    await made.seat(PEOPLE)
    return made


async def places(event: Organizing) -> list[str]:
    """Where everyone stands, in the order in which they came: status, or position in the line."""
    columns = Registration.status, Registration.waitlist_position
    of_event = Registration.event_id == UUID(event.id)
    query = select(*columns).where(of_event).order_by(Registration.id)
    found = await rows.read(event.database, query)
    return [status if position is None else str(position) for status, position in found]


async def ids(event: Organizing) -> list[str]:
    query = select(Registration.id).where(Registration.event_id == UUID(event.id))
    return [
        str(each) for (each,) in await rows.read(event.database, query.order_by(Registration.id))
    ]


def seated(count: int, *, of: int = PEOPLE) -> list[str]:
    """So many with a seat, and the rest in line."""
    return ["confirmed"] * count + [str(n + 1) for n in range(of - count)]


async def new_messages(event: Organizing, seen: int) -> list[tuple[str, str]]:
    """Topic and subject of what was said of the event, behind the first `seen`."""
    columns = OutboxMessage.topic, OutboxMessage.subject_id
    query = select(*columns).where(OutboxMessage.event_id == UUID(event.id))
    found = await rows.read(event.database, query.order_by(OutboxMessage.id))
    return [(topic, str(subject)) for topic, subject in found[seen:]]


async def test_capacity_that_is_raised_lets_those_who_wait_longest_move_up(
    event: Organizing,
) -> None:
    waiting, seen = (await ids(event))[SEATS:], len(await event.topics())

    answer = await event.patch({"max_capacity": 4}, **{"X-Request-Id": "more-seats"})

    changed = answer.json()
    assert [changed[name] for name in ("max_capacity", "seats_taken", "seats_left")] == [4, 4, 0]
    assert await places(event) == seated(4)
    assert await new_messages(event, seen) == [
        ("event.changed", event.id),
        ("registration.confirmed", waiting[0]),
        ("registration.confirmed", waiting[1]),
    ]
    asked = AuditEntry.request_id == "more-seats"
    query = select(AuditEntry.action, AuditEntry.subject_id).where(asked).order_by(AuditEntry.id)
    assert await rows.read(event.database, query) == [
        ("event.changed", UUID(event.id)),
        ("registration.promoted", UUID(waiting[0])),
        ("registration.promoted", UUID(waiting[1])),
    ]
    assert await rows.drifts(event.database) == []


@pytest.mark.parametrize("capacity", [None, 6, 7, 1_000_000])
async def test_capacity_for_all_seats_everyone(capacity: int | None, event: Organizing) -> None:
    changed = await event.change(max_capacity=capacity)

    left = None if capacity is None else capacity - PEOPLE
    assert (changed["seats_taken"], changed["seats_left"]) == (PEOPLE, left)
    assert await places(event) == seated(PEOPLE)
    assert await rows.drifts(event.database) == []
    late = await register(event.api, event.id, **a_person(99))
    assert late.json()["status"] == ("waitlisted" if left == 0 else "confirmed")


async def test_capacity_that_is_raised_without_a_waitlist_lets_new_people_in(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await organizing.organizing(app, api, max_capacity=1)
    await event.seat(1)
    full = await register(api, event.id, **a_person(1))

    await event.change(max_capacity=2)

    seated = await register(api, event.id, **a_person(1))
    assert (full.status_code, seated.status_code, seated.json()["status"]) == (
        409,
        201,
        "confirmed",
    )


async def test_capacity_is_lowered_to_what_is_taken_and_not_below(event: Organizing) -> None:
    await event.change(max_capacity=5)
    written, at = await event.written(), await places(event)

    refused = await event.patch({"max_capacity": 4, "name": "Smaller"})

    told = refused.json()
    assert (refused.status_code, told["code"], told["seats_taken"]) == (409, "capacity-taken", 5)
    assert await event.written() == written
    await event.change(max_capacity=6)
    same = await event.change(max_capacity=6, name="As large")
    assert (same["seats_taken"], same["name"]) == (6, "As large")
    assert at == seated(5)
    assert await rows.drifts(event.database) == []


async def test_capacity_below_that_of_no_limit_is_refused_with_the_number(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await organizing.organizing(app, api, max_capacity=None)
    await event.seat(3)

    refused = await event.patch({"max_capacity": 2})
    lowered = await event.change(max_capacity=3)

    assert (refused.status_code, refused.json()["seats_taken"]) == (409, 3)
    assert (lowered["max_capacity"], lowered["seats_left"]) == (3, 0)
    full = await register(api, event.id, **a_person(3))
    assert (full.status_code, full.json()["code"]) == (409, "event-full")


async def test_waitlist_that_is_closed_keeps_those_who_wait_and_takes_no_more(
    event: Organizing,
) -> None:
    await event.change(waitlist_enabled=False)

    refused = await register(event.api, event.id, **a_person(7))
    assert (refused.status_code, refused.json()["code"]) == (409, "event-full")
    assert await places(event) == seated(SEATS)
    await event.change(max_capacity=3)
    assert await places(event) == seated(3)
    assert await rows.drifts(event.database) == []


OVER = {"start_time": in_days(-2), "end_time": in_days(-1)}


@pytest.mark.parametrize("how", ["over", "cancelled", "draft"])
async def test_seats_of_an_event_that_does_not_take_place_now_are_for_nobody(
    how: str, event: Organizing
) -> None:
    if how == "over":
        await event.end()
    elif how == "cancelled":
        await event.cancel()
    else:
        await rows.change_event(event.database, event.id, status="draft")
    seen = len(await event.topics())

    changed = await event.change(max_capacity=5)

    assert (changed["seats_taken"], changed["seats_left"]) == (SEATS, 3)
    assert await places(event) == seated(SEATS)
    messages = [("event.changed", event.id)] if how == "over" else []
    assert await new_messages(event, seen) == messages
    assert await rows.drifts(event.database) == []


async def test_event_that_takes_place_after_all_seats_those_who_still_wait(
    event: Organizing,
) -> None:
    """It was over by a wrong date, and a seat that came free meanwhile was for nobody."""
    await event.change(**OVER)
    first = (await ids(event))[0]
    assert (await event.api.post(f"/registrations/{first}/cancel")).status_code == 200
    rested = await places(event)

    changed = await event.change(start_time=in_days(5))

    assert rested == ["cancelled", *seated(1, of=5)]
    assert changed["seats_taken"] == SEATS
    assert await places(event) == ["cancelled", *seated(2, of=5)]
    assert await rows.drifts(event.database) == []


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"registration_closes_at": in_days(-1)}, "window-over"),
        ({"registration_opens_at": in_days(1)}, "not-open-yet"),
        (OVER, "over"),
    ],
)
async def test_registration_keeps_to_the_window_as_it_is_now(
    sent: dict[str, Any], reason: str, event: Organizing
) -> None:
    await event.change(**sent)

    refused = await register(event.api, event.id, **a_person(7))

    told = refused.json()
    assert (refused.status_code, told["code"], told["reason"]) == (
        409, "registration-closed", reason,
    )  # fmt: skip


async def test_window_that_is_taken_away_opens_registration(event: Organizing) -> None:
    await event.change(registration_opens_at=in_days(1))
    await event.change(registration_opens_at=None)

    answer = await register(event.api, event.id, **a_person(7))

    assert (answer.status_code, answer.json()["waitlist_position"]) == (201, 5)


async def test_registrations_are_shown_by_the_clock_of_the_new_zone(event: Organizing) -> None:
    before = (await event.api.get(f"{event.path}/attendees")).json()["items"][0]["created_at"]

    await event.change(timezone="UTC")

    after = (await event.api.get(f"{event.path}/attendees")).json()["items"][0]["created_at"]
    assert (before[-6:], after[-6:]) == ("+05:30", "+00:00")
