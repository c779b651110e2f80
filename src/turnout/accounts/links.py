"""One-time links: given to someone by mail, good for one use and a limited time. Sends nothing."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout import ids
from turnout.accounts.errors import InvalidLink
from turnout.accounts.models import Link, LinkPurpose, User
from turnout.accounts.opaque import Seals

LIFETIMES = {
    LinkPurpose.VERIFY_EMAIL: timedelta(days=7),
    LinkPurpose.CHANGE_EMAIL: timedelta(days=1),
    LinkPurpose.RESET_PASSWORD: timedelta(hours=1),
    LinkPurpose.INVITATION: timedelta(days=7),
    LinkPurpose.SET_UP: timedelta(days=1),
}


async def issue(
    db: AsyncSession, user_id: UUID, purpose: LinkPurpose, email: str, now: datetime
) -> UUID:
    """The id of a new link; earlier ones of the account for the same purpose count no more."""
    await end(db, user_id, now, purpose)
    link = Link(
        id=ids.new_id(),
        user_id=user_id,
        purpose=purpose,
        email=email,
        created_at=now,
        expires_at=now + LIFETIMES[purpose],
    )
    db.add(link)
    await db.flush()
    return link.id


async def end(
    db: AsyncSession, user_id: UUID, now: datetime, purpose: LinkPurpose | None = None
) -> None:
    """Let the open links of an account count no more: those of one purpose, or all."""
    statement = update(Link).where(Link.user_id == user_id, Link.used_at.is_(None))
    if purpose is not None:
        statement = statement.where(Link.purpose == purpose)
    await db.execute(statement.values(used_at=now))


async def look(
    db: AsyncSession, seals: Seals, token: str, purposes: tuple[LinkPurpose, ...], now: datetime
) -> Link:
    """The link as it stands. Raises InvalidLink unless it counts now, for one of `purposes`."""
    link_id = seals.link_id(token)
    link = None if link_id is None else await db.scalar(select(Link).where(Link.id == link_id))
    if (
        link is None
        or link.used_at is not None
        or link.expires_at <= now
        or link.purpose not in purposes
    ):
        raise InvalidLink
    return link


async def redeem(
    db: AsyncSession, seals: Seals, token: str, purposes: tuple[LinkPurpose, ...], now: datetime
) -> Link:
    """The link, which is used up now. Raises InvalidLink as `look` does."""
    link = await look(db, seals, token, purposes, now)
    # The account before its links, as everyone does who ends them: none waits in a circle.
    await db.execute(select(User.id).where(User.id == link.user_id).with_for_update(key_share=True))
    # The condition stops two who redeem the same link at once.
    unused = update(Link).where(Link.id == link.id, Link.used_at.is_(None))
    used = await db.execute(unused.values(used_at=now).returning(Link.id))
    if used.one_or_none() is None:
        raise InvalidLink
    return link
