"""`GET /places/search`: who may, what comes, and that no failure outside is one of ours."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from tests.support import cast, geocoders
from tests.support.app import RunningApp, running
from tests.support.outside import silence
from tests.worker.scene import asking, scene

from turnout.api.places import SEARCHES
from turnout.settings import Settings

SEARCH = "/places/search"
BERLIN: dict[str, Any] = {
    "name": "Berlin",
    "address": "Berlin, Germany",
    "city": "Berlin",
    "country": "Germany",
    "country_code": "DE",
    "latitude": 52.524,
    "longitude": 13.411,
    "timezone": "Europe/Berlin",
    "source": "gazetteer",
}
HALL: dict[str, Any] = {
    "name": "Bangalore International Centre",
    "address": geocoders.NOMINATIM[0]["display_name"],
    "city": "Bengaluru",
    "country": "India",
    "country_code": "IN",
    "latitude": 12.9667,
    "longitude": 77.6346,
    "timezone": "Asia/Kolkata",
    "source": "nominatim",
}


@pytest.fixture
async def olive(closed_app: RunningApp) -> AsyncIterator[httpx2.AsyncClient]:
    organizer = await cast.olive(closed_app)
    async with organizer.api(closed_app) as api:
        yield api


async def test_search_offline_answers_with_the_cities_of_the_gazetteer(
    olive: httpx2.AsyncClient,
) -> None:
    answer = await olive.get(SEARCH, params={"q": "Berlin, Germany"})

    assert (answer.status_code, answer.json()) == (200, {"items": [BERLIN], "next_cursor": None})


async def test_search_for_the_beginning_of_a_name_lists_several(
    olive: httpx2.AsyncClient,
) -> None:
    answer = await olive.get(SEARCH, params={"q": "portla", "limit": 2})

    found = [(each["address"], each["timezone"]) for each in answer.json()["items"]]
    assert found == [
        ("Portland, OR, United States", "America/Los_Angeles"),
        ("Portland, ME, United States", "America/New_York"),
    ]


async def test_search_that_finds_nothing_is_an_empty_list(olive: httpx2.AsyncClient) -> None:
    answer = await olive.get(SEARCH, params={"q": "xyzzy"})

    assert (answer.status_code, answer.json()) == (200, {"items": [], "next_cursor": None})


async def test_candidate_can_be_sent_as_the_place_of_an_event(olive: httpx2.AsyncClient) -> None:
    answer = await olive.get(SEARCH, params={"q": "Berlin", "limit": 1})
    [found] = answer.json()["items"]
    place = {name: found[name] for name in ("name", "address", "city", "country")}
    place |= {name: found[name] for name in ("latitude", "longitude")}
    event = {
        "name": "E",
        "location": "Berlin",
        "start_time": "2030-06-01T10:00:00",
        "end_time": "2030-06-01T12:00:00",
        "max_capacity": 5,
        "timezone": found["timezone"],
        "place": place,
    }

    made = await olive.post("/events", json=event)

    assert made.status_code == 201
    shown = made.json()["place"]
    assert {name: shown[name] for name in place} == place


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "q"),
        ("q=", "q"),
        ("q=%20", "q"),
        ("q=a%0Ab", "q"),
        (f"q={'x' * 301}", "q"),
        ("q=Berlin&limit=0", "limit"),
        ("q=Berlin&limit=11", "limit"),
        ("q=Berlin&limit=x", "limit"),
        ("q=Berlin&q=Rome", "q"),
    ],
)
async def test_search_for_what_is_no_text_is_refused_by_its_field(
    olive: httpx2.AsyncClient, query: str, field: str
) -> None:
    answer = await olive.get(f"{SEARCH}?{query}")

    told = [each["field"] for each in answer.json()["errors"]]
    assert (answer.status_code, told) == (422, [field])


async def test_search_is_for_those_who_organize(closed_app: RunningApp) -> None:
    people = {
        401: {},
        403: (await cast.ada(closed_app)).bearer,
        200: (await cast.root(closed_app)).bearer,
    }

    async with closed_app.client() as api:
        found = [
            (await api.get(f"{SEARCH}?q=Berlin", headers=headers)).status_code
            for headers in people.values()
        ]

    assert found == list(people)


async def test_search_asks_the_geocoder_once_for_all_who_search_the_same(
    settings: Settings,
) -> None:
    async with scene(settings) as staged, staged.app.client() as api:
        geocoders.answers(staged.server, "nominatim")
        answers = [
            (await api.get(SEARCH, params={"q": query})).json()["items"]
            for query in ("International Centre", "INTERNATIONAL  CENTRE")
        ]

        assert answers == [[HALL], [HALL]]
        assert len(staged.server.asked) == 1


@pytest.mark.parametrize("kind", sorted(geocoders.PATHS))
async def test_search_while_the_geocoder_is_down_answers_by_the_gazetteer(
    settings: Settings, kind: str
) -> None:
    async with scene(settings, kind) as staged, staged.app.client() as api:
        refused = await api.get(SEARCH, params={"q": "berlin, DE"})
        staged.server.answers[geocoders.PATHS[kind]] = silence
        slow = await api.get(SEARCH, params={"q": "Berlin, Germany"})

        asked = [request.path for request in staged.server.asked]
    assert [refused.status_code, slow.status_code] == [200, 200]
    assert refused.json()["items"] == slow.json()["items"] == [BERLIN]
    assert asked == [geocoders.PATHS[kind]] * 2


async def test_search_is_limited_for_each_account(settings: Settings) -> None:
    async with running(settings) as app, app.client() as api:
        answer = await api.get(SEARCH, params={"q": "Berlin"})

    assert SEARCHES.amount == 120
    policy = f'"{SEARCHES.name}";q={SEARCHES.amount};w={SEARCHES.seconds}'
    assert answer.headers["ratelimit-policy"] == policy


@pytest.mark.parametrize("kind", ["google", "photon"])
async def test_settings_decide_which_geocoder_answers(settings: Settings, kind: str) -> None:
    async with scene(settings, kind) as staged, staged.app.client() as api:
        geocoders.answers(staged.server, kind)
        answer = await api.get(SEARCH, params={"q": "Centre"})

    [found] = answer.json()["items"]
    position = {name: found[name] for name in ("latitude", "longitude", "timezone")}
    assert (found["source"], position) == (kind, {name: HALL[name] for name in position})


def test_settings_for_tests_are_those_that_a_server_reads(settings: Settings) -> None:
    asked = asking(settings, "google", "https://maps.example/")

    assert (asked.geocoder, asked.geocoder_url) == ("google", "https://maps.example")
    assert "canary" not in repr(asked)
