"""The search of Photon, over OpenStreetMap, in GeoJSON (RFC 7946). Knows nothing of who asks."""

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from turnout.outside import Outside
from turnout.places import geocoding
from turnout.places.candidates import MOST_CANDIDATES, Candidate, Latitude, Longitude
from turnout.places.geocoding import Text

URL = "https://photon.komoot.io"

# Whole countries and states: their middle is nowhere that anybody would go to.
_COARSE = frozenset(("country", "state", "county"))


class _Point(BaseModel):
    type: Literal["Point"]
    # Longitude first, as GeoJSON has it.
    coordinates: tuple[
        Annotated[Longitude, Field(strict=True)], Annotated[Latitude, Field(strict=True)]
    ]


class _Properties(BaseModel):
    name: Text | None = None
    type: Text | None = None
    housenumber: Text | None = None
    street: Text | None = None
    postcode: Text | None = None
    city: Text | None = None
    state: Text | None = None
    country: Text | None = None
    countrycode: Text | None = None


class _Feature(BaseModel):
    type: Literal["Feature"]
    geometry: _Point
    properties: _Properties


class _Answer(BaseModel):
    type: Literal["FeatureCollection"]
    features: list[_Feature]


class PhotonGeocoder:
    """Asks a Photon server."""

    name = "photon"
    kept_for = timedelta(days=90)

    def __init__(self, outside: Outside, *, url: str, contact: str) -> None:
        self._outside = outside
        self._address = (url or URL).rstrip("/") + "/api"
        self._headers = {"User-Agent": f"Turnout ({contact})"}

    async def find(self, query: str) -> list[Candidate]:
        """See Geocoder."""
        asked = urlencode({"q": query, "limit": MOST_CANDIDATES, "lang": "en"})
        reply = await self._outside.get_json(f"{self._address}?{asked}", self._headers)
        features = geocoding.read(_Answer, reply, self.name).features
        return geocoding.few(map(_candidate, features))


def _candidate(feature: _Feature) -> Candidate:
    found = feature.properties
    longitude, latitude = feature.geometry.coordinates
    return geocoding.candidate(
        "photon",
        (latitude, longitude),
        name=found.name,
        address=_address(found),
        city=found.city or (found.name if found.type == "city" else None),
        country=(found.country, found.countrycode),
        is_sure=found.type not in _COARSE,
    )


def _address(found: _Properties) -> str:
    """The parts as one line; Photon itself writes none."""
    street = _joined(" ", found.street, found.housenumber)
    city = found.city or (found.name if found.type == "city" else None)
    return _joined(", ", street, _joined(" ", found.postcode, city), found.state, found.country)


def _joined(between: str, *parts: str | None) -> str:
    return between.join(part for part in parts if part)
