"""The Geocoding API of the Google Maps Platform. Knows nothing of who asks."""

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from turnout.outside import Outside
from turnout.places import geocoding
from turnout.places.candidates import Candidate, Latitude, Longitude
from turnout.places.geocoding import GeocodingFailed, Text

URL = "https://maps.googleapis.com"
_PATH = "/maps/api/geocode/json"

# Whole countries and states: their middle is nowhere that anybody would go to.
_COARSE = frozenset(
    ("country", "continent", "administrative_area_level_1", "administrative_area_level_2")
)
_CITY = ("locality", "postal_town", "administrative_area_level_3", "sublocality_level_1")
_NAME = ("establishment", "point_of_interest", "premise")
_REFUSED = ("REQUEST_DENIED", "INVALID_REQUEST")
_FOUND = ("OK", "ZERO_RESULTS")


class _Location(BaseModel):
    lat: Annotated[Latitude, Field(strict=True)]
    lng: Annotated[Longitude, Field(strict=True)]


class _Geometry(BaseModel):
    location: _Location


class _Component(BaseModel):
    long_name: Text
    short_name: Text
    types: list[Text]


class _Result(BaseModel):
    formatted_address: Text
    address_components: list[_Component]
    geometry: _Geometry
    types: list[Text] = Field(default_factory=list)
    partial_match: bool = False

    def part(self, *kinds: str) -> _Component | None:
        """The part of the address of the first of these kinds that it has."""
        for kind in kinds:
            for component in self.address_components:
                if kind in component.types:
                    return component
        return None


class _Answer(BaseModel):
    status: Literal[
        "OK", "ZERO_RESULTS", "OVER_DAILY_LIMIT", "OVER_QUERY_LIMIT", "REQUEST_DENIED",
        "INVALID_REQUEST", "UNKNOWN_ERROR",
    ]  # fmt: skip
    results: list[_Result] = Field(default_factory=list)


class GoogleGeocoder:
    """Asks Google, which counts and bills each question to the key."""

    name = "google"
    # Longer is not allowed (Google Maps Platform Service Specific Terms, Geocoding API).
    kept_for = timedelta(days=30)

    def __init__(self, outside: Outside, *, url: str, key: str) -> None:
        self._outside = outside
        self._address = (url or URL).rstrip("/") + _PATH
        self._key = key

    async def find(self, query: str) -> list[Candidate]:
        """See Geocoder."""
        asked = urlencode({"address": query, "language": "en", "key": self._key})
        reply = await self._outside.get_json(f"{self._address}?{asked}")
        answer = geocoding.read(_Answer, reply, self.name)
        if answer.status not in _FOUND:
            # `error_message` is left out: it may say whose key it was.
            is_refused = answer.status in _REFUSED
            raise GeocodingFailed(f"google: {answer.status}", is_permanent=is_refused)
        return geocoding.few(map(_candidate, answer.results))


def _candidate(result: _Result) -> Candidate:
    name, city, country = result.part(*_NAME), result.part(*_CITY), result.part("country")
    where = result.geometry.location
    return geocoding.candidate(
        "google",
        (where.lat, where.lng),
        name=name.long_name if name else None,
        address=result.formatted_address,
        city=city.long_name if city else None,
        country=(country.long_name, country.short_name) if country else (None, None),
        is_sure=not result.partial_match and _COARSE.isdisjoint(result.types),
    )
