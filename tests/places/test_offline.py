"""The gazetteer alone finds what people type, puts events where they are, and does not guess."""

import pytest

from turnout.places import gazetteer, offline
from turnout.places.nearest import ZonesByPosition

SURE = [
    ("Bengaluru", None, "Bengaluru, India"),
    ("Bangalore", None, "Bengaluru, India"),
    ("東京", None, "Tokyo, Japan"),
    ("Bengaluru International Centre, Bengaluru", None, "Bengaluru, India"),
    ("Taj, Bengaluru, Karnataka, India", None, "Bengaluru, India"),
    ("Nehru Centre, Worli, Mumbai, Maharashtra 400018", None, "Mumbai, India"),
    ("Room 12 - IIT Bombay - Mumbai", None, "Mumbai, India"),
    ("Hall 3, Alexanderplatz 3, 10178 Berlin", None, "Berlin, Germany"),
    ("Kongresshalle, Berlin, Germany", None, "Berlin, Germany"),
    ("221B Baker Street, London NW1 6XE, UK", None, "London, United Kingdom"),
    ("Berlin, main hall", None, "Berlin, Germany"),
    ("London", None, "London, United Kingdom"),
    ("Portland, OR", None, "Portland, OR, United States"),
    ("Portland, Maine", None, "Portland, ME, United States"),
    ("Convention Center, Portland, OR 97201, USA", None, "Portland, OR, United States"),
    ("Atlanta, Georgia", None, "Atlanta, GA, United States"),
    ("Tbilisi, Georgia", None, "Tbilisi, Georgia"),
    ("Marina Bay Sands, Singapore", None, "Singapore, Singapore"),
    ("Javits Center, New York", None, "New York City, NY, United States"),
    ("Falmouth, England", None, "Falmouth, United Kingdom"),
    ("Hyderabad, India", None, "Hyderabad, India"),
    ("Hyderabad", "Asia/Kolkata", "Hyderabad, India"),
    ("Barcelona", "Europe/Madrid", "Barcelona, Spain"),
    ("Birmingham", "Europe/London", "Birmingham, United Kingdom"),
]
NOT_SURE = [
    *("", " ", ",,,", "560071", "12-34", "Main Hall", "Auditorium"),
    # Towns by that name there are, but who writes so means a hall, a union, a district.
    *("Hall", "Union", "Central", "Victoria"),
    # Several cities have that name.
    *("Portland", "Grand Hall, Portland", "Hyderabad", "Barcelona", "Springfield, USA"),
    # No city of that name lies there, or none is named: the middle of a country is no place.
    *("Paris, Ontario", "Cancun Center, Mexico", "Convention Center, Washington", "India"),
    *("Somewhere, India", "Nowhere, USA"),
    *("Online", "ONLINE", "Zoom", "T.B.A.", "To be announced", "n/a", "Worldwide"),
]


@pytest.mark.parametrize(("location", "timezone", "expected"), SURE)
def test_location_that_names_a_city_is_there(
    location: str, timezone: str | None, expected: str
) -> None:
    found = offline.guess(gazetteer.load(), location, timezone)

    assert found is not None
    assert (found.address, found.source, found.is_sure) == (expected, "gazetteer", True)


@pytest.mark.parametrize("location", NOT_SURE)
def test_location_that_names_no_city_beyond_doubt_is_left_alone(location: str) -> None:
    assert offline.guess(gazetteer.load(), location, None) is None


def test_hint_of_the_zone_does_not_make_a_small_namesake_the_one() -> None:
    """Birmingham, Alabama, is a fifth of the English one: nobody can say."""
    assert offline.guess(gazetteer.load(), "Birmingham", "America/Chicago") is None


def searched(query: str) -> list[str | None]:
    return [each.address for each in offline.search(gazetteer.load(), query)]


def test_beginning_of_a_name_finds_the_most_populous_first() -> None:
    found = offline.search(gazetteer.load(), "portla")

    assert [(each.address, each.timezone) for each in found[:2]] == [
        ("Portland, OR, United States", "America/Los_Angeles"),
        ("Portland, ME, United States", "America/New_York"),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Portland, Maine", ["Portland, ME, United States"]),
        ("Bengal", ["Bengaluru, India"]),
        ("bangal", ["Bengaluru, India"]),
        ("hyderabad, pk", ["Hyderabad, Pakistan"]),
        ("Bengaluru International Centre, Bengaluru", ["Bengaluru, India"]),
        ("x", []),
        ("!", []),
        ("xyzzy", []),
        ("Main Hall, Nowhere", []),
    ],
)
def test_search_finds(query: str, expected: list[str]) -> None:
    assert searched(query) == expected


def test_search_for_a_name_that_several_have_lists_them_all() -> None:
    found = searched("Hyderabad")

    assert found[:2] == ["Hyderabad, India", "Hyderabad, Pakistan"]


def test_search_with_a_country_lists_its_cities_alone() -> None:
    found = searched("Portland, US")

    assert len(found) > 2
    assert {str(each).rpartition(", ")[2] for each in found} == {"United States"}


def test_search_for_two_letters_stops_at_ten() -> None:
    assert len(searched("sa")) == 10


@pytest.fixture(scope="module")
def zones() -> ZonesByPosition:
    return ZonesByPosition(gazetteer.load())


@pytest.mark.parametrize(
    ("latitude", "longitude", "country", "expected"),
    [
        (12.9667, 77.6346, "IN", "Asia/Kolkata"),
        (40.7, -74.0, "US", "America/New_York"),
        (46.8, -100.78, "US", "America/Chicago"),
        (64.8, -147.7, "US", "America/Anchorage"),
        (-31.95, 115.86, "AU", "Australia/Perth"),
        # On the other side of the meridian at 180 degrees.
        (-16.8, -179.99, "FJ", "Pacific/Fiji"),
        (52.3, -174.2, "US", None),
        # A country with one zone has it everywhere; one with several nowhere but near its cities.
        (23.0, 80.0, "IN", "Asia/Kolkata"),
        (-25.3, 131.0, "AU", None),
        (0.0, 0.0, "US", None),
        # Just over a border, the city on its own side counts.
        (45.5, -73.6, "CA", "America/Toronto"),
        (52.5, 13.4, None, None),
        (52.5, 13.4, "ZZ", None),
        (90.0, 0.0, "US", None),
        (-90.0, 180.0, "US", None),
    ],
)
def test_zone_of_a_position_is_that_of_the_nearest_city_of_its_country(
    zones: ZonesByPosition,
    latitude: float,
    longitude: float,
    country: str | None,
    expected: str | None,
) -> None:
    assert zones.at(latitude, longitude, country) == expected
