"""What organizers do with the agenda of an event, slot by slot. Knows no HTTP."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from turnout.audit.audit import Cause
from turnout.errors import FieldError, Invalid, NotFound
from turnout.events import agenda, drafts, saving, slot_patches
from turnout.events.drafts import MOST_SLOTS
from turnout.events.moves import Warned
from turnout.events.schemas import SlotIn
from turnout.events.slot_patches import SlotPatch
from turnout.events.whole import Whole, WholeSlot


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A slot as it is from now on, its event with the whole agenda, and what was decided for it."""

    event: Whole
    slot: WholeSlot
    warnings: tuple[Warned, ...] = ()


async def add(
    db: AsyncSession, cause: Cause, event: Whole, wanted: SlotIn, now: datetime
) -> Scheduled:
    """A new slot of the event, which is locked.

    Raises as `times.read_time`, and Invalid outside the event or beyond MOST_SLOTS.
    """
    slot = slot_patches.new_slot(wanted, event.timezone)
    if len(event.slots) >= MOST_SLOTS:
        message = f"An agenda has {MOST_SLOTS} slots at most."
        raise Invalid(message, fields=(FieldError("slots", "too-many-slots", message),))
    return await _save(db, cause, event, slot, now)


async def change(
    db: AsyncSession, cause: Cause, event: Whole, slot_id: UUID, patch: SlotPatch, now: datetime
) -> Scheduled:
    """The slot with the change made; the event is locked.

    Raises NotFound, and Invalid as `add`.
    """
    slot, warnings = slot_patches.patched(of(event, slot_id), patch, event.timezone)
    return replace(await _save(db, cause, event, slot, now), warnings=warnings)


async def remove(
    db: AsyncSession, cause: Cause, event: Whole, slot_id: UUID, now: datetime
) -> None:
    """Take the slot out of the agenda; the event is locked. Raises NotFound."""
    gone = of(event, slot_id)
    rest = tuple(slot for slot in event.slots if slot.id != gone.id)
    await saving.save(db, cause, event, replace(event, slots=rest), now)


def of(event: Whole, slot_id: UUID) -> WholeSlot:
    """The slot of that event. Raises NotFound."""
    for slot in event.slots:
        if slot.id == slot_id:
            return slot
    raise NotFound


async def _save(
    db: AsyncSession, cause: Cause, event: Whole, slot: WholeSlot, now: datetime
) -> Scheduled:
    drafts.check_slot(slot, event)
    # In the order in which it was read: an agenda in which nothing differs is not written.
    slots = agenda.in_order((*(each for each in event.slots if each.id != slot.id), slot))
    after = await saving.save(db, cause, event, replace(event, slots=tuple(slots)), now)
    return Scheduled(after, slot)
