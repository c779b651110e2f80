"""What each filter finds and leaves out, alone and beside others."""

from itertools import combinations
from typing import Any

import httpx2
import pytest
import time_machine
from tests.db import rows
from tests.discovery import asking
from tests.discovery.asking import BERLIN, make
from tests.factories import a_person, in_days, make_event, register
from tests.support import cast
from tests.support.app import RunningApp

from turnout import clock

JAZZ: dict[str, Any] = {
    "place": BERLIN,
    "tags": ["jazz", "late night"],
    "online_url": "https://example.com/live",
    "max_capacity": 3,
}
FILTERS = {
    "q": "q=jazz",
    "from": "from=2000-01-01",
    "to": "to=2199-01-01",
    "city": "city=Berlin",
    "country": "country=DE",
    "near": "near=52.5,13.4&radius_km=20",
    "available": "available=true",
    "min_seats": "min_seats=3",
    "tag": "tag=late+night",
    "online": "online=true",
    "organizer": "organizer={me}",
    "include_past": "include_past=true",
}
"""Each finds what is made of JAZZ."""


@pytest.fixture
async def with_hidden(app: RunningApp, api: httpx2.AsyncClient) -> str:
    """The id of the organizer of two events of JAZZ, with the same hidden in every way."""
    await make(api, "Second jazz", 9, **JAZZ)
    await make(api, "First jazz", 8, **JAZZ)
    await make(api, "Draft jazz", 7, draft=True, **JAZZ)
    await make(api, "Unlisted jazz", 7, visibility="unlisted", **JAZZ)
    await make(api, "Private jazz", 7, visibility="private", **JAZZ)
    cancelled = await make(api, "Cancelled jazz", 7, **JAZZ)
    now = clock.now()
    await rows.change_event(app.runtime.database, cancelled, status="cancelled", cancelled_at=now)
    [first] = await asking.items(api, "limit=1")
    organizer: str = first["organizer"]["id"]
    return organizer


async def test_filters_alone_and_in_pairs_leave_out_what_is_hidden(
    api: httpx2.AsyncClient, closed_api: httpx2.AsyncClient, with_hidden: str
) -> None:
    filters = [each.format(me=with_hidden) for each in FILTERS.values()]
    pairs = ["&".join(pair) for pair in combinations(filters, 2)]
    asked = [*filters, *pairs, "&".join(filters)]

    found = [await asking.names_of_each(each, asked) for each in (api, closed_api)]

    assert found == [{key: ["First jazz", "Second jazz"] for key in asked}] * 2


SORTS = ["start_time", "-start_time", "distance", "relevance"]


@pytest.mark.parametrize("sort", SORTS)
async def test_sorts_leave_out_what_is_hidden(
    api: httpx2.AsyncClient, with_hidden: str, sort: str
) -> None:
    del with_hidden
    asked = f"q=jazz&near=52.5,13.4&sort={sort}"

    found = await asking.names(api, asked)

    expected = ["First jazz", "Second jazz"]
    assert found == (expected[::-1] if sort == "-start_time" else expected)


CITIES: list[tuple[str, dict[str, Any]]] = [
    ("Berlin", {"place": {"city": "Berlin", "country": "Germany"}}),
    ("Shouted", {"place": {"city": " BERLIN ", "country": "germany"}}),
    ("Berlingen", {"place": {"city": "Berlingen", "country": "Switzerland"}}),
    ("New Berlin", {"place": {"city": "New Berlin", "country": "United States"}}),
    ("Berlin by name", {"description": "As in Berlin, DE", "place": {"city": "Pune"}}),
    ("Berlin by location", {"location": "Berlin", "tags": ["Berlin", "DE", "Germany"]}),
    ("Berlin by venue", {"place": {"name": "Berlin", "address": "Berlin, Germany"}}),
    ("São Paulo", {"place": {"city": "São Paulo", "country": "BR"}}),
    ("Saint", {"place": {"city": "St. John's", "country": "Canada"}}),
    ("Nowhere", {"place": {"city": "東京", "country": "Neverland"}}),
]
OF_CITIES = {
    "city=Berlin": ["Berlin", "Shouted"],
    "city=berlin": ["Berlin", "Shouted"],
    "city=B%C3%89RLIN": ["Berlin", "Shouted"],
    "city=Ber": [],
    "city=Berlin*": ["Berlin", "Shouted"],
    "city=Berlingen": ["Berlingen"],
    "city=new+berlin": ["New Berlin"],
    "city=new": [],
    "city=Sao+Paulo": ["São Paulo"],
    "city=sao%20%20paulo": ["São Paulo"],
    "city=sao": [],
    "city=st+johns": ["Saint"],
    "city=%E6%9D%B1%E4%BA%AC": ["Nowhere"],
    "city=%E6%9D%B1": [],
    "city=": [],
    "city=%22": [],
    "city=Berlin%27+OR+1": [],
    "country=DE": ["Berlin", "Shouted"],
    "country=de": ["Berlin", "Shouted"],
    "country=Germany": ["Berlin", "Shouted"],
    "country=Deutschland": ["Berlin", "Shouted"],
    "country=US": ["New Berlin"],
    "country=USA": ["New Berlin"],
    "country=Brazil": ["São Paulo"],
    "country=neverland": ["Nowhere"],
    "country=never": [],
    "country=D": [],
    "country=": [],
    "city=Berlin&country=CH": [],
    "city=Berlin&country=DE": ["Berlin", "Shouted"],
}


async def test_city_and_country_are_whole_names_of_the_place(api: httpx2.AsyncClient) -> None:
    for day, (name, changes) in enumerate(CITIES, 1):
        await make(api, name, day, **changes)

    assert await asking.names_of_each(api, OF_CITIES) == OF_CITIES


TAGS = [
    ["jazz"],
    ["Jazz", "rock"],
    ["jazz rock"],
    ["jazzy"],
    ["C++"],
    ["C#"],
    ["C"],
    ["\U0001f389"],
]
OF_TAGS = {
    "tag=jazz": ["0", "1"],
    "tag=JAZZ": ["0", "1"],
    "tag=jaz": [],
    "tag=jazz+rock": ["2"],
    "tag=jazz-rock": ["2"],
    "tag=rock": ["1"],
    "tag=jazzy": ["3"],
    "tag=c%2B%2B": ["4"],
    "tag=C%23": ["5"],
    "tag=c": ["6"],
    "tag=%F0%9F%8E%89": ["7"],
    "tag=%F0%9F%8E%88": [],
    "tag=": [],
    "tag=%3Dtjazz": [],
    "tag=jazz&q=rock": ["1"],
    "tag=jazz&q=jazz": ["0", "1"],
}


async def test_tag_is_a_whole_tag(api: httpx2.AsyncClient) -> None:
    for n, tags in enumerate(TAGS):
        await make(api, str(n), n + 1, tags=tags, description="jazz")

    assert await asking.names_of_each(api, OF_TAGS) == OF_TAGS


async def test_seats_are_those_that_are_free_now(api: httpx2.AsyncClient) -> None:
    full = await make(api, "Full", 1, max_capacity=1)
    await make(api, "One left", 2, max_capacity=1)
    two = await make(api, "Two left", 3, max_capacity=3)
    await make(api, "No limit", 4, max_capacity=None)
    waiting = await make(api, "Full, with a list", 5, max_capacity=1, waitlist_enabled=True)
    for n, event in enumerate((full, two, waiting, waiting)):
        await register(api, event, **a_person(n))
    whole = ["Full", "One left", "Two left", "No limit", "Full, with a list"]
    expected = {
        "available=true": ["One left", "Two left", "No limit"],
        "available=false": whole,
        "min_seats=1": ["One left", "Two left", "No limit"],
        "min_seats=2": ["Two left", "No limit"],
        "min_seats=3": ["No limit"],
        "min_seats=1000000": ["No limit"],
        "available=true&min_seats=2": ["Two left", "No limit"],
        "available=false&min_seats=2": ["Two left", "No limit"],
        "q=left&available=true": ["One left", "Two left"],
        "q=full&available=true": [],
    }

    before = await asking.names_of_each(api, expected)
    await register(api, two, **a_person(7))
    after = await asking.names_of_each(api, ["min_seats=2", "min_seats=1"])

    assert before == expected
    assert after == {"min_seats=2": ["No limit"], "min_seats=1": expected["min_seats=1"]}


async def test_online_is_what_has_an_address_there(api: httpx2.AsyncClient) -> None:
    await make(api, "Both", 1, online_url="https://example.com/x", place=BERLIN)
    await make(api, "Here", 2, place=BERLIN, description="https://example.com/x online")
    await make(api, "There", 3, online_url="https://example.com/y")
    expected = {
        "online=true": ["Both", "There"],
        "online=false": ["Here"],
        "": ["Both", "Here", "There"],
        "online=true&city=Berlin": ["Both"],
        "online=false&city=Berlin": ["Here"],
        "online=false&q=there": [],
    }

    assert await asking.names_of_each(api, expected) == expected


async def test_online_follows_the_address(api: httpx2.AsyncClient) -> None:
    event = await make(api, "Event", 1, online_url="https://example.com/x")

    await api.patch(f"/events/{event}", json={"online_url": None})

    asked = ["online=true", "online=false"]
    assert await asking.names_of_each(api, asked) == {"online=true": [], "online=false": ["Event"]}


async def test_organizer_is_who_it_belongs_to(
    api: httpx2.AsyncClient, closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    olive = await cast.olive(closed_app)
    async with olive.api(closed_app) as own:
        await make(own, "Olive's", 1)
    await make(api, "Of open mode", 2, description=str(olive.id), tags=[olive.id.hex])
    [_, other] = await asking.items(closed_api, "")
    expected = {
        f"organizer={olive.id}": ["Olive's"],
        f"organizer={olive.id}&q=olives": ["Olive's"],
        f"organizer={olive.id}&q=open": [],
        f"organizer={other['organizer']['id']}": ["Of open mode"],
        "organizer=0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07": [],
    }

    assert await asking.names_of_each(closed_api, expected) == expected


async def test_common_word_with_a_rare_facet_finds_the_few(api: httpx2.AsyncClient) -> None:
    for n in range(30):
        city = "Pune" if n % 10 == 3 else "Mumbai"
        await make(api, f"Meeting {n}", n + 1, place={"city": city}, tags=[f"tag {n % 7}"])

    expected = {
        "q=meeting&city=Pune": ["Meeting 3", "Meeting 13", "Meeting 23"],
        "q=meet&city=Pune&sort=-start_time": ["Meeting 23", "Meeting 13", "Meeting 3"],
        "q=meeting&city=Pune&tag=tag+6": ["Meeting 13"],
        "q=meeting+13&city=Pune": ["Meeting 13"],
        "q=meeting+13&city=Mumbai": [],
        "q=meeting&limit=2": ["Meeting 0", "Meeting 1"],
    }
    assert await asking.names_of_each(api, expected) == expected


async def test_filters_follow_a_change_of_what_they_look_at(api: httpx2.AsyncClient) -> None:
    event = await make(api, "Jazz", 1, place={"city": "Pune", "country": "India"}, tags=["a"])
    asked = ["q=jazz", "city=Pune", "country=IN", "tag=a", "q=rock", "city=Rome", "tag=b"]
    before = await asking.names_of_each(api, asked)

    place = {"city": "Rome", "country": "Italy"}
    await api.patch(f"/events/{event}", json={"name": "Rock", "place": place, "tags": ["b"]})

    assert before == {**{key: ["Jazz"] for key in asked[:4]}, **{key: [] for key in asked[4:]}}
    assert await asking.names_of_each(api, asked) == {
        **{key: [] for key in asked[:4]},
        **{key: ["Rock"] for key in asked[4:]},
    }


async def test_filters_find_nothing_of_what_is_over(api: httpx2.AsyncClient) -> None:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        await make_event(api, name="Over", start_time=in_days(1), end_time=in_days(2), **JAZZ)
    await make(api, "Ahead", 3, **JAZZ)
    filters = [each for name, each in FILTERS.items() if name not in {"from", "include_past"}]
    asked = [each for each in filters if "{me}" not in each]

    found = await asking.names_of_each(api, asked)
    with_past = await asking.names_of_each(api, [f"{each}&include_past=true" for each in asked])

    assert found == {key: ["Ahead"] for key in asked}
    assert list(with_past.values()) == [["Over", "Ahead"]] * len(asked)
