"""What the tests of signing in by a provider share: a client, and its two steps, as a door does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.openid import (
    CLIENT_ID,
    CLIENT_SECRET,
    REDIRECT_URI,
    Claims,
    LyingProvider,
    key,
    signed,
)
from tests.support.outside import small_server

from turnout import clock
from turnout.accounts.openid import Attempt, Identity, OpenIdClient, Provider
from turnout.outside import Outside

Credentials = tuple[str, str]


def client_of(
    outside: Outside, issuer: str, credentials: Credentials = (CLIENT_ID, CLIENT_SECRET)
) -> OpenIdClient:
    return OpenIdClient(Provider(issuer, *credentials, REDIRECT_URI), outside)


@asynccontextmanager
async def opened() -> AsyncIterator[Outside]:
    """What asks the provider, as patient as in the product."""
    outside = Outside()
    yield outside
    await outside.aclose()


@asynccontextmanager
async def lying_provider() -> AsyncIterator[LyingProvider]:
    async with small_server() as server:
        yield LyingProvider(server)


async def begin(client: OpenIdClient, provider: LyingProvider) -> tuple[Attempt, Claims]:
    """An attempt, and the claims that are right for it."""
    attempt = (await client.begin("/")).attempt
    return attempt, provider.truth(attempt.nonce, clock.now())


async def attempted(client: OpenIdClient, provider: LyingProvider, **changed: object) -> Attempt:
    """An attempt that the provider answers with a true token; None takes a claim out of it."""
    attempt, claims = await begin(client, provider)
    told = {**claims, **changed}
    held = {name: value for name, value in told.items() if value is not None}
    provider.give(signed(held, key("RS256")))
    return attempt


async def finish(client: OpenIdClient, attempt: Attempt, **back: str | None) -> Identity:
    """Finish with the parameters of the address that the browser came back to.

    Where none are given: those with which the provider says that all went well.
    """
    given = back or {"state": attempt.state, "code": "a-code"}
    return await client.finish(
        attempt,
        state=given.get("state"),
        code=given.get("code"),
        iss=given.get("iss"),
        error=given.get("error"),
        now=clock.now(),
    )
