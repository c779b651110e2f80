"""Answers once, however often a request is sent: RFC draft "Idempotency-Key". Knows no feature.

The answer is kept in the transaction of its effect. It is sealed with a key made from the caller's
own Idempotency-Key, of which the database holds only a hash: what was shown once (a guest's token)
can be shown again to who sent the request, and cannot be read from a copy of the database.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import CursorResult, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.db import sets
from turnout.errors import Conflict, Invalid
from turnout.idempotency.models import KeptAnswer

KEPT_FOR = timedelta(hours=24)
_NONCE_BYTES = 12


class IdempotencyMismatch(Invalid):
    """The key was used before, for another request."""

    code = "idempotency-mismatch"
    title = "This Idempotency-Key was used for another request"
    explanation = (
        "The same Idempotency-Key came with another body before. Send the same body to get the "
        "first answer again, or choose a new key for a new request."
    )


class IdempotencyInProgress(Conflict):
    """The first request with this key has not been answered yet."""

    code = "idempotency-in-progress"
    title = "The first request with this Idempotency-Key is still running"
    explanation = (
        "Another request with the same Idempotency-Key is being worked on right now. "
        "Wait a moment and send it again: you will then get the answer of the first."
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """One request with a key: `scope` says whose and for what, `fingerprint` is of its body."""

    scope: str
    key: str
    fingerprint: bytes

    @property
    def key_hash(self) -> bytes:
        """What the database knows the key by, 32 bytes."""
        return self._derived(b"name")

    def seal(self, answer: "Answer") -> bytes:
        """The answer, readable only with the key."""
        nonce = os.urandom(_NONCE_BYTES)
        plain = orjson.dumps([answer.status, answer.headers]) + b"\n" + answer.body
        return nonce + AESGCM(self._derived(b"seal")).encrypt(nonce, plain, None)

    def unseal(self, sealed: bytes) -> "Answer":
        """The answer that `seal` sealed."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        plain = AESGCM(self._derived(b"seal")).decrypt(nonce, rest, None)
        head, _, body = plain.partition(b"\n")
        status, headers = orjson.loads(head)
        return Answer(status, dict(headers), body)

    def _derived(self, purpose: bytes) -> bytes:
        return sha256(b"\0".join((purpose, self.scope.encode(), self.key.encode()))).digest()


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, to the byte."""

    status: int
    headers: dict[str, str]
    body: bytes


Found = Answer | IdempotencyMismatch | IdempotencyInProgress | None


async def look_up(db: AsyncSession, claims: Sequence[Claim], now: datetime) -> list[Found]:
    """For each claim: the kept answer, why there is none to give, or None for a first request.

    Until the caller's transaction ends, other processes that claim the same keys find them in
    progress: by an advisory lock on PostgreSQL; on SQLite there is only one writer.
    """
    hashes = [claim.key_hash for claim in claims]
    busy = await _busy_elsewhere(db, hashes)
    expired = KeptAnswer.expires_at <= now
    await db.execute(delete(KeptAnswer).where(KeptAnswer.key_hash.in_(hashes), expired))
    query = select(KeptAnswer.key_hash, KeptAnswer.fingerprint, KeptAnswer.sealed_answer)
    kept = {
        bytes(row.key_hash): row
        for row in await db.execute(query.where(KeptAnswer.key_hash.in_(hashes)))
    }
    found: list[Found] = []
    seen: set[bytes] = set()
    for claim, key_hash in zip(claims, hashes, strict=True):
        row = kept.get(key_hash)
        if key_hash in busy or (row is None and key_hash in seen):
            found.append(IdempotencyInProgress())
        elif row is None:
            found.append(None)
        elif bytes(row.fingerprint) != claim.fingerprint:
            found.append(IdempotencyMismatch())
        else:
            found.append(claim.unseal(bytes(row.sealed_answer)))
        seen.add(key_hash)
    return found


def keep(db: AsyncSession, answers: Sequence[tuple[Claim, Answer]], now: datetime) -> None:
    """Note the answers, to be written with the caller's transaction and kept for a day."""
    rows = [
        (claim.key_hash, claim.fingerprint, claim.seal(answer), now + KEPT_FOR)
        for claim, answer in answers
    ]
    sets.insert(db, KeptAnswer.__table__, rows)  # type: ignore[arg-type]  # a Table, though declared as FromClause


async def sweep(db: AsyncSession, now: datetime) -> int:
    """Forget the answers that are older than a day; returns how many."""
    result = await db.execute(delete(KeptAnswer).where(KeptAnswer.expires_at <= now))
    assert isinstance(result, CursorResult)  # noqa: S101 - narrows for the type checker
    return result.rowcount


async def _busy_elsewhere(db: AsyncSession, hashes: Sequence[bytes]) -> set[bytes]:
    if db.get_bind().dialect.name == "sqlite":
        return set()
    locks = {int.from_bytes(each[:8], "big", signed=True): each for each in hashes}
    query = text(
        "SELECT k FROM unnest(CAST(:keys AS bigint[])) AS k WHERE NOT pg_try_advisory_xact_lock(k)"
    )
    rows = await db.execute(query, {"keys": sorted(locks)})
    return {locks[row.k] for row in rows}
