"""A rehearsal says exactly what the change then does, and leaves no trace."""

from typing import Any

import httpx2
import pytest
from tests.db import rows
from tests.events import organizing
from tests.events.organizing import BERLIN, Organizing, answered
from tests.support.app import RunningApp

SLOT = {"title": "Only", "start_time": "2030-03-29T19:00:00", "end_time": "2030-03-29T20:00:00"}
CHANGES: list[dict[str, Any]] = [
    {},
    {"name": "New"},
    {"start_time": "2030-03-31T01:15:00"},
    {"slots": [SLOT]},
    {"max_capacity": None},
    {"max_capacity": 4},
    {"timezone": "Asia/Kathmandu", "registration_closes_at": "2030-03-30T00:00:00"},
    {"location": "Elsewhere", "visibility": "private", "tags": ["x"]},
]


@pytest.fixture
async def event(app: RunningApp, api: httpx2.AsyncClient) -> Organizing:
    """An evening with two seats, that five people want."""
    window = {"registration_closes_at": "2030-03-29T12:00:00"}
    seats = {"max_capacity": 2, "waitlist_enabled": True}
    made = await organizing.organizing(app, api, **BERLIN, **window, **seats)
    await made.seat(5)
    return made


def steady(event: dict[str, Any]) -> dict[str, Any]:
    """An event without what differs each time it is changed: when, and the ids of new slots."""
    slots = [each | {"id": None} for each in event["slots"]]
    return event | {"updated_at": None, "slots": slots}


@pytest.mark.parametrize("sent", CHANGES, ids=str)
async def test_rehearsal_shows_the_event_as_the_change_makes_it_and_writes_nothing(
    sent: dict[str, Any], event: Organizing
) -> None:
    dump, before = await rows.dump(event.database), await event.read()

    rehearsed = await event.rehearse(**sent)

    assert await rows.dump(event.database) == dump
    assert await event.read() == before
    changed = await event.change(**sent)
    assert rehearsed["dry_run"] is True
    assert steady(rehearsed["event"]) == steady(changed)


async def test_rehearsed_move_lists_old_and_new_times_and_who_is_told(event: Organizing) -> None:
    rehearsed = await event.rehearse(
        start_time="2030-03-31T18:00:00", registration_closes_at="2030-03-31T12:00:00"
    )

    ids = [each["id"] for each in event.event["slots"]]
    friday, sunday = "2030-03-29T{}:00+01:00", "2030-03-31T{}:00+02:00"
    moves = [
        ("start_time", None, "18:00"), ("end_time", None, "23:00"),
        ("start_time", ids[0], "19:00"), ("end_time", ids[0], "20:30"),
        ("start_time", ids[1], "21:00"), ("end_time", ids[1], "22:00"),
        ("registration_closes_at", None, "12:00"),
    ]  # fmt: skip
    assert rehearsed["moves"] == [
        {"field": field, "slot_id": slot, "old": friday.format(at), "new": sunday.format(at)}
        for field, slot, at in moves
    ]
    assert rehearsed["affected"] == {"confirmed": 2, "waitlisted": 3, "promoted": 0}
    assert rehearsed["messages"] == [{"topic": "event.changed", "recipients": 5}]
    assert rehearsed["warnings"] == []


async def test_rehearsed_seats_count_who_moves_up(event: Organizing) -> None:
    rehearsed = await event.rehearse(max_capacity=4)

    assert rehearsed["moves"] == []
    assert rehearsed["affected"] == {"confirmed": 4, "waitlisted": 1, "promoted": 2}
    assert rehearsed["messages"] == [
        {"topic": "event.changed", "recipients": 5},
        {"topic": "registration.confirmed", "recipients": 2},
    ]
    taken, left = rehearsed["event"]["seats_taken"], rehearsed["event"]["seats_left"]
    assert (taken, left) == (4, 0)


async def test_rehearsal_of_nothing_tells_nobody(event: Organizing) -> None:
    rehearsed = await event.rehearse(name=event.event["name"])

    assert (rehearsed["moves"], rehearsed["messages"]) == ([], [])


async def test_rehearsal_at_a_draft_tells_nobody(app: RunningApp, api: httpx2.AsyncClient) -> None:
    draft = await organizing.organizing(app, api, **BERLIN, draft=True)

    rehearsed = await draft.rehearse(start_time="2030-03-30T18:00:00")

    assert (len(rehearsed["moves"]), rehearsed["messages"]) == (6, [])


async def test_rehearsed_cancel_counts_who_is_told_and_calls_nothing_off(
    event: Organizing,
) -> None:
    dump = await rows.dump(event.database)

    path, body = f"{event.path}/cancel?dry_run=true", {"reason": "Rain."}
    rehearsed = answered(await event.api.post(path, json=body))

    assert await rows.dump(event.database) == dump
    assert rehearsed["event"]["status"] == "cancelled"
    assert rehearsed["affected"] == {"confirmed": 2, "waitlisted": 3, "promoted": 0}
    assert rehearsed["messages"] == [{"topic": "event.cancelled", "recipients": 5}]
    cancelled = await event.cancel("Rain.")
    assert steady(rehearsed["event"]) == steady(cancelled)
    again = answered(await event.api.post(path, json=body))
    assert (again["dry_run"], again["messages"]) == (True, [])


@pytest.mark.parametrize("keep", ["instant", "wall_clock"])
async def test_rehearsed_move_to_a_zone_says_what_the_move_then_says(
    keep: str, event: Organizing
) -> None:
    dump, body = await rows.dump(event.database), {"timezone": "America/New_York", "keep": keep}

    rehearsed = answered(await event.post("timezone", {**body, "dry_run": True}))

    assert await rows.dump(event.database) == dump
    moved = answered(await event.post("timezone", body))
    told = [each | {"event": steady(each["event"])} for each in (rehearsed, moved)]
    assert (rehearsed["dry_run"], moved["dry_run"]) == (True, False)
    assert told[0] | {"dry_run": False} == told[1]
    assert rehearsed["messages"] == [{"topic": "event.changed", "recipients": 5}]
    assert await event.topics() == [
        "event.created", *["registration.confirmed"] * 2, *["registration.waitlisted"] * 3,
        "event.changed",
    ]  # fmt: skip


async def test_rehearsal_is_refused_as_the_change_is(event: Organizing) -> None:
    for sent in ({"max_capacity": 1}, {"end_time": "2030-03-29T20:00:00"}, {"name": None}):
        rehearsed = await event.patch(sent, "?dry_run=true")
        refused = await event.patch(sent)

        told = [each.json() | {"instance": None} for each in (rehearsed, refused)]
        assert rehearsed.status_code == refused.status_code >= 400
        assert told[0] == told[1]


async def test_etag_of_a_rehearsal_lets_the_change_through_while_the_event_stays(
    event: Organizing,
) -> None:
    """So that what happens is what was rehearsed; and never a state that nobody has seen."""
    etag = (await event.patch({"name": "New"}, "?dry_run=true")).headers["etag"]

    meanwhile = await event.patch({"location": "Elsewhere"})
    stale = await event.patch({"name": "New"}, **{"If-Match": etag})
    etag = (await event.patch({"name": "New"}, "?dry_run=true")).headers["etag"]
    changed = await event.patch({"name": "New"}, **{"If-Match": etag})

    assert [each.status_code for each in (meanwhile, stale, changed)] == [200, 412, 200]


@pytest.mark.parametrize("value", ["perhaps", "", "2"])
async def test_rehearsal_that_is_not_clearly_one_changes_nothing(
    value: str, event: Organizing
) -> None:
    refused = await event.patch({"name": "New"}, f"?dry_run={value}")

    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["errors"]] == ["dry_run"]
    assert (await event.read())["name"] == event.event["name"]


async def test_rehearsal_is_shown_in_the_zone_that_is_asked_for(event: Organizing) -> None:
    """The event is; the moves speak of the zones that the event has."""
    sent = {"end_time": "2030-03-29T23:30:00"}

    rehearsed = answered(await event.patch(sent, "?dry_run=true&tz=Asia/Tokyo"))

    assert rehearsed["event"]["end_time"] == "2030-03-30T07:30:00+09:00"
    assert [each["new"] for each in rehearsed["moves"]] == ["2030-03-29T23:30:00+01:00"]
