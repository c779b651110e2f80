"""Which time zone a position has, by the nearest city that is known. Knows no borders."""

import sys
from array import array
from bisect import bisect_left, bisect_right
from math import cos, hypot, radians

from turnout.places.gazetteer import Gazetteer

FARTHEST_KM = 200
"""From here on the nearest city says nothing about the zone."""
KM_PER_DEGREE = 111.195


class ZonesByPosition:
    """The zones of a gazetteer's cities, found by latitude and longitude (WGS 84 degrees).

    Made once, in some 150 ms: make it in a thread.
    """

    __slots__ = ("_codes", "_gazetteer", "_latitudes", "_longitudes", "_zones")

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        # Arrays and shared texts, and not an object for each city: a tenth of the memory.
        latitudes, longitudes, codes, zones = array("f"), array("f"), list[str](), list[str]()
        for city in gazetteer:
            latitudes.append(city.latitude)
            longitudes.append(city.longitude)
            codes.append(sys.intern(city.country_code))
            zones.append(city.timezone)
        order = sorted(range(len(latitudes)), key=latitudes.__getitem__)
        self._latitudes = array("f", (latitudes[number] for number in order))
        self._longitudes = array("f", (longitudes[number] for number in order))
        self._codes = [codes[number] for number in order]
        self._zones = [zones[number] for number in order]

    def at(self, latitude: float, longitude: float, country_code: str | None) -> str | None:
        """The zone of the nearest city of the same country, or of a country that has but one.

        None where the country is not known, or no city of it is near.
        """
        country = self._gazetteer.country(country_code) if country_code else None
        if country is None:
            return None
        if country.has_one_zone:
            return country.timezone
        reach = FARTHEST_KM / KM_PER_DEGREE
        start = bisect_left(self._latitudes, latitude - reach)
        end = bisect_right(self._latitudes, latitude + reach)
        near = [
            (self._distance_km(number, latitude, longitude), number)
            for number in range(start, end)
            if self._codes[number] == country.code
        ]
        distance, number = min(near, default=(FARTHEST_KM + 1.0, 0))
        return self._zones[number] if distance <= FARTHEST_KM else None

    def _distance_km(self, number: int, latitude: float, longitude: float) -> float:
        """As on a plane: near enough over such distances."""
        east = abs(self._longitudes[number] - longitude)
        east = min(east, 360 - east) * cos(radians(latitude))
        return hypot(east, self._latitudes[number] - latitude) * KM_PER_DEGREE
