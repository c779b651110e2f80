"""Accounts of people whom an OpenID Connect provider knows. Asks no provider, knows no HTTP."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts import api_tokens, links, second_factor, sign_ins, users
from turnout.accounts.errors import EmailTaken, InvalidCredentials
from turnout.accounts.models import OpenIdIdentity, User
from turnout.accounts.openid import Identity, OpenIdFailed
from turnout.accounts.users import UserDraft
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.fields import check_email


async def account_of(db: AsyncSession, who: Identity, cause: Cause, now: datetime) -> User:
    """The account of whoever the provider says it is: known before, linked now, or made now.

    By an address that the provider has verified, and by nothing else, an account is linked. Raises
    OpenIdFailed without such an address, InvalidCredentials where the account is disabled.
    """
    user = await _known(db, who)
    if user is None:
        user = await _linked(db, who, cause, now)
    if not user.is_active:
        raise InvalidCredentials
    return user


async def _known(db: AsyncSession, who: Identity) -> User | None:
    query = (
        select(User)
        .join(OpenIdIdentity, OpenIdIdentity.user_id == User.id)
        .where(OpenIdIdentity.issuer == who.issuer, OpenIdIdentity.subject == who.subject)
    )
    return await db.scalar(query)


async def _linked(db: AsyncSession, who: Identity, cause: Cause, now: datetime) -> User:
    email = _usable(who)
    user = await users.by_email(db, email)
    if user is None:
        draft = UserDraft(email, who.name or email.partition("@")[0], is_verified=True)
        user = await _made(db, draft, cause, now)
    elif user.email_verified_at is None:
        await _take_over(db, user, cause, now)
    identity = OpenIdIdentity(
        issuer=who.issuer, subject=who.subject, user_id=user.id, created_at=now
    )
    try:
        async with db.begin_nested():
            db.add(identity)
            await db.flush()
    except IntegrityError:
        # The same person came back twice at once; the other of the two has linked the account.
        raise OpenIdFailed("the identity was linked at the same time") from None
    audit.record(db, [audit.Entry(now, cause, "user.identity-linked", subject_id=user.id)])
    return user


async def _made(db: AsyncSession, draft: UserDraft, cause: Cause, now: datetime) -> User:
    try:
        return await users.create(db, draft, cause, now)
    except EmailTaken:
        raise OpenIdFailed("the account was made at the same time") from None


def _usable(who: Identity) -> str:
    if who.email is None or not who.email_verified:
        raise OpenIdFailed("the provider has not verified the e-mail address")
    try:
        return check_email(who.email)
    except ValueError:
        raise OpenIdFailed("the provider's e-mail address cannot be used") from None


async def _take_over(db: AsyncSession, user: User, cause: Cause, now: datetime) -> None:
    """Hand an account to the owner of its address, of whom the provider is the proof.

    Whoever made it never showed that the address was theirs: all that they could come in by goes.
    """
    await sign_ins.end_all(db, user.id, now)
    await api_tokens.revoke_all(db, user.id, now)
    await links.end(db, user.id, now)
    await second_factor.remove(db, user, cause, now)
    user.password_hash = None
    user.email_verified_at = user.updated_at = now
    await db.flush()
    audit.record(db, [audit.Entry(now, cause, "user.email-verified", subject_id=user.id)])
