"""What a request may say of one slot, and what the slot is then. Knows no database."""

from dataclasses import replace
from typing import Annotated, Any

from turnout import ids
from turnout.events import moves, times
from turnout.events.moves import Keep, Warned
from turnout.events.schemas import SlotIn, TimeText
from turnout.events.times import Derived, Moment, Note
from turnout.events.whole import WholeSlot
from turnout.fields import Line, Paragraphs, Patch


class SlotPatch(Patch):
    """A change of a slot: what is left out stays as it is.

    A new `start_time` alone moves the slot: it keeps its length on the clock.
    """

    never_null = ("title", "start_time", "end_time")

    title: Annotated[str, Line(200)] | None = None
    start_time: TimeText | None = None
    end_time: TimeText | None = None
    room: Annotated[str, Line(120)] | None = None
    speaker: Annotated[str, Line(200)] | None = None
    description: Annotated[str, Paragraphs(5_000, 0)] | None = None


def new_slot(wanted: SlotIn, zone: str) -> WholeSlot:
    """The slot, its times understood in the event's `zone`. Raises as `times.read_time`."""
    return WholeSlot(
        ids.new_id(),
        wanted.title,
        times.read_time(wanted.start_time, zone, field="start_time"),
        times.read_time(wanted.end_time, zone, field="end_time"),
        wanted.room,
        wanted.speaker,
        wanted.description or None,
    )


def patched(slot: WholeSlot, patch: SlotPatch, zone: str) -> tuple[WholeSlot, tuple[Warned, ...]]:
    """The slot with the change made, not yet checked, and what had to be decided for it.

    Raises as `times.read_time`.
    """
    said: dict[str, Any] = {
        name: getattr(patch, name) for name in ("room", "speaker") if patch.says(name)
    }
    if patch.title is not None:
        said["title"] = patch.title
    if patch.says("description"):
        said["description"] = patch.description or None
    warned: Warned | None = None
    if patch.start_time is not None:
        said["start"] = times.read_time(patch.start_time, zone, field="start_time")
    if patch.end_time is not None:
        said["end"] = times.read_time(patch.end_time, zone, field="end_time")
    elif "start" in said:
        end = _end_from(slot, said["start"], zone)
        said["end"] = end.moment
        warned = moves.warning("end_time", end, zone, Keep.WALL_CLOCK)
    return replace(slot, **said), () if warned is None else (warned,)


def _end_from(slot: WholeSlot, start: Moment, zone: str) -> Derived:
    """The end of the slot when it starts at `start` and is as long on the clock as it was."""
    elapsed = slot.end.instant - slot.start.instant
    length = slot.end.local.replace(fold=0) - slot.start.local.replace(fold=0)
    end = times.derive(start.local.replace(fold=0) + length, zone, near=start.instant + elapsed)
    if end.moment.instant > start.instant:
        return end
    # Over an hour that the clocks repeat, a length on the clock can be none at all, or less.
    return Derived(times.moment_at(start.instant + elapsed, zone), Note.EXACT)
