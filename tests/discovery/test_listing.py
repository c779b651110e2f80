"""Which events are found, in which order, by whom, and in which zone they are told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import time_machine
from tests.db import rows
from tests.factories import in_days, make_event
from tests.support.app import RunningApp

NOBODYS_ID = "0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"
HOUR = timedelta(hours=1)
NOW = datetime(2027, 3, 1, 18, 15, tzinfo=UTC)
"""A quarter to midnight in India, half past one in the afternoon in New York."""


async def at(api: httpx2.AsyncClient, name: str, start: datetime, end: datetime) -> str:
    made = await make_event(api, name=name, start_time=start.isoformat(), end_time=end.isoformat())
    event_id: str = made["id"]
    return event_id


async def names(api: httpx2.AsyncClient, path: str = "/events") -> list[str]:
    return [event["name"] for event in (await api.get(path)).json()["items"]]


async def test_list_has_what_has_not_ended_soonest_first(api: httpx2.AsyncClient) -> None:
    with time_machine.travel(NOW, tick=False):
        await at(api, "Tomorrow", NOW + 24 * HOUR, NOW + 25 * HOUR)
        await at(api, "Ended now", NOW - HOUR, NOW)
        await at(api, "Ends in a moment", NOW - 2 * HOUR, NOW + timedelta(microseconds=1))
        await at(api, "Long under way", NOW - 399 * 24 * HOUR, NOW + HOUR)
        await at(api, "Long over", NOW - 500 * 24 * HOUR, NOW - 499 * 24 * HOUR)
        await at(api, "Begins now", NOW, NOW + HOUR)

        listed = await names(api)

    assert listed == ["Long under way", "Ends in a moment", "Begins now", "Tomorrow"]


async def test_list_of_events_at_the_same_time_is_in_the_order_they_were_made(
    api: httpx2.AsyncClient,
) -> None:
    made = [await make_event(api, name=f"Event {n}") for n in range(5)]

    listed = (await api.get("/events")).json()["items"]

    assert [event["id"] for event in listed] == [event["id"] for event in made]


async def test_list_drops_an_event_when_it_ends_though_nothing_was_written(
    api: httpx2.AsyncClient,
) -> None:
    with time_machine.travel(NOW, tick=False):
        await at(api, "Short", NOW, NOW + HOUR)
        await at(api, "Long", NOW, NOW + 2 * HOUR)
        before = await names(api)

    with time_machine.travel(NOW + HOUR - timedelta(microseconds=1), tick=False):
        last_moment = await names(api)
    with time_machine.travel(NOW + HOUR, tick=False):
        after = await names(api)
    with time_machine.travel(NOW + 2 * HOUR, tick=False):
        at_last = await names(api)

    assert [before, last_moment] == [["Short", "Long"]] * 2
    assert [after, at_last] == [["Long"], []]


ZONES = ["Asia/Kolkata", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC"]


async def test_list_in_any_zone_has_the_same_events_at_the_same_instants(
    api: httpx2.AsyncClient,
) -> None:
    """At a quarter to midnight here, when it is another day elsewhere."""
    with time_machine.travel(NOW, tick=False):
        for minutes in (-14, 14, 16, 60 * 24):
            start = NOW + timedelta(minutes=minutes)
            await at(api, f"In {minutes} min", start, start + HOUR)

        pages = [(await api.get("/events", params={"tz": zone})).json() for zone in ZONES]

    told = [
        [(e["name"], datetime.fromisoformat(e["start_time"])) for e in page["items"]]
        for page in pages
    ]
    shown = [{event["display_timezone"] for event in page["items"]} for page in pages]
    starts = [page["items"][1]["start_time"] for page in pages]
    assert len(told[0]) == 4
    assert told == [told[0]] * len(ZONES)
    assert shown == [{zone} for zone in ZONES]
    assert starts == [
        "2027-03-01T23:59:00+05:30",
        "2027-03-01T13:29:00-05:00",
        "2027-03-02T00:14:00+05:45",
        "2027-03-02T08:29:00+14:00",
        "2027-03-01T18:29:00+00:00",
    ]


async def test_event_in_another_zone_has_every_time_with_the_offset_of_its_date(
    api: httpx2.AsyncClient,
) -> None:
    """From Berlin's point of view the clocks go forward inside this event."""
    made = await make_event(
        api,
        start_time="2027-03-27T20:00:00+05:30",
        end_time="2027-03-28T20:00:00+05:30",
        slots=[
            {
                "title": "Across",
                "start_time": "2027-03-28T06:00:00+05:30",
                "end_time": "2027-03-28T07:00:00+05:30",
            }
        ],
        registration_opens_at="2027-01-01T00:00:00+05:30",
    )

    seen = (await api.get(f"/events/{made['id']}", params={"tz": "Europe/Berlin"})).json()

    assert (seen["timezone"], seen["display_timezone"]) == ("Asia/Kolkata", "Europe/Berlin")
    assert [seen["start_time"], seen["end_time"], seen["registration_opens_at"]] == [
        "2027-03-27T15:30:00+01:00", "2027-03-28T16:30:00+02:00", "2026-12-31T19:30:00+01:00",
    ]  # fmt: skip
    assert [(slot["start_time"], slot["end_time"]) for slot in seen["slots"]] == [
        ("2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00")
    ]


@pytest.mark.parametrize("path", ["/events", "/events/{}", "/events/{}/attendees"])
async def test_read_in_a_zone_that_is_none_is_refused(api: httpx2.AsyncClient, path: str) -> None:
    path = path.format((await make_event(api))["id"])
    zones = ["Mars/X", "", "IST", "localtime", "../../etc/passwd"]

    problems = [(await api.get(path, params={"tz": zone})).json() for zone in zones]

    assert [(each["status"], each["code"]) for each in problems] == [(422, "invalid-timezone")] * 5
    assert [[error["field"] for error in each["errors"]] for each in problems] == [["tz"]] * 5


CANCELLED = {"status": "cancelled", "cancelled_at": NOW}
HIDDEN: list[tuple[dict[str, Any], dict[str, Any], int]] = [
    ({"draft": True}, {}, 404),
    ({"visibility": "private"}, {}, 404),
    ({"visibility": "unlisted"}, {}, 200),
    ({}, CANCELLED, 200),
    ({"draft": True, "visibility": "unlisted"}, {}, 404),
    ({"visibility": "private"}, CANCELLED, 404),
]


@pytest.mark.parametrize(("changes", "columns", "status"), HIDDEN)
async def test_event_that_is_not_public_is_in_no_list_and_shown_by_rule(
    app: RunningApp,
    api: httpx2.AsyncClient,
    closed_api: httpx2.AsyncClient,
    changes: dict[str, Any],
    columns: dict[str, Any],
    status: int,
) -> None:
    hidden = await make_event(api, name="Hidden", **changes)
    await make_event(api, name="Shown")
    if columns:
        await rows.change_event(app.runtime.database, hidden["id"], **columns)

    to_owner = await api.get(f"/events/{hidden['id']}")
    to_others = await closed_api.get(f"/events/{hidden['id']}")
    lists = [await names(api), await names(closed_api)]

    assert lists == [["Shown"], ["Shown"]]
    assert (to_owner.status_code, to_owner.json()["name"]) == (200, "Hidden")
    assert to_others.status_code == status
    assert ("Hidden" in to_others.text) == (status == 200)


async def test_event_that_is_hidden_answers_others_as_one_that_never_was(
    api: httpx2.AsyncClient, closed_api: httpx2.AsyncClient
) -> None:
    hidden = await make_event(api, draft=True)
    calls = [("GET", ""), ("HEAD", ""), ("GET", "/attendees"), ("POST", "/register")]
    request_id = {"X-Request-Id": "the-same-for-both"}

    answers = [
        [
            await closed_api.request(method, f"/events/{event_id}{rest}", headers=request_id)
            for method, rest in calls
        ]
        for event_id in (hidden["id"], NOBODYS_ID)
    ]

    # What is left of the caller's limit goes down with each request, whatever it asks for.
    left = [answer.headers.pop("ratelimit") for of_one in answers for answer in of_one]
    told = [[(a.status_code, a.headers, a.content) for a in of_one] for of_one in answers]
    assert len(set(left)) == len(left)
    assert [answer.status_code for answer in answers[0]] == [404, 404, 401, 404]
    assert told[0] == told[1]


async def test_event_by_what_is_no_id_is_not_found(api: httpx2.AsyncClient) -> None:
    ids = ["0", "-1", "1e9", "01", "1.0", "%00", "9" * 300, "null", NOBODYS_ID, "a%2Fb", "%FF"]

    answers = [await api.get(f"/events/{event_id}") for event_id in ids]

    told = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert told == [(404, "not-found")] * len(ids)


async def test_event_by_another_form_or_kind_of_id_is_not_found(api: httpx2.AsyncClient) -> None:
    made = await make_event(api)
    other_kind = made["organizer"]["id"]
    forms = [made["id"].upper(), made["id"].replace("-", ""), f"{{{made['id']}}}", other_kind]

    statuses = [(await api.get(f"/events/{form}")).status_code for form in forms]

    assert statuses == [404] * 4


async def test_events_show_seats_as_they_are_taken(api: httpx2.AsyncClient) -> None:
    made = await make_event(api, max_capacity=2, start_time=in_days(1), end_time=in_days(2))
    path = f"/events/{made['id']}"
    seen = []
    for n in range(3):
        shown, listed = (await api.get(path)).json(), (await api.get("/events")).json()["items"][0]
        seen.append((shown["seats_taken"], listed["seats_left"]))
        await api.post(f"{path}/register", json={"name": "x", "email": f"p{n}@example.com"})

    assert seen == [(0, 2), (1, 1), (2, 0)]
