"""What search engines read about an event: schema.org's Event as JSON-LD. Knows no request."""

from typing import Any

from turnout.discovery.queries import EventView
from turnout.discovery.schemas import cover_out
from turnout.events import markdown, times
from turnout.events.models import Status

DESCRIPTION_CHARACTERS = 1_000
_SCHEMA = "https://schema.org"


def json_ld(view: EventView, base_url: str, path: str) -> dict[str, Any]:
    """The document; the template that writes it into a page escapes what could end it there."""
    row = view.row
    status = "EventCancelled" if row.status == Status.CANCELLED else "EventScheduled"
    document: dict[str, Any] = {
        "@context": _SCHEMA,
        "@type": "Event",
        "@id": base_url + path,
        "url": base_url + path,
        "name": row.name,
        "startDate": times.shown(row.start_at, row.timezone).isoformat(),
        "endDate": times.shown(row.end_at, row.timezone).isoformat(),
        "eventStatus": f"{_SCHEMA}/{status}",
        "eventAttendanceMode": f"{_SCHEMA}/{_mode(row)}",
        "location": _locations(row),
        "organizer": {"@type": "Organization", "name": row.organizer_name},
    }
    description = markdown.to_text(row.description, DESCRIPTION_CHARACTERS)
    if description:
        document["description"] = description
    cover = cover_out(row.id, row.cover)
    if cover is not None:
        document["image"] = [base_url + cover.url]
    if row.capacity is not None:
        document["maximumAttendeeCapacity"] = row.capacity
        document["remainingAttendeeCapacity"] = max(0, row.capacity - row.taken)
    return document


def _mode(row: Any) -> str:
    """An event with an address on the net has a place as well: its location is never empty."""
    return "MixedEventAttendanceMode" if row.online_url else "OfflineEventAttendanceMode"


def _locations(row: Any) -> list[dict[str, Any]]:
    address = {
        "streetAddress": row.place_address,
        "addressLocality": row.place_city,
        "addressCountry": row.place_country,
    }
    known = {name: value for name, value in address.items() if value}
    place: dict[str, Any] = {
        "@type": "Place",
        "name": row.place_name or row.location,
        "address": {"@type": "PostalAddress", **known} if known else row.location,
    }
    if row.place_latitude is not None:
        place["geo"] = {
            "@type": "GeoCoordinates",
            "latitude": row.place_latitude,
            "longitude": row.place_longitude,
        }
    online = {"@type": "VirtualLocation", "url": row.online_url}
    return [place, online] if row.online_url else [place]
