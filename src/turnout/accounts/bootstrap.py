"""The first administrator: from the settings, or by a link that the operator opens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts import links, users
from turnout.accounts.actor import SYSTEM, Role
from turnout.accounts.errors import EmailTaken
from turnout.accounts.models import LinkPurpose, OpenIdIdentity, User
from turnout.accounts.users import UserDraft
from turnout.audit.audit import Cause

PLACEHOLDER = "admin@turnout.invalid"
"""The address of the first administrator until its link is used (.invalid: RFC 2606)."""
NAME = "Administrator"
_CAUSE = Cause(SYSTEM.standing)


async def has_admin(db: AsyncSession) -> bool:
    """Whether there is an active administrator with a way to sign in."""
    by_provider = exists().where(OpenIdIdentity.user_id == User.id)
    can_enter = or_(User.password_hash.is_not(None), by_provider)
    query = select(User.id).where(User.role == Role.ADMIN, User.is_active, can_enter).limit(1)
    return await db.scalar(query) is not None


async def make_admin(db: AsyncSession, email: str, password_hash: str, now: datetime) -> None:
    """An administrator with that address: a new account, or the one that has it, made one.

    Only for the operator, whose word about the address is good enough.
    """
    user = await users.by_email(db, email)
    if user is None:
        draft = UserDraft(email, NAME, Role.ADMIN, None, password_hash, is_verified=True)
        await users.create(db, draft, _CAUSE, now)
        return
    await users.change(db, user, {"role": Role.ADMIN, "is_active": True}, _CAUSE, now)
    await users.set_password(db, user, password_hash, _CAUSE, now)
    user.email_verified_at = now
    await db.flush()


async def _placeholder(db: AsyncSession, now: datetime) -> User:
    draft = UserDraft(PLACEHOLDER, NAME, Role.ADMIN, is_verified=True)
    try:
        return await users.create(db, draft, _CAUSE, now)
    except EmailTaken:
        # Another server of the same database has started at the same time.
        user = await users.by_email(db, PLACEHOLDER)
        assert user is not None  # noqa: S101 - the index has just refused a second one; narrows
        return user


async def link_for_admin(db: AsyncSession, now: datetime) -> UUID:
    """The id of a new link by which its holder becomes the first administrator."""
    user = await users.by_email(db, PLACEHOLDER)
    if user is None:
        user = await _placeholder(db, now)
    return await links.issue(db, user.id, LinkPurpose.SET_UP, user.email, now)
