"""The agenda of an event, slot by slot: added, moved and deleted."""

from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.events.agendas import DAY, a_day, a_slot, added, agenda, at
from tests.factories import make_event
from tests.support import cast
from tests.support.app import RunningApp

from turnout import ids
from turnout.audit.models import AuditEntry
from turnout.events.models import Event
from turnout.outbox.models import OutboxMessage


async def state(app: RunningApp, event: str) -> tuple[int, int]:
    """Version and sequence."""
    query = select(Event.version, Event.sequence).where(Event.id == UUID(event))
    [(version, sequence)] = await rows.read(app.runtime.database, query)
    return version, sequence


async def written(app: RunningApp, event: str) -> tuple[list[str], list[str]]:
    """The actions of the audit and the topics of the messages about an event."""
    of_event = UUID(event)
    audit = select(AuditEntry.action).where(AuditEntry.event_id == of_event).order_by(AuditEntry.id)
    told = select(OutboxMessage.topic).where(OutboxMessage.event_id == of_event)
    told = told.order_by(OutboxMessage.id)
    database = app.runtime.database
    return (
        [row[0] for row in await rows.read(database, audit)],
        [row[0] for row in await rows.read(database, told)],
    )


async def test_slot_that_is_added_is_in_the_agenda_and_leads_to_itself(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await a_day(api)
    slot = {
        "title": " Opening ", "start_time": f"{DAY}T09:00", "end_time": f"{DAY}T04:30:00Z",
        "room": "Hall", "speaker": "Ada", "description": "",
    }  # fmt: skip

    answer = await api.post(f"/events/{event}/slots", json=slot)

    made = answer.json()
    expected = {
        "id": made["id"], "title": "Opening", "start_time": at("09:00"), "end_time": at("10:00"),
        "room": "Hall", "speaker": "Ada", "description": None,
    }  # fmt: skip
    read = await api.get(answer.headers["location"], params={"tz": "UTC"})
    assert (answer.status_code, made) == (201, {**expected, "warnings": []})
    assert answer.headers["location"] == f"/events/{event}/slots/{made['id']}"
    utc = {"start_time": f"{DAY}T03:30:00+00:00", "end_time": f"{DAY}T04:30:00+00:00"}
    assert (read.status_code, read.json()) == (200, expected | utc)
    assert await agenda(api, event) == [expected]
    assert await state(app, event) == (2, 0)
    assert await written(app, event) == (
        ["event.created", "event.changed"],
        ["event.created", "event.changed"],
    )


async def test_slots_that_are_added_are_answered_in_the_order_of_their_start(
    api: httpx2.AsyncClient,
) -> None:
    event = await a_day(api)

    for start, end in (("12:00", "13:00"), ("09:00", "10:00"), ("10:00", "18:00")):
        await added(api, event, a_slot(start, end))

    starts = [slot["start_time"] for slot in await agenda(api, event)]
    assert starts == [at("09:00"), at("10:00"), at("12:00")]


async def test_slot_sent_twice_with_one_key_is_one_slot(api: httpx2.AsyncClient) -> None:
    event = await a_day(api)
    key = {"Idempotency-Key": str(ids.new_id())}
    path, body = f"/events/{event}/slots", a_slot("10:00", "11:00")

    first = await api.post(path, json=body, headers=key)
    again = await api.post(path, json=body, headers=key)
    other = await api.post(path, json=body | {"title": "Another"}, headers=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")
    assert [slot["id"] for slot in await agenda(api, event)] == [first.json()["id"]]


WRONG = [
    (a_slot("08:59", "10:00"), [("start_time", "outside-event")]),
    (a_slot("17:00", "18:01"), [("end_time", "outside-event")]),
    (a_slot("10:00", "10:00"), [("end_time", "ends-before-start")]),
    (a_slot("11:00", "10:00"), [("end_time", "ends-before-start")]),
    (a_slot("10:00", "11:00", title=" "), [("title", "too-short")]),
    ({"title": "Talk", "start_time": at("10:00")}, [("end_time", "missing")]),
    (a_slot("10:00", "11:00", id=str(ids.new_id())), [("id", "unknown-field")]),
]


@pytest.mark.parametrize(("slot", "expected"), WRONG)
async def test_slot_that_cannot_be_is_refused_by_field(
    api: httpx2.AsyncClient, slot: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    event = await a_day(api)

    answer = await api.post(f"/events/{event}/slots", json=slot)

    found = [(each["field"], each["code"]) for each in answer.json()["errors"]]
    assert (answer.status_code, found) == (422, expected)
    assert await agenda(api, event) == []


async def test_slot_in_an_hour_that_the_clocks_skip_or_repeat_is_refused_by_field(
    api: httpx2.AsyncClient,
) -> None:
    start, end = "2027-03-28T00:00:00", "2027-10-31T23:00:00"
    event = (await make_event(api, start_time=start, end_time=end, timezone="Europe/Berlin"))["id"]
    times = {"start_time": "2027-03-28T02:30", "end_time": "2027-10-31T02:30"}

    skipped = await api.post(f"/events/{event}/slots", json={"title": "Talk", **times})
    times["start_time"] = "2027-03-28T03:30"
    repeated = await api.post(f"/events/{event}/slots", json={"title": "Talk", **times})

    assert (skipped.status_code, skipped.json()["code"]) == (422, "nonexistent-local-time")
    assert [each["field"] for each in skipped.json()["errors"]] == ["start_time"]
    assert (repeated.status_code, repeated.json()["code"]) == (422, "ambiguous-local-time")
    assert [each["field"] for each in repeated.json()["errors"]] == ["end_time"]


async def test_agenda_has_500_slots_at_most(api: httpx2.AsyncClient) -> None:
    slots = [a_slot("10:00", "11:00", title=f"Talk {n}") for n in range(499)]
    event = await a_day(api, slots=slots)
    made = await added(api, event, a_slot("09:00", "10:00"))

    answer = await api.post(f"/events/{event}/slots", json=a_slot("11:00", "12:00"))
    moved = await api.patch(f"/events/{event}/slots/{made['id']}", json={"title": "Still one"})

    codes = [(each["field"], each["code"]) for each in answer.json()["errors"]]
    assert (answer.status_code, codes) == (422, [("slots", "too-many-slots")])
    assert moved.status_code == 200
    assert len(await agenda(api, event)) == 500


async def test_start_alone_moves_a_slot_that_keeps_its_length(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await a_day(api, slots=[a_slot("10:00", "11:30", room="Hall", description="Long")])
    [before] = await agenda(api, event)

    answer = await api.patch(
        f"/events/{event}/slots/{before['id']}", json={"start_time": f"{DAY}T13:15"}
    )

    moved = {**before, "start_time": at("13:15"), "end_time": at("14:45")}
    assert (answer.status_code, answer.json()) == (200, {**moved, "warnings": []})
    assert await agenda(api, event) == [moved]
    assert await state(app, event) == (2, 0)


LENGTHS = [
    # In Berlin on 31 October 2027 the clocks go from 03:00 back to 02:00.
    ("2027-10-30T01:30", "2027-10-30T03:30", "2027-10-31T01:30", "2027-10-31T03:30:00+01:00", []),
    ("2027-10-30T02:30", "2027-10-30T02:45", "2027-10-31T02:30:00+02:00",
     "2027-10-31T02:45:00+02:00", ["ambiguous"]),
    ("2027-10-30T02:30", "2027-10-30T02:45", "2027-10-31T02:30:00+01:00",
     "2027-10-31T02:45:00+01:00", ["ambiguous"]),
    # This one lasts half an hour, in which the clocks go back by as much.
    ("2027-10-31T02:45:00+02:00", "2027-10-31T02:15:00+01:00", "2027-10-30T12:00",
     "2027-10-30T12:30:00+02:00", []),
]  # fmt: skip


@pytest.mark.parametrize(("start", "end", "new", "expected", "codes"), LENGTHS)
async def test_length_is_kept_on_the_clock_where_the_clocks_change(
    api: httpx2.AsyncClient, start: str, end: str, new: str, expected: str, codes: list[str]
) -> None:
    slot = {"title": "Night", "start_time": start, "end_time": end}
    made = await make_event(
        api, start_time="2027-10-29T12:00", end_time="2027-11-02T12:00", timezone="Europe/Berlin",
        slots=[slot],
    )  # fmt: skip
    [before] = made["slots"]

    answer = await api.patch(f"/events/{made['id']}/slots/{before['id']}", json={"start_time": new})

    assert answer.status_code == 200, answer.text
    assert answer.json()["end_time"] == expected
    assert [each["code"] for each in answer.json()["warnings"]] == codes


async def test_end_that_would_be_skipped_goes_forward_with_a_warning(
    api: httpx2.AsyncClient,
) -> None:
    slot = {"title": "Night", "start_time": "2027-03-27T01:30", "end_time": "2027-03-27T02:30"}
    made = await make_event(
        api, start_time="2027-03-27T00:00", end_time="2027-03-30T12:00", timezone="Europe/Berlin",
        slots=[slot],
    )  # fmt: skip
    path = f"/events/{made['id']}/slots/{made['slots'][0]['id']}"

    answer = await api.patch(path, json={"start_time": "2027-03-28T01:30"})

    assert answer.json()["end_time"] == "2027-03-28T03:30:00+02:00"
    assert answer.json()["warnings"] == [
        {
            "code": "moved-out-of-gap", "field": "end_time",
            "message": "The clocks in Europe/Berlin skip that time; "
            "it becomes 2027-03-28T03:30:00.",
        }
    ]  # fmt: skip


async def test_slot_keeps_what_is_not_sent_and_null_takes_away(api: httpx2.AsyncClient) -> None:
    event = await a_day(
        api, slots=[a_slot("10:00", "11:00", room="Hall", speaker="Ada", description="Long")]
    )
    [before] = await agenda(api, event)
    path = f"/events/{event}/slots/{before['id']}"

    await api.patch(path, json={"title": "Other", "end_time": at("10:30")})
    await api.patch(path, json={"room": None, "speaker": None, "description": None})
    refused = await api.patch(path, json={"title": None, "start_time": None, "end_time": None})

    gone = {"room": None, "speaker": None, "description": None}
    after = {**before, "title": "Other", "end_time": at("10:30"), **gone}
    assert await agenda(api, event) == [after]
    found = [(each["field"], each["code"]) for each in refused.json()["errors"]]
    assert refused.status_code == 422
    assert found == [(name, "never-null") for name in ("title", "start_time", "end_time")]


async def test_change_that_changes_nothing_writes_nothing(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await a_day(api, slots=[a_slot("10:00", "11:00"), a_slot("10:00", "11:00")])
    first, _ = await agenda(api, event)

    answer = await api.patch(
        f"/events/{event}/slots/{first['id']}", json={"title": "Talk", "start_time": at("10:00")}
    )

    assert answer.status_code == 200
    assert await state(app, event) == (1, 0)
    assert await written(app, event) == (["event.created"], ["event.created"])


async def test_slot_cannot_be_moved_out_of_its_event(api: httpx2.AsyncClient) -> None:
    event = await a_day(api, slots=[a_slot("10:00", "12:00")])
    [before] = await agenda(api, event)

    answer = await api.patch(
        f"/events/{event}/slots/{before['id']}", json={"start_time": at("17:00")}
    )

    found = [(each["field"], each["code"]) for each in answer.json()["errors"]]
    assert (answer.status_code, found) == (422, [("end_time", "outside-event")])
    assert await agenda(api, event) == [before]


async def test_slot_that_is_deleted_is_gone_and_the_others_stay(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await a_day(api, slots=[a_slot("10:00", "11:00"), a_slot("11:00", "12:00")])
    first, second = await agenda(api, event)
    path = f"/events/{event}/slots/{first['id']}"

    answer = await api.delete(path)
    again = await api.delete(path)

    assert (answer.status_code, answer.content, again.status_code) == (204, b"", 404)
    assert (await api.get(path)).status_code == 404
    assert await agenda(api, event) == [second]
    assert await state(app, event) == (2, 0)


async def test_change_of_a_slot_honours_the_version_of_its_event(api: httpx2.AsyncClient) -> None:
    event = await a_day(api, slots=[a_slot("10:00", "11:00")])
    [slot] = await agenda(api, event)
    path = f"/events/{event}/slots/{slot['id']}"
    known = (await api.get(f"/events/{event}")).headers["etag"]
    ours = (await api.patch(path, json={"title": "1"}, headers={"If-Match": known})).headers["etag"]

    stale = [
        await api.patch(path, json={"title": "2"}, headers={"If-Match": known}),
        await api.delete(path, headers={"If-Match": known}),
    ]
    fresh = await api.patch(path, json={"title": "3"}, headers={"If-Match": ours})
    gone = await api.delete(path, headers={"If-Match": fresh.headers["etag"]})

    assert [each.json()["code"] for each in stale] == ["precondition-failed"] * 2
    assert [each.status_code for each in stale] == [412, 412]
    assert (fresh.status_code, gone.status_code) == (200, 204)


async def test_slot_of_another_event_is_not_there(api: httpx2.AsyncClient) -> None:
    event, other = await a_day(api), await a_day(api, slots=[a_slot("10:00", "11:00")])
    [slot] = await agenda(api, other)
    path = f"/events/{event}/slots/{slot['id']}"

    answers = [
        await api.get(path),
        await api.patch(path, json={"title": "Mine"}),
        await api.delete(path),
    ]

    assert [each.status_code for each in answers] == [404, 404, 404]
    assert await agenda(api, other) == [slot]


async def test_slots_of_a_draft_are_changed_without_a_message(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await a_day(api, draft=True)

    await added(api, event, a_slot("10:00", "11:00"))

    assert (await written(app, event))[1] == ["event.created"]


async def test_slots_are_changed_by_those_who_edit_the_event(closed_app: RunningApp) -> None:
    olive, grace = await cast.olive(closed_app), await cast.join(closed_app, "Grace")
    mallory = await cast.mallory(closed_app)
    async with olive.api(closed_app) as api:
        event = await a_day(api)
        await api.post(f"/events/{event}/team", json={"email": grace.email, "role": "editor"})
    async with grace.api(closed_app) as api:
        made = await added(api, event, a_slot("10:00", "11:00"))
    path = f"/events/{event}/slots"

    async with mallory.api(closed_app) as api, closed_app.client() as nobody:
        answers = [
            each.status_code
            for client in (api, nobody)
            for each in (
                await client.post(path, json=a_slot("12:00", "13:00")),
                await client.patch(f"{path}/{made['id']}", json={"title": "Mine"}),
                await client.delete(f"{path}/{made['id']}"),
                await client.get(f"{path}/{made['id']}"),
            )
        ]

    assert answers == [403, 403, 403, 200, 401, 401, 401, 200]
