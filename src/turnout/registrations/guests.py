"""A guest's token: the right to read, change and cancel one registration. Knows no HTTP."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from turnout.db.session import Db
from turnout.registrations.models import Registration

SECRET_BYTES = 26
_ID_BYTES = 16
_REGISTRATION = Registration.__table__.c
_HASHES: Any = select(_REGISTRATION.id, _REGISTRATION.manage_token_hash).where(
    _REGISTRATION.id.in_(bindparam("ids", expanding=True)),
    _REGISTRATION.manage_token_hash.is_not(None),
)


def new_token(registration_id: UUID) -> str:
    """56 URL-safe characters: which registration, and 208 random bits.

    The id is in it so that a token is found by the index that is there anyway: an index of hashes
    would be one more to write for every seat.
    """
    return urlsafe_b64encode(registration_id.bytes + secrets.token_bytes(SECRET_BYTES)).decode()


def hash_of(token: str) -> bytes:
    """What the database knows a token by, 32 bytes."""
    return sha256(token.encode()).digest()


def registration_of(token: str) -> UUID | None:
    """The registration that a token names, whether or not it is its token; None for other texts."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii"))
    except ValueError:
        return None
    return UUID(bytes=raw[:_ID_BYTES]) if len(raw) == _ID_BYTES + SECRET_BYTES else None


async def load(db: Db, registration_ids: Collection[UUID]) -> dict[UUID, bytes]:
    """The hash of the token of each registration that has one."""
    connection = await db.connection()
    rows = await connection.execute(_HASHES, {"ids": list(registration_ids)})
    return {row.id: bytes(row.manage_token_hash) for row in rows}
