"""Who is calling: turns a request's credential into an Actor. Knows no route."""

import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.types import Scope as AsgiScope

from turnout import clock
from turnout.accounts import opaque
from turnout.accounts.access_tokens import AccessClaims
from turnout.accounts.actor import ANONYMOUS, Actor, Scope, Standing
from turnout.accounts.credentials import Key, Kind
from turnout.edge import client, csrf, limits
from turnout.errors import NotAllowed, NotSignedIn
from turnout.limiter import ANONYMOUS as ANONYMOUS_LIMIT
from turnout.limiter import REQUESTS, Limit, key_of_address
from turnout.registrations import guests
from turnout.runtime import Runtime

COOKIE = "turnout_sign_in"
# The scheme of what came in the cookie. With a space, which no scheme of a header can have.
_BY_COOKIE = "by cookie"
_KNOWN_UNTIL = "turnout.known_until"


class InvalidToken(NotSignedIn):
    """A credential was sent, but it does not count."""

    code = "invalid-token"
    title = "The credential does not count"
    explanation = (
        "The Authorization header holds no credential that this server gave out, or one that has "
        "expired or was revoked. Sign in again, or leave the header out where none is needed."
    )


class InsufficientScope(NotAllowed):
    """The API token is not for this; the member `scope` says which scope is."""

    code = "insufficient-scope"
    title = "This API token is not for that"
    explanation = (
        "The account may do this, but the API token that was sent was made for less. The member "
        "`scope` names the scope that is needed: make a token that has it. Where `scope` is null, "
        "no API token will do: sign in."
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """The credential of a request: the scheme in lower case and what follows, or the cookie."""

    scheme: str
    value: str

    @property
    def is_cookie(self) -> bool:
        """Whether the browser added it by itself, for whichever page it was."""
        return self.scheme == _BY_COOKIE


def runtime_of(request: Request) -> Runtime:
    """What the process holds, as its lifespan put it there."""
    runtime: Runtime = request.scope["state"]["runtime"]
    return runtime


async def actor_of(request: Request, needs: Scope | None, *, limit: Limit | None = None) -> Actor:
    """The caller, counted against `limit` (else the one for all requests).

    `needs` is what an API token must be for; None where no API token will do.

    Raises InvalidToken or NotSignedIn for a credential that does not count, InsufficientScope,
    CsrfFailed, RateLimited.
    """
    sent = sent_with(request.scope)
    if sent is None or sent.is_cookie:
        csrf.require_own_page(request.scope)
    actor = await _actor(request, sent)
    await count(request, actor, limit)
    if actor.scopes is not None and needs not in actor.scopes:
        detail = "This API token was made for other things."
        raise InsufficientScope(detail, scope=needs and needs.value)
    return actor


async def visitor_of(request: Request) -> Actor:
    """Who looks at a page; one whose sign-in does not count any more is nobody.

    Raises CsrfFailed and RateLimited.
    """
    csrf.require_own_page(request.scope)
    try:
        sent = sent_with(request.scope)
        is_cookie = sent is not None and sent.is_cookie
        actor = await _actor(request, sent) if is_cookie else ANONYMOUS
    except NotSignedIn:
        actor = ANONYMOUS
    await count(request, actor, None)
    return actor


async def count(request: Request, actor: Actor, limit: Limit | None) -> None:
    """Count the request against `limit`, by account, else by address. Raises RateLimited."""
    runtime = runtime_of(request)
    if actor.user_id is not None and actor.is_account:
        chosen, key = limit or REQUESTS, str(actor.user_id)
    else:
        chosen, key = limit or ANONYMOUS_LIMIT, address_key(request)
    await limits.hit(runtime.limiter, request.scope, chosen, key)


def address_key(request: Request) -> str:
    """What the caller's address is counted by."""
    address = client.address_of(request.scope, runtime_of(request).settings.trusted_proxies)
    return key_of_address(address)


def known_until(scope: AsgiScope) -> datetime | None:
    """When the credential of this request runs out; None where there is none, or no end."""
    found: datetime | None = scope.get(_KNOWN_UNTIL)
    return found


async def _actor(request: Request, sent: Sent | None) -> Actor:
    runtime = runtime_of(request)
    if sent is None:
        return runtime.default_actor
    if sent.scheme == "ticket":
        return await guest(runtime, sent.value)
    key, claims = _key(runtime, sent)
    holder = await runtime.credentials.get(key)
    now, roles = clock.now(), runtime.second_factor_roles
    actor = None if holder is None else holder.actor(now, roles)
    is_theirs = claims is None or (actor is not None and actor.user_id == claims.user_id)
    if holder is None or actor is None or not is_theirs:
        # The words of InvalidToken are about a header, which a browser does not send.
        raise NotSignedIn if sent.is_cookie else InvalidToken
    ends_at = None if claims is None else datetime.fromtimestamp(claims.expires_at, UTC)
    ends = [each for each in (ends_at, holder.ends_at) if each is not None]
    request.scope[_KNOWN_UNTIL] = min(ends, default=None)
    return actor


def _key(runtime: Runtime, sent: Sent) -> tuple[Key, AccessClaims | None]:
    """What the database knows the credential by, and what it says itself."""
    if sent.is_cookie:
        return (Kind.COOKIE, opaque.hash_of(sent.value)), None
    if sent.scheme != "bearer" or not sent.value:
        raise InvalidToken
    if sent.value.startswith(opaque.API_TOKEN_PREFIX):
        return (Kind.API_TOKEN, opaque.hash_of(sent.value)), None
    claims = runtime.access_tokens.read(sent.value, clock.now())
    if claims is None:
        raise InvalidToken
    return (Kind.SIGN_IN, claims.sign_in_id), claims


async def guest(runtime: Runtime, token: str) -> Actor:
    """Whoever may manage one registration by that token. Raises InvalidToken."""
    registration_id = guests.registration_of(token)
    known = registration_id and await runtime.guests.get(registration_id)
    if not known or not hmac.compare_digest(known, guests.hash_of(token)):
        raise InvalidToken
    return replace(ANONYMOUS, standing=Standing.GUEST, registration_id=registration_id)


def sent_with(scope: AsgiScope) -> Sent | None:
    """The one credential of a request; the Authorization header goes before the cookie.

    Raises InvalidToken for two headers, NotSignedIn for two cookies.
    """
    given: list[bytes] = []
    lines: list[bytes] = []
    for name, line in scope["headers"]:
        if name == b"authorization":
            given.append(line)
        elif name == b"cookie":
            lines.append(line)
    if len(given) > 1:
        raise InvalidToken
    if given:
        scheme, _, value = given[0].decode("latin-1").partition(" ")
        return Sent(scheme.lower(), value.strip())
    if not lines:
        return None
    cookies = _cookies(lines, cookie_name(scope))
    if len(cookies) > 1:
        raise NotSignedIn
    return Sent(_BY_COOKIE, cookies[0]) if cookies else None


def cookie_name(scope: AsgiScope, name: str = COOKIE, *, prefix: str = "__Host-") -> str:
    """The name a cookie of ours goes by; on https one that no other host can set (RFC 6265bis).

    One that is for a path alone has `__Secure-` as its `prefix`, which asks only for https.
    """
    runtime: Runtime = scope["state"]["runtime"]
    return f"{prefix}{name}" if runtime.settings.base_url.startswith("https:") else name


def _cookies(lines: list[bytes], wanted: str) -> list[str]:
    texts = [line.decode("latin-1") for line in lines]
    pairs = [pair.strip().partition("=") for text in texts for pair in text.split(";")]
    return [value for name, _, value in pairs if name == wanted]
