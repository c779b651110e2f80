"""One change for an event and those that follow it in its series: all of them, or none."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.registrations.series_calls import CLASS, Course, answered, refusal, repeat, starts
from tests.support.app import RunningApp

from turnout.registrations.models import Admission


@pytest.fixture
async def course(app: RunningApp, api: httpx2.AsyncClient) -> Course:
    """Four evenings, over a change of the clocks."""
    return await repeat(app, api)


async def test_change_of_following_is_the_same_for_each_and_leaves_those_before(
    course: Course,
) -> None:
    found = await course.change(1, name="Tai chi", tags=["calm"], location="Park", place=None)

    assert await course.names() == ["Yoga", "Tai chi", "Tai chi", "Tai chi"]
    assert [(each["tags"], each["place"]) for each in (await course.read())[1:]] == [
        (["calm"], None)
    ] * 3  # fmt: skip
    assert [each["id"] for each in found["events"]] == course.ids[1:]
    assert (found["dry_run"], found["series_id"]) == (False, course.made["series_id"])


async def test_change_of_one_leaves_it_in_the_series_as_an_exception(course: Course) -> None:
    moved = await course.alone(1, start_time="2030-03-31T19:30:00")

    assert moved["series_id"] == course.made["series_id"]
    assert await course.names() == ["Yoga"] * 4
    assert await course.local() == [
        ("30 18:00", "30 18:00"), ("31 19:30", "31 18:00"), ("01 18:00", "01 18:00"),
        ("02 18:00", "02 18:00"),
    ]  # fmt: skip


async def test_new_start_moves_all_by_the_same_distance_on_the_clock(course: Course) -> None:
    """Also over the change of the clocks, and an exception by as much as the others."""
    await course.alone(2, start_time="2030-04-01T17:00:00")

    found = await course.change(0, start_time="2030-03-30T11:30:00")

    expected = ["30T11:30:00+01:00", "31T11:30:00+02:00", "01T10:30:00+02:00", "02T11:30:00+02:00"]
    assert starts(await course.read()) == starts(found["events"]) == expected
    assert [each["end_time"][11:16] for each in await course.read()] == [
        *("13:30", "13:30", "12:30", "13:30")
    ]
    assert [each["slots"][0]["start_time"][11:16] for each in await course.read()] == [
        *("11:30", "11:30", "10:30", "11:30")
    ]
    moves = [[each["field"] for each in event["moves"]] for event in found["events"]]
    assert moves == [["start_time", "end_time", "start_time", "end_time"]] * 4


async def test_new_day_of_the_week_goes_for_all(course: Course) -> None:
    await course.change(1, start_time="2030-04-01T09:00:00+02:00", end_time="2030-04-01T12:00:00")

    assert starts(await course.read()) == [
        *("30T18:00:00+01:00", "01T09:00:00+02:00", "02T09:00:00+02:00", "03T09:00:00+02:00")
    ]
    assert [each["end_time"][11:16] for each in await course.read()] == [
        *("20:00", "12:00", "12:00", "12:00")
    ]


async def test_times_move_into_the_hour_that_the_clocks_skip_with_a_warning(
    course: Course,
) -> None:
    found = await course.change(
        0, start_time="2030-03-30T02:30:00", end_time="2030-03-30T03:00:00", slots=[],
        registration_closes_at=None,
    )  # fmt: skip

    assert [(each["start_time"], each["end_time"]) for each in found["events"][:3]] == [
        ("2030-03-30T02:30:00+01:00", "2030-03-30T03:00:00+01:00"),
        ("2030-03-31T03:30:00+02:00", "2030-03-31T04:00:00+02:00"),
        ("2030-04-01T02:30:00+02:00", "2030-04-01T03:00:00+02:00"),
    ]
    codes = [[each["code"] for each in event["warnings"]] for event in found["events"]]
    assert codes == [[], ["moved-out-of-gap"], [], []]


NIGHT: dict[str, Any] = {
    "start_time": "2030-03-30T02:30:00",
    "end_time": "2030-03-30T02:50:00",
    "registration_closes_at": None,
    "slots": [],
}
"""The second one is in the night in which the clocks skip that time."""


async def test_event_that_the_clocks_put_forward_keeps_in_step(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    """Over several changes, into the skipped hour and out of it."""
    course = await repeat(app, api, **NIGHT)

    for clock, there in (("19:00",) * 2, ("03:30",) * 2, ("02:45", "03:45"), ("18:10",) * 2):
        await course.change(0, start_time=f"2030-03-30T{clock}:00")

        found = [each["start_time"][11:16] for each in await course.read()]
        assert found == [clock, there, clock, clock]


async def test_change_of_the_event_that_the_clocks_put_forward_keeps_the_others_in_step(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    course = await repeat(app, api, **NIGHT)

    await course.change(1, start_time="2030-03-31T19:00:00")

    found = [each["start_time"][11:16] for each in await course.read()]
    assert found == ["02:30", "19:00", "19:00", "19:00"]


async def test_time_that_the_clocks_show_twice_becomes_the_earlier(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    evening: dict[str, Any] = {
        "start_time": "2030-10-26T18:00:00",
        "end_time": "2030-10-26T19:00:00",
        "registration_closes_at": None,
        "slots": [],
    }
    course = await repeat(app, api, **evening)

    found = await course.change(0, start_time="2030-10-26T02:30:00")

    assert starts(found["events"]) == [
        *("26T02:30:00+02:00", "27T02:30:00+02:00", "28T02:30:00+01:00", "29T02:30:00+01:00")
    ]
    assert [[each["code"] for each in event["warnings"]] for event in found["events"]] == [
        *([], ["ambiguous"], [], [])
    ]


async def test_new_agenda_and_window_lie_as_far_from_each_start(course: Course) -> None:
    slot = {
        "title": "Late",
        "start_time": "2030-03-30T19:00:00",
        "end_time": "2030-03-30T18:45:00Z",
        "speaker": "Ada",
    }

    await course.change(0, slots=[slot], registration_opens_at="2030-03-28T08:00:00")

    found = await course.read()
    assert [(each["slots"][0]["start_time"], each["slots"][0]["end_time"]) for each in found] == [
        ("2030-03-30T19:00:00+01:00", "2030-03-30T19:45:00+01:00"),
        ("2030-03-31T19:00:00+02:00", "2030-03-31T19:45:00+02:00"),
        ("2030-04-01T19:00:00+02:00", "2030-04-01T19:45:00+02:00"),
        ("2030-04-02T19:00:00+02:00", "2030-04-02T19:45:00+02:00"),
    ]
    assert [[slot["speaker"] for slot in each["slots"]] for each in found] == [["Ada"]] * 4
    assert [each["registration_opens_at"] for each in found] == [
        *("2030-03-28T08:00:00+01:00", "2030-03-29T08:00:00+01:00"),
        *("2030-03-30T08:00:00+01:00", "2030-03-31T08:00:00+02:00"),
    ]
    await course.change(0, registration_opens_at=None)
    assert {each["registration_opens_at"] for each in await course.read()} == {None}


async def test_new_zone_keeps_every_instant(course: Course) -> None:
    before = [each["start_time"] for each in await course.read()]

    await course.change(0, timezone="Asia/Kathmandu")

    after = await course.read()
    assert {each["timezone"] for each in after} == {"Asia/Kathmandu"}
    in_berlin = [
        answered(await course.api.get(f"/events/{each}?tz=Europe/Berlin")) for each in course.ids
    ]
    assert [each["start_time"] for each in in_berlin] == before


async def test_following_are_those_after_it_by_the_rule_wherever_they_were_moved(
    course: Course,
) -> None:
    await course.alone(3, start_time="2030-03-29T18:00:00", registration_closes_at=None)
    await course.alone(0, start_time="2030-06-01T18:00:00")

    await course.change(2, name="Changed")

    assert await course.names() == ["Yoga", "Yoga", "Changed", "Changed"]


async def test_cancelled_and_past_events_stay_as_they_are(course: Course) -> None:
    answered(await course.api.post(f"/events/{course.ids[1]}/cancel", json={"reason": "Ill."}))
    await course.end(2)

    found = await course.change(0, name="Changed")

    assert await course.names() == ["Changed", "Yoga", "Yoga", "Changed"]
    assert [each["id"] for each in found["events"]] == [course.ids[0], course.ids[3]]


async def test_everyone_registered_hears_once_an_event(course: Course) -> None:
    await course.seat(1, 2)
    await course.seat(3, 1)
    said, recorded = len(await course.messages()), len(await course.audit())

    found = await course.change(1, name="Changed")

    assert (await course.messages())[said:] == [("event.changed", n) for n in (1, 2, 3)]
    assert (await course.audit())[recorded:] == [("event.changed", n) for n in (1, 2, 3)]
    assert found["messages"] == [{"topic": "event.changed", "recipients": 3}]
    assert [each["affected"]["confirmed"] for each in found["events"]] == [2, 0, 1]


async def test_larger_capacity_lets_the_waiting_up_everywhere(course: Course) -> None:
    for n in (1, 2):
        await course.seat(n, 4 + n)

    found = await course.change(0, max_capacity=5, slots=CLASS["slots"])

    assert [each["affected"] for each in found["events"]] == [
        {"confirmed": 0, "waitlisted": 0, "promoted": 0},
        {"confirmed": 5, "waitlisted": 0, "promoted": 2},
        {"confirmed": 5, "waitlisted": 1, "promoted": 2},
        {"confirmed": 0, "waitlisted": 0, "promoted": 0},
    ]
    assert found["messages"] == [
        {"topic": "event.changed", "recipients": 11},
        {"topic": "registration.confirmed", "recipients": 4},
    ]
    said = [topic for topic, _ in await course.messages()]
    assert [said.count(each) for each in ("event.changed", "registration.confirmed")] == [4, 6 + 4]


async def test_capacity_below_the_seats_of_one_changes_none_and_names_it(course: Course) -> None:
    await course.seat(2, 3)
    dump = await rows.dump(course.database)

    answer = await course.patch(0, {"max_capacity": 2, "name": "Changed"})

    assert refusal(answer) == (409, "capacity-taken")
    problem = answer.json()
    assert (problem["event_id"], problem["seats_taken"]) == (course.ids[2], 3)
    assert problem["detail"] == (
        "The event at 2030-04-01T18:00:00+02:00: 3 seats are taken; the capacity cannot be less."
    )
    assert await rows.dump(course.database) == dump


async def test_change_that_one_event_refuses_changes_none_and_names_it(course: Course) -> None:
    await course.alone(2, end_time="2030-04-01T18:45:00")
    dump = await rows.dump(course.database)

    answer = await course.patch(0, {"end_time": "2030-03-30T19:00:00"})

    assert refusal(answer) == (422, "validation-error")
    assert answer.json()["event_id"] == course.ids[2]
    assert answer.json()["errors"][0]["code"] == "ends-before-start"
    assert await rows.dump(course.database) == dump


@pytest.mark.parametrize(
    "sent",
    [
        {"name": "Changed"},
        {
            "start_time": "2030-03-30T02:30:00",
            "end_time": "2030-03-30T03:30:00",
            "registration_closes_at": None,
            "slots": [],
        },
        {"max_capacity": 9},
        {"timezone": "Asia/Kathmandu", "tags": []},
        {},
    ],
    ids=str,
)
async def test_rehearsal_says_what_the_change_then_does_and_writes_nothing(
    sent: dict[str, Any], course: Course
) -> None:
    await course.seat(1, 5)
    dump = await rows.dump(course.database)

    rehearsed = await course.patch(0, sent, dry_run="true")

    assert await rows.dump(course.database) == dump
    assert answered(rehearsed) == {**await course.change(0, **sent), "dry_run": True}


async def test_stale_version_of_the_event_refuses_the_change(course: Course) -> None:
    path = f"/events/{course.ids[0]}"
    etag = (await course.api.get(path)).headers["etag"]
    await course.alone(0, name="Changed")
    headers = {"If-Match": etag}

    answers = [
        await course.api.patch(f"{path}?scope=following", json={"name": "No"}, headers=headers),
        await course.api.post(
            f"{path}/cancel?scope=following", json={"reason": "No"}, headers=headers
        ),
        await course.api.delete(f"{path}?scope=following", headers=headers),
    ]

    assert [refusal(each) for each in answers] == [(412, "precondition-failed")] * 3
    assert await course.names() == ["Changed", "Yoga", "Yoga", "Yoga"]


async def test_etag_of_the_answer_lets_the_next_change_through(course: Course) -> None:
    first = await course.patch(0, {"name": "One"})
    rehearsed = await course.patch(0, {"name": "Two"}, dry_run="true")

    for each in (first, rehearsed):
        answer = await course.api.patch(
            f"/events/{course.ids[0]}?scope=following&dry_run=true",
            json={"name": "Three"},
            headers={"If-Match": each.headers["etag"]},
        )
        assert answer.status_code == 200


async def test_change_of_most_events_with_people_keeps_the_books(course: Course) -> None:
    """Counters and registrations agree after all of it."""
    for n in range(4):
        await course.seat(n, n + 1)

    await course.change(0, max_capacity=4, waitlist_enabled=False)
    await course.change(1, max_capacity=None)

    found = await rows.read(
        course.database, select(Admission.taken, Admission.waiting).order_by(Admission.event_id)
    )
    assert found == [(1, 0), (2, 0), (3, 0), (4, 0)]
