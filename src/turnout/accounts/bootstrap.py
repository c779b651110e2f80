"""The first administrator: from the settings, or by a link that the operator opens.

Servers of one database start at once: whatever is here, two of them do it.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts import api_tokens, links, second_factor, users
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

    Only for the operator, whose word about the address is good enough. Nothing where another server
    has made one meanwhile.
    """
    draft = UserDraft(email, NAME, Role.ADMIN, None, password_hash, is_verified=True)
    user = await _made_or_held(db, draft, now)
    if user is not None and not await has_admin(db):
        await _take_over(db, user, password_hash, now)


async def _made_or_held(db: AsyncSession, draft: UserDraft, now: datetime) -> User | None:
    """The account that has had the address, held; None where a new one was made."""
    try:
        await users.create(db, draft, _CAUSE, now)
    except EmailTaken:
        user = await users.by_email(db, draft.email)
        assert user is not None  # noqa: S101 - the index has just refused a second one; narrows
        # Whoever waits here for another server sees what that one has done to the account.
        await db.refresh(user, with_for_update={"key_share": True})
        return user
    return None


async def _take_over(db: AsyncSession, user: User, password_hash: str, now: datetime) -> None:
    """Make an account the operator's; whoever had it before comes in by nothing any more.

    It may have been made by anyone who guessed the address and never showed that it is theirs: a
    token, or a link that moves the account to another address, would be an administrator's now.
    """
    await api_tokens.revoke_all(db, user.id, now)
    await links.end(db, user.id, now)
    if user.email_verified_at is None:
        await second_factor.remove(db, user, _CAUSE, now)
    await users.change(db, user, {"role": Role.ADMIN, "is_active": True}, _CAUSE, now)
    user.email_verified_at = now
    await users.set_password(db, user, password_hash, _CAUSE, now)


async def link_for_admin(db: AsyncSession, now: datetime) -> UUID:
    """The id of a new link by which its holder becomes the first administrator.

    Of several that servers print at once, the last one counts.
    """
    draft = UserDraft(PLACEHOLDER, NAME, Role.ADMIN, is_verified=True)
    user = await _made_or_held(db, draft, now) or await users.by_email(db, PLACEHOLDER)
    assert user is not None  # noqa: S101 - it was made or found a moment ago; narrows
    await users.change(db, user, {"role": Role.ADMIN, "is_active": True}, _CAUSE, now)
    return await links.issue(db, user.id, LinkPurpose.SET_UP, user.email, now)
