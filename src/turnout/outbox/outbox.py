"""Messages for later, added in the caller's transaction: what is rolled back was never said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout import ids
from turnout.db import sets
from turnout.outbox.models import OutboxMessage
from turnout.outbox.topics import Topic

_TOPICS = "turnout.topics"
_TABLE: Any = OutboxMessage.__table__


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that happened. `payload` holds ids and facts, no secret."""

    at: datetime
    topic: Topic
    event_id: UUID | None
    subject_id: UUID | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """A message as it stands in the table, where each column is explained."""

    id: UUID
    topic: str
    event_id: UUID | None
    subject_id: UUID | None
    payload: Mapping[str, Any]
    due_at: datetime
    position: int | None
    reached: UUID | None


WRITTEN: Select[Any] = select(*(_TABLE.c[each.name] for each in fields(Written)))
"""The columns of `Written`; an object of the table's class takes three times as long to make."""


def noted(db: AsyncSession) -> list[Topic]:
    """The topics of the messages that the caller's transaction has added, in order."""
    return list(db.info.get(_TOPICS, ()))


def add(db: AsyncSession, messages: Sequence[Message]) -> None:
    """Note the messages, to be written with the caller's transaction; they are due at once."""
    rows = [
        (
            ids.new_id(),
            message.topic,
            message.event_id,
            message.subject_id,
            message.payload,
            message.at,
            message.at,
            None,
            None,
            None,
        )
        for message in messages
    ]
    # Kept apart from the rows, some of which may be written already.
    db.info.setdefault(_TOPICS, []).extend(message.topic for message in messages)
    sets.insert(db, _TABLE, rows)
