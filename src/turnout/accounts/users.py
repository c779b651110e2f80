"""Accounts as rows: made, found, changed, erased. Knows no HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from turnout import ids
from turnout.accounts import api_tokens, links, sign_ins
from turnout.accounts.actor import Role
from turnout.accounts.errors import EmailTaken, LastAdmin
from turnout.accounts.models import (
    ApiToken,
    Link,
    LinkPurpose,
    OpenIdIdentity,
    RecoveryCode,
    SignIn,
    User,
)
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.errors import NotFound
from turnout.fields import canonical_email
from turnout.outbox import outbox
from turnout.outbox.topics import Topic

SEARCH_CHARACTERS = 600
ERASED_NAME = "Deleted account"


@dataclass(frozen=True, slots=True)
class UserDraft:
    """An account that is to be made. Without a password it is entered by a link."""

    email: str
    name: str
    role: Role = Role.ATTENDEE
    timezone: str | None = None
    password_hash: str | None = None
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which accounts are asked for; `words` are looked for in name and address."""

    words: str | None = None
    role: Role | None = None
    is_active: bool | None = None


async def create(db: AsyncSession, wanted: UserDraft, cause: Cause, now: datetime) -> User:
    """The new account, with a link to verify its address, or to set its first password.

    Raises EmailTaken.
    """
    user = User(
        id=ids.new_id(),
        email=wanted.email,
        email_canonical=canonical_email(wanted.email),
        email_verified_at=now if wanted.is_verified else None,
        name=wanted.name,
        search_text=search_text_of(wanted.name, wanted.email),
        role=wanted.role,
        timezone=wanted.timezone,
        is_active=True,
        password_hash=wanted.password_hash,
        created_at=now,
        updated_at=now,
    )
    try:
        async with db.begin_nested():
            db.add(user)
            await db.flush()
    except IntegrityError:
        # The unique index, and no look before, stops two who take the same address at once.
        raise EmailTaken from None
    changes = {"role": user.role}
    audit.record(db, [audit.Entry(now, cause, "user.created", subject_id=user.id, changes=changes)])
    if not wanted.is_verified:
        await _send_link(db, user, now)
    return user


async def _send_link(db: AsyncSession, user: User, now: datetime) -> None:
    """Let the owner show that the address is theirs, and set a password where there is none."""
    has_password = user.password_hash is not None
    purpose = LinkPurpose.VERIFY_EMAIL if has_password else LinkPurpose.INVITATION
    link_id = await links.issue(db, user.id, purpose, user.email, now)
    payload = {"user_id": str(user.id), "link_id": str(link_id), "purpose": purpose}
    outbox.add(db, [outbox.Message(now, Topic.ACCOUNT_CREATED, None, user.id, payload)])


async def by_id(db: AsyncSession, user_id: UUID) -> User:
    """The account. Raises NotFound where there is none, or none any more."""
    user = await db.scalar(select(User).where(User.id == user_id, User.erased_at.is_(None)))
    if user is None:
        raise NotFound
    return user


async def locked(db: AsyncSession, user_id: UUID) -> User:
    """The account, held until the transaction ends. Raises NotFound."""
    query = (
        select(User)
        .where(User.id == user_id, User.erased_at.is_(None))
        .with_for_update(key_share=True)
    )
    user = await db.scalar(query)
    if user is None:
        raise NotFound
    return user


async def locked_with_admins(db: AsyncSession, user_id: UUID) -> User:
    """The account, held, for what may take an administrator away. Raises NotFound.

    All administrators first: two who demote each other at once would else hold themselves and wait
    for the other, which PostgreSQL ends with an error and not with "the last one stays".
    """
    await _hold_admins(db)
    return await locked(db, user_id)


async def by_email(db: AsyncSession, email: str) -> User | None:
    """The account with that address, or None."""
    person = canonical_email(email)
    return await db.scalar(select(User).where(User.email_canonical == person))


async def page(
    db: AsyncSession, wanted: UserFilter, *, after: str | None, limit: int
) -> list[User]:
    """Accounts by their canonical address, at most `limit` behind `after`.

    Words are looked for in the order of the index of addresses: with few matches among very many
    accounts that reads them all, which administrators alone can ask for.
    """
    query = select(User).where(User.erased_at.is_(None))
    if wanted.words is not None:
        query = query.where(User.search_text.contains(wanted.words.casefold(), autoescape=True))
    if wanted.role is not None:
        query = query.where(User.role == wanted.role)
    if wanted.is_active is not None:
        query = query.where(User.is_active.is_(wanted.is_active))
    if after is not None:
        query = query.where(User.email_canonical > after)
    return list(await db.scalars(query.order_by(User.email_canonical).limit(limit)))


async def change(
    db: AsyncSession, user: User, values: Mapping[str, Any], cause: Cause, now: datetime
) -> None:
    """Set columns of an account: `name`, `timezone`, `locale`, `role`, `is_active`.

    Raises LastAdmin. Whoever is disabled is signed out everywhere.
    """
    changed = {name: value for name, value in values.items() if getattr(user, name) != value}
    if not changed:
        return
    was_admin = user.role == Role.ADMIN and user.is_active
    stays_admin = changed.get("role", user.role) == Role.ADMIN and changed.get("is_active", True)
    if was_admin and not stays_admin:
        await _require_another_admin(db, user.id)
    for name, value in changed.items():
        setattr(user, name, value)
    user.search_text = search_text_of(user.name, user.email)
    user.updated_at = now
    await db.flush()
    if changed.get("is_active") is False:
        await sign_ins.end_all(db, user.id, now)
    _tell_of_change(db, user, changed, cause, now)


def _tell_of_change(
    db: AsyncSession, user: User, changed: Mapping[str, Any], cause: Cause, now: datetime
) -> None:
    # A name is personal and outlives the person in an audit: that it changed is enough.
    told = {name: None if name == "name" else value for name, value in changed.items()}
    audit.record(db, [audit.Entry(now, cause, "user.changed", subject_id=user.id, changes=told)])
    if "role" in changed:
        payload = {"user_id": str(user.id), "role": user.role}
        outbox.add(db, [outbox.Message(now, Topic.ROLE_CHANGED, None, user.id, payload)])


async def set_password(
    db: AsyncSession, user: User, password_hash: str, cause: Cause, now: datetime,
    *, keep: UUID | None = None,
) -> None:  # fmt: skip
    """Set a new password; every sign-in but `keep` ends, and open links count no more.

    Those to another address as well: whoever knew the former password may have asked for one.
    """
    user.password_hash, user.updated_at = password_hash, now
    await db.flush()
    await sign_ins.end_all(db, user.id, now, but=keep)
    for purpose in (LinkPurpose.RESET_PASSWORD, LinkPurpose.CHANGE_EMAIL):
        await links.end(db, user.id, now, purpose)
    audit.record(db, [audit.Entry(now, cause, "user.password-changed", subject_id=user.id)])
    payload = {"user_id": str(user.id)}
    outbox.add(db, [outbox.Message(now, Topic.PASSWORD_CHANGED, None, user.id, payload)])


async def erase(db: AsyncSession, user: User, cause: Cause, now: datetime) -> None:
    """Take the person out of an account: what is left is a row without name, address or way in.

    Their events stay, as events of a deleted account that administrators look after. Raises
    LastAdmin.
    """
    if user.role == Role.ADMIN and user.is_active:
        await _require_another_admin(db, user.id)
    await _close_ways_in(db, user.id, now)
    await db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    await db.execute(delete(OpenIdIdentity).where(OpenIdIdentity.user_id == user.id))
    user.email = user.email_canonical = f"deleted-{user.id}@turnout.invalid"
    user.name, user.search_text = ERASED_NAME, ""
    user.timezone = user.locale = user.password_hash = user.email_verified_at = None
    user.totp_sealed_secret = user.totp_confirmed_at = user.totp_last_step = None
    user.role, user.is_active = Role.ATTENDEE, False
    user.erased_at = user.updated_at = now
    await db.flush()
    audit.record(db, [audit.Entry(now, cause, "user.erased", subject_id=user.id)])


async def _close_ways_in(db: AsyncSession, user_id: UUID, now: datetime) -> None:
    """End whatever lets someone into an account, and what it tells of the person."""
    await sign_ins.end_all(db, user_id, now)
    await api_tokens.revoke_all(db, user_id, now)
    await db.execute(delete(Link).where(Link.user_id == user_id))
    mine = SignIn.user_id == user_id
    await db.execute(update(SignIn).where(mine).values(client="", address=None))
    await db.execute(update(ApiToken).where(ApiToken.user_id == user_id).values(name=""))


async def _hold_admins(db: AsyncSession) -> set[UUID]:
    """Every active administrator, held until the transaction ends, in the order of their ids."""
    admins = select(User.id).where(User.role == Role.ADMIN, User.is_active).order_by(User.id)
    return set(await db.scalars(admins.with_for_update(key_share=True)))


async def _require_another_admin(db: AsyncSession, user_id: UUID) -> None:
    """Raises LastAdmin. They are held: two who demote each other at once go one by one."""
    if await _hold_admins(db) <= {user_id}:
        raise LastAdmin("The last administrator cannot be demoted, disabled or deleted.")


def search_text_of(name: str, email: str) -> str:
    """What an administrator's search looks into, case-folded."""
    return f"{name} {email}".casefold()[:SEARCH_CHARACTERS]
