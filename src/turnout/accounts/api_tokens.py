"""Personal API tokens: for programs, shown once, narrowed by scopes, revoked at any time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout import ids
from turnout.accounts import opaque
from turnout.accounts.actor import Actor, Scope
from turnout.accounts.errors import TooManyTokens
from turnout.accounts.models import ApiToken, User
from turnout.accounts.policy import require_account
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.errors import NotFound

MOST_TOKENS = 50


@dataclass(frozen=True, slots=True)
class TokenDraft:
    """A token that someone wants; `expires_at` None is no end."""

    name: str
    scopes: tuple[Scope, ...]
    expires_at: datetime | None = None


async def create(
    db: AsyncSession, owner: UUID, cause: Cause, wanted: TokenDraft, now: datetime
) -> tuple[ApiToken, str]:
    """The new token's row and the token itself, which nobody can ask for again.

    Raises TooManyTokens.
    """
    # The lock lets those who make the last ones at once go one by one.
    await db.execute(select(User.id).where(User.id == owner).with_for_update(key_share=True))
    count = select(func.count()).select_from(ApiToken).where(*_live(owner, now))
    if (await db.execute(count)).scalar_one() >= MOST_TOKENS:
        raise TooManyTokens
    token = opaque.API_TOKEN_PREFIX + opaque.new_secret()
    row = ApiToken(
        id=ids.new_id(),
        user_id=owner,
        name=wanted.name,
        token_hash=opaque.hash_of(token),
        scopes=sorted(set(wanted.scopes)),
        created_at=now,
        expires_at=wanted.expires_at,
    )
    db.add(row)
    await db.flush()
    changes = {"scopes": row.scopes, "user_id": str(owner)}
    audit.record(
        db, [audit.Entry(now, cause, "api-token.created", subject_id=row.id, changes=changes)]
    )
    return row, token


async def page(
    db: AsyncSession, actor: Actor, now: datetime, *, before: UUID | None, limit: int
) -> list[ApiToken]:
    """The caller's tokens that count, the newest first, at most `limit` older than `before`."""
    query = select(ApiToken).where(*_live(require_account(actor), now))
    if before is not None:
        query = query.where(ApiToken.id < before)
    return list(await db.scalars(query.order_by(ApiToken.id.desc()).limit(limit)))


async def revoke(
    db: AsyncSession, actor: Actor, token_id: UUID, cause: Cause, now: datetime
) -> None:
    """Let one of the caller's tokens count no more. Raises NotFound for any other."""
    owner = require_account(actor)
    live = update(ApiToken).where(ApiToken.id == token_id, *_live(owner, now))
    ended = await db.execute(live.values(revoked_at=now).returning(ApiToken.id))
    if ended.one_or_none() is None:
        raise NotFound
    audit.record(db, [audit.Entry(now, cause, "api-token.revoked", subject_id=token_id)])


async def revoke_itself(
    db: AsyncSession, actor: Actor, token: str, cause: Cause, now: datetime
) -> None:
    """Let that token count no more, if it is one of the caller's; else nothing (RFC 7009)."""
    this = ApiToken.token_hash == opaque.hash_of(token), *_live(require_account(actor), now)
    ended = await db.execute(
        update(ApiToken).where(*this).values(revoked_at=now).returning(ApiToken.id)
    )
    for token_id in ended.scalars():
        audit.record(db, [audit.Entry(now, cause, "api-token.revoked", subject_id=token_id)])


async def revoke_all(db: AsyncSession, owner: UUID, now: datetime) -> None:
    """Let none of an account's tokens count any more; whoever calls records why."""
    await db.execute(update(ApiToken).where(*_live(owner, now)).values(revoked_at=now))


def _live(owner: UUID, now: datetime) -> tuple[ColumnElement[bool], ...]:
    unended = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now)
    return ApiToken.user_id == owner, ApiToken.revoked_at.is_(None), unended
