"""Reads what somebody looks for out of a query string. Knows no database."""

import math
import re
from datetime import date, datetime, timedelta
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from turnout.accounts.actor import Actor
from turnout.api.queries import PageQuery, ZoneQuery
from turnout.discovery.wanted import Circle, Own, Sort, Wanted
from turnout.errors import FieldError, Invalid, NotSignedIn
from turnout.events import lexemes, policy, times
from turnout.events.models import Status
from turnout.places import gazetteer

MOST_WORDS = 12
"""Words of a search that count; more would not find more."""
FARTHEST_KM = 20_038.0
"""Half of the Earth's circumference."""
DEFAULT_RADIUS_KM = 50.0
_POSITION_PATTERN = r"^-?[0-9]{1,2}(\.[0-9]{1,15})?,-?[0-9]{1,3}(\.[0-9]{1,15})?$"
_POSITION = re.compile(_POSITION_PATTERN)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OF_PAGES = frozenset(("limit", "cursor", "tz"))
MOST_SEATS = 1_000_000

V = TypeVar("V")


def _is_position(text: str) -> str:
    if _POSITION.fullmatch(text):
        latitude, _, longitude = text.partition(",")
        if abs(float(latitude)) <= 90 and abs(float(longitude)) <= 180:
            return text
    sentence = "Send latitude (-90 to 90) and longitude (-180 to 180), such as 19.07,72.88."
    raise PydanticCustomError("invalid-position", sentence)


def _is_finite(value: float) -> float:
    if math.isfinite(value):
        return value
    raise PydanticCustomError("invalid", "Must be a finite number.")


def _beside(needed: str, value: V, info: ValidationInfo) -> V:
    # A parameter that was refused itself is not among the data.
    if info.data.get(needed, ...) is None:
        raise PydanticCustomError("incomplete", "Send {needed} as well.", {"needed": needed})
    return value


NearText = Annotated[
    str,
    Field(
        max_length=40,
        examples=["19.07,72.88"],
        json_schema_extra={"pattern": _POSITION_PATTERN},
    ),
    AfterValidator(_is_position),
]
When = Annotated[str, Field(max_length=40, examples=["2030-12-01"])]


class FilterQuery(ZoneQuery):
    """What somebody looks for among the events; all that is said has to hold."""

    q: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="Words, or beginnings of words, of name, description, place and tags."
    )
    from_: When | None = Field(
        None, alias="from", description="Ends after it: a date of the display zone, or a time."
    )
    to: When | None = Field(
        None, description="Begins by the end of that date, or before that time."
    )
    city: Annotated[str, Field(max_length=120)] | None = None
    country: Annotated[str, Field(max_length=120, examples=["IN"])] | None = Field(
        None, description="Its name, or its ISO 3166-1 code."
    )
    near: NearText | None = Field(None, description="Latitude and longitude, in degrees (WGS 84).")
    radius_km: Annotated[float, Field(gt=0, le=FARTHEST_KM), AfterValidator(_is_finite)] | None = (
        Field(None, description=f"Around `near`; {DEFAULT_RADIUS_KM:.0f} without it.")
    )
    available: bool = Field(default=False, description="Only events with a free seat.")
    min_seats: Annotated[int, Field(ge=1, le=MOST_SEATS)] | None = Field(
        None, description="Only events with that many free seats."
    )
    tag: Annotated[str, Field(max_length=50)] | None = None
    organizer: UUID | None = Field(None, description="The id of who it belongs to.")
    online: bool | None = Field(None, description="Whether it can be attended from anywhere.")
    include_past: bool = Field(
        default=False, description="Also what is over; a `from` in the past says so too."
    )
    status: Status | None = Field(
        None, description="Drafts and cancelled ones are your own alone, or your team's."
    )
    mine: bool = Field(
        default=False, description="Only events that you own or work on, of every visibility."
    )
    sort: Sort = Sort.START_TIME

    @field_validator("radius_km")
    @classmethod
    def _radius_is_around_something(cls, value: float | None, info: ValidationInfo) -> float | None:
        return _beside("near", value, info)

    @field_validator("sort")
    @classmethod
    def _sort_has_what_it_sorts_by(cls, value: Sort, info: ValidationInfo) -> Sort:
        needed = {Sort.DISTANCE: "near", Sort.RELEVANCE: "q"}.get(value)
        return value if needed is None else _beside(needed, value, info)

    def identity(self) -> tuple[object, ...]:
        """All that decides which events are meant, for a cursor to belong to."""
        zone = self.tz if self.from_ or self.to else None
        return (zone, *(said for name, said in self.__dict__.items() if name not in _OF_PAGES))


class EventsQuery(PageQuery, FilterQuery):
    """What somebody looks for, and which page of it."""


def wanted_of(query: FilterQuery, actor: Actor, zone: str, now: datetime) -> Wanted | None:
    """What is looked for; None where nothing can be found, as `q` has no letter in it.

    Dates are days of `zone`. Raises Invalid for what is no date or time, and NotSignedIn where
    somebody unknown asks for their own events.
    """
    since = None if query.from_ is None else _instant(query.from_, zone, "from")
    until = None if query.to is None else _instant(query.to, zone, "to", days=1)
    own_of = _own_of(query, actor)
    is_empty = since is not None and until is not None and since > until
    if is_empty or (own_of is not None and not (own_of.owned or own_of.helped)):
        return None
    if since is None and own_of is None and not query.include_past:
        since = now
    words = () if query.q is None else tuple(lexemes.words(query.q)[:MOST_WORDS])
    if query.q is not None and query.q.strip() and not words:
        return None
    return Wanted(
        since=since,
        until=until,
        words=words,
        facets=_facets(query),
        circle=_circle(query),
        min_seats=max(query.min_seats or 0, int(query.available)),
        is_online=query.online,
        own_of=own_of,
        status=None if own_of is None else query.status,
        sort=query.sort if words or query.sort is not Sort.RELEVANCE else Sort.START_TIME,
    )


def _own_of(query: FilterQuery, actor: Actor) -> Own | None:
    if not query.mine and query.status in {None, Status.PUBLISHED}:
        return None
    if actor.user_id is None:
        raise NotSignedIn
    return Own(actor.user_id, owned=policy.may_create(actor), helped=policy.may_help(actor))


def _facets(query: FilterQuery) -> tuple[str, ...]:
    found: list[str] = []
    if query.city is not None:
        found.append(lexemes.city(query.city))
    if query.country is not None:
        code = gazetteer.load().country_code(query.country)
        found.append(lexemes.country(code or query.country))
    if query.tag is not None:
        found.append(lexemes.tag(query.tag))
    if query.organizer is not None:
        found.append(lexemes.organizer(query.organizer))
    if query.online:
        found.append(lexemes.ONLINE)
    return tuple(found)


def _circle(query: FilterQuery) -> Circle | None:
    if query.near is None:
        return None
    latitude, _, longitude = query.near.partition(",")
    return Circle(float(latitude), float(longitude), query.radius_km or DEFAULT_RADIUS_KM)


def _instant(text: str, zone: str, field: str, *, days: int = 0) -> datetime:
    """The time that is meant; a date is its beginning in the zone, or that of `days` later."""
    if not _DATE.fullmatch(text):
        return times.read_time(text, zone, field=field).instant
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not times.FIRST_YEAR <= day.year <= times.LAST_YEAR:
        message = f"Send a date of the years {times.FIRST_YEAR} to {times.LAST_YEAR}, or a time."
        raise Invalid(message, fields=(FieldError(field, "invalid-time", message),))
    return times.start_of_day(day + timedelta(days=days), zone)
