"""Takes a person out of everything: frees their seats, and erases who they were."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts import users
from turnout.accounts.actor import SYSTEM
from turnout.accounts.models import User
from turnout.audit.audit import Cause
from turnout.events.models import Event
from turnout.registrations import changes, queries, statements
from turnout.registrations.models import Registration, Status


async def erase(db: AsyncSession, user: User, cause: Cause, now: datetime) -> None:
    """Erase an account and its registrations: seats at events to come are free for others.

    What was stays counted, without name and address. Raises LastAdmin.
    """
    mine = Registration.account_id == user.id
    if user.email_verified_at is not None:
        as_guest = Registration.email_canonical == user.email_canonical
        mine = or_(mine, as_guest & Registration.account_id.is_(None))
    live = await _live(db, mine, now)
    # All locks first, in the order in which the gate takes its own: none waits in a circle.
    for event_id in sorted({event_id for event_id, _ in live}):
        await statements.lock_event(db, event_id)
    for _, registration_id in live:
        found = await queries.held(db, SYSTEM, registration_id)
        await changes.cancel(db, SYSTEM, found, cause, now)
    rows = await db.execute(select(Registration.event_id, Registration.id).where(mine))
    for event_id, registration_id in rows.all():
        await _anonymize(db, event_id, registration_id)
    await users.erase(db, user, cause, now)


async def _live(
    db: AsyncSession, mine: ColumnElement[bool], now: datetime
) -> list[tuple[UUID, UUID]]:
    """Event and registration of each seat, or place on a waitlist, that is not used up yet."""
    query = (
        select(Registration.event_id, Registration.id)
        .join(Event, Event.id == Registration.event_id)
        .where(mine, Registration.status != Status.CANCELLED, Event.end_at > now)
    )
    return [(event_id, found) for event_id, found in await db.execute(query)]


async def _anonymize(db: AsyncSession, event_id: UUID, registration_id: UUID) -> None:
    nobody = f"deleted-{registration_id}@turnout.invalid"
    this = Registration.event_id == event_id, Registration.id == registration_id
    await db.execute(
        update(Registration)
        .where(*this)
        .values(
            name=users.ERASED_NAME, email=nobody, email_canonical=nobody,
            account_id=None, manage_token_hash=None, answers={},
        )
    )  # fmt: skip
