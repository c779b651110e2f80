"""A slot as it is answered to whoever has changed it, with what should be looked at."""

from dataclasses import dataclass
from uuid import UUID

from turnout.discovery.changes import WarningOut
from turnout.discovery.queries import EventView
from turnout.discovery.schemas import SlotOut, slot_out
from turnout.errors import NotFound
from turnout.events import agenda, times
from turnout.events.slots import Scheduled


@dataclass(frozen=True, slots=True)
class ScheduledOut(SlotOut):
    """A slot in the display zone; a warning refuses nothing."""

    warnings: list[WarningOut]


def scheduled_out(scheduled: Scheduled, zone: str | None) -> ScheduledOut:
    """The slot with its times in `zone`, else in the event's own, and what it clashes with."""
    slot, event = scheduled.slot, scheduled.event
    shown_in = zone or event.timezone
    warned = (*scheduled.warnings, *agenda.warnings_about(slot, event.slots, shown_in))
    return ScheduledOut(
        slot.id,
        slot.title,
        times.shown(slot.start.instant, shown_in),
        times.shown(slot.end.instant, shown_in),
        slot.room,
        slot.speaker,
        slot.description,
        [WarningOut(each.code, each.field, each.message) for each in warned],
    )


def one_slot(view: EventView, slot_id: UUID, zone: str | None) -> SlotOut:
    """One slot of an event that the caller may see. Raises NotFound."""
    for slot in view.slots:
        if slot.id == slot_id:
            return slot_out(slot, zone or view.row.timezone)
    raise NotFound
