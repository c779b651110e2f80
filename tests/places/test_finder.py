"""Answers are kept, the gazetteer steps in, nobody waits for long, and no key is ever told."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from tests.db import rows
from tests.support import geocoders
from tests.support.geocoders import GOOGLE_PATH, NOMINATIM, NOMINATIM_PATH, google_refusal
from tests.support.outside import SmallServer, answer, json_answer, silence
from tests.support.processes import LOOPBACK, free_port

from turnout.db.session import Database
from turnout.observability import logs
from turnout.outside import Outside
from turnout.places import cache, finder
from turnout.places.candidates import Candidate
from turnout.places.finder import PlaceFinder
from turnout.places.geocoding import Geocoder, GeocodingFailed
from turnout.places.google import GoogleGeocoder
from turnout.places.models import Geocoding
from turnout.places.nominatim import NominatimGeocoder
from turnout.places.pace import Pace, TooBusy

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
KEY = "canary-key-of-google"
HALL = "Bangalore International Centre"
ZONE = "Asia/Kolkata"


@pytest.fixture
def places(database: Database, server: SmallServer, outside: Outside) -> PlaceFinder:
    """A finder that asks a Nominatim."""
    geocoders.answers(server, "nominatim")
    geocoder = NominatimGeocoder(outside, url=server.url, contact="x")
    return PlaceFinder(database, geocoder, per_minute=3000)


@pytest.fixture
def log() -> Iterator[io.BytesIO]:
    written = io.BytesIO()
    logs.configure(human=False, stream=written, level="debug")
    yield written
    logs.configure(human=False, stream=io.BytesIO(), level="error")


def times_asked(server: SmallServer) -> int:
    return server.times_asked(NOMINATIM_PATH)


async def test_place_has_the_zone_of_where_it_is(places: PlaceFinder) -> None:
    [found] = await places.search(HALL, 10, NOW)

    assert (found.name, found.timezone, found.country_code) == (HALL, ZONE, "IN")


async def test_country_has_the_name_that_all_events_have(
    places: PlaceFinder, server: SmallServer
) -> None:
    address = {"city": "Berlin", "country": "Bundesrepublik", "country_code": "de"}
    geocoders.answers(server, "nominatim", [NOMINATIM[0] | {"address": address}])

    [found] = await places.search(HALL, 10, NOW)

    assert (found.country, found.country_code) == ("Germany", "DE")


async def test_same_text_is_asked_once_for_ninety_days(
    places: PlaceFinder, server: SmallServer
) -> None:
    first = await places.search(HALL, 10, NOW)
    again = await places.search(f"  {HALL.upper()} ", 10, NOW + timedelta(days=89))
    asked_until_then = times_asked(server)
    late = await places.search(HALL, 10, NOW + timedelta(days=90))

    assert first == again == late
    assert (asked_until_then, times_asked(server)) == (1, 2)


async def test_text_that_finds_nothing_is_asked_again_the_next_day(
    places: PlaceFinder, server: SmallServer
) -> None:
    geocoders.answers(server, "nominatim", [])
    for hours in (0, 23):
        assert await places.search("xyzzy", 10, NOW + timedelta(hours=hours)) == []
    asked_until_then = times_asked(server)
    await places.search("xyzzy", 10, NOW + timedelta(hours=24))

    assert (asked_until_then, times_asked(server)) == (1, 2)


async def test_answer_of_another_geocoder_does_not_count(
    places: PlaceFinder, database: Database, server: SmallServer
) -> None:
    await places.search(HALL, 10, NOW)
    await rows.change(database, update(Geocoding).values(provider="photon"))

    await places.search(HALL, 10, NOW)

    assert times_asked(server) == 2


async def test_kept_answer_of_another_form_is_asked_for_anew(
    places: PlaceFinder, database: Database, server: SmallServer
) -> None:
    first = await places.search(HALL, 10, NOW)
    await rows.change(database, update(Geocoding).values(candidates=[{"latitude": 500}]))

    again = await places.search(HALL, 10, NOW)

    assert (again, times_asked(server)) == (first, 2)
    assert await rows.count(database, Geocoding) == 1


async def test_answers_of_google_are_kept_for_as_long_as_its_terms_allow(
    database: Database, server: SmallServer, outside: Outside
) -> None:
    geocoders.answers(server, "google")
    google = GoogleGeocoder(outside, url=server.url, key=KEY)

    await PlaceFinder(database, google, per_minute=60).search(HALL, 10, NOW)

    [(expires_at,)] = await rows.read(database, select(Geocoding.expires_at))
    assert expires_at == NOW + timedelta(days=30)


async def test_what_has_expired_is_forgotten_and_nothing_else(
    places: PlaceFinder, database: Database
) -> None:
    await places.search(HALL, 10, NOW)
    await places.search("Domlur", 10, NOW + timedelta(days=1))

    async with database.write() as db:
        await cache.forget_expired(db, NOW + timedelta(days=90))

    assert await rows.read(database, select(Geocoding.query)) == [("domlur",)]


@pytest.mark.parametrize("query", ["İ" * 300, "x" * 300])
async def test_text_is_asked_about_only_where_the_answer_can_be_kept(
    places: PlaceFinder, database: Database, server: SmallServer, query: str
) -> None:
    """The first grows to 600 characters when its case is taken away; the second is as it was."""
    is_short = cache.key_of(query) is not None

    await places.search(query, 10, NOW)

    assert times_asked(server) == is_short
    assert await rows.count(database, Geocoding) == is_short


async def test_search_takes_no_more_than_was_asked_for(
    places: PlaceFinder, server: SmallServer
) -> None:
    geocoders.answers(server, "nominatim", NOMINATIM * 5)

    few = await places.search(HALL, 2, NOW)
    more = await places.search(HALL, 10, NOW)

    assert (len(few), len(more), times_asked(server)) == (2, 5, 1)


DOWN = [
    json_answer({}, "500 Internal Server Error"),
    answer(b"<html>maintenance</html>"),
    silence,
    answer(b" " * 100_000),
]


@pytest.mark.parametrize("told", DOWN, ids=["500", "html", "silent", "huge"])
async def test_search_while_the_geocoder_fails_is_answered_by_the_gazetteer(
    places: PlaceFinder, server: SmallServer, database: Database, told: object
) -> None:
    geocoders.answers(server, "nominatim", told)

    found = await places.search("Bengaluru", 10, NOW)

    assert [(each.city, each.source) for each in found] == [("Bengaluru", "gazetteer")]
    assert await rows.count(database, Geocoding) == 0, "a failure is no answer to keep"


async def test_search_that_takes_too_long_is_answered_by_the_gazetteer(
    places: PlaceFinder, server: SmallServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder, "SEARCH_SECONDS", 0.05)
    geocoders.answers(server, "nominatim", silence)

    found = await places.search("Bengaluru", 10, NOW)

    assert [each.source for each in found] == ["gazetteer"]


async def test_search_that_finds_nothing_outside_is_answered_by_the_gazetteer(
    places: PlaceFinder, server: SmallServer
) -> None:
    geocoders.answers(server, "nominatim", [])

    found = await places.search("Bengal", 10, NOW)

    assert [(each.city, each.source) for each in found] == [("Bengaluru", "gazetteer")]


async def test_event_is_where_the_geocoder_is_sure_of(
    places: PlaceFinder, server: SmallServer
) -> None:
    found = await places.locate(HALL, ZONE, NOW)
    geocoders.answers(server, "nominatim", [NOMINATIM[0] | {"addresstype": "country"}])
    unsure = await places.locate("India", ZONE, NOW)
    by_city = await places.locate("Hall 3, Berlin", ZONE, NOW)

    assert found is not None
    assert (found.source, found.name) == ("nominatim", HALL)
    assert unsure is None
    assert by_city is not None
    assert (by_city.source, by_city.city) == ("gazetteer", "Berlin")


@pytest.mark.parametrize("location", ["Online", "TBA", "560071"])
async def test_location_that_is_no_place_is_not_asked_about(
    places: PlaceFinder, server: SmallServer, location: str
) -> None:
    assert await places.locate(location, ZONE, NOW) is None
    assert server.asked == []


async def test_event_while_the_geocoder_fails_is_to_be_tried_again(
    places: PlaceFinder, server: SmallServer
) -> None:
    geocoders.answers(server, "nominatim", json_answer({}, "503 Service Unavailable"))

    with pytest.raises(GeocodingFailed) as raised:
        await places.locate("Bengaluru", ZONE, NOW)

    assert not raised.value.is_permanent


class Unreachable:
    """A geocoder that must not be asked."""

    name, kept_for = "unreachable", timedelta(days=1)

    async def find(self, query: str) -> list[Candidate]:
        raise AssertionError(query)


async def test_offline_nothing_is_asked_and_nothing_is_kept(database: Database) -> None:
    places = PlaceFinder(database, None, per_minute=60)

    found = await places.search("Bengaluru", 10, NOW)
    located = await places.locate("Hall, Bengaluru", ZONE, NOW)

    assert [each.source for each in found] == ["gazetteer"]
    assert located == found[0]
    assert await rows.count(database, Geocoding) == 0


async def test_guess_never_asks_the_geocoder(database: Database) -> None:
    geocoder: Geocoder = Unreachable()

    found = await PlaceFinder(database, geocoder, per_minute=60).guess("Hall, Pune", ZONE)

    assert found is not None
    assert found.city == "Pune"


async def test_failure_is_logged_once_until_it_is_over_and_without_the_key(
    database: Database, server: SmallServer, outside: Outside, log: io.BytesIO
) -> None:
    google = GoogleGeocoder(outside, url=server.url, key=KEY)
    places = PlaceFinder(database, google, per_minute=3000)
    geocoders.answers(server, "google", google_refusal("REQUEST_DENIED"))
    for n in range(3):
        await places.search(f"canary-text {n}", 10, NOW)
    geocoders.answers(server, "google")
    await places.search("canary-text", 10, NOW)
    geocoders.answers(server, "google", silence)
    await places.search("canary-text 9", 10, NOW)

    written = log.getvalue()
    assert server.times_asked(GOOGLE_PATH) == 5
    assert written.count(b"The geocoder fails") == 2
    assert written.count(b"google: REQUEST_DENIED") == 1
    assert written.count(b"The geocoder answers again") == 1
    assert [each for each in (KEY, "canary-text") if each.encode() in written] == []


async def test_nobody_listening_is_a_failure_that_names_the_host_alone(
    database: Database, outside: Outside, log: io.BytesIO
) -> None:
    google = GoogleGeocoder(outside, url=f"http://{LOOPBACK}:{free_port()}", key=KEY)

    with pytest.raises(GeocodingFailed) as raised:
        await PlaceFinder(database, google, per_minute=60).locate(HALL, ZONE, NOW)

    assert (str(raised.value), raised.value.is_permanent) == (f"{LOOPBACK}: ConnectError", False)
    assert KEY.encode() not in log.getvalue()


async def test_turns_come_evenly_and_those_who_would_wait_too_long_are_told_at_once() -> None:
    async with stopped_time() as slept:
        pace = Pace(60)

        for _ in range(3):
            await pace.turn(patience_seconds=2.5)
        with pytest.raises(TooBusy) as raised:
            await pace.turn(patience_seconds=2.5)

    assert [round(seconds, 3) for seconds in slept] == [0.0, 1.0, 2.0]
    assert not raised.value.is_permanent


@asynccontextmanager
async def stopped_time() -> AsyncIterator[list[float]]:
    """Nobody sleeps; for how long they would have is noted."""
    slept: list[float] = []

    async def note(seconds: float) -> None:
        slept.append(seconds)

    patch = pytest.MonkeyPatch()
    patch.setattr(asyncio, "sleep", note)
    loop = asyncio.get_running_loop()
    now = loop.time()
    patch.setattr(loop, "time", lambda: now, raising=False)
    try:
        yield slept
    finally:
        patch.undo()


async def test_search_whose_turn_is_far_is_answered_by_the_gazetteer(
    database: Database, server: SmallServer, outside: Outside
) -> None:
    geocoders.answers(server, "nominatim")
    geocoder = NominatimGeocoder(outside, url=server.url, contact="x")
    places = PlaceFinder(database, geocoder, per_minute=2)

    first = await places.search(HALL, 10, NOW)
    second = await places.search("Bengaluru", 10, NOW)

    assert [each.source for each in (*first, *second)] == ["nominatim", "gazetteer"]
    assert times_asked(server) == 1


async def test_two_who_ask_the_same_at_once_both_hear_it_and_it_is_kept_once(
    places: PlaceFinder, database: Database
) -> None:
    one, other = await asyncio.gather(*(places.search(HALL, 10, NOW) for _ in range(2)))

    assert one == other
    assert await rows.count(database, Geocoding) == 1
