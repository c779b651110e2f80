"""When an ID token counts, and what it says of a person: OpenID Connect Core 1.0, 3.1.3.7.

Pure: asks nobody, and knows neither the provider's addresses nor how the token came. authlib and
joserfc are brought in where they are used: most installations have no provider, and their servers
should not hold in memory what only this needs.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

from turnout.fields import EmailText, Line

if TYPE_CHECKING:
    from joserfc.jwk import Key, KeySet
    from joserfc.jws import JWSRegistry
    from joserfc.jwt import Token

ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Signatures that only the provider can make. Never `none`, and never HS*, whose key is shared."""
LEEWAY_SECONDS = 60
"""How far the provider's clock may be from ours."""

# What the libraries let through when a part of a token is JSON, but not of the shape they expect.
_OTHER_ERRORS = (ValueError, TypeError, AttributeError, KeyError, RecursionError)


class TokenRefused(Exception):
    """The token does not count; the text says which check it failed, and nothing that is in it."""


class KeyUnknown(TokenRefused):
    """No key of the set made the signature. The provider may have a new one since."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must be, to be the answer to one attempt to sign in."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    access_token: str = field(repr=False)
    algorithms: frozenset[str]
    now: datetime


def _text(of: Any) -> BeforeValidator:
    """Turns what is no valid `of` into None: a claim that is optional must not stop a sign-in."""
    adapter = TypeAdapter[str](of)

    def text_or_none(value: object) -> str | None:
        try:
            return adapter.validate_python(value)
        except ValidationError:
            return None

    return BeforeValidator(text_or_none)


def _yes_or_none(value: object) -> bool | None:
    # The standard says boolean. Amazon Cognito and Apple have sent it as text.
    return {"true": True, "false": False}.get(str(value).lower())


class Claims(BaseModel):
    """What a provider says of a person, in an ID token or at its userinfo endpoint.

    Claims that are absent or cannot be used are None. `sub` has 1 to 255 ASCII characters.
    """

    sub: Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,255}$")]
    email: Annotated[str | None, _text(EmailText)] = None
    email_verified: Annotated[bool | None, BeforeValidator(_yes_or_none)] = None
    name: Annotated[str | None, _text(Annotated[str, Line(200)])] = None


class _PublicKey(BaseModel):
    """The members of a JWK that a signature is checked with (RFC 7517, RFC 7518, RFC 8037)."""

    kty: Literal["RSA", "EC", "OKP"]
    use: Literal["sig"] = "sig"
    kid: str | None = None
    alg: str | None = None
    crv: str | None = None
    x: str | None = None
    y: str | None = None
    # 2048 bits are the least that RFC 7518, 3.3 allows.
    n: Annotated[str | None, Field(min_length=342)] = None
    e: str | None = None


def read_keys(jwks: list[object]) -> "KeySet":
    """The keys of a JWK Set that can check a signature; one that cannot be read stops no other."""
    from joserfc.jwk import KeySet

    keys = [_read_key(jwk) for jwk in jwks]
    return KeySet([key for key in keys if key is not None])


def _read_key(jwk: object) -> "Key | None":
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    try:
        members = _PublicKey.model_validate(jwk).model_dump(exclude_none=True)
        return import_key(members)
    except (JoseError, *_OTHER_ERRORS):
        return None


def read(token: str, keys: "KeySet", expected: Expected) -> Claims:
    """What `token` says, once every check has passed.

    Raises KeyUnknown where other keys could make a difference, else TokenRefused.
    """
    from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]  # has no types
    from joserfc.errors import JoseError

    found = _verified(token, keys, expected.algorithms)
    try:
        claims = CodeIDToken(found.claims, found.header, _options(expected), _params(expected))
        claims.validate(now=int(expected.now.timestamp()), leeway=LEEWAY_SECONDS)
        return Claims.model_validate(found.claims)
    except (JoseError, *_OTHER_ERRORS) as error:
        raise TokenRefused(_name(error)) from None


def _verified(token: str, keys: "KeySet", algorithms: frozenset[str]) -> "Token":
    from joserfc import jwt
    from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError

    try:
        return jwt.decode(token, keys, registry=_registry(algorithms))
    # A provider that names no key in its tokens shows a new one by nothing but a bad signature.
    except (BadSignatureError, InvalidKeyIdError) as error:
        raise KeyUnknown(_name(error)) from None
    except (JoseError, *_OTHER_ERRORS) as error:
        raise TokenRefused(_name(error)) from None


def _registry(algorithms: frozenset[str]) -> "JWSRegistry":
    """Knows the asymmetric algorithms and no other, so that none can be let in by a mistake."""
    from joserfc.jwa import JWS_ALGORITHMS, EdDSAAlgorithm
    from joserfc.jws import JWSRegistry

    # Headers that are not known are ignored, as RFC 7515, 4 says; `crit` is looked at all the same.
    registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
    registry.algorithms = {each.name: each for each in JWS_ALGORITHMS if each.name in ALGORITHMS}
    # To the library an empty list means "those that are recommended", and HS256 is one.
    registry.recommended = []
    # It warns of this name, which RFC 9864 replaces: no provider can help it today.
    eddsa = EdDSAAlgorithm()
    eddsa.security_warning = None  # type: ignore[assignment]  # its base class allows None
    registry.algorithms[eddsa.name] = eddsa
    return registry


def _options(expected: Expected) -> dict[str, object]:
    return {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
        "sub": {"essential": True},
    }


def _params(expected: Expected) -> dict[str, str]:
    # With the client's id, more than one audience is accepted only where `azp` names us: some
    # providers (Zitadel) always add a second one.
    return {
        "nonce": expected.nonce,
        "client_id": expected.client_id,
        "access_token": expected.access_token,
    }


def _name(error: Exception) -> str:
    """The kind of error and the claim, if any; its text may hold what was sent."""
    claim = getattr(error, "claim", "")
    return f"{type(error).__name__} {claim}".strip()
