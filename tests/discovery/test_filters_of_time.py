"""What `from` and `to` leave: days of the zone that is shown, or times; and what is over."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import time_machine
from tests.discovery import asking
from tests.factories import make_event
from tests.support import cast
from tests.support.app import RunningApp

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def at(api: httpx2.AsyncClient, name: str, start: str, end: str, **changes: Any) -> None:
    """An event between two times of UTC."""
    times = {"start_time": f"{start}Z", "end_time": f"{end}Z"}
    await make_event(api, name=name, location="Hall", **times, **changes)


@pytest.fixture
async def days(api: httpx2.AsyncClient) -> AsyncIterator[httpx2.AsyncClient]:
    """Events around the 20th of March, on the 10th."""
    with time_machine.travel(NOW, tick=False):
        await at(api, "over", "2027-03-01T10:00", "2027-03-01T12:00")
        await at(api, "ends now", "2027-03-10T10:00", "2027-03-10T12:00")
        await at(api, "under way", "2027-03-10T10:00", "2027-03-10T12:00:01")
        await at(api, "weeks", "2027-03-05T10:00", "2027-03-25T12:00")
        await at(api, "night", "2027-03-19T22:00", "2027-03-20T02:00")
        await at(api, "until midnight", "2027-03-19T20:00", "2027-03-20T00:00")
        await at(api, "from midnight", "2027-03-20T00:00", "2027-03-20T01:00")
        await at(api, "noon", "2027-03-20T12:00", "2027-03-20T13:00")
        await at(api, "late", "2027-03-20T23:30", "2027-03-20T23:59")
        await at(api, "next midnight", "2027-03-21T00:00", "2027-03-21T01:00")
        await at(api, "year", "2027-06-01T00:00", "2028-06-01T00:00")
        yield api


AHEAD = [
    "weeks", "under way", "until midnight", "night", "from midnight", "noon", "late",
    "next midnight", "year",
]  # fmt: skip
FOUND = {
    "": AHEAD,
    "from=2027-03-20": AHEAD[:1] + AHEAD[3:],
    "to=2027-03-20": AHEAD[:-2],
    "from=2027-03-20&to=2027-03-20": ["weeks", *AHEAD[3:-2]],
    "from=2027-03-20&to=2027-03-21": ["weeks", *AHEAD[3:-1]],
    "from=2027-03-21&to=2027-03-21": ["weeks", "next midnight"],
    "from=2027-03-19&to=2027-03-19": ["weeks", "until midnight", "night"],
    # A time is exact: what ends at `from` is over, what begins at `to` is not yet.
    "from=2027-03-20T00:00:00Z": AHEAD[:1] + AHEAD[3:],
    "from=2027-03-19T23:59:59.999999Z": AHEAD[:1] + AHEAD[2:],
    "to=2027-03-21T00:00:00Z": AHEAD[:-2],
    "to=2027-03-21T00:00:00.000001Z": AHEAD[:-1],
    "from=2027-03-20T13:00Z&to=2027-03-20T23:30Z": ["weeks"],
    "from=2027-03-20T12:59Z&to=2027-03-20T23:31Z": ["weeks", "noon", "late"],
    "from=2027-03-20T17:00%2B05:00&to=2027-03-20T07:30-05:00": ["weeks", "noon"],
    "from=2027-03-20T12:30Z&to=2027-03-20T12:30Z": ["weeks", "noon"],
    # A day of India begins at 18:30 of the day before, one of New York at 04:00.
    "from=2027-03-20&to=2027-03-20&tz=Asia/Kolkata": [
        "weeks", "until midnight", "night", "from midnight", "noon",
    ],
    "from=2027-03-20&to=2027-03-20&tz=America/New_York": ["weeks", "noon", "late", "next midnight"],
    "from=2027-03-20&to=2027-03-20&tz=Pacific/Kiritimati": [
        "weeks", "until midnight", "night", "from midnight",
    ],
    "from=2027-03-20T18:00&tz=Asia/Kolkata&to=2027-03-20T18:00": ["weeks", "noon"],
    "from=2027-03-20T12:30&to=2027-03-20T12:30": ["weeks", "noon"],
    # A `from` in the past asks for what is over by now.
    "from=2027-03-01": ["over", "weeks", "ends now", "under way", *AHEAD[2:]],
    "from=2027-03-01&to=2027-03-02": ["over"],
    "from=2027-03-10T11:00Z&to=2027-03-10T11:00Z": ["weeks", "ends now", "under way"],
    "from=2027-03-02": ["weeks", "ends now", "under way", *AHEAD[2:]],
    "from=1970-01-01&to=1970-01-02": [],
    "from=1970-01-01": ["over", "weeks", "ends now", "under way", *AHEAD[2:]],
    "include_past=true": ["over", "weeks", "ends now", "under way", *AHEAD[2:]],
    "include_past=true&to=2027-03-02": ["over"],
    "include_past=true&from=2027-03-20&to=2027-03-20": ["weeks", *AHEAD[3:-2]],
    "include_past=false&from=2027-03-01&to=2027-03-02": ["over"],
    # What has begun by then and has not ended; of what is over nothing without `from`.
    "to=2027-03-09": ["weeks"],
    "to=2027-03-02": [],
    "from=2028-05-31": ["year"],
    "from=2028-06-01": [],
    "from=2199-12-31": [],
    "to=2199-12-31": AHEAD,
    "status=published": AHEAD,
    "status=published&include_past=true&to=2027-03-02": ["over"],
    # The other way round there is nothing, not even what lasts all the time between.
    "from=2027-03-22&to=2027-03-20": [],
    "from=2027-03-20T12:30:01Z&to=2027-03-20T12:30:00Z": [],
}  # fmt: skip


async def test_days_and_times_leave_what_has_a_part_in_them(days: httpx2.AsyncClient) -> None:
    asked = {each: query_in_utc(each) for each in FOUND}

    found = {each: await asking.names(days, asked[each]) for each in FOUND}

    assert found == FOUND


async def test_days_and_times_leave_the_same_beside_a_word_or_by_table(
    days: httpx2.AsyncClient,
) -> None:
    """By the index of words, by the index of starts with another filter, and as one's own."""
    asked = {each: query_in_utc(each) for each in FOUND if "status" not in each}

    for beside in ("q=hall", "min_seats=2", "q=hall&available=true&online=false"):
        found = {each: await asking.names(days, f"{asked[each]}&{beside}") for each in asked}
        assert found == {each: FOUND[each] for each in asked}, beside


def query_in_utc(query: str) -> str:
    return query if "tz=" in query else f"{query}&tz=UTC"


@pytest.mark.parametrize("beside", ["", "&q=hall"])
async def test_latest_first_is_the_other_way_round(days: httpx2.AsyncClient, beside: str) -> None:
    asked = ["", "from=2027-03-20&to=2027-03-20", "include_past=true", "from=2027-03-02"]

    found = {
        each: await asking.names(days, f"{each}&tz=UTC&sort=-start_time{beside}") for each in asked
    }

    # Those two begin at one time: the one that was made later comes first.
    assert found == {each: FOUND[each][::-1] for each in asked}


async def test_days_are_of_the_profile_where_no_zone_is_asked_for(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    with time_machine.travel(NOW, tick=False):
        olive = await cast.olive(closed_app)
        async with olive.api(closed_app) as api:
            await at(api, "late", "2027-03-20T20:00", "2027-03-20T21:00")
            asked = ["from=2027-03-20&to=2027-03-20", "from=2027-03-21&to=2027-03-21"]
            in_utc = [f"{each}&tz=UTC" for each in asked]

            # The setting, which is India, where it is 1:30 on the 21st by then.
            of_server = await asking.names_of_each(closed_api, asked)
            await api.patch("/users/me", json={"timezone": "America/New_York"})
            of_profile = await asking.names_of_each(api, asked + in_utc)

    assert of_server == {asked[0]: [], asked[1]: ["late"]}
    late_then_none = {asked[0]: ["late"], asked[1]: []}
    assert of_profile == late_then_none | dict(zip(in_utc, late_then_none.values(), strict=True))


async def test_day_without_a_midnight_and_with_25_hours_is_whole(api: httpx2.AsyncClient) -> None:
    """Beirut begins the 28th of March 2027 at 1:00; New York has 25 hours on 7 November."""
    with time_machine.travel(NOW, tick=False):
        await at(api, "Beirut 23:59", "2027-03-27T21:00", "2027-03-27T21:59")
        await at(api, "Beirut 1:00", "2027-03-27T22:00", "2027-03-27T22:30")
        await at(api, "New York 0:00", "2027-11-07T04:00", "2027-11-07T04:30")
        await at(api, "New York 23:59", "2027-11-08T04:59", "2027-11-08T05:30")
        await at(api, "New York next day", "2027-11-08T05:00", "2027-11-08T05:30")

        found = [
            await asking.names(api, f"from={day}&to={day}&tz={zone}")
            for day, zone in (
                ("2027-03-27", "Asia/Beirut"),
                ("2027-03-28", "Asia/Beirut"),
                ("2027-11-07", "America/New_York"),
            )
        ]

    assert found == [["Beirut 23:59"], ["Beirut 1:00"], ["New York 0:00", "New York 23:59"]]


LENGTHS = {
    "just short": 3 * DAY,
    "just long": 3 * DAY + timedelta(microseconds=1),
    "a month": 30 * DAY,
    "longest": 400 * DAY,
}


@pytest.mark.parametrize("beside", ["", "q=hall", "min_seats=1", "near=52.5,13.4", "mine=true"])
async def test_what_lasts_long_is_found_until_its_last_moment(
    api: httpx2.AsyncClient, beside: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        for name, length in LENGTHS.items():
            start, end = NOW - length + HOUR, NOW + HOUR
            await at(api, name, start.isoformat()[:-6], end.isoformat()[:-6], place=asking.BERLIN)
        moments = [NOW, NOW + HOUR - timedelta(microseconds=1), NOW + HOUR]

        found = [
            await asking.names(api, f"{beside}&from={moment.isoformat()[:-6]}Z")
            for moment in moments
        ]

    longest_first = list(LENGTHS)[::-1]
    assert found == [longest_first, longest_first, []]


async def test_what_is_over_is_left_out_when_the_time_comes(api: httpx2.AsyncClient) -> None:
    """Though nothing was written since the list was answered before."""
    with time_machine.travel(NOW, tick=False):
        for name, length in LENGTHS.items():
            start, end = NOW - length + HOUR, NOW + HOUR
            await at(api, name, start.isoformat()[:-6], end.isoformat()[:-6])
        asked = ["", "q=hall", "q=hall&sort=-start_time", "available=true"]
        before = await asking.names_of_each(api, asked)

    with time_machine.travel(NOW + HOUR, tick=False):
        after = await asking.names_of_each(api, asked)

    longest_first = list(LENGTHS)[::-1]
    assert before == {
        each: longest_first[::-1] if "sort" in each else longest_first for each in asked
    }
    assert after == {key: [] for key in asked}
