"""The feed of what happened to events, in the one order that never changes. Knows no HTTP.

Webhooks can miss something when their receiver is away for days. Who reads this feed, and keeps the
place to which it was read, misses nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Select,
    String,
    false,
    func,
    literal_column,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.accounts.policy import refused
from turnout.errors import FieldError, Invalid
from turnout.events import policy
from turnout.events.models import Event, TeamMember, TeamRole
from turnout.notifications.webhook_errors import ChangesGone
from turnout.outbox.models import OutboxMessage
from turnout.outbox.topics import Topic

LONGEST_CURSOR = 19
"""Digits of a place in the feed at most."""
_DELETED = literal_column(f"'{Topic.EVENT_DELETED}'", String)
"""In the words of the partial index ix_outbox_messages_deleted, or it would not be used."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened, and its place in the feed."""

    id: UUID
    topic: str
    at: datetime
    payload: Any
    position: int


async def require_reader(db: AsyncSession, actor: Actor) -> None:
    """Raises NotSignedIn, or NotAllowed for who has no events of their own or of their team."""
    policy.require_known(actor)
    if actor.may_organize or await db.scalar(_edited(actor).limit(1)) is not None:
        return
    raise refused(actor, "Only organizers read what happens to their events.")


def position_of(after: str) -> int:
    """The place that a cursor names. Raises Invalid for what is no cursor.

    It is a number, and needs no seal: what is behind it is judged anew with every request.
    """
    if not (after.isascii() and after.isdecimal() and len(after) <= LONGEST_CURSOR):
        message = "Send the `cursor` of an item, or `next_after`."
        raise Invalid(message, fields=(FieldError("after", "invalid-cursor", message),))
    return min(int(after), 2**63 - 1)


async def page(
    db: AsyncSession, actor: Actor, after: int | None, limit: int
) -> tuple[list[Change], int]:
    """The next messages that are the caller's to see, and the place to go on from.

    Without `after` from the oldest that is kept. Raises ChangesGone where some behind `after` may
    have been removed.
    """
    oldest = await db.scalar(select(func.min(OutboxMessage.position))) or 1
    if after is not None and after < oldest - 1:
        raise ChangesGone(oldest=str(oldest - 1))
    start = oldest - 1 if after is None else after
    found = [Change(*row) for row in await db.execute(_next(actor, start, limit))]
    return found, found[-1].position if found else start


def _next(actor: Actor, start: int, limit: int) -> Select[Any]:
    wanted = OutboxMessage.event_id.is_not(None)
    if not actor.is_admin:
        # By the places alone, which the indexes of events hold: few of all messages are theirs.
        places = union_all(_of_events(actor, start), _of_the_gone(actor, start)).subquery()
        first = select(places.c.position).order_by(places.c.position).limit(limit)
        wanted = OutboxMessage.position.in_(first)
    return (
        select(
            OutboxMessage.id,
            OutboxMessage.topic,
            OutboxMessage.created_at,
            OutboxMessage.payload,
            OutboxMessage.position,
        )
        .where(OutboxMessage.position > start, wanted)
        .order_by(OutboxMessage.position)
        .limit(limit)
    )


def _of_events(actor: Actor, start: int) -> Select[Any]:
    """The places of what happened to events that the caller owns or edits."""
    owned = select(Event.id).where(Event.organizer_id == actor.user_id)
    mine = _edited(actor).union(owned) if actor.may_organize else _edited(actor)
    return select(OutboxMessage.position).where(
        OutboxMessage.event_id.in_(mine), OutboxMessage.position > start
    )


def _edited(actor: Actor) -> Select[Any]:
    """The events of others in whose teams the caller does what their owners do."""
    query = select(TeamMember.event_id).where(
        TeamMember.user_id == actor.user_id, TeamMember.role == TeamRole.EDITOR
    )
    return query if policy.may_help(actor) else query.where(false())


def _of_the_gone(actor: Actor, start: int) -> Select[Any]:
    """The places of the ends of events that were the caller's: nothing else says so any more."""
    owner = type_coerce(OutboxMessage.payload, JSON)["organizer_id"].as_string()
    return select(OutboxMessage.position).where(
        OutboxMessage.topic == _DELETED,
        OutboxMessage.position > start,
        owner == str(actor.user_id),
    )
