"""An event as it was when something happened to it, kept for mails that are written later."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.models import User
from turnout.events.models import Event
from turnout.notifications.news import EventFacts

_NAMES = tuple(each.name for each in fields(EventFacts))
_IDS = frozenset(("id", "organizer_id"))
_TIMES = frozenset(("start_at", "end_at", "created_at", "updated_at"))
_STORED_AS = {"cancel_reason": "reason"}
"""Under another name in the snapshot than in the table."""

COLUMNS = (
    *(Event.__table__.c[name] for name in _NAMES if name != "organizer_name"),
    User.__table__.c.name.label("organizer_name"),
)
"""What a row needs for `facts_of` and `snapshot_of`; users joined as the organizers."""


def facts_of(row: Any) -> EventFacts:
    """The event of a row that has its columns and `organizer_name`."""
    values = {name: getattr(row, name) for name in _NAMES}
    values["tags"] = tuple(row.tags)
    return EventFacts(**values)


def snapshot_of(row: Any) -> dict[str, Any]:
    """A JSON document of an event's columns and `organizer_name`; `read` makes facts of it.

    Without the description, which can be long: the document is kept once for each who is told.
    """
    values = {_STORED_AS.get(name, name): _stored(getattr(row, name)) for name in _NAMES}
    return {**values, "description": ""}


async def take(db: AsyncSession, event_id: UUID) -> dict[str, Any] | None:
    """The snapshot of an event as it is now; None where there is none."""
    row = await _row(db, event_id)
    return None if row is None else snapshot_of(row)


async def facts(db: AsyncSession, event_id: UUID) -> EventFacts | None:
    """An event as mails show it now; None where there is none."""
    row = await _row(db, event_id)
    return None if row is None else facts_of(row)


async def _row(db: AsyncSession, event_id: UUID) -> Any:
    query = select(*COLUMNS).join_from(Event, User, User.id == Event.organizer_id)
    return (await db.execute(query.where(Event.id == event_id))).one_or_none()


def read(snapshot: Mapping[str, Any]) -> EventFacts:
    """The event of a snapshot."""
    return EventFacts(
        **{name: _read(name, snapshot[_STORED_AS.get(name, name)]) for name in _NAMES}
    )


def _stored(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case tuple():
            return list(value)
        case _:
            return value


def _read(name: str, value: Any) -> Any:
    if name in _IDS:
        return UUID(value)
    if name in _TIMES:
        return datetime.fromisoformat(value)
    return tuple(value) if name == "tags" else value
