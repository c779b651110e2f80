"""Slots of an agenda that get in each other's way: one room or one speaker twice. Pure rules."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from turnout.events import times
from turnout.events.moves import Warned
from turnout.events.whole import WholeSlot

MOST_WARNINGS = 500
"""How many clashes of one agenda are told: with all in one room there are as many as pairs."""


class Shared(StrEnum):
    """What two slots can have only one after the other."""

    ROOM = "room"
    SPEAKER = "speaker"


@dataclass(frozen=True, slots=True)
class Clash:
    """Two slots that share something at the same time; `second` starts later, or as early."""

    shared: Shared
    first: WholeSlot
    second: WholeSlot


def in_order(slots: Sequence[WholeSlot]) -> list[WholeSlot]:
    """The agenda in the order in which it is answered: by start, then by id."""
    return sorted(slots, key=_place)


def clashes(slots: Sequence[WholeSlot]) -> Iterator[Clash]:
    """Every pair of slots in one room, then every pair with one speaker, at the same time.

    Rooms and speakers are compared without case and outer spaces. A slot lasts until just before
    its end, so that one which follows at once is no clash.
    """
    agenda = in_order(slots)
    for shared in Shared:
        running: dict[str, list[WholeSlot]] = defaultdict(list)
        for slot in agenda:
            name = _name(slot, shared)
            if name is None:
                continue
            still = [each for each in running[name] if each.end.instant > slot.start.instant]
            for first in still:
                yield Clash(shared, first, slot)
            running[name] = [*still, slot]


def warnings(slots: Sequence[WholeSlot], zone: str) -> tuple[Warned, ...]:
    """A warning for each clash, at most MOST_WARNINGS, with the times in `zone`.

    `field` names the later slot by its position in the answered agenda: `slots.3.room`.
    """
    positions = {slot.id: n for n, slot in enumerate(in_order(slots))}
    return tuple(
        _warned(clash, f"slots.{positions[clash.second.id]}.{clash.shared}", zone)
        for clash in islice(clashes(slots), MOST_WARNINGS)
    )


def warnings_about(slot: WholeSlot, slots: Sequence[WholeSlot], zone: str) -> tuple[Warned, ...]:
    """A warning for each slot of the agenda that this one clashes with; `field` is its own."""
    return tuple(
        _warned(clash, clash.shared, zone)
        for other in in_order(slots)
        if other.id != slot.id
        for clash in clashes((slot, other))
    )


def _place(slot: WholeSlot) -> tuple[object, ...]:
    return slot.start.instant, slot.id


def _name(slot: WholeSlot, shared: Shared) -> str | None:
    said = slot.room if shared is Shared.ROOM else slot.speaker
    return None if said is None else said.strip().casefold() or None


def _warned(clash: Clash, field: str, zone: str) -> Warned:
    one, other = _told(clash.first, zone), _told(clash.second, zone)
    if clash.shared is Shared.ROOM:
        message = f"{one} and {other} are in one room, {clash.second.room}."
    else:
        message = f"{one} and {other} have one speaker, {clash.second.speaker}."
    return Warned(f"{clash.shared}-clash", field, message)


def _told(slot: WholeSlot, zone: str) -> str:
    start, end = (times.shown(each.instant, zone).isoformat() for each in (slot.start, slot.end))
    return f'"{slot.title}" ({start} to {end})'
