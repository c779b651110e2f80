"""What an event may not be: each kind of bad input with its status, its code and its field."""

import json
from typing import Any

import httpx2
import pytest
from tests.db import rows
from tests.factories import an_event
from tests.support.app import RunningApp

DAY = "2027-03-28"
BERLIN = {"timezone": "Europe/Berlin"}
INVALID = "validation-error"
PLACE = {"name": "Hall", "latitude": 12.97, "longitude": 77.59}


def slot(**changes: Any) -> dict[str, Any]:
    start, end = "2027-06-01T11:00:00+05:30", "2027-06-01T12:00:00+05:30"
    return {"title": "Keynote", "start_time": start, "end_time": end, **changes}


def from_to(start: Any, end: Any, **changes: Any) -> dict[str, Any]:
    return {"start_time": start, "end_time": end, **changes}


def that_day(**changes: Any) -> dict[str, Any]:
    """An event of 1 June 2027, from ten to six."""
    return from_to("2027-06-01T10:00:00+05:30", "2027-06-01T18:00:00+05:30", **changes)


# Nothing of this comes as far as the database, so one kind of it is enough.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NO_TIMES: list[Any] = [1_800_000_000, None, 1.5, True, []]
REFUSED: list[tuple[dict[str, Any], str, list[tuple[str, str]]]] = [
    # numbers that no database holds, and what only looks like a number
    ({"max_capacity": 2**63}, INVALID, [("max_capacity", "too-large")]),
    ({"max_capacity": -(2**63) - 1}, INVALID, [("max_capacity", "too-small")]),
    ({"max_capacity": 0}, INVALID, [("max_capacity", "too-small")]),
    ({"max_capacity": -1}, INVALID, [("max_capacity", "too-small")]),
    ({"max_capacity": 1_000_001}, INVALID, [("max_capacity", "too-large")]),
    ({"max_capacity": "5"}, INVALID, [("max_capacity", "wrong-type")]),
    ({"max_capacity": True}, INVALID, [("max_capacity", "wrong-type")]),
    ({"max_capacity": 3.5}, INVALID, [("max_capacity", "wrong-type")]),
    ({"max_capacity": 3.0}, INVALID, [("max_capacity", "wrong-type")]),
    ({"max_capacity": [5]}, INVALID, [("max_capacity", "wrong-type")]),
    # other types than the field's
    ({"name": ["PyCon"]}, INVALID, [("name", "wrong-type")]),
    ({"name": None}, INVALID, [("name", "wrong-type")]),
    ({"name": 5}, INVALID, [("name", "wrong-type")]),
    ({"draft": "yes"}, INVALID, [("draft", "wrong-type")]),
    ({"waitlist_enabled": 1}, INVALID, [("waitlist_enabled", "wrong-type")]),
    ({"slots": {}}, INVALID, [("slots", "wrong-type")]),
    ({"tags": "python"}, INVALID, [("tags", "wrong-type")]),
    ({"tags": [5]}, INVALID, [("tags.0", "wrong-type")]),
    ({"place": "Hall"}, INVALID, [("place", "wrong-type")]),
    # fields that are not there, or not the client's
    ({"colour": "red"}, INVALID, [("colour", "unknown-field")]),
    ({"a b\u202e": 1}, INVALID, [("?", "unknown-field")]),
    ({"id": "0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"}, INVALID, [("id", "unknown-field")]),
    ({"status": "published"}, INVALID, [("status", "unknown-field")]),
    ({"slug": "mine"}, INVALID, [("slug", "unknown-field")]),
    ({"organizer": {"name": "Mallory"}}, INVALID, [("organizer", "unknown-field")]),
    ({"organizer_id": "x"}, INVALID, [("organizer_id", "unknown-field")]),
    ({"seats_taken": 0}, INVALID, [("seats_taken", "unknown-field")]),
    ({"version": 9}, INVALID, [("version", "unknown-field")]),
    ({"created_at": "2020-01-01T00:00:00Z"}, INVALID, [("created_at", "unknown-field")]),
    ({"slots": [{**slot(), "id": 1}]}, INVALID, [("slots.0.id", "unknown-field")]),
    # text
    ({"name": ""}, INVALID, [("name", "too-short")]),
    ({"name": "   "}, INVALID, [("name", "too-short")]),
    ({"name": "\u200b\u200d"}, INVALID, [("name", "invalid")]),
    ({"name": "x" * 201}, INVALID, [("name", "too-long")]),
    ({"name": "x" * 10_000}, INVALID, [("name", "too-long")]),
    ({"name": "a\u0000b"}, INVALID, [("name", "invalid")]),
    ({"name": "a\u001bb"}, INVALID, [("name", "invalid")]),
    ({"name": "a\nb"}, INVALID, [("name", "invalid")]),
    ({"name": "gpj.\u202eexe"}, INVALID, [("name", "invalid")]),
    ({"location": "a\u0000b"}, INVALID, [("location", "invalid")]),
    ({"description": "a\u0000b"}, INVALID, [("description", "invalid")]),
    ({"description": "x" * 20_001}, INVALID, [("description", "too-long")]),
    ({"tags": ["a\u0000b"]}, INVALID, [("tags.0", "invalid")]),
    ({"tags": ["t"] * 21}, INVALID, [("tags", "too-long")]),
    ({"tags": ["t" * 51]}, INVALID, [("tags.0", "too-long")]),
    ({"visibility": "secret"}, INVALID, [("visibility", "not-allowed-value")]),
    # where it is
    ({"place": {**PLACE, "latitude": 91}}, INVALID, [("place.latitude", "too-large")]),
    ({"place": {**PLACE, "latitude": -90.1}}, INVALID, [("place.latitude", "too-small")]),
    ({"place": {**PLACE, "longitude": 181}}, INVALID, [("place.longitude", "too-large")]),
    ({"place": {**PLACE, "latitude": "12.9"}}, INVALID, [("place.latitude", "wrong-type")]),
    ({"place": {**PLACE, "latitude": True}}, INVALID, [("place.latitude", "wrong-type")]),
    ({"place": {"city": "a\u0000b"}}, INVALID, [("place.city", "invalid")]),
    ({"place": {"latitude": 12.97}}, INVALID, [("place", "incomplete-position")]),
    ({"place": {"longitude": 77.59}}, INVALID, [("place", "incomplete-position")]),
    ({"online_url": "javascript:alert(1)"}, INVALID, [("online_url", "invalid-address")]),
    ({"online_url": "https://a b"}, INVALID, [("online_url", "invalid-address")]),
    ({"online_url": "https://a\u0000b"}, INVALID, [("online_url", "invalid-address")]),
    ({"online_url": "https://" + "x" * 2_000}, INVALID, [("online_url", "too-long")]),
    # zones
    *(
        ({"timezone": zone}, "invalid-timezone", [("timezone", "invalid-timezone")])
        for zone in (
            "Mars/X", "europe/berlin", "../../etc/passwd", "/etc/localtime", "Europe", "localtime",
            "posixrules", "zone.tab", "IST", "+05:30", "Europe/Berlin\u0000", "", " Europe/Berlin",
        )
    ),
    ({"timezone": "x" * 5_000}, INVALID, [("timezone", "too-long")]),
    ({"timezone": 5}, INVALID, [("timezone", "wrong-type")]),
    # hours that the clocks skip or repeat
    (
        from_to(f"{DAY}T02:30:00", f"{DAY}T12:00:00", **BERLIN),
        "nonexistent-local-time", [("start_time", "nonexistent-local-time")],
    ),
    (
        from_to("2026-10-04T02:15:00", "2026-10-04T12:00:00", timezone="Australia/Lord_Howe"),
        "nonexistent-local-time", [("start_time", "nonexistent-local-time")],
    ),
    (
        from_to("2026-04-24T00:30:00", "2026-04-24T12:00:00", timezone="Africa/Cairo"),
        "nonexistent-local-time", [("start_time", "nonexistent-local-time")],
    ),
    (
        from_to("2026-10-25T01:00:00", "2026-10-25T02:30:00", **BERLIN),
        "ambiguous-local-time", [("end_time", "ambiguous-local-time")],
    ),
    (
        from_to(f"{DAY}T01:00:00+01:00", f"{DAY}T12:00:00", **BERLIN)
        | {"slots": [slot(start_time=f"{DAY}T02:30:00", end_time=f"{DAY}T04:00:00")]},
        "nonexistent-local-time", [("slots.0.start_time", "nonexistent-local-time")],
    ),
    # what is no time
    *(
        ({"start_time": text}, INVALID, [("start_time", "invalid-time")])
        for text in (
            "2027-02-29T10:00:00", "2027-02-30T10:00:00", "2026-12-05T24:00:00",
            "2026-12-31T23:59:60Z", "2026-W53-7", "20260101T000000Z", "2026-12-05", "infinity",
            "tomorrow", "", "1e300", "10000-01-01T00:00:00Z", "2026-12-05T10:00:00+24:00",
            "2026-12-05T10:00:00 Europe/Berlin", "2026-12-05T10:00:00\u0000",
        )
    ),
    *(
        ({"start_time": value}, INVALID, [("start_time", "wrong-type")])
        for value in NO_TIMES
    ),
    *(
        (from_to(text, "2027-01-01T00:00:00Z"), INVALID, [("start_time", "time-out-of-range")])
        for text in (
            "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
            "9999-12-31T23:30:00-08:00", "2200-01-01T00:00:00Z",
        )
    ),
    # times that contradict each other
    (that_day(end_time="2027-06-01T10:00:00+05:30"), INVALID, [("end_time", "ends-before-start")]),
    (that_day(end_time="2027-06-01T06:00:00+02:00"), INVALID, [("end_time", "ends-before-start")]),
    (that_day(end_time="2028-07-06T10:00:01+05:30"), INVALID, [("end_time", "event-too-long")]),
    (
        that_day(slots=[slot(), slot(start_time="2027-06-01T09:59:59+05:30")]),
        INVALID, [("slots.1.start_time", "outside-event")],
    ),
    (
        that_day(slots=[slot(end_time="2027-06-01T18:00:01+05:30")]),
        INVALID, [("slots.0.end_time", "outside-event")],
    ),
    (
        that_day(slots=[slot(end_time="2027-06-01T11:00:00+05:30")]),
        INVALID, [("slots.0.end_time", "ends-before-start")],
    ),
    (
        that_day(registration_closes_at="2027-06-01T18:00:01+05:30"),
        INVALID, [("registration_closes_at", "impossible-window")],
    ),
    (
        that_day(registration_opens_at="2027-06-01T18:00:00+05:30"),
        INVALID, [("registration_opens_at", "impossible-window")],
    ),
    (
        that_day(
            registration_opens_at="2027-05-02T00:00:00Z",
            registration_closes_at="2027-05-01T00:00:00Z",
        ),
        INVALID, [("registration_opens_at", "impossible-window")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code", "fields"), REFUSED)
async def test_create_with_a_bad_field_names_it(
    app: RunningApp,
    api: httpx2.AsyncClient,
    changes: dict[str, Any],
    code: str,
    fields: list[tuple[str, str]],
) -> None:
    before = await rows.counts(app.runtime.database)

    answer = await api.post("/events", json=an_event(**changes))

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code)
    assert [(each["field"], each["code"]) for each in problem["errors"]] == fields
    assert await rows.counts(app.runtime.database) == before


WHOLE = json.dumps(an_event())[:-1]


@pytest.mark.parametrize(
    ("body", "status", "code", "fields"),
    [
        ("", 400, "malformed-json", []),
        ("{", 400, "malformed-json", []),
        (WHOLE + ",}", 400, "malformed-json", []),
        (WHOLE + ', "max_capacity": NaN}', 400, "malformed-json", []),
        (WHOLE + ', "place": {"latitude": Infinity}}', 400, "malformed-json", []),
        ("[" * 100_000, 400, "malformed-json", []),
        ("\ufeff" + WHOLE + "}", 400, "malformed-json", []),
        ("[]", 422, INVALID, [("body", "wrong-type")]),
        ("null", 422, INVALID, [("body", "wrong-type")]),
        ("{}", 422, INVALID, [
            (name, "missing")
            for name in ("name", "location", "start_time", "end_time", "max_capacity")
        ]),
        (WHOLE + ', "max_capacity": ' + "9" * 5_000 + "}", 422, INVALID,
         [("max_capacity", "too-large")]),
        (WHOLE + ', "name": "\\ud800"}', 422, INVALID, [("name", "invalid")]),
    ],
)  # fmt: skip
async def test_create_with_a_bad_body_says_what_is_wrong(
    api: httpx2.AsyncClient, body: str, status: int, code: str, fields: list[tuple[str, str]]
) -> None:
    headers = {"Content-Type": "application/json"}

    answer = await api.post("/events", content=body.encode(), headers=headers)

    problem = answer.json()
    found = [(each["field"], each["code"]) for each in problem.get("errors", [])]
    assert (answer.status_code, problem["code"], found) == (status, code, fields)


async def test_create_with_a_skipped_hour_offers_both_neighbours(api: httpx2.AsyncClient) -> None:
    body = an_event(**from_to(f"{DAY}T02:30:00", f"{DAY}T12:00:00", **BERLIN))

    problem = (await api.post("/events", json=body)).json()

    neighbours = (problem["earlier"], problem["later"])
    assert neighbours == (f"{DAY}T01:30:00+01:00", f"{DAY}T03:30:00+02:00")


async def test_create_with_a_repeated_hour_offers_both_offsets(api: httpx2.AsyncClient) -> None:
    start, end = "2026-10-25T02:30:00", "2026-10-25T12:00:00"

    problem = (await api.post("/events", json=an_event(**from_to(start, end, **BERLIN)))).json()
    made = await api.post("/events", json=an_event(**from_to(problem["later"], end, **BERLIN)))

    assert (problem["earlier"], problem["later"]) == (f"{start}+02:00", f"{start}+01:00")
    assert (made.status_code, made.json()["start_time"]) == (201, f"{start}+01:00")


async def test_create_with_many_bad_fields_names_all(api: httpx2.AsyncClient) -> None:
    body = an_event(name="", start_time="soon", tags=[1], colour=1)

    problem = (await api.post("/events", json=body)).json()

    found = [(each["field"], each["code"]) for each in problem["errors"]]
    assert (problem["code"], found) == (
        INVALID,
        [
            ("name", "too-short"),
            ("start_time", "invalid-time"),
            ("tags.0", "wrong-type"),
            ("colour", "unknown-field"),
        ],
    )
