"""The product with limits that few requests use up, and clients with addresses of their own."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx2
from tests.support.app import BASE_URL, RunningApp, running

from turnout.limiter import Limit, Limiter, Standing
from turnout.settings import Settings

AMOUNTS = {
    "requests": 3, "anonymous": 9, "sign-in-account": 2, "sign-in-address": 4, "sign-up": 2,
    "reset": 2, "reset-address": 5, "link": 3, "guest-registration": 2,
}  # fmt: skip
"""How much is left of each limit, so that few requests use it up."""
HALL, HOME = "203.0.113.5", "198.51.100.7"
LIMITED, WRONG = (429, "rate-limited"), (401, "invalid-credentials")
PATIENCE_SECONDS = 60.0
"""Whether Redis is slow is no question where the machine that tests may be slow itself."""


class Small(Limiter):
    """Counts as the product's does, up to smaller amounts."""

    async def hit(self, limit: Limit, key: str) -> Standing | None:
        return await super().hit(_small(limit), key)

    async def look(self, limit: Limit, key: str) -> None:
        await super().look(_small(limit), key)


def _small(limit: Limit) -> Limit:
    return replace(limit, amount=AMOUNTS[limit.name])


class Clock:
    """Stands until a test moves it."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def limited(
    settings: Settings, redis_url: str | None = None, clock: Clock | None = None
) -> AsyncIterator[RunningApp]:
    """The product, with small limits."""
    is_on = settings.rate_limits == "on"
    small = Small.open(
        redis_url, is_on=is_on, timeout_seconds=PATIENCE_SECONDS, monotonic=clock or Clock()
    )
    async with running(settings) as app:
        kept = app.runtime
        app._state["runtime"] = replace(kept, limiter=small)
        try:
            yield app
        finally:
            app._state["runtime"] = kept
            await small.aclose()


def client(app: RunningApp, address: str = HALL, **headers: str) -> httpx2.AsyncClient:
    """A client with that address."""
    transport = httpx2.ASGITransport(app=app, client=(address, 50_000), raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers)


def limit_told(answer: httpx2.Response) -> tuple[str, str, int]:
    """Policy, and name and rest of what is left, by the headers of an answer."""
    found = re.fullmatch(r'"([a-z-]+)";r=([0-9]+);t=[0-9]+', answer.headers["ratelimit"])
    assert found is not None
    return answer.headers["ratelimit-policy"], found[1], int(found[2])
