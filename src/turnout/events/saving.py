"""Writes what was changed of an event, with its audit row and message. Knows no HTTP."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, update
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
_UNTOLD = frozenset(
    (
        *("place_source", "place_lookup_at", "place_lookups", "suggested_timezone"),
        *("cancelled_at", "series_id", "series_local"),
    )
)
"""What concerns nobody who comes: where these alone change, nobody is told."""
_CALLED = {"start": "start_time", "end": "end_time", "organizer_id": "organizer"}
"""As readers of the API know it."""


_EVENTS: Any = Event.__table__
_SLOTS: Any = Slot.__table__
_CHANGE_SLOT = (
    update(_SLOTS)
    .where(_SLOTS.c.id == bindparam("slot_id", type_=_SLOTS.c.id.type))
    .values({c.name: bindparam(c.name) for c in _SLOTS.columns if c.name not in {"id", "event_id"}})
)
"""Sent once with all slots of an agenda that moves."""


def changed_fields(before: Whole, after: Whole) -> list[str]:
    """The names of what differs between two states of an event."""
    names = (field.name for field in fields(Whole))
    return [n for n in names if n not in _OWN and getattr(before, n) != getattr(after, n)]


def _public(names: Sequence[str]) -> list[str]:
    return [_CALLED.get(name, name) for name in names if name not in _UNTOLD]


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
    if _is_sought_anew(before, after):
        after = replace(after, place_lookup_at=now, place_lookups=0)
    moved = 1 if _IN_CALENDARS.intersection(names) else 0
    after = replace(after, version=before.version + 1, sequence=before.sequence + moved)
    old, new = whole.columns_of(before), whole.columns_of(after)
    values = {name: value for name, value in new.items() if old[name] != value}
    # By the table: for a class SQLAlchemy would look at every event that the transaction has read.
    row = update(_EVENTS).where(_EVENTS.c.id == after.id)
    await db.execute(row.values(**values, updated_at=now))
    # Before the message is noted: new slots are written at once, with all that was noted till then.
    await _save_slots(db, after.id, before.slots, after.slots)
    changes = {"fields": [_CALLED.get(name, name) for name in names]}
    audit.record(db, [audit.Entry(now, cause, action, after.id, after.id, changes)])
    if topic is not Topic.EVENT_CHANGED or (before.status == Status.PUBLISHED and _public(names)):
        outbox.add(db, [_message(topic, before, after, names, now)])
    return after


def _is_sought_anew(before: Whole, after: Whole) -> bool:
    """Whether nobody knows its place any more: it is looked up from the location then."""
    if after.place_source is not None:
        return False
    is_forgotten = before.place_source is not None or after.place_lookups < before.place_lookups
    return is_forgotten or before.location != after.location


def _message(
    topic: Topic, before: Whole, after: Whole, names: Sequence[str], now: datetime
) -> outbox.Message:
    payload = {
        "event_id": str(after.id),
        "fields": _public(names),
        "sequence": after.sequence,
        "before": {
            _CALLED.get(name, name): _told(getattr(before, name))
            for name in _TOLD_BEFORE
            if name in names
        },
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
    changed = [slot for slot in after if slot.id in old and old[slot.id] != slot]
    if changed:
        connection = await db.connection()
        await connection.execute(_CHANGE_SLOT, [{"slot_id": s.id, **_values(s)} for s in changed])
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
