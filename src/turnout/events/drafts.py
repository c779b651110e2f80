"""An event as someone wants it, checked and with its times understood. Knows no database."""

from dataclasses import dataclass, field
from datetime import timedelta

from turnout.errors import FieldError, Invalid
from turnout.events.models import Status, Visibility
from turnout.events.times import Moment

LONGEST_EVENT = timedelta(days=400)
MOST_SLOTS = 500


@dataclass(frozen=True, slots=True)
class PlaceDraft:
    """Where an event is, as far as it is known. Coordinates are WGS 84 degrees."""

    name: str | None = None
    address: str | None = None
    city: str | None = None
    country: str | None = None
    country_code: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class SlotDraft:
    """A part of an event."""

    title: str
    start: Moment
    end: Moment
    room: str | None = None
    speaker: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class EventDraft:
    """A whole event, not yet written."""

    name: str
    location: str
    timezone: str
    start: Moment
    end: Moment
    description: str = ""
    place: PlaceDraft = PlaceDraft()
    online_url: str | None = None
    tags: tuple[str, ...] = ()
    status: Status = Status.PUBLISHED
    visibility: Visibility = Visibility.PUBLIC
    slots: tuple[SlotDraft, ...] = field(default=())
    import_key: str | None = None


def check(draft: EventDraft) -> None:
    """Raises Invalid with every field that contradicts another."""
    wrong = [*_order("", draft.start, draft.end)]
    if draft.end.instant - draft.start.instant > LONGEST_EVENT:
        message = f"An event lasts {LONGEST_EVENT.days} days at most."
        wrong.append(FieldError("end_time", "event-too-long", message))
    for n, slot in enumerate(draft.slots):
        wrong += _order(f"slots.{n}.", slot.start, slot.end)
        wrong += _inside(n, slot, draft)
    if wrong:
        raise Invalid(wrong[0].message, fields=tuple(wrong))


def _order(prefix: str, start: Moment, end: Moment) -> list[FieldError]:
    if start.instant < end.instant:
        return []
    message = "The end must be after the start."
    return [FieldError(f"{prefix}end_time", "ends-before-start", message)]


def _inside(n: int, slot: SlotDraft, event: EventDraft) -> list[FieldError]:
    message = "A slot lies inside its event."
    return [
        FieldError(f"slots.{n}.{name}", "outside-event", message)
        for name, moment in (("start_time", slot.start), ("end_time", slot.end))
        if not event.start.instant <= moment.instant <= event.end.instant
    ]
