"""Reads of accounts for other floors. Changes nothing."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor, Role, Standing
from turnout.accounts.models import User


async def by_email(db: AsyncSession, canonical: str) -> Actor | None:
    """The active account with that canonical address, as it would act by itself, or None."""
    query = select(User).where(User.email_canonical == canonical, User.is_active)
    user = (await db.execute(query)).scalar_one_or_none()
    if user is None:
        return None
    return Actor(Standing.ACCOUNT, user.id, user.name, Role(user.role), user.timezone)
