"""What an event's row is found by, derived from the rest of the row. Pure; knows no database."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from turnout.events import lexemes

SOURCES = (
    "name", "description", "location", "tags", "organizer_id", "online_url",
    "place_name", "place_address", "place_city", "place_country", "place_country_code",
    "place_latitude", "place_longitude", "start_at", "end_at",
)  # fmt: skip
"""The columns that the derived ones come from: a change of one of them changes those as well."""

SHORT = timedelta(days=3)
"""Most events last no longer. Whoever looks for what has not ended needs to go back only so far,
beside the few that last longer."""


def columns_of(event: Any) -> dict[str, Any]:
    """The derived columns by name: `title_words`, `words`, `facets`, `is_long`, `place_x` to `_z`.

    `event` has the columns of SOURCES as attributes.
    """
    title = lexemes.words(event.name)
    places = (event.place_name, event.place_address, event.place_city, event.place_country)
    texts = (event.location, *event.tags, *(each or "" for each in places), event.description)
    known = set(title)
    x, y, z = None, None, None
    if event.place_latitude is not None:
        x, y, z = lexemes.unit_vector(event.place_latitude, event.place_longitude)
    return {
        "title_words": lexemes.joined(title),
        "words": lexemes.joined(word for word in lexemes.words(*texts) if word not in known),
        "facets": lexemes.joined(_facets(event)),
        "is_long": _is_long(event),
        "place_x": x,
        "place_y": y,
        "place_z": z,
    }


def _is_long(event: Any) -> bool:
    lasting: timedelta = event.end_at - event.start_at
    return lasting > SHORT


def _facets(event: Any) -> list[str]:
    tags: Sequence[str] = event.tags
    organizer: UUID = event.organizer_id
    found = [lexemes.organizer(organizer), *(lexemes.tag(each) for each in tags)]
    if event.place_city:
        found.append(lexemes.city(event.place_city))
    country = event.place_country_code or event.place_country
    if country:
        found.append(lexemes.country(country))
    if _is_long(event):
        found.append(lexemes.LONG)
    if event.online_url:
        found.append(lexemes.ONLINE)
    if event.place_latitude is not None:
        found += lexemes.cells_of(event.place_latitude, event.place_longitude)
    return list(dict.fromkeys(found))
