"""What cannot be asked is refused by the name of the parameter, and found no events."""

import httpx2
import pytest
from tests.discovery import asking
from tests.discovery.asking import make, query

LONG = "x" * 201
REFUSED: dict[str, list[tuple[str, str]]] = {
    "sort=name": [("sort", "not-allowed-value")],
    "sort=": [("sort", "not-allowed-value")],
    "sort=START_TIME": [("sort", "not-allowed-value")],
    "sort=distance": [("sort", "incomplete")],
    "sort=relevance": [("sort", "incomplete")],
    "sort=distance&q=x": [("sort", "incomplete")],
    "radius_km=5": [("radius_km", "incomplete")],
    "radius_km=5&sort=distance": [("radius_km", "incomplete"), ("sort", "incomplete")],
    "near=1,1&radius_km=0": [("radius_km", "too-small")],
    "near=1,1&radius_km=-1": [("radius_km", "too-small")],
    "near=1,1&radius_km=20039": [("radius_km", "too-large")],
    "near=1,1&radius_km=1e400": [("radius_km", "too-large")],
    "near=1,1&radius_km=inf": [("radius_km", "too-large")],
    "near=1,1&radius_km=nan": [("radius_km", "too-large")],
    "near=1,1&radius_km=far": [("radius_km", "wrong-type")],
    "near=1,1&radius_km=": [("radius_km", "wrong-type")],
    "near=": [("near", "invalid-position")],
    "near=1": [("near", "invalid-position")],
    "near=1,": [("near", "invalid-position")],
    "near=,1": [("near", "invalid-position")],
    "near=1,2,3": [("near", "invalid-position")],
    "near=1;2": [("near", "invalid-position")],
    "near=90.1,0": [("near", "invalid-position")],
    "near=-90.000001,0": [("near", "invalid-position")],
    "near=0,180.1": [("near", "invalid-position")],
    "near=0,-999": [("near", "invalid-position")],
    "near=nan,nan": [("near", "invalid-position")],
    "near=1e1,1": [("near", "invalid-position")],
    "near=Berlin": [("near", "invalid-position")],
    "near=%D9%A1,1": [("near", "invalid-position")],
    f"near={'1' * 41}": [("near", "too-long")],
    "near=91,0&radius_km=5&sort=distance": [("near", "invalid-position")],
    "min_seats=0": [("min_seats", "too-small")],
    "min_seats=-1": [("min_seats", "too-small")],
    "min_seats=1000001": [("min_seats", "too-large")],
    "min_seats=1.5": [("min_seats", "wrong-type")],
    "min_seats=many": [("min_seats", "wrong-type")],
    "available=maybe": [("available", "wrong-type")],
    "available=": [("available", "wrong-type")],
    "online=2": [("online", "wrong-type")],
    "include_past=x": [("include_past", "wrong-type")],
    "mine=x": [("mine", "wrong-type")],
    "status=deleted": [("status", "not-allowed-value")],
    "status=": [("status", "not-allowed-value")],
    "organizer=me": [("organizer", "invalid")],
    "organizer=": [("organizer", "invalid")],
    f"q={LONG}": [("q", "too-long")],
    f"city={LONG}": [("city", "too-long")],
    f"country={LONG}": [("country", "too-long")],
    f"tag={LONG}": [("tag", "too-long")],
    "from=": [("from", "invalid-time")],
    "from=today": [("from", "invalid-time")],
    "from=2027-02-29": [("from", "invalid-time")],
    "from=1969-12-31": [("from", "invalid-time")],
    "to=2200-01-01": [("to", "invalid-time")],
    "from=20270101": [("from", "invalid-time")],
    "from=2027-1-1": [("from", "invalid-time")],
    "from=2027-W01-1": [("from", "invalid-time")],
    "to=2027-01-01T25:00": [("to", "invalid-time")],
    "to=9999-12-31T00:00:00Z": [("to", "time-out-of-range")],
    "from=2027-03-28T02:30&tz=Europe/Berlin": [("from", "nonexistent-local-time")],
    "to=2027-10-31T02:30&tz=Europe/Berlin": [("to", "ambiguous-local-time")],
    "tz=Mars/X": [("tz", "invalid-timezone")],
    "q=x&q=x": [("q", "sent-twice")],
    "from=2027-01-01&from=2027-01-02": [("from", "sent-twice")],
    "near=1,1&near=2,2&q=a&q=b": [("q", "sent-twice"), ("near", "sent-twice")],
    "cursor=x": [("cursor", "invalid-cursor")],
    "sort=x&near=x&min_seats=x": [
        ("near", "invalid-position"), ("min_seats", "wrong-type"), ("sort", "not-allowed-value"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("path", ["/events", "/calendar.ics"])
async def test_what_cannot_be_asked_is_refused_by_name(api: httpx2.AsyncClient, path: str) -> None:
    pages_only = ("cursor",)
    asked = [each for each in REFUSED if path == "/events" or not each.startswith(pages_only)]

    answers = {each: await api.get(f"{path}?{each}") for each in asked}

    assert {each: answer.status_code for each, answer in answers.items()} == dict.fromkeys(
        asked, 422
    )
    assert {
        each: [(error["field"], error["code"]) for error in answer.json()["errors"]]
        for each, answer in answers.items()
    } == {each: REFUSED[each] for each in asked}


async def test_refusal_does_not_repeat_what_was_sent(api: httpx2.AsyncClient) -> None:
    secret = "hunter2-hunter2"
    asked = ["sort", "near", "from", "organizer", "min_seats", "available", "status"]

    answers = [await api.get(f"/events?{query(**{name: secret})}") for name in asked]

    assert [secret in answer.text for answer in answers] == [False] * len(asked)


async def test_unknown_parameter_is_left_alone(api: httpx2.AsyncClient) -> None:
    await make(api, "Event", 1)

    assert await asking.names(api, "Q=nothing&from_=x&distance_km=1&Sort=x") == ["Event"]


QUERIES = [
    "", "q=event", "q=even", "tag=a", "city=Berlin", "country=DE", "near=52.5,13.4",
    "near=52.5,13.4&radius_km=51", "min_seats=1", "min_seats=2", "available=true", "online=false",
    "include_past=true", "from=2026-01-01", "from=2026-01-01&tz=UTC", "from=2026-01-02",
    "to=2199-01-01", "mine=true", "status=published", "sort=-start_time", "q=event&sort=relevance",
    "near=52.5,13.4&sort=distance", "q=event&tag=a",
]  # fmt: skip


async def test_cursor_belongs_to_its_own_query_alone(api: httpx2.AsyncClient) -> None:
    for day in (1, 2):
        await make(api, "Event", day, place=asking.BERLIN, tags=["a"])
    cursors = {
        each: (await api.get(f"/events?{each}&limit=1")).json()["next_cursor"] for each in QUERIES
    }

    statuses = {
        (one, other): (await api.get(f"/events?{other}&cursor={cursor}")).status_code
        for one, cursor in cursors.items()
        for other in QUERIES
    }

    assert statuses == {
        (one, other): 200 if one == other else 422 for one in QUERIES for other in QUERIES
    }
