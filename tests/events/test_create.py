"""An event as it is made: what is sent, what comes back, what is written down."""

from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.factories import an_event, in_days, make_event
from tests.support.app import RunningApp

from turnout.audit.models import AuditEntry
from turnout.events.models import Event, Slot
from turnout.outbox.models import OutboxMessage

START, END = "2027-06-01T10:00:00+05:30", "2027-06-01T18:00:00+05:30"
FULL: dict[str, Any] = {
    "name": "PyCon <b>India</b> {{7*7}} =cmd() \U0001f40d",
    "location": "बेंगलुरु",
    "start_time": START,
    "end_time": END,
    "max_capacity": 1_000_000,
    "timezone": "Asia/Calcutta",
    "description": "Line one\n\tline two",
    "place": {
        "name": "Hall", "address": "1 Road", "city": "Bengaluru", "country": "India",
        "latitude": 12.97, "longitude": 77,
    },
    "online_url": "https://example.org/live?x=1",
    "tags": ["python", "web", "python"],
    "slots": [
        {"title": "B", "start_time": "2027-06-01T12:00:00", "end_time": "2027-06-01T07:30:00Z"},
        {"title": "A", "start_time": START, "end_time": END, "room": "1", "speaker": "Ada",
         "description": "First"},
    ],
    "waitlist_enabled": True,
    "registration_opens_at": "2027-05-01T00:00:00",
    "registration_closes_at": END,
    "visibility": "unlisted",
}  # fmt: skip


async def test_create_with_everything_answers_all_of_it(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    answer = await api.post("/events", json=FULL)

    made = answer.json()
    owner = app.runtime.default_actor
    own = {name: made.pop(name) for name in ("id", "slug", "created_at", "updated_at")}
    slot_ids = [slot.pop("id") for slot in made["slots"]]
    assert answer.status_code == 201
    assert own["slug"] == f"pycon-b-india-b-7-7-cmd-{own['id'][-12:]}"
    assert own["created_at"] == own["updated_at"]
    assert len(set(slot_ids)) == 2
    assert made == {
        **{name: FULL[name] for name in ("name", "location", "description", "online_url")},
        **{name: FULL[name] for name in ("max_capacity", "waitlist_enabled", "visibility")},
        "start_time": START,
        "end_time": END,
        "timezone": "Asia/Kolkata",
        "display_timezone": "Asia/Kolkata",
        "seats_taken": 0,
        "seats_left": 1_000_000,
        "status": "published",
        "place": {**FULL["place"], "longitude": 77.0},
        "tags": ["python", "web"],
        "organizer": {"id": str(owner.user_id), "name": owner.name},
        "registration_opens_at": "2027-05-01T00:00:00+05:30",
        "registration_closes_at": END,
        **dict.fromkeys(("cover", "cancel_reason", "series_id", "suggested_timezone")),
        "distance_km": None,
        "slots": [
            FULL["slots"][1],
            {
                "title": "B", "start_time": "2027-06-01T12:00:00+05:30",
                "end_time": "2027-06-01T13:00:00+05:30",
                "room": None, "speaker": None, "description": None,
            },
        ],
    }  # fmt: skip


async def test_create_is_read_again_as_it_was_answered(api: httpx2.AsyncClient) -> None:
    made = await api.post("/events", json=FULL)

    read = await api.get(made.headers["location"])

    assert read.json() == made.json()
    assert read.headers["etag"] == made.headers["etag"]


async def test_create_writes_one_message_and_one_audit_row(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    request_id = "ada-request-1"
    answer = await api.post("/events", json=an_event(), headers={"X-Request-Id": request_id})

    event_id, database = UUID(answer.json()["id"]), app.runtime.database
    messages = select(OutboxMessage.topic, OutboxMessage.event_id, OutboxMessage.payload)
    audit = select(
        AuditEntry.action, AuditEntry.standing, AuditEntry.actor_id, AuditEntry.request_id,
        AuditEntry.event_id, AuditEntry.subject_id,
    ).where(AuditEntry.action == "event.created")  # fmt: skip
    owner = app.runtime.default_actor.user_id
    assert await rows.read(database, messages) == [
        ("event.created", event_id, {"event_id": str(event_id)})
    ]
    assert await rows.read(database, audit) == [
        ("event.created", "open", owner, request_id, event_id, event_id)
    ]


async def test_create_refused_after_the_event_was_inserted_leaves_nothing(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    """The window is looked at when the event and its slots are in the transaction already."""
    before = await rows.counts(app.runtime.database)
    body = {**FULL, "registration_closes_at": "2027-06-01T18:00:01+05:30"}

    answer = await api.post("/events", json=body)

    assert answer.status_code == 422
    assert await rows.counts(app.runtime.database) == before


@pytest.mark.parametrize(
    ("changes", "start", "timezone"),
    [
        # a wall clock, in the body's zone or else the server's
        ({"start_time": "2027-06-01T10:00:00"}, START, "Asia/Kolkata"),
        (
            {"start_time": "2027-06-01T06:30:00", "timezone": "Europe/Berlin"},
            "2027-06-01T06:30:00+02:00",
            "Europe/Berlin",
        ),
        # an instant, whatever offset it is written with
        ({"start_time": "2027-06-01T04:30:00Z"}, START, "Asia/Kolkata"),
        (
            {"start_time": "2027-06-01T00:30:00-04:00", "timezone": "Europe/Berlin"},
            "2027-06-01T06:30:00+02:00",
            "Europe/Berlin",
        ),
        # an older name of the zone
        ({"start_time": START, "timezone": "Asia/Calcutta"}, START, "Asia/Kolkata"),
        (
            {"start_time": START, "timezone": "Asia/Katmandu"},
            "2027-06-01T10:15:00+05:45",
            "Asia/Kathmandu",
        ),
    ],
)
async def test_create_with_a_time_means_this_instant(
    api: httpx2.AsyncClient, changes: dict[str, Any], start: str, timezone: str
) -> None:
    made = await make_event(api, end_time=END, **changes)

    assert (made["start_time"], made["timezone"]) == (start, timezone)
    assert made["display_timezone"] == timezone


async def test_create_keeps_wall_clock_and_instant(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    start, end = "2027-03-28T01:30:00", "2027-03-28T03:30:00"

    await make_event(api, start_time=start, end_time=end, timezone="Europe/Berlin")

    kept = select(Event.start_local, Event.start_at, Event.end_local, Event.end_at)
    [row] = await rows.read(app.runtime.database, kept)
    assert [each.isoformat() for each in row] == [
        start, "2027-03-28T00:30:00+00:00", end, "2027-03-28T01:30:00+00:00",
    ]  # fmt: skip


async def test_create_with_the_longest_event_and_a_window_up_to_its_end_is_accepted(
    api: httpx2.AsyncClient,
) -> None:
    start, end = "2027-06-01T10:00:00+05:30", "2028-07-05T10:00:00+05:30"

    made = await make_event(
        api,
        start_time=start,
        end_time=end,
        registration_opens_at=start,
        registration_closes_at=end,
        slots=[{"title": "All of it", "start_time": start, "end_time": end}],
    )

    assert (made["start_time"], made["slots"][0]["end_time"]) == (start, end)


async def test_create_with_a_key_twice_in_the_body_takes_the_last(
    api: httpx2.AsyncClient,
) -> None:
    raw = b'{"name": "First", "name": "Last", "location": "x", "max_capacity": 1, '
    raw += f'"start_time": "{in_days(3)}", "end_time": "{in_days(4)}"}}'.encode()

    answer = await api.post("/events", content=raw, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["name"]) == (201, "Last")


async def test_create_with_five_hundred_slots_writes_each(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    slots = [{"title": f"Slot {n}", "start_time": START, "end_time": END} for n in range(500)]

    made = await make_event(api, start_time=START, end_time=END, slots=slots)
    refused = await api.post("/events", json=an_event(slots=slots + slots[:1]))

    assert [slot["title"] for slot in made["slots"]] == [slot["title"] for slot in slots]
    assert await rows.count(app.runtime.database, Slot) == 500
    assert [(each["field"], each["code"]) for each in refused.json()["errors"]] == [
        ("slots", "too-long")
    ]
