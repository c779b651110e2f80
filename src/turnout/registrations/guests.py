"""A guest's token: the right to read, change and cancel one registration. Knows no HTTP."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from hashlib import blake2b, sha256
from uuid import UUID

from sqlalchemy import select

from turnout.db.held import Asked, Question
from turnout.registrations.models import Registration

SECRET_BYTES = 26
_ID_BYTES = 16
_REGISTRATION = Registration.__table__.c
_HASHES = Question(
    select(_REGISTRATION.id, _REGISTRATION.manage_token_hash).where(
        _REGISTRATION.manage_token_hash.is_not(None)
    ),
    _REGISTRATION.id,
)


def derived_token(secret: bytes, registration_id: UUID) -> str:
    """56 URL-safe characters: which registration, and 208 bits that the installation alone knows.

    Derived from its secret, so that whoever composes a mail can write the link, and a copy of the
    database cannot. The id is in it so that a token is found by the index that is there anyway: an
    index of hashes would be one more to write for every seat.
    """
    mac = blake2b(
        registration_id.bytes, key=secret[:64], digest_size=SECRET_BYTES, person=b"turnout guest"
    )
    return urlsafe_b64encode(registration_id.bytes + mac.digest()).decode()


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


async def load(database: Asked, registration_ids: Collection[UUID]) -> dict[UUID, bytes]:
    """The hash of the token of each registration that has one."""
    rows = await database.rows(_HASHES, list(registration_ids))
    return {registration_id: bytes(known) for registration_id, known in rows}
