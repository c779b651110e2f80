"""Access tokens: JWTs of one algorithm that say which sign-in they belong to. Knows no database.

RFC 9068 in its form. They carry no role: what someone may do is looked up at each request, so
that a change counts from the next one on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jwt import JWTClaimsRegistry

from turnout import ids

ALGORITHM = "HS256"
TYPE = "at+jwt"
AUDIENCE = "turnout"
LIFETIME = timedelta(minutes=15)
MAX_CHARACTERS = 2_048
"""Ours have some 400; more is not looked at."""
MOST_KEPT = 2_048
"""Tokens whose signature was found right are remembered, since most come many times."""
_HEADER = {"alg": ALGORITHM, "typ": TYPE}


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a good access token says: which sign-in, whose, and when it runs out (UTC seconds)."""

    user_id: UUID
    sign_in_id: UUID
    not_before: int
    expires_at: int


class AccessTokens:
    """Writes and reads the access tokens of one installation; `key` (32 bytes) signs them."""

    def __init__(self, key: bytes, *, issuer: str) -> None:
        self._key = OctKey.import_key(key)
        self._issuer = issuer
        self._claims = JWTClaimsRegistry(
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True},
            sid={"essential": True},
            jti={"essential": True},
            exp={"essential": True},
            nbf={"essential": True},
        )
        self._signed = lru_cache(MOST_KEPT)(self._read_signed)

    def write(self, user_id: UUID, sign_in_id: UUID, now: datetime) -> str:
        """A token for the sign-in, good for `LIFETIME`."""
        seconds = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(sign_in_id),
            "jti": str(ids.new_id()),
            "nbf": seconds,
            "iat": seconds,
            "exp": seconds + int(LIFETIME.total_seconds()),
        }
        return jwt.encode(_HEADER, claims, self._key, algorithms=[ALGORITHM])

    def read(self, token: str, now: datetime) -> AccessClaims | None:
        """What the token says, or None unless it is ours, whole, and good at this time."""
        if len(token) > MAX_CHARACTERS:
            return None
        claims = self._signed(token)
        seconds = now.timestamp()
        is_good = claims is not None and claims.not_before <= seconds < claims.expires_at
        return claims if is_good else None

    def _read_signed(self, token: str) -> AccessClaims | None:
        try:
            read = jwt.decode(token, self._key, algorithms=[ALGORITHM])
            self._claims.validate({**read.claims, "exp": _FAR, "nbf": 0})
        except (JoseError, ValueError, TypeError, RecursionError):
            return None
        # Nothing but what we write: no `crit`, no `kid`, no second algorithm.
        return _understood(read.claims) if read.header == _HEADER else None


_FAR = 2**53
"""In place of the expiry while the other claims are looked at: the clock is asked at each use."""


def _understood(claims: dict[str, Any]) -> AccessClaims | None:
    user_id, sign_in_id = (
        ids.parse_id(claims[name]) if isinstance(claims[name], str) else None
        for name in ("sub", "sid")
    )
    not_before, expires_at = claims.get("nbf"), claims.get("exp")
    if user_id is None or sign_in_id is None:
        return None
    if type(not_before) is not int or type(expires_at) is not int:
        return None
    if expires_at - not_before != int(LIFETIME.total_seconds()):
        return None
    return AccessClaims(user_id, sign_in_id, not_before, expires_at)
