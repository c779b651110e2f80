"""Accounts as other floors need them. Knows no event."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts import users
from turnout.accounts.actor import SYSTEM, Actor, Role, Standing
from turnout.accounts.errors import EmailTaken
from turnout.accounts.users import UserDraft
from turnout.audit.audit import Cause

BUILT_IN_ORGANIZER = "organizer@turnout.invalid"
"""The address of the account that owns what is made in open mode (.invalid: RFC 2606)."""
_DRAFT = UserDraft(BUILT_IN_ORGANIZER, "Turnout", Role.ORGANIZER, is_verified=True)


async def built_in_organizer(db: AsyncSession, now: datetime) -> Actor:
    """The one organizer of open mode, made when it is first needed."""
    user = await users.by_email(db, BUILT_IN_ORGANIZER)
    if user is None:
        try:
            user = await users.create(db, _DRAFT, Cause(SYSTEM.standing), now)
        except EmailTaken:
            # Several processes start at once: another made it between the look and the insert.
            user = await users.by_email(db, BUILT_IN_ORGANIZER)
            assert user is not None  # noqa: S101 - the index has just refused a second one; narrows
    return Actor(Standing.OPEN, user.id, user.name, Role.ORGANIZER, user.timezone)
