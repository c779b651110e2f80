"""What one who wants a seat is answered, and what is written down of it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.factories import ADA, a_person, in_days, make_event, register
from tests.support.app import RunningApp

from turnout import clock
from turnout.audit.models import AuditEntry
from turnout.outbox.models import OutboxMessage
from turnout.registrations.models import Admission, Registration

NOBODYS_ID = "0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"


async def written(app: RunningApp, event_id: str) -> dict[str, Any]:
    """What the database says of an event: counters, registrations, messages, audit."""
    database, of_event = app.runtime.database, UUID(event_id)
    seats = select(Admission.taken, Admission.waiting).where(Admission.event_id == of_event)
    people = (
        select(Registration.email_canonical, Registration.status, Registration.waitlist_position)
        .where(Registration.event_id == of_event)
        .order_by(Registration.id)
    )
    return {
        "seats": (await rows.read(database, seats))[0],
        "people": await rows.read(database, people),
        "messages": await rows.read(
            database,
            select(OutboxMessage.topic)
            .where(OutboxMessage.event_id == of_event, OutboxMessage.topic != "event.created")
            .order_by(OutboxMessage.id),
        ),
        "audit": await rows.read(
            database,
            select(AuditEntry.action, AuditEntry.changes)
            .where(AuditEntry.event_id == of_event, AuditEntry.action != "event.created")
            .order_by(AuditEntry.id),
        ),
    }


async def test_register_confirmed_is_written_with_its_message_and_audit(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api, max_capacity=2)

    answer = await register(api, event["id"], email="Ada@Example.COM")

    told = answer.json()
    assert answer.status_code == 201
    assert {name: told[name] for name in ("event_id", "name", "email", "status")} == {
        "event_id": event["id"],
        "name": "Ada Lovelace",
        "email": "Ada@Example.COM",
        "status": "confirmed",
    }
    assert (told["waitlist_position"], told["checked_in_at"], told["answers"]) == (None, None, {})
    assert len(told["manage_token"]) == 56
    assert await written(app, event["id"]) == {
        "seats": (1, 0),
        "people": [("ada@example.com", "confirmed", None)],
        "messages": [("registration.confirmed",)],
        "audit": [("registration.created", {"status": "confirmed", "position": None})],
    }


async def test_register_at_a_full_event_changes_nothing(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api, max_capacity=1)
    await register(api, event["id"])
    before = await rows.counts(app.runtime.database)

    answer = await register(api, event["id"], **a_person(1))

    assert (answer.status_code, answer.json()["code"]) == (409, "event-full")
    assert await rows.counts(app.runtime.database) == before
    assert await rows.drifts(app.runtime.database) == []


async def test_register_with_a_waitlist_waits_in_order(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api, max_capacity=1, waitlist_enabled=True)

    answers = [await register(api, event["id"], **a_person(n)) for n in range(3)]

    told = [(a.status_code, a.json()["status"], a.json()["waitlist_position"]) for a in answers]
    assert told == [(201, "confirmed", None), (201, "waitlisted", 1), (201, "waitlisted", 2)]
    assert await written(app, event["id"]) == {
        "seats": (1, 2),
        "people": [
            ("person0@example.com", "confirmed", None),
            ("person1@example.com", "waitlisted", 1),
            ("person2@example.com", "waitlisted", 2),
        ],
        "messages": [("registration.confirmed",)] + [("registration.waitlisted",)] * 2,
        "audit": [
            ("registration.created", {"status": "confirmed", "position": None}),
            ("registration.created", {"status": "waitlisted", "position": 1}),
            ("registration.created", {"status": "waitlisted", "position": 2}),
        ],
    }
    assert await rows.drifts(app.runtime.database) == []


async def test_register_without_a_limit_never_fills(api: httpx2.AsyncClient) -> None:
    event = await make_event(api, max_capacity=None)

    answers = [await register(api, event["id"], **a_person(n)) for n in range(3)]

    shown = (await api.get(f"/events/{event['id']}")).json()
    assert [answer.json()["status"] for answer in answers] == ["confirmed"] * 3
    assert (shown["max_capacity"], shown["seats_taken"], shown["seats_left"]) == (None, 3, None)


SAME = [
    ("ada@example.com", "ADA@EXAMPLE.COM"),
    # One letter with its accent, and a letter followed by the accent.
    ("zo\u00eb@example.com", "zoe\u0308@example.com"),
    ("zo\u00eb@example.com", "ZO\u00cb@example.com"),
    ("ada@bücher.example.com", "ada@xn--bcher-kva.example.com"),
    ("ada@bücher.example.com", "Ada@BÜCHER.example.com"),
]


@pytest.mark.parametrize(("first", "second"), SAME)
async def test_register_the_same_address_in_another_form_is_refused(
    app: RunningApp, api: httpx2.AsyncClient, first: str, second: str
) -> None:
    event = await make_event(api)
    await register(api, event["id"], email=first)

    answer = await register(api, event["id"], email=second)

    assert (answer.status_code, answer.json()["code"]) == (409, "already-registered")
    assert await rows.count(app.runtime.database, Registration) == 1


async def test_register_look_alike_addresses_are_other_people(api: httpx2.AsyncClient) -> None:
    event = await make_event(api)
    addresses = ["ada@example.com", "ada+1@example.com", "a.da@example.com", "adı@example.com"]

    answers = [await register(api, event["id"], email=address) for address in addresses]

    assert [answer.status_code for answer in answers] == [201] * 4


async def test_register_again_after_a_cancelled_row_is_a_new_registration(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api, max_capacity=1)
    first = (await register(api, event["id"])).json()
    database = app.runtime.database
    cancelled = Registration.__table__.update().values(status="cancelled")  # type: ignore[attr-defined]  # a Table, though declared as FromClause
    await rows.change(database, cancelled)
    await rows.change_seats(database, event["id"], taken=0)

    second = await register(api, event["id"])

    assert (second.status_code, second.json()["status"]) == (201, "confirmed")
    assert second.json()["id"] != first["id"]
    assert await rows.drifts(database) == []


HOUR = timedelta(hours=1)
CLOSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"status": "cancelled"}, {}, "cancelled"),
    ({"start_at": -2 * HOUR, "end_at": -HOUR}, {}, "over"),
    ({}, {"opens_at": HOUR}, "not-open-yet"),
    ({}, {"opens_at": -2 * HOUR, "closes_at": -HOUR}, "window-over"),
    ({"status": "draft"}, {}, "not-open-yet"),
]


@pytest.mark.parametrize(("of_event", "of_seats", "reason"), CLOSED)
async def test_register_at_a_closed_event_says_why(
    app: RunningApp,
    api: httpx2.AsyncClient,
    of_event: dict[str, Any],
    of_seats: dict[str, Any],
    reason: str,
) -> None:
    event = await make_event(api)
    now, database = clock.now(), app.runtime.database
    at = {k: now + v if isinstance(v, timedelta) else v for k, v in (of_event | of_seats).items()}
    if of_event:
        await rows.change_event(database, event["id"], **{name: at[name] for name in of_event})
    if of_seats:
        await rows.change_seats(database, event["id"], **{name: at[name] for name in of_seats})
    before = await rows.counts(database)

    answer = await register(api, event["id"])

    told = answer.json()
    assert (answer.status_code, told["code"]) == (409, "registration-closed")
    assert told["reason"] == reason
    opens = told.get("opens_at")
    expected = at.get("opens_at") if reason == "not-open-yet" else None
    assert (opens and datetime.fromisoformat(opens)) == expected
    assert await rows.counts(database) == before


async def test_register_at_an_unknown_event_is_not_found(api: httpx2.AsyncClient) -> None:
    ids = [NOBODYS_ID, "1", "null", "%00", "9" * 300]

    answers = [await api.post(f"/events/{event_id}/register", json=ADA) for event_id in ids]

    told = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert told == [(404, "not-found")] * len(ids)


async def test_register_at_an_event_in_another_case_of_its_id_is_not_found(
    api: httpx2.AsyncClient,
) -> None:
    event = await make_event(api)

    answers = [
        await register(api, event_id)
        for event_id in (event["id"].upper(), event["id"].replace("-", ""), f"{{{event['id']}}}")
    ]

    assert [answer.status_code for answer in answers] == [404] * 3


async def test_register_while_the_event_runs_is_confirmed(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api)
    now = clock.now()
    await rows.change_event(
        app.runtime.database, event["id"], start_at=now - timedelta(hours=1), end_at=now + HOUR
    )

    answer = await register(api, event["id"])

    assert (answer.status_code, answer.json()["status"]) == (201, "confirmed")


async def test_attendees_of_a_status_are_those_alone(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api, max_capacity=1, waitlist_enabled=True)
    for n in range(3):
        await register(api, event["id"], **a_person(n))
    gone = Registration.email_canonical == a_person(2)["email"]
    cancelled = Registration.__table__.update().where(gone)  # type: ignore[attr-defined]  # a Table, though declared as FromClause
    await rows.change(
        app.runtime.database, cancelled.values(status="cancelled", waitlist_position=None)
    )
    path = f"/events/{event['id']}/attendees"

    listed = {
        query: [each["email"] for each in (await api.get(path + query)).json()["items"]]
        for query in ("", "?status=confirmed", "?status=waitlisted", "?status=cancelled")
    }

    first, second, third = (a_person(n)["email"] for n in range(3))
    assert listed == {
        "": [first, second],
        "?status=confirmed": [first],
        "?status=waitlisted": [second],
        "?status=cancelled": [third],
    }


async def test_attendees_show_no_token_and_times_in_the_zone_asked_for(
    api: httpx2.AsyncClient,
) -> None:
    event = await make_event(api, start_time=in_days(3), end_time=in_days(4))
    made = (await register(api, event["id"])).json()

    listed = await api.get(f"/events/{event['id']}/attendees?tz=Asia/Kathmandu")

    [item] = listed.json()["items"]
    assert made["manage_token"] not in listed.text
    assert {**item, "created_at": 0, "updated_at": 0} == {
        **{name: value for name, value in made.items() if name != "manage_token"},
        "created_at": 0,
        "updated_at": 0,
    }
    assert item["created_at"].endswith("+05:45")
    assert datetime.fromisoformat(item["created_at"]) == datetime.fromisoformat(made["created_at"])
