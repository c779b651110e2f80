"""Signing in by an OpenID Connect provider: there and back. What it means is accounts' matter."""

from dataclasses import asdict
from datetime import datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts import identities, sign_ins
from turnout.accounts.errors import InvalidCredentials
from turnout.accounts.openid import Attempt, OpenIdClient, OpenIdFailed, OpenIdUnavailable
from turnout.edge import sign_in
from turnout.edge.caller import address_key, cookie_name, runtime_of, visitor_of
from turnout.edge.local_path import local_path
from turnout.errors import NotFound
from turnout.limiter import SIGN_IN_ADDRESS
from turnout.runtime import PROVIDER_CALLBACK
from turnout.structured import structlog
from turnout.web import page, people
from turnout.web.people import ACCOUNT

router = page.router()

COOKIE = "turnout_provider"
COOKIE_SECONDS = 600
_PURPOSE = b"provider attempt"

log = structlog.get_logger()


@router.get("/login/provider")
async def go_to_provider(request: Request) -> Response:
    """To the provider, which sends people back to the callback."""
    client = _client(request)
    await visitor_of(request)
    try:
        begun = await client.begin(local_path(request.query_params.get("next"), ACCOUNT))
    except OpenIdUnavailable as error:
        log.warning("the sign-in provider does not answer", reason=error.reason)
        raise
    answer = page.go(begun.url)
    _set_cookie(request, answer, _sealed(request, begun.attempt), COOKIE_SECONDS)
    return answer


@router.get(PROVIDER_CALLBACK)
async def come_back(request: Request) -> Response:
    """From the provider, with a code that says who somebody is."""
    client = _client(request)
    await sign_in.begin(request, None)
    limiter, key = runtime_of(request).limiter, address_key(request)
    await limiter.look(SIGN_IN_ADDRESS, key)
    try:
        answer = await _entered(request, client)
    except (OpenIdFailed, OpenIdUnavailable) as error:
        log.warning("a sign-in by the provider failed", reason=error.reason)
        if isinstance(error, OpenIdFailed):
            await limiter.hit(SIGN_IN_ADDRESS, key)
        answer = page.refusal(request, error)
    _set_cookie(request, answer, "", 0)
    return answer


async def _entered(request: Request, client: OpenIdClient) -> Response:
    """On to the page that was wanted. Raises OpenIdFailed, OpenIdUnavailable."""
    attempt, given, now = _attempt(request), request.query_params, clock.now()
    who = await client.finish(
        attempt,
        state=given.get("state"),
        code=given.get("code"),
        iss=given.get("iss"),
        error=given.get("error"),
        now=now,
    )
    try:
        async with runtime_of(request).database.write() as db:
            user = await identities.account_of(db, who, sign_in.cause_of(request), now)
            found = sign_ins.candidate_of(user)
        return await people.enter(request, found, local_path(attempt.next_path, ACCOUNT))
    except InvalidCredentials:
        raise OpenIdFailed("the account is disabled") from None


def _client(request: Request) -> OpenIdClient:
    client = runtime_of(request).openid
    if client is None:
        raise NotFound
    return client


def _set_cookie(request: Request, answer: Response, value: str, seconds: int) -> None:
    people.set_cookie(request, answer, cookie_name(request.scope, COOKIE), value, seconds)


def _sealed(request: Request, attempt: Attempt) -> str:
    return runtime_of(request).seals.seal(_PURPOSE, orjson.dumps(asdict(attempt))).hex()


def _attempt(request: Request) -> Attempt:
    """What this browser set out with. Raises OpenIdFailed for one that did not set out here."""
    sealed = request.cookies.get(cookie_name(request.scope, COOKIE), "")
    try:
        plain = runtime_of(request).seals.unseal(_PURPOSE, bytes.fromhex(sealed))
    except ValueError:
        plain = None
    if plain is None:
        raise OpenIdFailed("the browser has no attempt under way")
    values = orjson.loads(plain)
    return Attempt(**{**values, "expires_at": datetime.fromisoformat(values["expires_at"])})
