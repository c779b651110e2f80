"""Who helps with an event: editors, and the people at its door. Knows no HTTP."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts import users
from turnout.accounts.actor import Actor
from turnout.accounts.models import User
from turnout.accounts.policy import refused
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.errors import FieldError, Invalid, NotFound
from turnout.events import policy, queries
from turnout.events.models import TeamMember, TeamRole
from turnout.events.queries import EventBrief
from turnout.outbox import outbox
from turnout.outbox.topics import Topic


@dataclass(frozen=True, slots=True)
class Member:
    """One of a team, with the account's name and address."""

    user_id: UUID
    name: str
    email: str
    role: TeamRole
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Invited:
    """Who is to join a team: an account by its address or its id, and as what."""

    role: TeamRole
    email: str | None = None
    user_id: UUID | None = None


async def event_of(db: AsyncSession, actor: Actor, event_id: UUID) -> EventBrief:
    """An event whose team the caller may see.

    Raises NotSignedIn, and NotFound for whoever does not work on the event.
    """
    policy.require_known(actor)
    event = await queries.brief(db, actor, event_id)
    if event is None or not policy.may_work_door(actor, event):
        raise NotFound
    return event


async def owned(db: AsyncSession, actor: Actor, event_id: UUID) -> EventBrief:
    """An event whose team is the caller's to choose. Raises NotAllowed, and what event_of does."""
    event = await event_of(db, actor, event_id)
    if not policy.may_own(actor, event):
        raise refused(actor, "Only the owner of the event decides who is in its team.")
    return event


async def members(
    db: AsyncSession, event_id: UUID, *, after: UUID | None, limit: int
) -> list[Member]:
    """The team by the ids of its accounts, at most `limit` behind `after`."""
    query = (
        select(User.id, User.name, User.email, TeamMember.role, TeamMember.created_at)
        .join(User, User.id == TeamMember.user_id)
        .where(TeamMember.event_id == event_id)
        .order_by(TeamMember.user_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(TeamMember.user_id > after)
    rows = await db.execute(query)
    return [Member(row[0], row[1], row[2], TeamRole(row[3]), row[4]) for row in rows]


async def add(
    db: AsyncSession, actor: Actor, event_id: UUID, who: Invited, cause: Cause, now: datetime
) -> tuple[EventBrief, Member]:
    """The event and its new member, or the one that has another role from now on.

    Raises what `owned` raises, and Invalid where there is no such account.
    """
    event = await owned(db, actor, event_id)
    user = await _account(db, who)
    if user.id == event.organizer_id:
        raise _wrong("The owner of the event is in charge already.")
    member = await db.get(TeamMember, (event_id, user.id), with_for_update=True)
    if member is None:
        member = TeamMember(event_id=event_id, user_id=user.id, role=who.role, created_at=now)
        db.add(member)
    member.role = who.role
    await db.flush()
    changes = {"role": who.role}
    audit.record(db, [audit.Entry(now, cause, "team.set", event_id, user.id, changes)])
    payload = {"event_id": str(event_id), "user_id": str(user.id), "role": who.role}
    outbox.add(db, [outbox.Message(now, Topic.TEAM_JOINED, event_id, user.id, payload)])
    return event, Member(user.id, user.name, user.email, who.role, member.created_at)


async def _account(db: AsyncSession, who: Invited) -> User:
    found = None
    if who.email is not None:
        found = await users.by_email(db, who.email)
    elif who.user_id is not None:
        found = await db.get(User, who.user_id)
    if found is None or not found.is_active:
        raise _wrong("There is no active account of that person; they have to sign up first.")
    return found


def _wrong(message: str) -> Invalid:
    return Invalid(message, fields=(FieldError("email", "no-such-member", message),))


async def remove(
    db: AsyncSession, actor: Actor, event_id: UUID, user_id: UUID, cause: Cause, now: datetime
) -> None:
    """Let someone help no more. Raises NotSignedIn, NotFound, NotAllowed."""
    await owned(db, actor, event_id)
    mine = TeamMember.event_id == event_id, TeamMember.user_id == user_id
    gone = await db.execute(delete(TeamMember).where(*mine).returning(TeamMember.user_id))
    if gone.one_or_none() is None:
        raise NotFound
    audit.record(db, [audit.Entry(now, cause, "team.removed", event_id, user_id)])
