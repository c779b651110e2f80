"""Reads of events for those who act on them; how people find events is in discovery."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.events.models import Event, TeamMember


@dataclass(frozen=True, slots=True)
class EventBrief:
    """What rules need to know of an event; `team_role` is the caller's."""

    id: UUID
    status: str
    visibility: str
    organizer_id: UUID
    timezone: str
    team_role: str | None


def in_team_of(user_id: object) -> ColumnElement[bool]:
    """The condition on which a row of an event's team is that account's, for an outer join."""
    return and_(TeamMember.event_id == Event.id, TeamMember.user_id == user_id)


async def brief(db: AsyncSession, actor: Actor, event_id: UUID) -> EventBrief | None:
    """The event in brief, or None; whether the caller may know of it is for a policy to say."""
    query = (
        select(
            *(Event.id, Event.status, Event.visibility, Event.organizer_id, Event.timezone),
            TeamMember.role,
        )
        .outerjoin(TeamMember, in_team_of(actor.user_id))
        .where(Event.id == event_id)
    )
    row = (await db.execute(query)).one_or_none()
    return None if row is None else EventBrief(*row)


Membership = tuple[UUID, UUID]
"""An event and an account."""


async def team_roles(db: AsyncSession, wanted: Collection[Membership]) -> dict[Membership, str]:
    """What each of the accounts does in the event's team; those who are in none are left out."""
    pair = tuple_(TeamMember.event_id, TeamMember.user_id)
    query = select(TeamMember.event_id, TeamMember.user_id, TeamMember.role)
    rows = await db.execute(query.where(pair.in_(list(wanted))))
    return {(event_id, user_id): role for event_id, user_id, role in rows}
