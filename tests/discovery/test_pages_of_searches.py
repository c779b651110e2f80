"""Pages of every search in every order: each event once, whatever happens between them."""

from itertools import count
from typing import Any

import httpx2
import pytest
import time_machine
from tests.discovery import asking
from tests.factories import make_event

NOW = "2027-03-10T12:00:00.250000Z"
NEAR = "near=52.5,13.4&radius_km=300"
QUERIES = [
    "",
    "sort=-start_time",
    "include_past=true",
    "include_past=true&sort=-start_time",
    "from=2027-03-07T12:00:00.250000Z",
    "min_seats=1",
    "min_seats=1&sort=-start_time",
    "q=jazz",
    "q=ja&sort=-start_time",
    "q=jazz&sort=relevance",
    "q=jazz&include_past=true&sort=relevance",
    "q=jazz+night&sort=relevance",
    "city=Berlin",
    "city=Berlin&sort=-start_time",
    "tag=music&q=jazz",
    f"{NEAR}&sort=distance",
    f"{NEAR}&include_past=true&sort=distance",
    f"{NEAR}&q=jazz&sort=distance",
    f"{NEAR}&q=jazz&sort=relevance",
    f"{NEAR}&sort=-start_time",
    "near=52.5,13.4&radius_km=20000&sort=distance",
    "mine=true",
    "mine=true&sort=-start_time",
    "mine=true&q=jazz&sort=relevance",
    f"mine=true&{NEAR}&sort=distance",
]
STARTS = [
    # Of one second, in another order than they are made in.
    *(f"2027-03-20T18:00:00{part}" for part in ("", "", ".5", ".000001", "", ".999999")),
    "2027-03-20T17:59:59.999999",
    "2027-03-20T18:00:01",
    # Around what began three days ago, in one second with it.
    *(f"2027-03-07T12:00:00{part}" for part in (".9", ".250001", ".25", "")),
    "2026-12-01T00:00:00",
    "2027-03-01T09:00:00",
    "2027-03-09T09:00:00",
    "2027-06-01T09:00:00",
]
PLACES = [(52.52, 13.405), (52.52, 13.405), (52.39, 13.06), (51.05, 13.74), None, (48.1, 11.5)]


def an_event(n: int, start: str) -> dict[str, Any]:
    place = PLACES[n % len(PLACES)]
    is_over = start.startswith("2027-03-01")
    at = {} if place is None else {"latitude": place[0], "longitude": place[1]}
    return {
        "name": f"Jazz {n}" if n % 3 else f"Night {n}",
        "description": "night" if n % 3 else "jazz",
        "start_time": f"{start}Z",
        "end_time": "2027-03-01T10:00:00Z" if is_over else "2027-07-01T00:00:00Z",
        "place": {"city": "Berlin" if n % 4 else "Potsdam", **at},
        "tags": ["music"] if n % 2 else [],
    }


async def fill(api: httpx2.AsyncClient) -> list[str]:
    """The ids of an event for each of STARTS."""
    made = [await make_event(api, **an_event(n, start)) for n, start in enumerate(STARTS)]
    return [event["id"] for event in made]


async def test_pages_of_any_size_are_the_whole_list_in_parts(api: httpx2.AsyncClient) -> None:
    with time_machine.travel(NOW, tick=False):
        made = await fill(api)
        for query in QUERIES:
            [whole] = await asking.pages(api, f"{query}&limit=100")
            assert len(whole) >= 4, query
            assert set(whole) <= set(made), query
            assert len(set(whole)) == len(whole), query

            paged = {n: await asking.pages(api, f"{query}&limit={n}") for n in range(1, 8)}

            assert paged == {
                size: [whole[n : n + size] for n in range(0, len(whole), size)] for size in paged
            }, query


COMING_AND_GOING = [
    ("", 1),
    ("include_past=true&sort=-start_time", 2),
    ("min_seats=1", 2),
    ("q=jazz", 1),
    ("q=ja&sort=-start_time", 2),
    ("q=jazz&sort=relevance", 2),
    ("city=Berlin", 3),
    (f"{NEAR}&sort=distance", 2),
    ("mine=true&q=jazz&sort=relevance", 2),
]


@pytest.mark.parametrize(("query", "size"), COMING_AND_GOING)
async def test_pages_while_others_come_and_go_have_what_stays_once(
    api: httpx2.AsyncClient, query: str, size: int
) -> None:
    with time_machine.travel(NOW, tick=False):
        await fill(api)
        [whole] = await asking.pages(api, f"{query}&limit=100")
        numbers, gone, seen = count(100), set[str](), list[str]()
        following: str | None = f"/events?{query}&limit={size}"
        while following is not None:
            answer = await api.get(following)
            seen += [event["id"] for event in answer.json()["items"]]
            following = answer.links["next"]["url"] if "next" in answer.links else None
            # One that was read and one that was not, and more of every second.
            for event_id in (seen[-1], *(each for each in whole[-2:] if each not in seen)):
                gone.add(event_id)
                await api.delete(f"/events/{event_id}")
            if len(seen) < len(whole):
                for start in STARTS[5:10]:
                    await make_event(api, **an_event(next(numbers), start))

    assert len(set(seen)) == len(seen)
    stayed = [each for each in whole if each not in gone]
    assert [each for each in seen if each in stayed] == stayed
