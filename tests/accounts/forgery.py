"""Access tokens as an attacker would make them, byte for byte; no library that could refuse."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

HEADER = {"alg": "HS256", "typ": "at+jwt"}
_DIGESTS: dict[str, Callable[..., Any]] = {
    "HS256": hashlib.sha256,
    "HS384": hashlib.sha384,
    "HS512": hashlib.sha512,
}


def encoded(raw: bytes) -> str:
    """Base64 for addresses, without padding (RFC 7515)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def encoded_json(value: object) -> str:
    """A part of a token."""
    return encoded(json.dumps(value).encode())


@dataclass(frozen=True, slots=True)
class Forge:
    """Makes tokens out of claims that are right, with a key; None takes a claim out."""

    key: bytes
    claims: Mapping[str, Any]

    def token(self, header: Any = HEADER, *, digest: str = "HS256", **changes: Any) -> str:
        """A token with changes in its claims, signed by the key."""
        told = {
            name: value for name, value in {**self.claims, **changes}.items() if value is not None
        }
        return self.signed(f"{encoded_json(header)}.{encoded_json(told)}", digest=digest)

    def signed(self, content: str, *, digest: str = "HS256") -> str:
        """Header and claims as they are given, signed by the key."""
        mac = hmac.new(self.key, content.encode(), _DIGESTS[digest]).digest()
        return f"{content}.{encoded(mac)}"

    def by_rsa(self) -> str:
        """A token signed by a private key of the attacker's own, which it brings along."""
        private = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        numbers = private.public_key().public_numbers()
        n, e = numbers.n.to_bytes(256, "big"), numbers.e.to_bytes(3, "big")
        jwk = {"kty": "RSA", "n": encoded(n), "e": encoded(e)}
        header = {**HEADER, "alg": "RS256", "jwk": jwk}
        content = f"{encoded_json(header)}.{encoded_json(dict(self.claims))}"
        signature = private.sign(content.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{content}.{encoded(signature)}"


def with_header(**members: object) -> dict[str, object]:
    """The right header and more."""
    return {**HEADER, **members}


def wrong_headers() -> dict[str, dict[str, object]]:
    """Headers that make a token none of ours, however it is signed."""
    return {
        "alg none": with_header(alg="none"),
        "alg NONE": with_header(alg="NONE"),
        "alg missing": {"typ": "at+jwt"},
        "alg empty": with_header(alg=""),
        "alg null": with_header(alg=None),
        "alg in lower case": with_header(alg="hs256"),
        "alg RS256": with_header(alg="RS256"),
        "alg ES256": with_header(alg="ES256"),
        "alg HS512, signed by HS256": with_header(alg="HS512"),
        "typ JWT": with_header(typ="JWT"),
        "typ missing": {"alg": "HS256"},
        "typ in capitals": with_header(typ="AT+JWT"),
        "typ in full": with_header(typ="application/at+jwt"),
        "crit": with_header(crit=["exp"]),
        "crit unknown": with_header(crit=["x"], x=1),
        "b64 false": with_header(b64=False, crit=["b64"]),
        "kid of a path": with_header(kid="../../../../dev/null"),
        "kid of SQL": with_header(kid="' UNION SELECT 'x"),
        "jku": with_header(jku="http://127.0.0.1:1/keys.json"),
        "x5u": with_header(x5u="http://127.0.0.1:1/cert.pem"),
        "jwk": with_header(jwk={"kty": "oct", "k": encoded(b"k" * 32)}),
        "zip": with_header(zip="DEF"),
        "more than ours": with_header(x="y"),
    }


def wrong_claims(now: int, sign_in_of_another: str) -> dict[str, dict[str, Any]]:
    """Changes to right claims that make a token of ours one that does not count at `now`."""
    return {
        "expired": {"nbf": now - 900, "exp": now},
        "expired long ago": {"nbf": now - 9_000, "exp": now - 8_100},
        "not yet": {"nbf": now + 600, "exp": now + 1_500},
        "exp missing": {"exp": None},
        "exp as text": {"exp": str(now + 840)},
        "exp as a fraction": {"exp": now + 840.5},
        "exp true": {"exp": True},
        "exp beyond any year": {"exp": 10**400},
        "exp infinite": {"exp": float("inf")},
        "longer than ours": {"exp": now + 841},
        "nbf missing": {"nbf": None},
        "nbf as text": {"nbf": "0"},
        "iss of another": {"iss": "https://evil.example"},
        "iss missing": {"iss": None},
        "iss with a slash": {"iss": "http://testserver/"},
        "iss a list": {"iss": ["http://testserver"]},
        "aud of another": {"aud": "elsewhere"},
        "aud missing": {"aud": None},
        "aud empty": {"aud": []},
        "sub missing": {"sub": None},
        "sub garbage": {"sub": "ada@example.com"},
        "sub a number": {"sub": 1},
        "sid missing": {"sid": None},
        "sid garbage": {"sid": "1"},
        "sid NUL": {"sid": "\x00" * 36},
        "sid in capitals": {"sid": "0198A000-0000-7000-8000-00000000000A"},
        "sid a list": {"sid": [1]},
        "sid of nothing": {"sid": str(uuid4())},
        "sid of another": {"sid": sign_in_of_another},
        "jti missing": {"jti": None},
    }
