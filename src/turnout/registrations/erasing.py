"""Takes a person out of everything: frees their seats, and erases who they were."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts import users
from turnout.accounts.actor import SYSTEM
from turnout.accounts.models import User
from turnout.audit.audit import Cause
from turnout.events.models import Event, TeamMember
from turnout.registrations import changes, queries, statements
from turnout.registrations.models import Registration, Status


async def erase(db: AsyncSession, user: User, cause: Cause, now: datetime) -> None:
    """Erase an account and its registrations: seats at events to come are free for others.

    What was stays counted, without name and address. Raises LastAdmin.
    """
    # Until this ends the account takes no seat: the gate holds whoever it seats in the same way.
    await db.execute(select(User.id).where(User.id == user.id).with_for_update())
    found = await _found(db, user, now)
    await statements.lock_events(db, {each.event_id for each in found})
    for each in found:
        if each.is_to_come:
            held = await queries.held(db, SYSTEM, each.id)
            await changes.cancel(db, SYSTEM, held, cause, now)
    for each in found:
        await _anonymize(db, each)
    await users.erase(db, user, cause, now)
    await db.execute(delete(TeamMember).where(TeamMember.user_id == user.id))


@dataclass(frozen=True, slots=True)
class _Found:
    """One of the person's registrations."""

    event_id: UUID
    id: UUID
    is_to_come: bool
    """Whether it holds a seat, or a place on a waitlist, that is not used up yet."""


async def _found(db: AsyncSession, user: User, now: datetime) -> list[_Found]:
    """Places on a waitlist come first: no seat of the same person shall become free for them."""
    mine = Registration.account_id == user.id
    if user.email_verified_at is not None:
        as_guest = Registration.email_canonical == user.email_canonical
        mine = or_(mine, as_guest & Registration.account_id.is_(None))
    is_to_come = and_(Registration.status != Status.CANCELLED, Event.end_at > now)
    query = (
        select(Registration.event_id, Registration.id, is_to_come)
        .join(Event, Event.id == Registration.event_id)
        .where(mine)
        .order_by(Registration.status != Status.WAITLISTED, Registration.id)
    )
    return [_Found(*row) for row in await db.execute(query)]


async def _anonymize(db: AsyncSession, found: _Found) -> None:
    nobody = f"deleted-{found.id}@turnout.invalid"
    this = Registration.event_id == found.event_id, Registration.id == found.id
    await db.execute(
        update(Registration)
        .where(*this)
        .values(
            name=users.ERASED_NAME, email=nobody, email_canonical=nobody,
            account_id=None, manage_token_hash=None, answers={},
        )
    )  # fmt: skip
