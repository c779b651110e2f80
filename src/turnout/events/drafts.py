"""An event as someone wants it, checked and with its times understood. Knows no database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from turnout.errors import FieldError, Invalid
from turnout.events.models import PlaceSource, Status, Visibility
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
    place_source: PlaceSource = PlaceSource.ORGANIZER
    """Who said so, where a place is said."""
    online_url: str | None = None
    tags: tuple[str, ...] = ()
    status: Status = Status.PUBLISHED
    visibility: Visibility = Visibility.PUBLIC
    slots: tuple[SlotDraft, ...] = field(default=())
    import_key: str | None = None
    series_id: UUID | None = None
    series_local: datetime | None = None
    """The wall clock that the rule of its series gave it."""


class Span(Protocol):
    """Whatever lasts from one moment to another."""

    @property
    def start(self) -> Moment:
        """Its beginning."""
        ...

    @property
    def end(self) -> Moment:
        """Its end."""
        ...


def check(draft: EventDraft) -> None:
    """Raises Invalid with every field that contradicts another."""
    check_times(draft, draft.slots)


def check_times(event: Span, slots: Sequence[Span]) -> None:
    """Raises Invalid unless all begin before they end, and the slots lie inside the event."""
    wrong = [*_order("", event)]
    if event.end.instant - event.start.instant > LONGEST_EVENT:
        message = f"An event lasts {LONGEST_EVENT.days} days at most."
        wrong.append(FieldError("end_time", "event-too-long", message))
    for n, slot in enumerate(slots):
        wrong += _order(f"slots.{n}.", slot)
        wrong += _inside(f"slots.{n}.", slot, event)
    if wrong:
        raise Invalid(wrong[0].message, fields=tuple(wrong))


def check_slot(slot: Span, event: Span) -> None:
    """The same for one slot, whose fields are named as they are."""
    wrong = [*_order("", slot), *_inside("", slot, event)]
    if wrong:
        raise Invalid(wrong[0].message, fields=tuple(wrong))


def _order(prefix: str, span: Span) -> list[FieldError]:
    if span.start.instant < span.end.instant:
        return []
    message = "The end must be after the start."
    return [FieldError(f"{prefix}end_time", "ends-before-start", message)]


def _inside(prefix: str, slot: Span, event: Span) -> list[FieldError]:
    message = "A slot lies inside its event."
    return [
        FieldError(f"{prefix}{name}", "outside-event", message)
        for name, moment in (("start_time", slot.start), ("end_time", slot.end))
        if not event.start.instant <= moment.instant <= event.end.instant
    ]
