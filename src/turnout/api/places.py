"""The call that finds places, for those who organize."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Scope
from turnout.api import describe, direct, queries, responses
from turnout.api.queries import Query
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotAllowed, NotSignedIn
from turnout.events import policy
from turnout.fields import Line
from turnout.limiter import MINUTE_SECONDS, Limit
from turnout.places.candidates import MOST_CANDIDATES, Candidate, Latitude, Longitude

router = direct.router("Events")

# An account: as fast as people type, and few enough that one cannot use up a geocoder's quota.
SEARCHES = Limit("place-search", 120, MINUTE_SECONDS)


class PlacesQuery(Query):
    """What is searched for."""

    q: Annotated[
        str,
        Line(300),
        Field(description="A city, a venue, an address, or its beginning.", examples=["Bengaluru"]),
    ]
    limit: int = Field(MOST_CANDIDATES, ge=1, le=MOST_CANDIDATES, description="Candidates at most.")


@dataclass(frozen=True, slots=True)
class PlaceCandidate:
    """A place that may be meant. Its position and zone fit into an event as they are."""

    name: str | None
    address: str | None
    city: str | None
    country: str | None
    country_code: Annotated[str | None, Field(description="ISO 3166-1 alpha-2.", examples=["IN"])]
    latitude: Latitude
    longitude: Longitude
    timezone: Annotated[
        str | None,
        Field(description="IANA zone of the place, where it is known.", examples=["Asia/Kolkata"]),
    ]
    source: Annotated[str, Field(description="Who says so.", examples=["gazetteer"])]


@dataclass(frozen=True, slots=True)
class PlacePage:
    """Candidates, the likeliest first; there is no further page."""

    items: list[PlaceCandidate]
    next_cursor: None = None


@router.get(
    "/places/search",
    summary="Find a place",
    response_model=PlacePage,
    **describe.read(NotSignedIn, NotAllowed, query=PlacesQuery),
)
async def search_places(request: Request) -> Response:
    """Places by text, with coordinates and time zone, the likeliest first.

    Asked is the geocoder of the settings; where it fails or finds nothing, the cities of the
    built-in gazetteer are searched.
    """
    runtime = runtime_of(request)
    actor = await actor_of(request, Scope.EVENTS_WRITE, limit=SEARCHES)
    policy.require_creator(actor)
    query = queries.read(request, PlacesQuery)
    found = await runtime.geocoder.search(query.q, query.limit, clock.now())
    return responses.read(request, PlacePage([_out(each) for each in found]))


def _out(found: Candidate) -> PlaceCandidate:
    return PlaceCandidate(
        found.name,
        found.address,
        found.city,
        found.country,
        found.country_code,
        found.latitude,
        found.longitude,
        found.timezone,
        found.source,
    )
