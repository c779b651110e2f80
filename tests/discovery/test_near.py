"""What is found around a place, how far away it is said to be, and the nearest first."""

import math
from typing import Any

import httpx2
import pytest
from tests.discovery import asking
from tests.discovery.asking import make

EARTH_KM = 6371.0088
"""Its mean radius (IUGG)."""
TOLERANCE_KM = 0.02

Place = tuple[float, float]


def haversine_km(one: Place, other: Place) -> float:
    """The great-circle distance (Sinnott 1984), which is exact for small ones too."""
    (phi1, lam1), (phi2, lam2) = ([math.radians(each) for each in place] for place in (one, other))
    part = (
        math.sin((phi2 - phi1) / 2) ** 2
        + math.cos(phi1) * math.cos(phi2) * math.sin((lam2 - lam1) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, part)))


PLACES: dict[str, Place] = {
    "Mumbai": (19.07, 72.88),
    "Mumbai next door": (19.07001, 72.88),
    "Thane": (19.2183, 72.9781),
    "Pune": (18.5204, 73.8567),
    "Suva, west of 180": (-18.0, 179.99),
    "Taveuni, east of it": (-18.0, -179.99),
    "On 180": (-18.0, 180.0),
    "On -180": (-18.0, -180.0),
    "North Pole": (90.0, 0.0),
    "North Pole by another name": (90.0, 123.4),
    "Beside the North Pole": (89.9, -170.0),
    "South Pole": (-90.0, 45.0),
    "Null Island": (0.0, 0.0),
    "Minus zero": (-0.0, -0.0),
    "Greenwich west": (51.4779, -0.001),
    "Greenwich east": (51.4779, 0.001),
    "Quito": (-0.0005, -78.5),
    "Opposite of Mumbai": (-19.07, -107.12),
    "Of a length below 1": (13.49, -14.23),  # as a vector, in floating-point numbers
}
CIRCLES: list[tuple[str, float]] = [
    *((place, radius) for place in ("19.07,72.88", "19.2,73") for radius in (0.000001, 1, 25, 200)),
    *(("-18,180", radius) for radius in (0.001, 1.1, 5, 1000)),
    *(("-18,-180", radius) for radius in (0.001, 1.1, 5)),
    *(("-18,179.995", radius) for radius in (0.6, 1.6, 3)),
    *(("90,0", radius) for radius in (0.001, 12, 3000)),
    ("90,-77.7", 0.001),
    ("89.95,10", 20),
    ("-90,0", 1),
    ("-90,180", 10_001),
    ("0,0", 0.01),
    ("0,0", 9_000),
    ("51.4779,0", 0.05),
    ("51.4779,0", 0.1),
    ("0.0,-78.5", 0.06),
    ("13.49,-14.23", 0.000001),
    ("19.07,72.88", 5_400),
    ("19.07,72.88", 11_000),
    ("19.07,72.88", 20_000),
    ("19.07,72.88", 20_038),
    ("-19.07,-107.12", 20_038),
]


@pytest.fixture
async def world(api: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """An event in each of PLACES, and one that is nowhere."""
    for n, (name, (latitude, longitude)) in enumerate(PLACES.items()):
        place = {"latitude": latitude, "longitude": longitude}
        await make(api, name, n + 1, place=place, tags=["even" if n % 2 == 0 else "odd"])
    await make(api, "Nowhere", 1, place={"city": "Mumbai"}, location="Mumbai")
    return api


def within(near: str, radius_km: float) -> list[str]:
    """What a circle holds, in the order in which it was made."""
    latitude, longitude = map(float, near.split(","))
    # What lies in the very place is within reach, however small the circle.
    reach = radius_km + 0.0009
    return [n for n, place in PLACES.items() if haversine_km((latitude, longitude), place) <= reach]


async def test_circle_holds_what_is_as_near_on_a_sphere(world: httpx2.AsyncClient) -> None:
    expected = {f"near={near}&radius_km={r}": within(near, r) for near, r in CIRCLES}

    assert await asking.names_of_each(world, expected) == expected


async def test_circle_holds_the_same_beside_other_filters(world: httpx2.AsyncClient) -> None:
    even = list(PLACES)[::2]
    for near, radius in CIRCLES[::3]:
        asked, whole = f"near={near}&radius_km={radius}", within(near, radius)

        found = [
            await asking.names(world, f"{asked}&{beside}")
            for beside in ("tag=even", "min_seats=1", "online=false", "mine=true", "q=nowhere")
        ]

        assert found == [[each for each in whole if each in even], *[whole] * 3, []], asked


async def test_distance_is_that_on_a_sphere_to_twenty_metres(world: httpx2.AsyncClient) -> None:
    for near, radius in CIRCLES:
        latitude, longitude = map(float, near.split(","))

        found = await asking.items(world, f"near={near}&radius_km={radius}")

        told = [event["distance_km"] for event in found]
        exact = [haversine_km((latitude, longitude), PLACES[event["name"]]) for event in found]
        assert told == pytest.approx(exact, abs=TOLERANCE_KM), near


async def test_distance_is_null_where_none_was_asked_for(world: httpx2.AsyncClient) -> None:
    [event, *_] = await asking.items(world, "city=Mumbai&limit=1")
    read = (await world.get(f"/events/{event['id']}")).json()

    found = [*await asking.items(world, "limit=100"), event, read]

    assert {each["distance_km"] for each in found} == {None}


async def test_distance_of_one_query_does_not_stay_for_another(world: httpx2.AsyncClient) -> None:
    asked = ["near=19.07,72.88&radius_km=1", "near=19.2183,72.9781&radius_km=30", "limit=2"]

    found = [
        [event["distance_km"] for event in await asking.items(world, each)] for each in asked * 2
    ]

    assert found[:3] == found[3:]
    assert found[0] == [0.0, 0.0]
    assert found[1] == pytest.approx([19.45, 19.45, 0.0], abs=0.03)
    assert found[2] == [None, None]


async def test_radius_is_fifty_kilometres_where_none_is_said(world: httpx2.AsyncClient) -> None:
    asked = ["near=19.07,72.88", "near=19.07,72.88&radius_km=50"]

    found = await asking.names_of_each(world, asked)

    assert found == {key: ["Mumbai", "Mumbai next door", "Thane"] for key in asked}


@pytest.mark.parametrize("near", ["19.07,72.88", "-18,180", "90,0", "-90,0", "0,0", "51.4779,0"])
@pytest.mark.parametrize("radius", [0.5, 30, 900, 8_000, 20_038])
async def test_sort_by_distance_has_the_nearest_first(
    world: httpx2.AsyncClient, near: str, radius: float
) -> None:
    latitude, longitude = map(float, near.split(","))
    held = within(near, radius)

    found = await asking.names(world, f"near={near}&radius_km={radius}&sort=distance")

    assert sorted(found) == sorted(held)
    distances = [haversine_km((latitude, longitude), PLACES[name]) for name in found]
    assert distances == pytest.approx(sorted(distances), abs=0.001)


@pytest.mark.parametrize("beside", ["", "&q=here", "&mine=true", "&include_past=true"])
async def test_sort_by_distance_has_what_is_as_far_soonest_first(
    api: httpx2.AsyncClient, beside: str
) -> None:
    here, there = {"latitude": 12.97, "longitude": 77.59}, {"latitude": 12.98, "longitude": 77.59}
    order: list[tuple[str, float, dict[str, Any]]] = [
        ("there later", 3, there), ("here later", 9, here), ("there first", 1, there),
        ("here first", 4, here), ("here at the same time", 4, here),
    ]  # fmt: skip
    for name, day, place in order:
        await make(api, name, day, place=place, description="here")
    asked = f"near=12.97,77.59&sort=distance{beside}"

    found = await asking.names(api, asked)
    one_by_one = await asking.pages(api, f"{asked}&limit=1")

    assert found == [
        "here first", "here at the same time", "here later", "there first", "there later",
    ]  # fmt: skip
    assert [[event["id"]] for event in await asking.items(api, asked)] == one_by_one


async def test_place_that_moves_is_found_where_it_is(api: httpx2.AsyncClient) -> None:
    event = await make(api, "Event", 1, place={"latitude": 12.97, "longitude": 77.59})
    asked = ["near=12.97,77.59", "near=19.07,72.88", "near=12.97,77.59&radius_km=20038"]
    before = await asking.names_of_each(api, asked)

    moved = {"latitude": 19.07, "longitude": 72.88}
    await api.patch(f"/events/{event}", json={"place": moved})
    after = await asking.names_of_each(api, asked)
    await api.patch(f"/events/{event}", json={"place": None})

    assert list(before.values()) == [["Event"], [], ["Event"]]
    assert list(after.values()) == [[], ["Event"], ["Event"]]
    assert list((await asking.names_of_each(api, asked)).values()) == [[], [], []]
