"""Who helps with an event: editors, and the people at its door. Knows no HTTP."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.accounts.models import User
from turnout.accounts.policy import refused
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.errors import FieldError, Invalid, NotFound
from turnout.events import policy, queries
from turnout.events.models import Event, TeamMember, TeamRole
from turnout.events.queries import EventBrief
from turnout.fields import canonical_email
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

    Whoever has that role already keeps it, and nobody is told again. Raises what `owned` raises,
    and Invalid where there is no such account.
    """
    event = await owned(db, actor, event_id)
    user = await _account(db, who)
    if user.id == event.organizer_id:
        raise _wrong(who, "The owner of the event is in charge already.")
    member, former_role = await _member(db, event_id, user.id, who.role, now)
    if former_role != who.role:
        changes = {"role": who.role}
        audit.record(db, [audit.Entry(now, cause, "team.set", event_id, user.id, changes)])
        payload = {"event_id": str(event_id), "user_id": str(user.id), "role": who.role}
        outbox.add(db, [outbox.Message(now, Topic.TEAM_JOINED, event_id, user.id, payload)])
    return event, Member(user.id, user.name, user.email, who.role, member.created_at)


async def _member(
    db: AsyncSession, event_id: UUID, user_id: UUID, role: TeamRole, now: datetime
) -> tuple[TeamMember, str | None]:
    """The account's row in the team, with its new role, and the role it had before."""
    # The event's lock stops two who add the same person at once, where there is no row to lock yet.
    await db.execute(select(Event.id).where(Event.id == event_id).with_for_update(key_share=True))
    member = await db.get(TeamMember, (event_id, user_id))
    former_role = None if member is None else member.role
    if member is None:
        member = TeamMember(event_id=event_id, user_id=user_id, created_at=now)
        db.add(member)
    member.role = role
    await db.flush()
    return member, former_role


async def _account(db: AsyncSession, who: Invited) -> User:
    wanted = User.id == who.user_id
    if who.email is not None:
        wanted = User.email_canonical == canonical_email(who.email)
    # Held until the transaction ends: nobody joins a team while the account is being erased.
    query = select(User).where(wanted, User.is_active).with_for_update(read=True, key_share=True)
    user = await db.scalar(query)
    if user is None:
        message = "There is no active account of that person; they have to sign up first."
        raise _wrong(who, message)
    return user


def _wrong(who: Invited, message: str) -> Invalid:
    field = "user_id" if who.email is None else "email"
    return Invalid(message, fields=(FieldError(field, "no-such-member", message),))


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
