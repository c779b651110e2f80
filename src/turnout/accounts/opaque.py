"""Secrets that others hold: random for cookies and tokens, derived for links in mails.

Of a random one the database keeps a hash. It needs no salt and no slow function: 256 bits cannot
be guessed, by any list (which is what argon2id is for, where people choose).
"""

import hmac
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import blake2b, sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SECRET_BYTES = 32
API_TOKEN_PREFIX = "turnout_"  # noqa: S105 - a mark by which leaked tokens are found, no secret
_MAC_BYTES = 20
_NONCE_BYTES = 12
_ID_BYTES = 16


def new_secret() -> str:
    """43 URL-safe characters, 256 random bits."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_of(secret: str) -> bytes:
    """What the database knows a secret by, 32 bytes; any text has one."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Seals:
    """Makes the keys and link tokens of one installation; `secret` must never change."""

    secret: bytes

    def key(self, purpose: bytes) -> bytes:
        """A key of 32 bytes for one purpose (at most 16 bytes), of no use for another."""
        return blake2b(b"key", key=self.secret[:64], digest_size=32, person=purpose).digest()

    def seal(self, purpose: bytes, plain: bytes, context: bytes = b"") -> bytes:
        """`plain`, to be read by `unseal` with the same purpose and context alone."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.key(purpose)).encrypt(nonce, plain, context)

    def unseal(self, purpose: bytes, sealed: bytes, context: bytes = b"") -> bytes | None:
        """What was sealed, or None for anything that `seal` did not make."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self.key(purpose)).decrypt(nonce, rest, context)
        except (InvalidTag, ValueError):
            return None

    def link_token(self, link_id: UUID) -> str:
        """The token of a one-time link: its id and 160 bits that only this installation knows.

        Derived, so that whoever composes a mail can write it, and a copy of the database cannot.
        """
        return urlsafe_b64encode(link_id.bytes + self._mac(link_id.bytes)).decode()

    def link_id(self, token: str) -> UUID | None:
        """The id in a token that `link_token` made, or None for any other text."""
        try:
            raw = urlsafe_b64decode(token.encode("ascii"))
        except ValueError:
            return None
        found = raw[:_ID_BYTES]
        is_ours = len(raw) == _ID_BYTES + _MAC_BYTES and hmac.compare_digest(
            raw[_ID_BYTES:], self._mac(found)
        )
        # Only the canonical text: base64 has others for the same bytes.
        if not is_ours or urlsafe_b64encode(raw).decode() != token:
            return None
        return UUID(bytes=found)

    def _mac(self, raw_id: bytes) -> bytes:
        key = self.secret[:64]
        return blake2b(raw_id, key=key, digest_size=_MAC_BYTES, person=b"turnout link").digest()
