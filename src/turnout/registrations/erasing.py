"""Takes a person out of everything: frees their seats, and erases who they were."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts import users
from turnout.accounts.actor import SYSTEM, Actor
from turnout.accounts.models import User
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.errors import NotFound
from turnout.events.models import Event, TeamMember
from turnout.registrations import changes, policy, queries, statements
from turnout.registrations.models import Registration, Status
from turnout.registrations.records import Held

ERASED_PREFIX, ERASED_SUFFIX = "deleted-", "@turnout.invalid"
_TABLE: Any = Registration.__table__
_ANONYMIZED = (
    update(_TABLE)
    .where(_TABLE.c.event_id == bindparam("event"), _TABLE.c.id == bindparam("this"))
    .values(
        name=users.ERASED_NAME, email=bindparam("nobody"), email_canonical=bindparam("nobody"),
        account_id=None, manage_token_hash=None, answers={},
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Erased:
    """Whose data is gone: their registrations, and the addresses that these had until now."""

    registration_ids: Sequence[UUID]
    emails: Collection[str]


async def erase(db: AsyncSession, user: User, cause: Cause, now: datetime) -> Erased:
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
        await anonymize(db, each.event_id, [each.id])
    await users.erase(db, user, cause, now)
    await db.execute(delete(TeamMember).where(TeamMember.user_id == user.id))
    return Erased([each.id for each in found], {each.email for each in found})


async def erase_one(
    db: AsyncSession, actor: Actor, registration_id: UUID, cause: Cause, now: datetime
) -> Held:
    """Erase who a registration is for; its seat is free for others unless the event is over.

    Only the attendee may. Returns it as it was. Raises NotSignedIn, NotFound.
    """
    found = await queries.held(db, actor, registration_id)
    if not policy.is_own(actor, found):
        raise NotFound
    if found.event_end > now:
        await changes.cancel(db, actor, found, cause, now)
    await anonymize(db, found.event.id, [found.id])
    entry = audit.Entry(now, cause, "registration.erased", found.event.id, found.id)
    audit.record(db, [entry])
    return found


@dataclass(frozen=True, slots=True)
class _Found:
    """One of the person's registrations."""

    event_id: UUID
    id: UUID
    email: str
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
        select(Registration.event_id, Registration.id, Registration.email, is_to_come)
        .join(Event, Event.id == Registration.event_id)
        .where(mine)
        .order_by(Registration.status != Status.WAITLISTED, Registration.id)
    )
    return [_Found(*row) for row in await db.execute(query)]


async def anonymize(db: AsyncSession, event_id: UUID, registration_ids: Sequence[UUID]) -> None:
    """Take the people out of registrations of one event, which stay counted."""
    values = [{"this": each, "nobody": nobody(each)} for each in registration_ids]
    if values:
        connection = await db.connection()
        await connection.execute(_ANONYMIZED, [{**each, "event": event_id} for each in values])


def nobody(registration_id: UUID) -> str:
    """The address of a registration that was erased, which is nobody's (RFC 2606)."""
    return f"{ERASED_PREFIX}{registration_id}{ERASED_SUFFIX}"
