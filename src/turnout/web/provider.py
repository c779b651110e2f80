"""Signing in by an OpenID Connect provider: there and back. What it means is accounts' matter."""

from dataclasses import asdict
from datetime import datetime

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts import identities, sign_ins
from turnout.accounts.errors import InvalidCredentials
from turnout.accounts.openid import Attempt, OpenIdClient, OpenIdFailed, OpenIdUnavailable
from turnout.edge import sign_in
from turnout.edge.caller import runtime_of, visitor_of
from turnout.edge.local_path import local_path
from turnout.errors import NotFound
from turnout.limiter import SIGN_IN_ADDRESS
from turnout.runtime import PROVIDER_CALLBACK
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
    people.set_cookie(request, answer, COOKIE, _sealed(request, begun.attempt), COOKIE_SECONDS)
    return answer


@router.get(PROVIDER_CALLBACK)
async def come_back(request: Request) -> Response:
    """From the provider, with a code that says who somebody is."""
    client, attempt = _client(request), _attempt(request)
    await sign_in.begin(request, SIGN_IN_ADDRESS)
    runtime, given, now = runtime_of(request), request.query_params, clock.now()
    try:
        who = await client.finish(
            attempt,
            state=given.get("state"),
            code=given.get("code"),
            iss=given.get("iss"),
            error=given.get("error"),
            now=now,
        )
        async with runtime.database.write() as db:
            user = await identities.account_of(db, who, sign_in.cause_of(request), now)
            found = sign_ins.candidate_of(user)
        answer = await people.enter(request, found, local_path(attempt.next_path, ACCOUNT))
    except (OpenIdFailed, OpenIdUnavailable) as error:
        log.warning("a sign-in by the provider failed", reason=error.reason)
        return _without_attempt(request, page.refusal(request, error))
    except InvalidCredentials:
        refused = OpenIdFailed("the account is disabled")
        return _without_attempt(request, page.refusal(request, refused))
    return _without_attempt(request, answer)


def _client(request: Request) -> OpenIdClient:
    client = runtime_of(request).openid
    if client is None:
        raise NotFound
    return client


def _without_attempt(request: Request, answer: Response) -> Response:
    people.set_cookie(request, answer, COOKIE, "", 0)
    return answer


def _sealed(request: Request, attempt: Attempt) -> str:
    return runtime_of(request).seals.seal(_PURPOSE, orjson.dumps(asdict(attempt))).hex()


def _attempt(request: Request) -> Attempt:
    """What this browser set out with. Raises OpenIdFailed for one that did not set out here."""
    sealed = request.cookies.get(COOKIE, "")
    try:
        plain = runtime_of(request).seals.unseal(_PURPOSE, bytes.fromhex(sealed))
    except ValueError:
        plain = None
    if plain is None:
        raise OpenIdFailed("the browser has no attempt under way")
    values = orjson.loads(plain)
    return Attempt(**{**values, "expires_at": datetime.fromisoformat(values["expires_at"])})
