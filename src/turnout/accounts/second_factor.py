"""The second factor of an account: set up, confirmed, asked for, taken away. Knows no HTTP."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts import totp, users
from turnout.accounts.errors import InvalidCode, SecondFactorRequired, SecondFactorState
from turnout.accounts.models import RecoveryCode, User
from turnout.accounts.opaque import Seals
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.errors import FieldError
from turnout.outbox import outbox
from turnout.outbox.topics import Topic

_PURPOSE = b"second factor"


@dataclass(frozen=True, slots=True)
class State:
    """Whether an account has a second factor, and how many recovery codes are left."""

    is_enabled: bool
    recovery_codes_left: int


async def state(db: AsyncSession, user_id: UUID) -> State:
    """What an account has."""
    user = await users.by_id(db, user_id)
    left = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    count = (await db.execute(left)).scalar_one()
    return State(user.totp_confirmed_at is not None, count)


async def begin(db: AsyncSession, seals: Seals, user_id: UUID, cause: Cause, now: datetime) -> str:
    """A new secret, which counts once a code of it has been shown.

    Raises SecondFactorState while there is one that counts.
    """
    user = await users.locked(db, user_id)
    if user.totp_confirmed_at is not None:
        raise SecondFactorState("There is a second factor already; take it away first.")
    secret = totp.new_secret()
    user.totp_sealed_secret, user.totp_last_step = (
        seals.seal(_PURPOSE, secret.encode(), user.id.bytes),
        None,
    )
    user.updated_at = now
    await db.flush()
    audit.record(db, [audit.Entry(now, cause, "second-factor.begun", subject_id=user.id)])
    return secret


async def confirm(
    db: AsyncSession, seals: Seals, user_id: UUID, code: str, cause: Cause, now: datetime
) -> list[str]:
    """The recovery codes of a second factor that counts from now on.

    Raises InvalidCode, and SecondFactorState where none was begun.
    """
    user = await users.locked(db, user_id)
    if user.totp_sealed_secret is None or user.totp_confirmed_at is not None:
        raise SecondFactorState("There is no second factor that waits for its first code.")
    _require_step(seals, user, code, now)
    user.totp_confirmed_at = now
    await db.flush()
    _tell(db, user.id, "second-factor.confirmed", cause, now)
    return await _new_recovery_codes(db, user.id)


async def renew_recovery_codes(
    db: AsyncSession, seals: Seals, user_id: UUID, code: str, cause: Cause, now: datetime
) -> list[str]:
    """New recovery codes in place of all earlier ones. Raises InvalidCode, SecondFactorState."""
    user = await _enabled(db, user_id)
    await _require_code(db, seals, user, code, now)
    _tell(db, user.id, "second-factor.codes-renewed", cause, now)
    return await _new_recovery_codes(db, user.id)


async def disable(
    db: AsyncSession, seals: Seals, user_id: UUID, code: str, cause: Cause, now: datetime
) -> None:
    """Take the second factor away, by one last code. Raises InvalidCode, SecondFactorState."""
    user = await _enabled(db, user_id)
    await _require_code(db, seals, user, code, now)
    await remove(db, user, cause, now)


async def remove(db: AsyncSession, user: User, cause: Cause, now: datetime) -> None:
    """Take the second factor away without a code, for those who have lost theirs."""
    if user.totp_sealed_secret is None:
        return
    user.totp_sealed_secret = user.totp_confirmed_at = user.totp_last_step = None
    user.updated_at = now
    await db.flush()
    await db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    _tell(db, user.id, "second-factor.removed", cause, now)


async def require(
    db: AsyncSession, seals: Seals, user_id: UUID, code: str | None, now: datetime
) -> None:
    """Raises SecondFactorRequired unless the account has none, or `code` is a good one of it.

    In the transaction that signs in: no code counts twice, whoever is faster.
    """
    user = await users.locked(db, user_id)
    if user.totp_confirmed_at is None:
        return
    if not code:
        raise SecondFactorRequired
    try:
        await _require_code(db, seals, user, code, now)
    except InvalidCode as error:
        raise SecondFactorRequired(error.detail) from None


async def _require_code(
    db: AsyncSession, seals: Seals, user: User, code: str, now: datetime
) -> None:
    recovery = totp.normalize_recovery(code)
    if recovery is None:
        _require_step(seals, user, code, now)
        await db.flush()
        return
    unused = update(RecoveryCode).where(
        RecoveryCode.user_id == user.id,
        RecoveryCode.code_hash == totp.hash_recovery(recovery),
        RecoveryCode.used_at.is_(None),
    )
    used = await db.execute(unused.values(used_at=now).returning(RecoveryCode.user_id))
    if used.one_or_none() is None:
        raise _wrong_code()


def _require_step(seals: Seals, user: User, code: str, now: datetime) -> None:
    sealed = bytes(user.totp_sealed_secret or b"")
    secret = seals.unseal(_PURPOSE, sealed, user.id.bytes)
    if secret is None:
        raise SecondFactorState("The key of this server is not the one it was set up with.")
    step = totp.matching_step(secret.decode(), code, now, user.totp_last_step)
    if step is None:
        raise _wrong_code()
    user.totp_last_step = step


def _wrong_code() -> InvalidCode:
    message = "This is not the present code, or it was used already."
    return InvalidCode(message, fields=(FieldError("code", InvalidCode.code, message),))


async def _new_recovery_codes(db: AsyncSession, user_id: UUID) -> list[str]:
    await db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = totp.new_recovery_codes()
    for code in codes:
        plain = totp.normalize_recovery(code)
        assert plain is not None  # noqa: S101 - it was made a moment ago; narrows
        db.add(RecoveryCode(user_id=user_id, code_hash=totp.hash_recovery(plain), used_at=None))
    await db.flush()
    return codes


async def _enabled(db: AsyncSession, user_id: UUID) -> User:
    user = await users.locked(db, user_id)
    if user.totp_confirmed_at is None:
        raise SecondFactorState("There is no second factor.")
    return user


def _tell(db: AsyncSession, user_id: UUID, action: str, cause: Cause, now: datetime) -> None:
    audit.record(db, [audit.Entry(now, cause, action, subject_id=user_id)])
    payload = {"user_id": str(user_id), "what": action.partition(".")[2]}
    outbox.add(db, [outbox.Message(now, Topic.SECOND_FACTOR_CHANGED, None, user_id, payload)])
