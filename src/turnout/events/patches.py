"""What a request may change of an event, and what the event is then. Knows no database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from turnout import ids
from turnout.events import drafts, moves, times
from turnout.events.drafts import MOST_SLOTS, PlaceDraft
from turnout.events.models import PlaceSource, Visibility
from turnout.events.moves import Warned
from turnout.events.schemas import MOST_SEATS, MOST_TAGS, PlaceIn, SlotIn, TimeText, WebAddress
from turnout.events.times import Moment
from turnout.events.whole import Whole, WholeSlot
from turnout.fields import Input, Line, Paragraphs, WholeNumber, YesOrNo, ZoneText

_NEVER_NULL = (
    "name", "location", "start_time", "end_time", "timezone", "description", "tags", "slots",
    "waitlist_enabled", "visibility",
)  # fmt: skip


class EventPatch(Input):
    """A change of an event: what is left out stays as it is.

    A new `start_time` alone takes `end_time` and all slots along, by the same distance on the
    clock. A new `timezone` alone keeps every instant and tells it in the new zone.
    """

    name: Annotated[str, Line(200)] | None = None
    location: Annotated[str, Line(300)] | None = None
    start_time: TimeText | None = None
    end_time: TimeText | None = None
    max_capacity: Annotated[WholeNumber, Field(ge=1, le=MOST_SEATS)] | None = Field(
        None, description="Seats, or null for no limit."
    )
    timezone: ZoneText | None = None
    description: Annotated[str, Paragraphs(20_000, 0)] | None = Field(None, description="Markdown.")
    place: PlaceIn | None = Field(None, description="null looks the place up from the location.")
    online_url: WebAddress | None = None
    tags: Annotated[list[Annotated[str, Line(50)]], Field(max_length=MOST_TAGS)] | None = None
    slots: Annotated[list[SlotIn], Field(max_length=MOST_SLOTS)] | None = Field(
        None, description="The whole agenda, in place of the one there is."
    )
    waitlist_enabled: YesOrNo | None = None
    registration_opens_at: TimeText | None = None
    registration_closes_at: TimeText | None = None
    visibility: Visibility | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, given: Any) -> Any:
        if isinstance(given, dict):
            for name in _NEVER_NULL:
                if name in given and given[name] is None:
                    raise PydanticCustomError(
                        "never-null", "{name} cannot be null; leave it out.", {"name": name}
                    )
        return given

    def says(self, name: str) -> bool:
        """Whether the request has that field, be it null."""
        return name in self.model_fields_set


@dataclass(frozen=True, slots=True)
class Patched:
    """The event as it would be, and what should be known before it is so."""

    event: Whole
    warnings: tuple[Warned, ...] = ()


def patched(event: Whole, patch: EventPatch) -> Patched:
    """The event with the change made, not yet written.

    Raises as `times.read_time` and `drafts.check_times`.
    """
    zone = times.canonical_zone(patch.timezone) if patch.timezone else event.timezone
    moved = moves.to_zone(event, zone, moves.Keep.INSTANT)
    after, warnings = moved.event, list(moved.warnings)
    start = _read(patch.start_time, zone, "start_time") or after.start
    distance = start.local.replace(fold=0) - after.start.local.replace(fold=0)
    if patch.start_time is not None and distance:
        shifted = moves.shifted(after, distance)
        after, warnings = shifted.event, [*warnings, *shifted.warnings]
    end = _read(patch.end_time, zone, "end_time") or after.end
    slots = after.slots if patch.slots is None else _slots(patch.slots, zone)
    after = replace(after, start=start, end=end, slots=slots, **_plain(patch))
    after = _placed(event, after, patch)
    drafts.check_times(after, after.slots)
    return Patched(after, tuple(warnings))


def _plain(patch: EventPatch) -> dict[str, Any]:
    names = ("name", "location", "description", "online_url", "visibility")
    said: dict[str, Any] = {name: getattr(patch, name) for name in names if patch.says(name)}
    if patch.tags is not None:
        said["tags"] = tuple(dict.fromkeys(patch.tags))
    return said


def _read(text: str | None, zone: str, field: str) -> Moment | None:
    return None if text is None else times.read_time(text, zone, field=field)


def _slots(wanted: Sequence[SlotIn], zone: str) -> tuple[WholeSlot, ...]:
    slots = [slot.draft(n, zone) for n, slot in enumerate(wanted)]
    return tuple(
        WholeSlot(ids.new_id(), s.title, s.start, s.end, s.room, s.speaker, s.description)
        for s in slots
    )


def _placed(before: Whole, after: Whole, patch: EventPatch) -> Whole:
    """The place that was sent; a found one goes with the location that it was found from."""
    if patch.says("place") and patch.place is not None:
        return replace(
            after,
            place=patch.place.draft(),
            place_source=PlaceSource.ORGANIZER,
            place_lookup_at=None,
            suggested_timezone=None,
        )
    is_lost = before.location != after.location and before.place_source != PlaceSource.ORGANIZER
    if is_lost or patch.says("place"):
        return replace(
            after,
            place=PlaceDraft(),
            place_source=None,
            place_lookups=0,
            suggested_timezone=None,
        )
    return after
