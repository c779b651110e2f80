"""A day as people have it in Kiritimati, Kathmandu, Lord Howe, Vancouver and New York.

Everything goes through the API: events are made by the clock on the wall, and found by days.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import httpx2
import pytest
from tests.factories import an_event, make_event

KIRITIMATI, KATHMANDU = "Pacific/Kiritimati", "Asia/Kathmandu"
LORD_HOWE, VANCOUVER, NEW_YORK = "Australia/Lord_Howe", "America/Vancouver", "America/New_York"
ZONES = (KIRITIMATI, KATHMANDU, LORD_HOWE, VANCOUVER, NEW_YORK)
HALF_HOURS = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)]

DAYS = [
    # Fourteen hours before UTC: there the new year begins while it is 10:00 of the old one in UTC.
    (KIRITIMATI, "2027-01-01", 48, ("+14:00", "+14:00")),
    (KATHMANDU, "2027-07-05", 48, ("+05:45", "+05:45")),
    # Half an hour is repeated, and half a year later skipped.
    (LORD_HOWE, "2027-04-04", 49, ("+11:00", "+10:30")),
    (LORD_HOWE, "2027-10-03", 47, ("+10:30", "+11:00")),
    # The clocks of British Columbia do not go back any more since 2026.
    (VANCOUVER, "2027-11-07", 48, ("-07:00", "-07:00")),
    (NEW_YORK, "2027-03-14", 46, ("-05:00", "-04:00")),
    (NEW_YORK, "2027-11-07", 50, ("-04:00", "-05:00")),
]


async def made_by_the_clock(api: httpx2.AsyncClient, zone: str, day: str) -> list[dict[str, Any]]:
    """Ten minutes at each half hour that the clocks of the day show, in the order of time.

    Nothing is sent but wall clocks, and what the refusal of one that is shown twice offers.
    """
    made: list[dict[str, Any]] = []
    for clock in HALF_HOURS:
        answer = await ten_minutes(api, zone, f"{day}T{clock}")
        match answer.json().get("code"):
            case None:
                made.append(answer.json())
            case "ambiguous-local-time":
                offered = [answer.json()[name] for name in ("earlier", "later")]
                made += [(await ten_minutes(api, zone, each)).json() for each in offered]
            case code:
                assert code == "nonexistent-local-time"
    return sorted(made, key=lambda event: datetime.fromisoformat(event["start_time"]))


async def ten_minutes(api: httpx2.AsyncClient, zone: str, start: str) -> httpx2.Response:
    """The answer to an event that begins then; no clocks change within its ten minutes."""
    end = (datetime.fromisoformat(start) + timedelta(minutes=10)).isoformat()
    return await api.post("/events", json=an_event(start_time=start, end_time=end, timezone=zone))


async def listed(api: httpx2.AsyncClient, **query: str) -> list[dict[str, Any]]:
    answer = await api.get("/events", params={"limit": "100", **query})
    assert answer.status_code == 200, answer.text
    assert answer.json()["next_cursor"] is None
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def of_day(api: httpx2.AsyncClient, day: date, zone: str) -> list[dict[str, Any]]:
    return await listed(api, **{"from": day.isoformat(), "to": day.isoformat(), "tz": zone})


def around(day: str) -> Iterator[date]:
    """The day and two on each side: whatever the zone, its hours lie in these."""
    for n in range(-2, 3):
        yield date.fromisoformat(day) + timedelta(days=n)


def ids_of(events: list[dict[str, Any]]) -> list[str]:
    return [event["id"] for event in events]


@pytest.mark.parametrize(("zone", "day", "count", "offsets"), DAYS)
async def test_day_has_every_half_hour_and_none_is_lost_where_days_meet_in_any_zone(
    api: httpx2.AsyncClient, zone: str, day: str, count: int, offsets: tuple[str, str]
) -> None:
    made = ids_of(await made_by_the_clock(api, zone, day))

    found = {each: await of_day(api, each, zone) for each in around(day)}

    today = found.pop(date.fromisoformat(day))
    starts = [event["start_time"] for event in today]
    assert (len(made), ids_of(today)) == (count, made)
    assert (starts[0], starts[-1]) == (f"{day}T00:00:00{offsets[0]}", f"{day}T23:30:00{offsets[1]}")
    assert {each[:10] for each in starts} == {day}
    assert list(found.values()) == [[], [], [], []]
    for viewer in ZONES:
        everything = await listed(api, **{"from": "2026-12-01", "tz": viewer})
        by_day = {str(each): await of_day(api, each, viewer) for each in around(day)}

        expected = Counter(event["start_time"][:10] for event in everything)
        assert ids_of(everything) == made
        assert [each for events in by_day.values() for each in ids_of(events)] == made
        assert {each: len(events) for each, events in by_day.items() if events} == dict(expected)


async def test_event_over_midnight_is_in_both_days_and_in_no_third(api: httpx2.AsyncClient) -> None:
    made = await make_event(
        api, start_time="2027-07-05T23:00", end_time="2027-07-06T00:00:01", timezone=KATHMANDU
    )
    until_midnight = await make_event(
        api, start_time="2027-07-05T22:00", end_time="2027-07-06T00:00", timezone=KATHMANDU
    )

    found = {str(each): ids_of(await of_day(api, each, KATHMANDU)) for each in around("2027-07-05")}

    assert found == {
        "2027-07-03": [],
        "2027-07-04": [],
        "2027-07-05": [until_midnight["id"], made["id"]],
        "2027-07-06": [made["id"]],
        "2027-07-07": [],
    }


async def test_one_event_is_on_another_day_for_viewers_elsewhere(api: httpx2.AsyncClient) -> None:
    made = await make_event(
        api, start_time="2027-01-01T00:00", end_time="2027-01-01T01:00", timezone=KIRITIMATI
    )

    seen = {
        zone: (await api.get(f"/events/{made['id']}", params={"tz": zone})).json()["start_time"]
        for zone in ZONES
    }

    assert seen == {
        KIRITIMATI: "2027-01-01T00:00:00+14:00",
        KATHMANDU: "2026-12-31T15:45:00+05:45",
        LORD_HOWE: "2026-12-31T21:00:00+11:00",
        VANCOUVER: "2026-12-31T03:00:00-07:00",
        NEW_YORK: "2026-12-31T05:00:00-05:00",
    }
    for zone in ZONES:
        day = date.fromisoformat(seen[zone][:10])
        assert ids_of(await of_day(api, day, zone)) == [made["id"]]
        assert await of_day(api, day + timedelta(days=1), zone) == []


async def a_weekend(api: httpx2.AsyncClient, zone: str) -> dict[str, Any]:
    """Over the night in which New York's clocks go forward, with a slot on each side of it."""
    return await make_event(
        api,
        timezone=zone,
        start_time="2027-03-13T18:00",
        end_time="2027-03-14T12:00",
        slots=[
            {"title": "A", "start_time": "2027-03-13T20:00", "end_time": "2027-03-13T21:00"},
            {"title": "B", "start_time": "2027-03-14T10:00", "end_time": "2027-03-14T11:00"},
        ],
        registration_opens_at="2027-01-01T09:00",
        registration_closes_at="2027-03-13T12:00",
    )


def times_of(event: dict[str, Any]) -> list[str]:
    """Every time of the event, as it is written."""
    spans = [event, *event["slots"]]
    own = [span[name] for span in spans for name in ("start_time", "end_time")]
    return [*own, event["registration_opens_at"], event["registration_closes_at"]]


def instants(event: dict[str, Any]) -> list[datetime]:
    return [datetime.fromisoformat(text) for text in times_of(event)]


def clocks(event: dict[str, Any]) -> list[str]:
    return [text[:19] for text in times_of(event)]


async def moved(
    api: httpx2.AsyncClient, event: dict[str, Any], zone: str, keep: str, **more: Any
) -> dict[str, Any]:
    body = {"timezone": zone, "keep": keep, **more}
    answer = await api.post(f"/events/{event['id']}/timezone", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def read(api: httpx2.AsyncClient, event: dict[str, Any], **query: str) -> dict[str, Any]:
    answer = await api.get(f"/events/{event['id']}", params=query)
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("viewer", ZONES)
async def test_change_of_the_viewers_zone_changes_what_is_shown_alone(
    api: httpx2.AsyncClient, viewer: str
) -> None:
    made = await a_weekend(api, NEW_YORK)

    seen = await read(api, made, tz=viewer)

    assert instants(seen) == instants(made)
    assert (seen["timezone"], seen["display_timezone"]) == (NEW_YORK, viewer)
    assert await read(api, made) == made


@pytest.mark.parametrize("zone", ZONES)
async def test_event_that_moves_stays_when_it_is(api: httpx2.AsyncClient, zone: str) -> None:
    made = await a_weekend(api, "Asia/Kolkata")
    shown = await read(api, made, tz=zone)

    tried = await moved(api, made, zone, "instant", dry_run=True)
    untouched = await read(api, made)
    done = await moved(api, made, zone, "instant")

    after = await read(api, made)
    assert (tried["dry_run"], done["dry_run"], untouched) == (True, False, made)
    assert times_of(after) == times_of(tried["event"]) == times_of(done["event"]) == times_of(shown)
    assert (after["timezone"], done["warnings"]) == (zone, [])
    assert tried["moves"] == done["moves"]
    assert [move["new"] for move in done["moves"]] == times_of(shown)
    assert [move["old"] for move in done["moves"]] == times_of(made)


@pytest.mark.parametrize("zone", ZONES)
async def test_event_in_the_wrong_zone_keeps_its_clocks_and_comes_back(
    api: httpx2.AsyncClient, zone: str
) -> None:
    made = await a_weekend(api, "Asia/Kolkata")

    tried = await moved(api, made, zone, "wall_clock", dry_run=True)
    done = await moved(api, made, zone, "wall_clock")
    there = await read(api, made)
    await moved(api, made, "Asia/Kolkata", "wall_clock")

    back = await read(api, made)
    assert tried["moves"] == done["moves"]
    assert clocks(there) == clocks(made)
    assert there["timezone"] == zone
    assert instants(there) != instants(made)
    assert times_of(back) == times_of(made)


async def test_wall_clocks_on_both_sides_of_a_change_have_the_offsets_of_their_dates(
    api: httpx2.AsyncClient,
) -> None:
    made = await a_weekend(api, KATHMANDU)

    done = await moved(api, made, NEW_YORK, "wall_clock")

    assert times_of(done["event"]) == [
        "2027-03-13T18:00:00-05:00",
        "2027-03-14T12:00:00-04:00",
        "2027-03-13T20:00:00-05:00",
        "2027-03-13T21:00:00-05:00",
        "2027-03-14T10:00:00-04:00",
        "2027-03-14T11:00:00-04:00",
        "2027-01-01T09:00:00-05:00",
        "2027-03-13T12:00:00-05:00",
    ]


async def test_start_that_the_new_zone_skips_goes_forward_and_is_said(
    api: httpx2.AsyncClient,
) -> None:
    made = await make_event(
        api, timezone=KATHMANDU, start_time="2027-03-14T02:30", end_time="2027-03-14T05:00"
    )

    done = await moved(api, made, NEW_YORK, "wall_clock")

    assert times_of(done["event"])[:2] == ["2027-03-14T03:30:00-04:00", "2027-03-14T05:00:00-04:00"]
    assert [(each["code"], each["field"]) for each in done["warnings"]] == [
        ("moved-out-of-gap", "start_time")
    ]


async def test_second_of_two_hours_is_kept_or_said_to_be_lost(api: httpx2.AsyncClient) -> None:
    """Nothing keeps, in a zone that shows an hour once, that it was the second of two."""
    second = {"start_time": "2027-11-07T01:30:00-05:00", "end_time": "2027-11-07T03:00:00-05:00"}
    made = await make_event(api, timezone=NEW_YORK, **second)

    kept = await moved(api, made, "America/Toronto", "wall_clock")
    back = await moved(api, made, NEW_YORK, "wall_clock")
    lost = await moved(api, made, KATHMANDU, "wall_clock")
    first = await moved(api, made, NEW_YORK, "wall_clock")

    assert times_of(kept["event"])[0] == second["start_time"]
    assert times_of(back["event"]) == times_of(made)
    assert [(each["code"], each["field"]) for each in lost["warnings"]] == [
        ("second-of-two", "start_time")
    ]
    assert times_of(first["event"])[0] == "2027-11-07T01:30:00-04:00"
    assert [each["code"] for each in first["warnings"]] == ["ambiguous"]
