"""What an event's row is found by, derived from the rest of the row. Pure; knows no database."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from turnout.events import lexemes
from turnout.events.drafts import LONGEST_EVENT

SOURCES = (
    "name", "description", "location", "tags", "organizer_id", "online_url",
    "place_name", "place_address", "place_city", "place_country", "place_country_code",
    "place_latitude", "place_longitude", "start_at", "end_at",
)  # fmt: skip
"""The columns that the derived ones come from: a change of one of them changes those as well."""
DERIVED = ("title_words", "words", "facets", "lasting", "place_x", "place_y", "place_z")
"""The columns that are derived."""

LENGTHS = (timedelta(days=3), timedelta(days=12), timedelta(days=50), LONGEST_EVENT)
"""The classes of how long events last, by their longest: most are in the first.

Whoever looks for what has not ended needs to go back only by so much in each class."""


def columns_of(event: Any) -> dict[str, Any]:
    """The values of the columns of DERIVED, by their names.

    `event` has the columns of SOURCES as attributes.
    """
    places = (event.place_name, event.place_address, event.place_city, event.place_country)
    texts = (event.location, *event.tags, *(each or "" for each in places), event.description)
    x, y, z = None, None, None
    if event.place_latitude is not None:
        x, y, z = lexemes.unit_vector(event.place_latitude, event.place_longitude)
    return {
        **_words(event.name, texts),
        "facets": lexemes.joined(_facets(event)),
        "lasting": _lasting(event),
        "place_x": x,
        "place_y": y,
        "place_z": z,
    }


@lru_cache(maxsize=8)  # a series is made and changed with the same texts hundreds of times
def _words(name: str, texts: tuple[str, ...]) -> Mapping[str, str]:
    title = lexemes.words(name)
    known = set(title)
    return {
        "title_words": lexemes.joined(title),
        "words": lexemes.joined(word for word in lexemes.words(*texts) if word not in known),
    }


def _lasting(event: Any) -> int:
    """The number of its class in LENGTHS."""
    length: timedelta = event.end_at - event.start_at
    return next((n for n, longest in enumerate(LENGTHS) if length <= longest), len(LENGTHS) - 1)


def _facets(event: Any) -> list[str]:
    tags: Sequence[str] = event.tags
    organizer: UUID = event.organizer_id
    found = [lexemes.organizer(organizer), *(lexemes.tag(each) for each in tags)]
    if event.place_city:
        found.append(lexemes.city(event.place_city))
    country = event.place_country_code or event.place_country
    if country:
        found.append(lexemes.country(country))
    if lasting := _lasting(event):
        found.append(lexemes.lasting(lasting))
    if event.online_url:
        found.append(lexemes.ONLINE)
    if event.place_latitude is not None:
        found += lexemes.cells_of(event.place_latitude, event.place_longitude)
    return list(dict.fromkeys(found))
