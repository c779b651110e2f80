"""Writes what was changed of an event, with its audit row and message. Knows no HTTP."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.db import sets
from turnout.events import whole
from turnout.events.models import Event, Slot, Status
from turnout.events.whole import Whole, WholeSlot
from turnout.outbox import outbox
from turnout.outbox.topics import Topic

_OWN = frozenset(("version", "sequence"))
_IN_CALENDARS = frozenset(
    ("name", "description", "location", "timezone", "start", "end", "status", "online_url", "place")
)
"""What readers of the calendar entry must hear of: a change bumps its SEQUENCE (RFC 5546)."""
_TOLD_BEFORE = ("name", "location", "timezone", "start", "end")
"""What a message tells the former value of."""


def changed_fields(before: Whole, after: Whole) -> list[str]:
    """The names of what differs between two states of an event."""
    names = (field.name for field in fields(Whole))
    return [n for n in names if n not in _OWN and getattr(before, n) != getattr(after, n)]


async def save(
    db: AsyncSession,
    cause: Cause,
    before: Whole,
    after: Whole,
    now: datetime,
    *,
    action: str = "event.changed",
    topic: Topic = Topic.EVENT_CHANGED,
    also: Sequence[str] = (),
) -> Whole:
    """The event as it is from now on; where nothing differs, as it was, and nothing is written.

    The row must be locked (`whole.locked`). `also` names what was changed of it in other tables.
    Whoever is registered hears of it only while the event is one they can see: not of a draft.
    """
    names = [*changed_fields(before, after), *also]
    if not names:
        return before
    if after.place_source is None and before.location != after.location:
        after = replace(after, place_lookup_at=now, place_lookups=0)
    moved = 1 if _IN_CALENDARS.intersection(names) else 0
    after = replace(after, version=before.version + 1, sequence=before.sequence + moved)
    old, new = whole.columns_of(before), whole.columns_of(after)
    values = {name: value for name, value in new.items() if old[name] != value}
    await db.execute(update(Event).where(Event.id == after.id).values(**values, updated_at=now))
    # Before the message is noted: new slots are written at once, with all that was noted till then.
    await _save_slots(db, after.id, before.slots, after.slots)
    changes = {"fields": names}
    audit.record(db, [audit.Entry(now, cause, action, after.id, after.id, changes)])
    if topic is not Topic.EVENT_CHANGED or before.status != Status.DRAFT:
        outbox.add(db, [_message(topic, before, after, names, now)])
    return after


def _message(
    topic: Topic, before: Whole, after: Whole, names: Sequence[str], now: datetime
) -> outbox.Message:
    payload = {
        "event_id": str(after.id),
        "fields": list(names),
        "sequence": after.sequence,
        "before": {name: _told(getattr(before, name)) for name in _TOLD_BEFORE if name in names},
    }
    return outbox.Message(now, topic, after.id, after.id, payload)


def _told(value: Any) -> str:
    return value if isinstance(value, str) else value.instant.isoformat()


async def _save_slots(
    db: AsyncSession, event_id: UUID, before: Sequence[WholeSlot], after: Sequence[WholeSlot]
) -> None:
    old = {slot.id: slot for slot in before}
    kept = {slot.id for slot in after}
    gone = [slot_id for slot_id in old if slot_id not in kept]
    if gone:
        await db.execute(delete(Slot).where(Slot.id.in_(gone)))
    for slot in after:
        if slot.id in old and old[slot.id] != slot:
            await db.execute(update(Slot).where(Slot.id == slot.id).values(**_values(slot)))
    new = [_row(event_id, slot) for slot in after if slot.id not in old]
    if new:
        sets.insert(db, Slot.__table__, new)  # type: ignore[arg-type]  # a Table, though declared as FromClause
        await sets.flush(db)


def _values(slot: WholeSlot) -> dict[str, Any]:
    return {
        "title": slot.title,
        "room": slot.room,
        "speaker": slot.speaker,
        "description": slot.description,
        "start_local": slot.start.local,
        "start_at": slot.start.instant,
        "end_local": slot.end.local,
        "end_at": slot.end.instant,
    }


def _row(event_id: UUID, slot: WholeSlot) -> tuple[object, ...]:
    values = {"id": slot.id, "event_id": event_id, **_values(slot)}
    return tuple(values[column.name] for column in Slot.__table__.columns)
