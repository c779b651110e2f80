"""The search of Nominatim, over OpenStreetMap. Knows nothing of who asks."""

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, Field, RootModel

from turnout.outside import Outside
from turnout.places import geocoding
from turnout.places.candidates import MOST_CANDIDATES, Candidate, Latitude, Longitude
from turnout.places.geocoding import Text

URL = "https://nominatim.openstreetmap.org"
MOST_PER_MINUTE = 60
"""What the usage policy of that public server allows: one question a second."""

# Whole countries and states: their middle is nowhere that anybody would go to.
_COARSE = frozenset(
    ("continent", "country", "state", "province", "region", "state_district", "county")
)


def _decimal(given: object) -> object:
    """Positions are written as texts, `"12.9667"`; anything else is left to be refused."""
    if isinstance(given, str):
        return float(given) if re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,20})?", given) else None
    return None if isinstance(given, bool) else given


_DECIMAL = BeforeValidator(_decimal)


class _Address(BaseModel):
    city: Text | None = None
    town: Text | None = None
    village: Text | None = None
    municipality: Text | None = None
    hamlet: Text | None = None
    country: Text | None = None
    country_code: Text | None = None


class _Place(BaseModel):
    lat: Annotated[Latitude, _DECIMAL]
    lon: Annotated[Longitude, _DECIMAL]
    display_name: Text
    name: Text | None = None
    addresstype: Text | None = None
    address: _Address = Field(default_factory=_Address)


class _Answer(RootModel[list[_Place]]):
    pass


class NominatimGeocoder:
    """Asks a Nominatim server, and says who asks, as the policy of the public one wants it."""

    name = "nominatim"
    kept_for = timedelta(days=90)

    def __init__(self, outside: Outside, *, url: str, contact: str) -> None:
        self._outside = outside
        self._address = (url or URL).rstrip("/") + "/search"
        self._headers = {"User-Agent": f"Turnout ({contact})"}

    async def find(self, query: str) -> list[Candidate]:
        """See Geocoder."""
        asked = urlencode(
            {
                "q": query,
                "format": "jsonv2",
                "addressdetails": 1,
                "limit": MOST_CANDIDATES,
                "accept-language": "en",
            }
        )
        reply = await self._outside.get_json(f"{self._address}?{asked}", self._headers)
        places = geocoding.read(_Answer, reply, self.name).root
        return geocoding.few(map(_candidate, places))


def _candidate(place: _Place) -> Candidate:
    parts = place.address
    return geocoding.candidate(
        "nominatim",
        (place.lat, place.lon),
        name=place.name,
        address=place.display_name,
        city=geocoding.first(
            (parts.city, parts.town, parts.village, parts.municipality, parts.hamlet)
        ),
        country=(parts.country, parts.country_code),
        is_sure=place.addresstype not in _COARSE,
    )
