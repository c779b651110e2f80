"""Each geocoder is asked as it wants to be asked; its answers are read, and its lies are not."""

import copy
from typing import Any

import pytest
from tests.support import geocoders
from tests.support.geocoders import GOOGLE, NOMINATIM, PATHS, PHOTON, google_refusal
from tests.support.outside import (
    Answer,
    SmallServer,
    answer,
    json_answer,
    silence,
    trickle,
)

from turnout.outside import Outside, OutsideError
from turnout.places.candidates import Candidate
from turnout.places.geocoding import Geocoder, GeocodingFailed
from turnout.places.google import GoogleGeocoder
from turnout.places.nominatim import NominatimGeocoder
from turnout.places.photon import PhotonGeocoder

KEY = "canary-key-of-google"
CONTACT = "https://events.example.org"
ASKED = "Bengaluru International Centre, 4th Main & “Domlur”"
KINDS = sorted(PATHS)


def geocoder(kind: str, url: str, outside: Outside) -> Geocoder:
    match kind:
        case "google":
            return GoogleGeocoder(outside, url=url, key=KEY)
        case "nominatim":
            return NominatimGeocoder(outside, url=url, contact=CONTACT)
        case _:
            return PhotonGeocoder(outside, url=url, contact=CONTACT)


async def found(kind: str, server: SmallServer, outside: Outside, told: object) -> list[Candidate]:
    geocoders.answers(server, kind, told)
    return await geocoder(kind, server.url, outside).find(ASKED)


EXPECTED = {
    "google": Candidate(
        None,
        "7, 4th Main Rd, Domlur, Bengaluru, Karnataka 560071, India",
        *("Bengaluru", "India", "IN", 12.9667, 77.6346, None, "google"),
    ),
    "nominatim": Candidate(
        "Bangalore International Centre",
        NOMINATIM[0]["display_name"],
        *("Bengaluru", "India", "IN", 12.9667, 77.6346, None, "nominatim"),
    ),
    "photon": Candidate(
        "Bangalore International Centre",
        "4th Main Road 7, 560071 Bengaluru, Karnataka, India",
        *("Bengaluru", "India", "IN", 12.9667, 77.6346, None, "photon"),
    ),
}
PARAMETERS = {
    "google": {"address": ASKED, "language": "en", "key": KEY},
    "nominatim": {
        "q": ASKED,
        "format": "jsonv2",
        "addressdetails": "1",
        "limit": "10",
        "accept-language": "en",
    },
    "photon": {"q": ASKED, "limit": "10", "lang": "en"},
}


@pytest.mark.parametrize("kind", KINDS)
async def test_place_that_is_found_is_told_alike_by_all(
    kind: str, server: SmallServer, outside: Outside
) -> None:
    candidates = await found(kind, server, outside, None)

    assert candidates == [EXPECTED[kind]]


@pytest.mark.parametrize("kind", KINDS)
async def test_question_has_the_form_that_the_geocoder_documents(
    kind: str, server: SmallServer, outside: Outside
) -> None:
    await found(kind, server, outside, None)

    [request] = server.asked
    agent = "Turnout" if kind == "google" else f"Turnout ({CONTACT})"
    assert (request.method, request.path, request.asked) == ("GET", PATHS[kind], PARAMETERS[kind])
    assert request.headers["user-agent"] == agent


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_found_is_no_failure(
    kind: str, server: SmallServer, outside: Outside
) -> None:
    assert await found(kind, server, outside, geocoders.NOTHING[kind]) == []


def google_with(**changes: Any) -> dict[str, Any]:
    told = copy.deepcopy(GOOGLE)
    told["results"][0] |= changes
    return told


def at_google(latitude: object, longitude: object) -> dict[str, Any]:
    return google_with(geometry={"location": {"lat": latitude, "lng": longitude}})


def nominatim_with(**changes: Any) -> list[dict[str, Any]]:
    return [NOMINATIM[0] | changes]


def photon_with(**changes: Any) -> dict[str, Any]:
    feature = PHOTON["features"][0]
    return PHOTON | {"features": [feature | {"properties": feature["properties"] | changes}]}


def at_photon(*coordinates: object, kind: str = "Point") -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": list(coordinates)}
    return PHOTON | {"features": [PHOTON["features"][0] | {"geometry": geometry}]}


COARSE: list[tuple[str, object]] = [
    ("google", google_with(types=["country", "political"])),
    ("google", google_with(types=["administrative_area_level_1", "political"])),
    ("google", google_with(partial_match=True)),
    ("nominatim", nominatim_with(addresstype="country")),
    ("nominatim", nominatim_with(addresstype="state")),
    ("photon", photon_with(type="country")),
    ("photon", photon_with(type="state")),
]


@pytest.mark.parametrize(("kind", "told"), COARSE)
async def test_country_state_or_half_a_match_is_a_candidate_but_not_sure(
    kind: str, told: object, server: SmallServer, outside: Outside
) -> None:
    candidates = await found(kind, server, outside, told)

    assert [each.is_sure for each in candidates] == [False]


@pytest.mark.parametrize(
    ("status", "is_permanent"),
    [
        ("OVER_QUERY_LIMIT", False),
        ("OVER_DAILY_LIMIT", False),
        ("UNKNOWN_ERROR", False),
        ("REQUEST_DENIED", True),
        ("INVALID_REQUEST", True),
    ],
)
async def test_refusal_of_google_says_whether_it_is_for_good(
    server: SmallServer, outside: Outside, *, status: str, is_permanent: bool
) -> None:
    with pytest.raises(GeocodingFailed) as raised:
        await found("google", server, outside, google_refusal(status))

    assert (str(raised.value), raised.value.is_permanent) == (f"google: {status}", is_permanent)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("status", "is_permanent"),
    [
        ("301 Moved Permanently", False),
        ("302 Found", False),
        ("204 No Content", False),
        ("400 Bad Request", True),
        ("401 Unauthorized", True),
        ("403 Forbidden", True),
        ("408 Request Timeout", False),
        ("429 Too Many Requests", False),
        ("500 Internal Server Error", False),
        ("503 Service Unavailable", False),
    ],
)
async def test_status_but_200_is_no_answer_whatever_is_in_it(
    server: SmallServer, outside: Outside, *, kind: str, status: str, is_permanent: bool
) -> None:
    elsewhere = answer(b"[]", status, location=f"{server.url}/elsewhere")

    with pytest.raises(GeocodingFailed) as raised:
        await found(kind, server, outside, elsewhere)

    told = f"{kind}: status {status[:3]}"
    assert (str(raised.value), raised.value.is_permanent) == (told, is_permanent)
    assert [request.path for request in server.asked] == [PATHS[kind]]


LIES: list[tuple[str, object]] = [
    *(("google", at_google(*position)) for position in (
        (91, 0), (-91, 0), (0, 181), (0, -181), ("12.9", "77.6"), (None, 77), (True, False),
        ([12.9], 77), (1e308, 0),
    )),
    ("google", google_with(formatted_address=5)),
    ("google", google_with(address_components={"a": 1})),
    ("google", {**GOOGLE, "status": "FINE"}),
    ("google", {**GOOGLE, "results": "many"}),
    ("google", {"results": []}),
    ("google", []),
    *(("nominatim", nominatim_with(lat=latitude)) for latitude in (
        "91", "-90.1", "nan", "inf", "1e1", "twelve", "", " 12", "12,9", None, True, [12],
        "१२", "9" * 400, 1e308,
    )),
    ("nominatim", nominatim_with(lon="180.5")),
    ("nominatim", nominatim_with(display_name=None)),
    ("nominatim", nominatim_with(address=["India"])),
    ("nominatim", {"error": {"code": 400, "message": "Nothing to search for."}}),
    *(("photon", at_photon(*position)) for position in (
        (0, 91), (181, 0), ("77.6", "12.9"), (77.6,), (77.6, 12.9, 5, 6), (None, None),
    )),
    ("photon", at_photon([77.6, 12.9], [77.7, 12.9], kind="LineString")),
    ("photon", photon_with(name={"en": "Bengaluru"})),
    ("photon", {"type": "Feature", "features": []}),
    ("photon", {"message": "missing search term 'q'"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "told"), LIES)
async def test_answer_that_makes_no_sense_is_no_answer(
    kind: str, told: object, server: SmallServer, outside: Outside
) -> None:
    with pytest.raises(GeocodingFailed) as raised:
        await found(kind, server, outside, told)

    told_as = f"{kind}: an answer that makes no sense"
    assert (str(raised.value), raised.value.is_permanent) == (told_as, False)


NO_JSON: list[Answer] = [
    answer(b"<!doctype html><title>Log in to the Wi-Fi</title>", content_type="text/html"),
    answer(b""),
    answer(b"NaN"),
    answer(b'{"status": "OK", "results": [NaN]}'),
    answer(b"\xff\xfe[]"),
    answer(b"[" * 60_000),
    json_answer("OK"),
    json_answer(None),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("told", NO_JSON)
async def test_page_of_html_or_no_json_is_no_answer(
    kind: str, told: Answer, server: SmallServer, outside: Outside
) -> None:
    with pytest.raises(GeocodingFailed) as raised:
        await found(kind, server, outside, told)

    assert not raised.value.is_permanent


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("told", [silence, trickle, answer(b"[" + b" " * 10_000_000 + b"]")])
async def test_answer_that_never_ends_or_comes_is_given_up_soon(
    kind: str, told: Answer, server: SmallServer, outside: Outside
) -> None:
    with pytest.raises(OutsideError) as raised:
        await found(kind, server, outside, told)

    assert KEY not in str(raised.value)
    assert str(raised.value).startswith("127.0.0.1: ")


async def test_text_of_an_answer_becomes_one_short_line(
    server: SmallServer, outside: Outside
) -> None:
    odd = "Hall\x00\n\u202egnol\u2066 " + "x" * 1000
    told = nominatim_with(name=odd, display_name=odd, address={"city": odd, "country": "\u2028"})

    [candidate] = await found("nominatim", server, outside, told)

    kept = f"Hall gnol {'x' * 1000}"
    assert (candidate.name, candidate.address) == (kept[:200], kept[:300])
    assert (candidate.city, candidate.country) == (kept[:120], None)


@pytest.mark.parametrize("code", ["IND", "I", "", "1N", "ÏN", None])
async def test_country_code_of_another_form_is_left_out(
    code: str | None, server: SmallServer, outside: Outside
) -> None:
    [candidate] = await found("photon", server, outside, photon_with(countrycode=code))

    assert (candidate.country, candidate.country_code) == ("India", None)


async def test_no_more_than_ten_candidates_are_taken(server: SmallServer, outside: Outside) -> None:
    candidates = await found("nominatim", server, outside, NOMINATIM * 25)

    assert candidates == [EXPECTED["nominatim"]] * 10


async def test_city_is_whatever_kind_of_settlement_it_is(
    server: SmallServer, outside: Outside
) -> None:
    town = nominatim_with(address={"village": "Oia", "country": "Greece", "country_code": "gr"})
    [by_nominatim] = await found("nominatim", server, outside, town)
    whole = photon_with(type="city", city=None, name="Pune", street=None, housenumber=None)
    [by_photon] = await found("photon", server, outside, whole)
    component = {"long_name": "Bath", "short_name": "Bath", "types": ["postal_town"]}
    [by_google] = await found(
        "google", server, outside, google_with(address_components=[component])
    )

    assert [by_nominatim.city, by_photon.city, by_google.city] == ["Oia", "Pune", "Bath"]
    assert by_photon.address == "560071 Pune, Karnataka, India"
    assert (by_google.country, by_google.country_code) == (None, None)
