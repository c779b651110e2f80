"""Servers that count in one Redis, which may go away: no caller gets an error from that."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from tests.accounts.calls import sign_in, told
from tests.edge.small_limits import HALL, LIMITED, WRONG, Clock, client, limit_told, limited
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.redis import RedisServer

from turnout import limiter as limits
from turnout.settings import Settings

# What is counted where is another test's matter; the database cannot matter to it.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer.start() as server:
        yield server


@asynccontextmanager
async def two_servers(
    settings: Settings, redis: RedisServer, clock: Clock
) -> AsyncIterator[tuple[RunningApp, RunningApp]]:
    """Two processes, as it were, which count in the same place."""
    async with (
        limited(settings, redis.url, clock) as first,
        limited(settings, redis.url, clock) as second,
    ):
        yield first, second


async def test_servers_with_redis_count_together(
    closed_settings: Settings, redis: RedisServer
) -> None:
    async with two_servers(closed_settings, redis, Clock()) as (first, second):
        ada = await cast.ada(first)
        async with client(first) as one, client(second) as two:
            answers = [
                await api.get("/users/me", headers=ada.bearer) for api in (one, two, one, two)
            ]
            failed = [told(await sign_in(api, ada.email, "wrong")) for api in (one, two, one, two)]

    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert [limit_told(each)[2] for each in answers] == [2, 1, 0, 0]
    assert failed == [WRONG, WRONG, LIMITED, LIMITED]


async def test_redis_that_is_killed_is_no_error_and_is_used_again_when_it_is_back(
    closed_settings: Settings, redis: RedisServer
) -> None:
    clock = Clock()
    async with two_servers(closed_settings, redis, clock) as (first, second):
        ada = await cast.ada(first)

        async def left(app: RunningApp) -> tuple[int, int]:
            async with client(app) as api:
                answer = await api.get("/users/me", headers=ada.bearer)
                return answer.status_code, limit_told(answer)[2]

        together = [await left(first), await left(second)]
        redis.kill()
        apart = [await left(each) for each in (first, first, first, second, second, second)]
        async with client(first) as api:
            inside = await sign_in(api, ada.email)
            failed = [told(await sign_in(api, ada.email, "wrong")) for _ in range(3)]
        redis.restart()
        clock.seconds += limits.ASK_AGAIN_SECONDS
        again = [await left(each) for each in (first, second, first, second)]

    assert together == [(200, 2), (200, 1)]
    assert apart == [(200, 1), (200, 0), (429, 0)] * 2, "each has counted one in memory before"
    assert (inside.status_code, failed) == (200, [WRONG, WRONG, LIMITED])
    assert again == [(200, 2), (200, 1), (200, 0), (429, 0)]


async def test_redis_holds_no_address_and_no_account(
    closed_settings: Settings, redis: RedisServer
) -> None:
    async with limited(closed_settings, redis.url) as app, client(app, HALL) as api:
        ada = await cast.ada(app)
        await api.get("/users/me", headers=ada.bearer)
        await sign_in(api, ada.email, "wrong")
        await api.post("/auth/forgot-password", json={"email": ada.email})

        with redis.client() as inside:
            keys = [key.decode() for key in inside.keys("*")]

    # The rest of each name is a digest, which says nothing to whoever can read Redis.
    assert {re.sub("[0-9a-f]{32}", "", key) for key in keys} == {
        f"turnout:{{{name}/}}"
        for name in (
            *("anonymous", "requests", "reset", "reset-address"),
            *("sign-in-account", "sign-in-address"),
        )
    }
