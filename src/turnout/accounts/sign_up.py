"""Getting an account and getting back into it. Hashes no password, sends no mail, knows no HTTP.

Nothing here tells whoever asks whether an address has an account: that goes by mail to the address
itself.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts import api_tokens, bootstrap, links, sign_ins, users
from turnout.accounts.errors import EmailTaken, InvalidLink
from turnout.accounts.models import Link, LinkPurpose, User
from turnout.accounts.opaque import Seals
from turnout.accounts.users import UserDraft
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.fields import canonical_email
from turnout.outbox import outbox
from turnout.outbox.topics import Topic

VERIFYING = (LinkPurpose.VERIFY_EMAIL, LinkPurpose.CHANGE_EMAIL)
RESETTING = (LinkPurpose.RESET_PASSWORD, LinkPurpose.INVITATION, LinkPurpose.SET_UP)


async def sign_up(db: AsyncSession, wanted: UserDraft, cause: Cause, now: datetime) -> None:
    """Make the account, or tell the owner of the one that has the address already."""
    try:
        await users.create(db, wanted, cause, now)
    except EmailTaken:
        user = await users.by_email(db, wanted.email)
        if user is None:
            return  # erased at this very moment: whoever wants the address asks again
        payload = {"user_id": str(user.id)}
        outbox.add(db, [outbox.Message(now, Topic.ACCOUNT_KNOWN, None, user.id, payload)])


async def forget_password(db: AsyncSession, email: str, cause: Cause, now: datetime) -> None:
    """Give the owner of the address a link to set a new password, if there is an account."""
    user = await users.by_email(db, email)
    if user is None or not user.is_active:
        return
    link_id = await links.issue(db, user.id, LinkPurpose.RESET_PASSWORD, user.email, now)
    payload = {"user_id": str(user.id), "link_id": str(link_id)}
    outbox.add(db, [outbox.Message(now, Topic.PASSWORD_RESET_ASKED, None, user.id, payload)])
    audit.record(db, [audit.Entry(now, cause, "user.password-reset-asked", subject_id=user.id)])


async def verify_email(
    db: AsyncSession, seals: Seals, token: str, cause: Cause, now: datetime
) -> None:
    """Believe that the address is its account's, by the link that went there.

    Raises InvalidLink.
    """
    link = await links.redeem(db, seals, token, VERIFYING, now)
    user = await _owner(db, link)
    if link.purpose == LinkPurpose.CHANGE_EMAIL:
        await _move_to(db, user, link.email, cause, now)
    elif user.email != link.email:
        raise InvalidLink
    await _believe(db, user, cause, now)


async def reset_password(
    db: AsyncSession, seals: Seals, token: str, password_hash: str, cause: Cause, now: datetime,
    *, email: str | None = None,
) -> UUID:  # fmt: skip
    """The account that a link has given a new password; everything it was open with has ended.

    Whoever has the link reads the mail of the address, which is verified by that. The link of the
    first administrator also sets the address, to `email`, and counts only while there is none.
    Raises InvalidLink, EmailTaken.
    """
    link = await links.redeem(db, seals, token, RESETTING, now)
    user = await _owner(db, link)
    if link.purpose == LinkPurpose.SET_UP:
        if await bootstrap.has_admin(db):
            raise InvalidLink
        if email is not None:
            await _take(db, user, email)
    elif user.email != link.email:
        raise InvalidLink
    await users.set_password(db, user, password_hash, cause, now)
    await api_tokens.revoke_all(db, user.id, now)
    await _believe(db, user, cause, now)
    return user.id


async def ask_for_email(
    db: AsyncSession, user: User, email: str, cause: Cause, now: datetime
) -> None:
    """Send a link to the new address; until it is used, nothing changes."""
    link_id = await links.issue(db, user.id, LinkPurpose.CHANGE_EMAIL, email, now)
    payload = {"user_id": str(user.id), "link_id": str(link_id)}
    outbox.add(db, [outbox.Message(now, Topic.EMAIL_CHANGE_ASKED, None, user.id, payload)])
    audit.record(db, [audit.Entry(now, cause, "user.email-change-asked", subject_id=user.id)])


async def _owner(db: AsyncSession, link: Link) -> User:
    query = select(User).where(User.id == link.user_id, User.is_active)
    user = await db.scalar(query.with_for_update(key_share=True))
    if user is None:
        raise InvalidLink
    return user


async def _move_to(db: AsyncSession, user: User, email: str, cause: Cause, now: datetime) -> None:
    former = user.email
    try:
        await _take(db, user, email)
    except EmailTaken:
        raise InvalidLink from None
    user.email_verified_at = None
    # The former address is told as well, and is in no other place any more.
    payload = {"user_id": str(user.id), "former_email": former}
    outbox.add(db, [outbox.Message(now, Topic.EMAIL_CHANGED, None, user.id, payload)])
    audit.record(db, [audit.Entry(now, cause, "user.email-changed", subject_id=user.id)])
    await sign_ins.end_all(db, user.id, now)


async def _take(db: AsyncSession, user: User, email: str) -> None:
    user.email, user.email_canonical = email, canonical_email(email)
    user.search_text = users.search_text_of(user.name, email)
    try:
        async with db.begin_nested():
            await db.flush()
    except IntegrityError:
        raise EmailTaken from None


async def _believe(db: AsyncSession, user: User, cause: Cause, now: datetime) -> None:
    if user.email_verified_at is not None:
        return
    user.email_verified_at = user.updated_at = now
    await db.flush()
    audit.record(db, [audit.Entry(now, cause, "user.email-verified", subject_id=user.id)])
