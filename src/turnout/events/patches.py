"""What a request may change of an event, and what the event is then. Knows no database."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from turnout import ids
from turnout.events import drafts, moves, times
from turnout.events.drafts import MOST_SLOTS, PlaceDraft, SlotDraft
from turnout.events.models import PlaceSource, Visibility
from turnout.events.moves import Warned
from turnout.events.schemas import MOST_SEATS, MOST_TAGS, PlaceIn, SlotIn, TimeText, WebAddress
from turnout.events.times import Moment
from turnout.events.whole import Whole, WholeSlot
from turnout.fields import Line, Paragraphs, Patch, WholeNumber, YesOrNo, ZoneText


class EventPatch(Patch):
    """A change of an event: what is left out stays as it is.

    A new `start_time` alone takes `end_time` and all slots along, by the same distance on the
    clock. A new `timezone` alone keeps every instant and tells it in the new zone.
    """

    never_null = (
        "name", "location", "start_time", "end_time", "timezone", "description", "tags", "slots",
        "waitlist_enabled", "visibility",
    )  # fmt: skip

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
    after, warnings = moved.event, moved.warnings
    start = _read(patch.start_time, zone, "start_time") or after.start
    distance = start.local.replace(fold=0) - after.start.local.replace(fold=0)
    if distance:
        shifted = moves.shifted(after, distance)
        after, warnings = shifted.event, (*warnings, *_by_rule(shifted.warnings, patch))
    end = _read(patch.end_time, zone, "end_time") or after.end
    slots = after.slots if patch.slots is None else _slots(patch.slots, zone, after.slots)
    after = replace(after, start=start, end=end, slots=slots, **_plain(patch))
    after = _placed(event, after, patch)
    drafts.check_times(after, after.slots)
    return Patched(replace(after, slots=_in_order(after.slots)), warnings)


def _by_rule(warnings: Sequence[Warned], patch: EventPatch) -> list[Warned]:
    """Those about times that were found by rule: what was sent is as it was sent."""
    sent = [name for name in ("start_time", "end_time", "slots") if patch.says(name)]
    return [each for each in warnings if each.field.partition(".")[0] not in sent]


def _plain(patch: EventPatch) -> dict[str, Any]:
    names = ("name", "location", "description", "online_url", "visibility")
    said: dict[str, Any] = {name: getattr(patch, name) for name in names if patch.says(name)}
    if patch.tags is not None:
        said["tags"] = tuple(dict.fromkeys(patch.tags))
    return said


def _read(text: str | None, zone: str, field: str) -> Moment | None:
    return None if text is None else times.read_time(text, zone, field=field)


def _slots(
    wanted: Sequence[SlotIn], zone: str, present: Sequence[WholeSlot]
) -> tuple[WholeSlot, ...]:
    """The agenda as it was sent; a slot that is there already keeps its id."""
    known: dict[SlotDraft, list[UUID]] = defaultdict(list)
    for slot in present:
        known[_draft_of(slot)].append(slot.id)
    found: list[WholeSlot] = []
    for n, each in enumerate(wanted):
        s = each.draft(n, zone)
        slot_id = known[s].pop(0) if known[s] else ids.new_id()
        found.append(WholeSlot(slot_id, s.title, s.start, s.end, s.room, s.speaker, s.description))
    return tuple(found)


def _draft_of(s: WholeSlot) -> SlotDraft:
    return SlotDraft(s.title, s.start, s.end, s.room, s.speaker, s.description)


def _in_order(slots: Sequence[WholeSlot]) -> tuple[WholeSlot, ...]:
    """The slots in the order in which they are read, so that another order is no change."""
    return tuple(sorted(slots, key=lambda slot: (slot.start.instant, slot.id)))


def _placed(before: Whole, after: Whole, patch: EventPatch) -> Whole:
    """The place that was sent; a found one goes with the location that it was found from."""
    place = PlaceDraft() if patch.place is None else patch.place.draft()
    if place != PlaceDraft():
        return replace(
            after,
            place=place,
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
