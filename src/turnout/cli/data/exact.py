"""Events in full, as an export writes them, from rows to drafts; it must not know files.

A row with a `startTime` is one. It is held against the same rules as the body of `POST /events`,
so that nothing can be imported that could not have been made.
"""

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pydantic import ValidationError

from turnout.cli.data import cells, mirror
from turnout.cli.data.records import Refused, Taken, name_in
from turnout.edge import field_errors
from turnout.errors import FieldError, Invalid
from turnout.events import drafts
from turnout.events.conference_findings import Remark
from turnout.events.drafts import EventDraft
from turnout.events.models import Status
from turnout.events.schemas import EventIn
from turnout.registrations.service import AdmissionDraft

MARK = "startTime"
"""The field by which an event in full is told from a conference, of which only days are known."""

ADMISSION_FIELDS = ("maxCapacity", "waitlistEnabled")
FIELDS = (
    *("name", "topics", "city", "country", "timezone", "startTime", "endTime", "location"),
    *("description", "onlineUrl", "placeName", "placeAddress", "countryCode", "latitude"),
    *("longitude", *ADMISSION_FIELDS, "registrationOpensAt", "registrationClosesAt"),
    *("status", "visibility", "slots", "importKey"),
)

_BODY = {
    "name": "name",
    "topics": "tags",
    "timezone": "timezone",
    "startTime": "start_time",
    "endTime": "end_time",
    "location": "location",
    "description": "description",
    "onlineUrl": "online_url",
    "maxCapacity": "max_capacity",
    "waitlistEnabled": "waitlist_enabled",
    "registrationOpensAt": "registration_opens_at",
    "registrationClosesAt": "registration_closes_at",
    "visibility": "visibility",
    "slots": "slots",
}
_PLACE = {
    "placeName": "name",
    "placeAddress": "address",
    "city": "city",
    "country": "country",
    "latitude": "latitude",
    "longitude": "longitude",
}
SLOT = {
    "title": "title",
    "startTime": "start_time",
    "endTime": "end_time",
    "room": "room",
    "speaker": "speaker",
    "description": "description",
}
_NAMES = {snake: camel for fields in (SLOT, _BODY) for camel, snake in fields.items()}
_PLACE_NAMES = {snake: camel for camel, snake in _PLACE.items()}
_LONGEST_KEY = 64


def is_exact(raw: Mapping[str, object]) -> bool:
    """Whether the row is an event in full."""
    return raw.get(MARK) not in (None, "")


def read(row: int, raw: Mapping[str, object], default_zone: str) -> Taken | Refused:
    """The event in the row with that number; `default_zone` is for a row that names none."""
    given = {field: value for field, value in raw.items() if value not in (None, "", [])}
    try:
        taken = _taken(row, given, default_zone)
        drafts.check(taken.event)
    except ValidationError as error:
        return _refused(row, given, field_errors.of(error.errors()))
    except Invalid as error:
        return _refused(row, given, error.fields)
    event = taken.event
    implied = mirror.of(
        event.start.local, event.end.local, event.location, event.online_url, event.description
    )
    found = mirror.contradictions(given, implied)
    return Refused(row, taken.name, tuple(found)) if found else taken


def refusal_of(taken: Taken, error: Invalid) -> Refused:
    """The refusal of a row that contradicts itself in a way which only writing brings to light."""
    return _refused(taken.row, {"name": taken.name}, error.fields)


def _taken(row: int, given: Mapping[str, object], default_zone: str) -> Taken:
    status = _status(given)
    body = EventIn.model_validate(_body(given) | {"draft": status is Status.DRAFT})
    zone = body.zone(default_zone)
    event = body.event_draft(zone)
    country_code = _text(given, "countryCode", longest=2)
    event = replace(
        event,
        status=status,
        place=replace(event.place, country_code=country_code),
        import_key=_text(given, "importKey", longest=_LONGEST_KEY) or _own_key(event),
    )
    opens, closes = body.window(zone)
    admission = AdmissionDraft(body.max_capacity, body.waitlist_enabled, opens, closes)
    return Taken(row, event, admission, tuple(_remarks(given, default_zone)))


def _body(given: Mapping[str, object]) -> dict[str, object]:
    """The row as a body of `POST /events`; cells of CSV become the values that JSON has."""
    read = {field: cells.value(field, value) for field, value in given.items()}
    body = {snake: read[camel] for camel, snake in _BODY.items() if camel in read}
    place = {snake: read[camel] for camel, snake in _PLACE.items() if camel in read}
    city_and_country = [str(given[each]) for each in ("city", "country") if each in given]
    slots = body.get("slots")
    if isinstance(slots, list):
        body["slots"] = [_slot(each) for each in slots]
    return {
        "max_capacity": None,
        **({"location": ", ".join(city_and_country)} if city_and_country else {}),
        **body,
        **({"place": place} if place else {}),
    }


def _slot(given: object) -> object:
    if not isinstance(given, Mapping):
        return given
    return {SLOT.get(str(field), str(field)): value for field, value in given.items()}


def _status(given: Mapping[str, object]) -> Status:
    status = given.get("status", Status.PUBLISHED.value)
    if status in set(Status):
        return Status(str(status))
    raise _wrong("status", "not-allowed-value", f"Must be one of {', '.join(Status)}.")


def _text(given: Mapping[str, object], field: str, *, longest: int) -> str | None:
    text = given.get(field)
    if text is None or (isinstance(text, str) and len(text) <= longest and text.isprintable()):
        return text
    raise _wrong(field, "too-long", f"Must be a text of at most {longest} characters.")


def _wrong(field: str, code: str, message: str) -> Invalid:
    return Invalid(message, fields=(FieldError(field, code, message),))


def _own_key(event: EventDraft) -> str:
    """SHA-256 over what makes an event this one, for a row that brings no key."""
    words = (event.name, event.start.instant.isoformat(), event.location)
    plain = (unicodedata.normalize("NFKC", word).casefold() for word in words)
    return hashlib.sha256("\x1e".join(plain).encode()).hexdigest()


def _remarks(given: Mapping[str, object], default_zone: str) -> Iterator[Remark]:
    if "timezone" not in given:
        yield Remark("zone-guessed", "timezone", f"No zone is named: {default_zone} was taken.")
    for field in given.keys() - {*FIELDS, *mirror.FIELDS}:
        shown = "".join(filter(str.isprintable, field))[:_LONGEST_KEY]
        yield Remark("field-ignored", shown, "This field is not known; it was left out.")


def _refused(row: int, given: Mapping[str, object], errors: tuple[FieldError, ...]) -> Refused:
    reasons = (Remark(error.code, _name_of(error.field), error.message) for error in errors)
    return Refused(row, name_in(given), tuple(reasons))


def _name_of(path: str) -> str:
    """The field as the file names it, for the path of the field in the body."""
    first, *rest = path.split(".")
    if first == "place" and rest:
        return _PLACE_NAMES.get(rest[0], path)
    return ".".join(_NAMES.get(part, part) for part in (first, *rest))
