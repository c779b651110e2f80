"""Signing in and out: sign-ins with their tokens and cookies. Hashes no password, knows no HTTP."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, bindparam, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout import ids
from turnout.accounts import opaque
from turnout.accounts.actor import Actor
from turnout.accounts.errors import InvalidCredentials, InvalidGrant, TokenReuse
from turnout.accounts.models import RefreshToken, SignIn, SignInKind, User
from turnout.accounts.policy import require_account
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.db import sets
from turnout.errors import NotFound
from turnout.outbox import outbox
from turnout.outbox.topics import Topic

IDLE = timedelta(days=30)
"""How long a sign-in by tokens lives without being refreshed."""
PAGE_LIFETIME = timedelta(days=14)
CLIENT_CHARACTERS = 200


# Of tables, not mapped classes, and built once: many sign in at once when the seats open, and all
# that is done for one of them in the loop holds up everybody else.
_USER = User.__table__.c
_CANDIDATE = select(
    *(_USER.id, _USER.email_canonical, _USER.password_hash, _USER.is_active),
    _USER.totp_confirmed_at.is_not(None),
).where(_USER.email_canonical == bindparam("wanted"))
# The lock lets a password change wait, which then ends this sign-in with the others.
_UNCHANGED = (
    select(_USER.id)
    .where(
        *(_USER.id == bindparam("wanted"), _USER.is_active),
        _USER.password_hash.is_not_distinct_from(bindparam("password")),
        _USER.totp_confirmed_at.is_not(None) == bindparam("second_factor", type_=Boolean),
    )
    .with_for_update(key_share=True)
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that someone wants to sign in to, before the password was looked at."""

    user_id: UUID
    person: str
    password_hash: str | None
    is_active: bool
    has_second_factor: bool


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of the program that signs in: what it says it is, and from where."""

    name: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A sign-in that goes on; `secret` is its refresh token or its cookie, told this once."""

    user_id: UUID
    sign_in_id: UUID
    secret: str


async def candidate(db: AsyncSession, person: str) -> Candidate | None:
    """The account with that canonical address, or None; any text may be asked about."""
    if "\0" in person:
        return None  # which PostgreSQL refuses to compare with anything
    connection = await db.connection()
    row = (await connection.execute(_CANDIDATE, {"wanted": person})).one_or_none()
    return None if row is None else Candidate(*row)


async def candidate_by_id(db: AsyncSession, user_id: UUID) -> Candidate | None:
    """The account with that id, or None."""
    user = await db.get(User, user_id)
    return None if user is None else candidate_of(user)


def candidate_of(user: User) -> Candidate:
    """What has to be known of an account that someone wants to sign in to."""
    has_second_factor = user.totp_confirmed_at is not None
    person = user.email_canonical
    return Candidate(user.id, person, user.password_hash, user.is_active, has_second_factor)


async def open_(
    db: AsyncSession,
    found: Candidate,
    kind: SignInKind,
    client: Client,
    cause: Cause,
    now: datetime,
) -> Opened:
    """A new sign-in for an account that has shown who it is.

    Raises InvalidCredentials where the account, its password or its having a second factor have
    changed since they were looked at.
    """
    user_id, connection = found.user_id, await db.connection()
    looked_at = {
        "wanted": user_id,
        "password": found.password_hash,
        "second_factor": found.has_second_factor,
    }
    if await connection.scalar(_UNCHANGED, looked_at) is None:
        raise InvalidCredentials
    opened = Opened(user_id, ids.new_id(), opaque.new_secret())
    _add_sign_in(db, opened, kind, client, now)
    if kind is not SignInKind.PAGE:
        _add_refresh_token(db, opened.sign_in_id, opened.secret, now)
    by_them = Cause(cause.standing, user_id, cause.request_id)
    audit.record(db, [audit.Entry(now, by_them, "sign-in.opened", subject_id=opened.sign_in_id)])
    payload = {"user_id": str(user_id), "sign_in_id": str(opened.sign_in_id)}
    outbox.add(db, [outbox.Message(now, Topic.SIGN_IN_OPENED, None, user_id, payload)])
    return opened


def _add_sign_in(
    db: AsyncSession, opened: Opened, kind: SignInKind, client: Client, now: datetime
) -> None:
    is_page = kind is SignInKind.PAGE
    cookie_hash = opaque.hash_of(opened.secret) if is_page else None
    expires_at = now + (PAGE_LIFETIME if is_page else IDLE)
    row = (
        *(opened.sign_in_id, opened.user_id, kind, cookie_hash),
        *(client.name[:CLIENT_CHARACTERS], client.address, now, now, expires_at, None),
    )
    # With the commit, as all rows here: each statement of its own would hold up who reads.
    sets.insert(db, SignIn.__table__, [row])  # type: ignore[arg-type]  # a Table, though declared as FromClause


async def refresh(
    db: AsyncSession, token: str, cause: Cause, now: datetime
) -> Opened | TokenReuse | InvalidGrant:
    """The sign-in carried on with a new refresh token, or why not, to be raised after the commit.

    A token that comes a second time ends its sign-in (RFC 9700, 4.14.2), which must not be taken
    back by the refusal.
    """
    token_hash = opaque.hash_of(token)
    unused = RefreshToken.token_hash == token_hash, RefreshToken.used_at.is_(None)
    taken = update(RefreshToken).where(*unused).values(used_at=now)
    # The condition decides between two who send the same token at once.
    sign_in_id = (await db.execute(taken.returning(RefreshToken.sign_in_id))).scalar_one_or_none()
    if sign_in_id is None:
        return await _refuse(db, token_hash, cause, now)
    user_id = await _carry_on(db, sign_in_id, now)
    if user_id is None:
        return InvalidGrant()
    secret = opaque.new_secret()
    _add_refresh_token(db, sign_in_id, secret, now)
    return Opened(user_id, sign_in_id, secret)


async def _carry_on(db: AsyncSession, sign_in_id: UUID, now: datetime) -> UUID | None:
    """Whose sign-in it is, which lives on from now; None where it or the account has ended."""
    alive = update(SignIn).where(
        SignIn.id == sign_in_id,
        SignIn.ended_at.is_(None),
        SignIn.expires_at > now,
        exists().where(User.id == SignIn.user_id, User.is_active),
    )
    values = alive.values(last_used_at=now, expires_at=now + IDLE)
    return (await db.execute(values.returning(SignIn.user_id))).scalar_one_or_none()


async def _refuse(
    db: AsyncSession, token_hash: bytes, cause: Cause, now: datetime
) -> TokenReuse | InvalidGrant:
    query = select(RefreshToken.sign_in_id).where(RefreshToken.token_hash == token_hash)
    sign_in_id = await db.scalar(query)
    if sign_in_id is None:
        return InvalidGrant()
    if await _end(db, SignIn.id == sign_in_id, now=now):
        audit.record(db, [audit.Entry(now, cause, "sign-in.reuse-found", subject_id=sign_in_id)])
    return TokenReuse()


def _add_refresh_token(db: AsyncSession, sign_in_id: UUID, secret: str, now: datetime) -> None:
    row = (opaque.hash_of(secret), sign_in_id, now, None)
    sets.insert(db, RefreshToken.__table__, [row])  # type: ignore[arg-type]  # a Table, though declared as FromClause


async def end(
    db: AsyncSession, actor: Actor, sign_in_id: UUID, cause: Cause, now: datetime
) -> None:
    """End one of the caller's own sign-ins. Raises NotFound for any other."""
    mine = SignIn.user_id == require_account(actor)
    if not await _end(db, SignIn.id == sign_in_id, mine, now=now):
        raise NotFound
    audit.record(db, [audit.Entry(now, cause, "sign-in.ended", subject_id=sign_in_id)])


async def end_by_token(
    db: AsyncSession, actor: Actor, sign_in_id: UUID, cause: Cause, now: datetime
) -> None:
    """End the sign-in that a token belongs to, if it is the caller's; else nothing (RFC 7009)."""
    if await _end(db, SignIn.id == sign_in_id, SignIn.user_id == actor.user_id, now=now):
        audit.record(db, [audit.Entry(now, cause, "sign-in.ended", subject_id=sign_in_id)])


async def end_all(
    db: AsyncSession, user_id: UUID, now: datetime, *, but: UUID | None = None
) -> None:
    """End every sign-in of an account, except the one that asks; whoever calls records why."""
    others = SignIn.user_id == user_id
    await _end(db, others if but is None else others & (SignIn.id != but), now=now)


async def of_refresh_token(db: AsyncSession, token: str) -> UUID | None:
    """The sign-in that a refresh token belongs to, used or not."""
    query = select(RefreshToken.sign_in_id).where(RefreshToken.token_hash == opaque.hash_of(token))
    return await db.scalar(query)


async def page(
    db: AsyncSession, actor: Actor, now: datetime, *, before: UUID | None, limit: int
) -> list[SignIn]:
    """Where the caller is signed in, the newest first, at most `limit` older than `before`."""
    mine = SignIn.user_id == require_account(actor)
    query = select(SignIn).where(mine, SignIn.ended_at.is_(None), SignIn.expires_at > now)
    if before is not None:
        query = query.where(SignIn.id < before)
    return list(await db.scalars(query.order_by(SignIn.id.desc()).limit(limit)))


async def _end(db: AsyncSession, *which: ColumnElement[bool], now: datetime) -> bool:
    """Whether there was any to end. What was used to carry it on is of no more use."""
    living = update(SignIn).where(*which, SignIn.ended_at.is_(None))
    ended = await db.execute(living.values(ended_at=now).returning(SignIn.id))
    return bool(ended.all())
