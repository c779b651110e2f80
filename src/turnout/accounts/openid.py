"""Signing in by an OpenID Connect provider. Knows no database, no HTTP server and no settings.

The authorization code flow of OpenID Connect Core 1.0 with discovery (Discovery 1.0), PKCE
(RFC 7636) and the issuer in the answer (RFC 9207). The web door keeps an `Attempt` in a sealed
cookie between `begin` and `finish`; what an `Identity` means for an account is decided elsewhere.
"""

import base64
import contextlib
import hmac
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import quote_plus

from pydantic import BaseModel, Field, ValidationError

from turnout import clock
from turnout.accounts import id_tokens, openid_documents
from turnout.accounts.id_tokens import Claims, Expected, KeyUnknown, TokenRefused
from turnout.accounts.openid_documents import Documents, Metadata
from turnout.errors import Invalid, Unready
from turnout.outside import Outside, OutsideError, Reply

SCOPES = "openid email profile"
ATTEMPT_LASTS = timedelta(minutes=10)
_SECRET_BYTES = 32
_CODE = re.compile(r"[\x20-\x7e]+")
_ERROR_CODE = re.compile(r"[a-z_]{1,40}")


class OpenIdFailed(Invalid):
    """An attempt to sign in that came to nothing; `reason` is for the log."""

    code = "sign-in-failed"
    title = "The sign-in did not succeed"
    explanation = (
        "The provider did not confirm who you are, its answer could not be trusted, or the "
        "attempt was too old or belonged to another browser. Start the sign-in again. If it "
        "fails each time, the operator finds the reason in the log."
    )

    def __init__(self, reason: str) -> None:
        super().__init__("The sign-in at the provider did not succeed. Start it again.")
        self.reason = reason


class OpenIdUnavailable(Unready):
    """The provider is down, slow, or answers what makes no sense; `reason` is for the log."""

    code = "provider-unavailable"
    title = "The sign-in provider does not answer"
    explanation = (
        "The system that confirms who you are cannot be reached at the moment, or does not answer "
        "as it should. Try again shortly. If it lasts, the operator finds the reason in the log."
    )
    retry_after_seconds = 5

    def __init__(self, reason: str) -> None:
        super().__init__("The sign-in provider does not answer at the moment. Try again shortly.")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Provider:
    """Whom to ask, and as whom; a public client has an empty `client_secret`."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in, which only the browser that began it may finish."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    next_path: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and what to keep until it comes back."""

    url: str = field(repr=False)
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in: `issuer` and `subject` together are one person, for ever.

    `email` is an address that mail can be sent to, or None; whose it is is known only where
    `email_verified`. `name` is one line of at most 200 characters, or None.
    """

    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    name: str | None


class _Tokens(BaseModel):
    """What a code is exchanged for; the access token goes into a header (RFC 6749, A.12)."""

    access_token: Annotated[str, Field(pattern=r"^[\x21-\x7e]+$")]
    id_token: str


class _Refusal(BaseModel):
    """Why a code is not exchanged (RFC 6749, 5.2)."""

    error: str


class OpenIdClient:
    """Signs people in by one provider; a process needs one of them, in one event loop.

    Both methods raise OpenIdUnavailable when the provider does not answer as it should.
    """

    def __init__(self, provider: Provider, outside: Outside) -> None:
        self._provider = provider
        self._outside = outside
        self._documents = Documents(provider.issuer, outside)

    async def begin(self, next_path: str) -> Begun:
        """A new attempt; `next_path` is kept as it is: the door knows whether it is a local one."""
        with _named_failures():
            metadata = await self._documents.metadata()
        attempt = Attempt(
            state=secrets.token_urlsafe(_SECRET_BYTES),
            nonce=secrets.token_urlsafe(_SECRET_BYTES),
            verifier=secrets.token_urlsafe(_SECRET_BYTES),
            next_path=next_path,
            expires_at=clock.now() + ATTEMPT_LASTS,
        )
        return Begun(self._address(metadata, attempt), attempt)

    async def finish(
        self,
        attempt: Attempt,
        *,
        state: str | None,
        code: str | None,
        iss: str | None,
        error: str | None,
        now: datetime,
    ) -> Identity:
        """Who came back from the provider, with these parameters in the address.

        Raises OpenIdFailed when they do not belong to `attempt`, or nobody signed in.
        """
        # All that needs no answer first: what anybody can send must not cause a request.
        _check_attempt(attempt, state, now)
        self._check_issuer(iss)
        usable_code = _checked_code(code, error)
        with _named_failures():
            metadata = await self._documents.metadata()
            if iss is None and metadata.authorization_response_iss_parameter_supported:
                raise OpenIdFailed("the answer names no issuer, and this provider always does")
            tokens = await self._exchange(metadata, attempt, usable_code)
            claims = await self._read(metadata, attempt, tokens, now)
            return await self._identify(metadata, tokens, claims)

    def _address(self, metadata: Metadata, attempt: Attempt) -> str:
        from authlib.oauth2 import rfc7636  # type: ignore[import-untyped]  # has no types
        from authlib.oauth2.rfc6749 import parameters  # type: ignore[import-untyped]  # has no types

        address = parameters.prepare_grant_uri(
            metadata.authorization_endpoint,
            self._provider.client_id,
            "code",
            redirect_uri=self._provider.redirect_uri,
            scope=SCOPES,
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=rfc7636.create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return str(address)

    def _check_issuer(self, iss: str | None) -> None:
        if iss is not None and iss != self._provider.issuer:
            raise OpenIdFailed("the answer came from another issuer")

    async def _exchange(self, metadata: Metadata, attempt: Attempt, code: str) -> _Tokens:
        methods = metadata.token_endpoint_auth_methods_supported
        headers, fields = _credentials(self._provider, methods)
        fields |= {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._provider.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        reply = await self._outside.post_form(metadata.token_endpoint, fields, headers)
        _check_refusal(reply)
        return openid_documents.read(_Tokens, reply, "token endpoint")

    async def _read(
        self, metadata: Metadata, attempt: Attempt, tokens: _Tokens, now: datetime
    ) -> Claims:
        expected = Expected(
            issuer=self._provider.issuer,
            client_id=self._provider.client_id,
            nonce=attempt.nonce,
            access_token=tokens.access_token,
            algorithms=metadata.id_token_signing_alg_values_supported,
            now=now,
        )
        try:
            return id_tokens.read(tokens.id_token, await self._documents.keys(), expected)
        except KeyUnknown:
            # Keys may change within the hour. Once: a second look would find the same.
            keys = await self._documents.keys_by_now()
            return id_tokens.read(tokens.id_token, keys, expected)

    async def _identify(self, metadata: Metadata, tokens: _Tokens, claims: Claims) -> Identity:
        said = claims
        if (claims.email is None or claims.email_verified is None) and metadata.userinfo_endpoint:
            said = await self._ask_userinfo(metadata.userinfo_endpoint, tokens)
            # Core 1.0, 5.3.2: the token may have been put in the place of another person's.
            if said.sub != claims.sub:
                raise OpenIdFailed("the userinfo is of another person")
        # An address and whether it is verified from one and the same place, never mixed.
        source = claims if said.email is None else said
        return Identity(
            issuer=self._provider.issuer,
            subject=claims.sub,
            email=source.email,
            email_verified=source.email is not None and source.email_verified is True,
            name=claims.name or said.name,
        )

    async def _ask_userinfo(self, address: str, tokens: _Tokens) -> Claims:
        headers = {"Authorization": f"Bearer {tokens.access_token}"}
        reply = await self._outside.get_json(address, headers)
        return openid_documents.read(Claims, reply, "userinfo endpoint")


@contextlib.contextmanager
def _named_failures() -> Iterator[None]:
    """What goes wrong below, as the two errors that people are shown."""
    try:
        yield
    except OutsideError as error:
        raise OpenIdUnavailable(str(error)) from error
    except TokenRefused as error:
        raise OpenIdFailed(f"the ID token was refused: {error}") from error


def _check_attempt(attempt: Attempt, state: str | None, now: datetime) -> None:
    given = (state or "").encode("utf-8", "replace")
    # In a time that does not depend on how much of it is right.
    if not given or not hmac.compare_digest(attempt.state.encode(), given):
        raise OpenIdFailed("the state is not the one of this attempt")
    if now >= attempt.expires_at:
        raise OpenIdFailed("the attempt is too old")


def _checked_code(code: str | None, error: str | None) -> str:
    if error is not None:
        raise OpenIdFailed(f"the provider answered {_error_code(error)}")
    if code is None or not _CODE.fullmatch(code):
        raise OpenIdFailed("the answer holds no code")
    return code


def _check_refusal(reply: Reply) -> None:
    """Raise OpenIdFailed for an answer that refuses the code, or refuses us."""
    if reply.status not in {400, 401, 403}:
        return
    with contextlib.suppress(ValidationError):
        refusal = _Refusal.model_validate_json(reply.body)
        raise OpenIdFailed(f"the token endpoint answered {_error_code(refusal.error)}")


def _error_code(text: str) -> str:
    """A code as RFC 6749 has them, fit for a log; anybody can write the parameter."""
    return text if _ERROR_CODE.fullmatch(text) else "an error that is no code"


def _credentials(
    provider: Provider, methods: frozenset[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """How the client says who it is: headers, and fields of the form (Core 1.0, 9)."""
    if not provider.client_secret:
        return {}, {"client_id": provider.client_id}
    if "client_secret_basic" in methods:
        # Encoded like a form first (RFC 6749, 2.3.1), or a colon or a plus would be another.
        pair = f"{quote_plus(provider.client_id)}:{quote_plus(provider.client_secret)}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {}
    return {}, {"client_id": provider.client_id, "client_secret": provider.client_secret}
