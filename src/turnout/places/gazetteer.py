"""Cities by name, without a network: the offline gazetteer; it must not know what asks for them.

The data is one compressed text, made by `scripts/make_gazetteer.py`. It is searched where it
lies, by bisection over its sorted lines: a server keeps about 4 MiB of bytes instead of some
hundred thousand objects, and unpacking is all there is to loading.
"""

import gzip
import heapq
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib import resources

from turnout.places.countries import Area, Areas
from turnout.places.folding import fold, same_but_case

DATA_FILE = "gazetteer.txt.gz"
FORMAT = "Turnout gazetteer 1"

OWN_NAME_COUNTS, SHORT_NAME_COUNTS, SPELLING_COUNTS = 50, 5, 10
"""How many times bigger a city must be to be meant by what is only another name of it, by the
beginning of its name, or by its name without accents, when a namesake is there."""

STATES_KNOWN_OF = ("US", "CA", "AU")
"""The countries whose cities are commonly written with a state, and whose states are listed."""

STAND_IN = "~"
"""Marks, in the list of other names, that a town stands for a region, a resort or a quarter."""

FEWEST_LETTERS = 2
"""Of a beginning that is searched for, in a script of letters."""

_BRACKETED = re.compile(r"\s*\([^()]*\)\s*$")


@dataclass(frozen=True, slots=True)
class City:
    """A populated place.

    `country_code` is ISO 3166-1 alpha-2, `region` the postal code of the state in the United
    States, Canada and Australia and else the first-order code of GeoNames, `latitude` and
    `longitude` degrees (WGS 84), `timezone` a canonical IANA name, `population` people.
    """

    name: str
    country_code: str
    country: str
    region: str | None
    latitude: float
    longitude: float
    timezone: str
    population: int


class How(StrEnum):
    """In which way a name was recognised, the surest first."""

    EXACT = "exact"
    PLAIN = "without accents or punctuation"
    ALTERNATE = "another name of it"
    REGION = "a region, a resort or a quarter, for which this town stands"
    PART = "part of what was written"


@dataclass(frozen=True, slots=True)
class Match:
    """A city that was found, and how.

    `others` counts the cities that could be meant as well: all of that name, and the bigger ones
    that have it for another name. `state_read` says that a state (`San Francisco, CA`) narrowed
    the choice.
    """

    city: City
    how: How
    others: int = 0
    state_read: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether the city was named by a name of its own that no other city in question has."""
        return self.others == 0 and self.how in {How.EXACT, How.PLAIN, How.ALTERNATE}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Where a name is looked for: a country, a state of it, or anywhere."""

    country_code: str | None = None
    state: str | None = None

    def covers(self, city: City) -> bool:
        if self.country_code is not None and city.country_code != self.country_code:
            return False
        return self.state is None or city.region == self.state


class _Lines:
    """Sorted lines of text in one block of bytes, read by number."""

    __slots__ = ("_ends", "_text")

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._ends = array("I", (each.start() for each in re.finditer(b"\n", text)))

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> str:
        start = self._ends[number - 1] + 1 if number else 0
        return self._text[start : self._ends[number]].decode()


class Gazetteer:
    """The cities of the world with 15,000 people and more, and many that are smaller but known."""

    __slots__ = ("_alternates", "_areas", "_cities", "_zones")

    def __init__(self, packed: bytes) -> None:
        """Unpack what the generating script has packed; ValueError for another format."""
        head, zones, countries, states, cities, alternates = gzip.decompress(packed).split(b"\n\n")
        if not head.decode().startswith(FORMAT):
            raise ValueError("This is not a gazetteer of the present format.")
        self._zones = tuple(zones.decode().split("\n"))
        self._areas = _areas(countries.decode(), states.decode(), self._zones)
        self._cities = _Lines(cities + b"\n")
        self._alternates = _Lines(alternates)

    def __len__(self) -> int:
        return len(self._cities)

    def __iter__(self) -> Iterator[City]:
        return (self._city(number) for number in range(len(self._cities)))

    def find(self, city: str, country: str | None = None) -> Match | None:
        """The city that is most likely meant by what somebody typed.

        `city` may carry a state or a country behind a comma (`Portland, OR`; `Lyon, France`).
        `country` is a code or any common name; None or a blank searches the world. Of several
        cities the most populous wins, but a city's own name counts far more than another name, and
        its exact spelling more than one without accents. None when nothing fits, or when a state
        or country is named and nothing lies there.
        """
        wanted = _Wanted()
        if country is not None and country.strip():
            area = self.country(country)
            if area is None:
                return None
            wanted = _Wanted(area.code)
        outside = _BRACKETED.sub("", city).strip()
        if outside != city:  # they can be of the name: Frankfurt (Oder) is not Frankfurt
            return self._named(city, wanted) or self._found(outside, wanted)
        return self._found(city, wanted)

    def country(self, name: str) -> Area | None:
        """The country of that code or name (`DE`, `Deutschland`, `U.K.`, `Scotland`), or None."""
        return self._areas.country(name)

    def country_code(self, name: str) -> str | None:
        """The ISO 3166-1 alpha-2 code of a country by any of its names, or None."""
        area = self.country(name)
        return area.code if area else None

    def state(self, city: str, country_code: str) -> Area | None:
        """The state named behind the last comma of what was typed as a city, or None."""
        _, comma, tail = city.rpartition(",")
        return self._areas.state(country_code, tail) if comma else None

    def is_state(self, name: str, country_code: str) -> bool:
        """Whether a country whose states are listed has one of that code or name."""
        return self._areas.state(country_code, name) is not None

    def named(self, name: str) -> list[City]:
        """Every city that has this name for its own or for another one, the most populous first."""
        key = fold(name)
        other = (city for city, how in self._by_other_name(key) if how is How.ALTERNATE)
        found = dict.fromkeys((*self._by_own_name(key), *other) if key else ())
        return sorted(found, key=lambda city: -city.population)

    def beginning_with(self, start: str, most: int) -> list[City]:
        """Cities whose own name begins so, then those with such another name, each by population.

        None for a single Latin letter: too many begin with it.
        """
        key = fold(start)
        if len(key) < FEWEST_LETTERS and key.isascii():
            return []
        own = (self._city(number) for number in _from(self._cities, key, self._key_of))
        found = heapq.nlargest(most, own, key=lambda city: city.population)
        other = heapq.nlargest(most, self._by_beginning(key), key=lambda city: city.population)
        return list(dict.fromkeys((*found, *other)))[:most]

    def _by_beginning(self, key: str) -> Iterator[City]:
        for line in _from(self._alternates, key, self._other_key_of):
            for each in self._alternates[line].split("\t")[1].split(","):
                if not each.startswith(STAND_IN):
                    yield self._city(int(each))

    def _found(self, whole: str, wanted: _Wanted) -> Match | None:
        head, _, tail = (part.strip() for part in whole.rpartition(","))
        narrowings = self._narrowings(tail, wanted) if head else []
        for narrowed in narrowings:
            found = self._within(head, narrowed)
            if found is not None:
                return found
        found = self._named(whole, wanted)
        if found is not None or narrowings:
            return found  # a city elsewhere would contradict the state or country
        return self._in_part(head, tail, wanted)

    def _within(self, head: str, narrowed: _Wanted) -> Match | None:
        if narrowed.state is None:
            return self._found(head, narrowed)
        found = self._named(head, narrowed) or self._one_of_two(head, narrowed)
        return None if found is None else replace(found, state_read=True)

    def _in_part(self, head: str, tail: str, wanted: _Wanted) -> Match | None:
        if not head:
            return self._one_of_two(tail, wanted)
        if self._areas.knows_states_of(wanted.country_code):
            return None  # what stands behind the comma is no state there: a slip, not a detail
        found = self._named(head, wanted) or self._named(tail, wanted)
        return None if found is None else replace(found, how=How.PART)

    def _narrowings(self, tail: str, wanted: _Wanted) -> list[_Wanted]:
        """What can be meant behind a comma: a country where none is known yet, or a state."""
        countries = STATES_KNOWN_OF if wanted.country_code is None else (wanted.country_code,)
        states = [
            _Wanted(code, state.code)
            for code in countries
            if (state := self._areas.state(code, tail)) is not None
        ]
        area = self.country(tail) if wanted.country_code is None else None
        return [*([_Wanted(area.code)] if area else []), *states]

    def _one_of_two(self, whole: str, wanted: _Wanted) -> Match | None:
        """The first town of a pair written as one (`Rapperswil-Jona`) that is found by own name."""
        if wanted.country_code is None:
            return None
        parts = re.split(r"[-–/&]", whole)
        for part in parts if len(parts) == 2 else ():
            found = self._named(part.strip(), wanted)
            if found is not None and found.how in {How.EXACT, How.PLAIN}:
                return Match(found.city, How.PART, found.others)
        return None

    def _named(self, name: str, wanted: _Wanted) -> Match | None:
        key = fold(name)
        if not key:
            return None
        own = [city for city in self._by_own_name(key) if wanted.covers(city)]
        other = [pair for pair in self._by_other_name(key) if wanted.covers(pair[0])]
        best = _best_spelt(own, name)
        famous, how = max(other, key=lambda pair: pair[0].population, default=(None, How.EXACT))
        if famous is not None and (best is None or _is_meant(famous, best, name)):
            return Match(famous, how, len(own) + len(other) - 1)
        if best is None:
            return None
        bigger = sum(city.population > best.population for city, _ in other)
        how = How.EXACT if same_but_case(best.name, name) else How.PLAIN
        return Match(best, how, len(own) - 1 + bigger)

    def _by_own_name(self, key: str) -> Iterator[City]:
        names = range(len(self._cities))
        at = bisect_left(names, key, key=self._key_of)
        while at < len(names) and self._key_of(at) == key:
            yield self._city(at)
            at += 1

    def _by_other_name(self, key: str) -> Iterator[tuple[City, How]]:
        lines = range(len(self._alternates))
        at = bisect_left(lines, key, key=self._other_key_of)
        if at == len(lines):
            return
        found, numbers = self._alternates[at].split("\t")
        for each in numbers.split(",") if found == key else ():
            how = How.REGION if each.startswith(STAND_IN) else How.ALTERNATE
            yield self._city(int(each.removeprefix(STAND_IN))), how

    def _key_of(self, number: int) -> str:
        return fold(self._cities[number].partition("\t")[0])

    def _other_key_of(self, number: int) -> str:
        return self._alternates[number].split("\t")[0]

    def _city(self, number: int) -> City:
        name, code, region, latitude, longitude, population, zone = self._cities[number].split("\t")
        country = self._areas.country(code)
        return City(
            name=name,
            country_code=code,
            country=country.name if country else code,
            region=region or None,
            latitude=float(latitude),
            longitude=float(longitude),
            timezone=self._zones[int(zone)],
            population=int(population),
        )


@cache
def load() -> Gazetteer:
    """The gazetteer that comes with the product; unpacked at the first call, then kept."""
    return Gazetteer(resources.files("turnout.places").joinpath("data", DATA_FILE).read_bytes())


def _from(lines: _Lines, start: str, key_of: Callable[[int], str]) -> Iterator[int]:
    """The numbers of the lines whose key begins so; the lines are sorted by their keys."""
    at = bisect_left(range(len(lines)), start, key=key_of)
    while at < len(lines) and key_of(at).startswith(start):
        yield at
        at += 1


def _areas(countries: str, states: str, zones: tuple[str, ...]) -> Areas:
    areas = Areas()
    for line in countries.split("\n"):
        code, name, zone, has_one, *keys = line.split("\t")
        areas.add_country(Area(code, name, zones[int(zone)], has_one == "1"), keys)
    for line in states.split("\n"):
        country, code, name, zone, has_one, *keys = line.split("\t")
        areas.add_state(country, Area(code, name, zones[int(zone)], has_one == "1"), keys)
    return areas


def _best_spelt(cities: list[City], name: str) -> City | None:
    """The biggest city, or the biggest of those spelt just so unless that is small beside it."""
    biggest = max(cities, key=lambda city: city.population, default=None)
    spelt = [city for city in cities if same_but_case(city.name, name)]
    if biggest is None or not spelt:
        return biggest
    best = max(spelt, key=lambda city: city.population)
    # Who types accents means them; who types none may only have left them out (Belém, Brazil).
    is_meant = not name.isascii() or biggest.population <= SPELLING_COUNTS * best.population
    return best if is_meant else biggest


def _is_meant(famous: City, namesake: City, name: str) -> bool:
    """Whether a city is meant by another name of it although one has that name for its own."""
    is_short_for_it = famous.name.startswith(f"{name} ")  # Halle, for Halle (Saale)
    advantage = SHORT_NAME_COUNTS if is_short_for_it else OWN_NAME_COUNTS
    return famous.population > advantage * namesake.population
