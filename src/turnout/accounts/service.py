"""Accounts as other floors need them. Knows no event."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from turnout import ids
from turnout.accounts.actor import Actor, Role, Standing
from turnout.accounts.models import User
from turnout.audit import audit

BUILT_IN_ORGANIZER = "organizer@turnout.invalid"
"""The address of the account that owns what is made in open mode (.invalid: RFC 2606)."""
SYSTEM = Actor(Standing.SYSTEM, name="command line")


async def built_in_organizer(db: AsyncSession, now: datetime) -> Actor:
    """The one organizer of open mode, made when it is first needed."""
    query = select(User).where(User.email_canonical == BUILT_IN_ORGANIZER)
    user = (await db.execute(query)).scalar_one_or_none()
    if user is None:
        try:
            async with db.begin_nested():
                user = await _make_organizer(db, now)
        except IntegrityError:
            # Several processes start at once: another made it between the look and the insert.
            user = (await db.execute(query)).scalar_one()
    return Actor(Standing.OPEN, user.id, user.name, Role.ORGANIZER, user.timezone)


async def _make_organizer(db: AsyncSession, now: datetime) -> User:
    user = User(
        id=ids.new_id(),
        email=BUILT_IN_ORGANIZER,
        email_canonical=BUILT_IN_ORGANIZER,
        name="Turnout",
        role=Role.ORGANIZER,
        is_active=True,
        created_at=now,
        updated_at=now,
    )
    db.add(user)
    await db.flush()
    entry = audit.Entry(now, audit.Cause(SYSTEM.standing), "user.created", subject_id=user.id)
    audit.record(db, [entry])
    return user
