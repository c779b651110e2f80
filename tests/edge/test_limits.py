"""How often a caller may ask: counted in memory and in a real Redis, which may go away."""

import asyncio
import io
import ipaddress
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import pytest
from tests.support.redis import RedisServer

from turnout import limiter as limits
from turnout.edge import answers
from turnout.limiter import Limit, Limiter, RateLimited, Standing
from turnout.observability import logs

THREE = Limit("three", 3, 60)
OTHER = Limit("other", 3, 60)
ADA, MALLORY = "ada@example.org", "mallory@example.org"
# More than there are connections to Redis, so that some have to wait for one.
MANY = [str(number) for number in range(2 * limits.MOST_CONNECTIONS)]
# Whether Redis is slow is no question where the machine that tests may be slow itself.
PATIENCE_SECONDS = 60.0
AWAY = ("warning", "Redis is away; each process limits for itself")
BACK = ("info", "Redis is back; the processes share their limits")


class Place:
    """Where limiters count, in Redis or in memory; their clock stands until a test moves it."""

    def __init__(self, server: RedisServer | None = None) -> None:
        self.seconds = 1000.0
        self._server = server
        self._opened: list[Limiter] = []

    @property
    def server(self) -> RedisServer:
        assert self._server is not None
        return self._server

    def limiter(self, patience_seconds: float = PATIENCE_SECONDS) -> Limiter:
        """One more process, as it were."""
        url = self._server.url if self._server else None
        limiter = Limiter.open(
            url, is_on=True, timeout_seconds=patience_seconds, monotonic=lambda: self.seconds
        )
        self._opened.append(limiter)
        return limiter

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds
        if self._server is not None:
            self._server.age(seconds)

    async def aclose(self) -> None:
        for limiter in self._opened:
            await limiter.aclose()


class Log(io.BytesIO):
    def lines(self) -> list[tuple[str, str]]:
        found = [json.loads(line) for line in self.getvalue().splitlines()]
        return [(line["level"], line["message"]) for line in found]


@pytest.fixture
def log() -> Iterator[Log]:
    written = Log()
    logs.configure(human=False, stream=written)
    yield written
    logs.silence()


@pytest.fixture
async def shared() -> AsyncIterator[Place]:
    with RedisServer.start() as server:
        place = Place(server)
        yield place
        await place.aclose()


@pytest.fixture(params=["memory", "redis"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue("shared") if request.param == "redis" else Place()
    return found


@pytest.fixture
def limiter(place: Place) -> Limiter:
    return place.limiter()


async def left(limiter: Limiter, key: str = ADA, limit: Limit = THREE) -> int:
    """What is left after one more."""
    standing = await limiter.hit(limit, key)
    assert standing is not None
    return standing.remaining


async def used_up(limiter: Limiter) -> RateLimited:
    """The refusal of the first for which nothing is left."""
    for _ in range(THREE.amount + 1):
        try:
            await limiter.hit(THREE, ADA)
        except RateLimited as refusal:
            return refusal
    raise AssertionError("all were taken")


def wait_of(refusal: RateLimited) -> int:
    """How many seconds to wait, by what all its forms say."""
    wait = refusal.members["retry_after_seconds"]
    assert isinstance(wait, int)
    assert refusal.standing == Standing(THREE, 0, wait)
    return wait


async def test_refusal_is_answered_with_the_time_to_wait(limiter: Limiter) -> None:
    refusal = await used_up(limiter)

    wait = wait_of(refusal)
    response = answers.problem_response(refusal, "ada-1234")
    assert wait >= 1
    assert (response.status_code, response.headers["retry-after"]) == (429, str(wait))
    assert json.loads(bytes(response.body)) == {
        "type": "/problems/rate-limited",
        "title": "You ask too often",
        "status": 429,
        "detail": f"At most 3 are taken in 60 seconds. Try again in {wait} seconds.",
        "instance": "ada-1234",
        "code": "rate-limited",
        "retry_after_seconds": wait,
    }


async def test_wait_that_a_refusal_names_is_enough(place: Place, limiter: Limiter) -> None:
    refusal = await used_up(limiter)

    place.later(wait_of(refusal))

    assert await left(limiter) == 0


@pytest.mark.parametrize(
    "pauses", [(), (20, 20, 19), (59,), (50, 15), (30, 30, 30, 30), (90,), (61, 61, 1)]
)
async def test_wait_that_a_refusal_names_is_no_second_too_long(pauses: Sequence[int]) -> None:
    memory = Place()
    limiter = memory.limiter()
    for pause in pauses:
        await limiter.hit(THREE, ADA)
        memory.later(pause)
    refusal = await used_up(limiter)

    memory.later(wait_of(refusal) - 1)
    with pytest.raises(RateLimited):
        await limiter.look(THREE, ADA)
    memory.later(1)

    assert await left(limiter) == 0


async def test_window_slides(place: Place, limiter: Limiter) -> None:
    four = Limit("four", 4, 60)
    for _ in range(4):
        await limiter.hit(four, ADA)

    # Of the window before, 40 of 60 seconds still count: of its four hits two, and two thirds.
    place.later(80)
    first = [await left(limiter, limit=four) for _ in range(2)]
    with pytest.raises(RateLimited):
        await limiter.hit(four, ADA)
    place.later(125)
    second = [await left(limiter, limit=four) for _ in range(4)]

    assert (first, second) == ([1, 0], [3, 2, 1, 0])


async def test_hit_counts_down_to_a_refusal_and_look_counts_nothing(limiter: Limiter) -> None:
    remaining = []
    for _ in range(3):
        await limiter.look(THREE, ADA)
        await limiter.look(THREE, ADA)
        remaining.append(await left(limiter))

    with pytest.raises(RateLimited) as look:
        await limiter.look(THREE, ADA)
    with pytest.raises(RateLimited) as hit:
        await limiter.hit(THREE, ADA)

    assert remaining == [2, 1, 0]
    assert [wait_of(each.value) >= 1 for each in (look, hit)] == [True, True]


async def test_keys_and_limits_are_counted_apart(limiter: Limiter) -> None:
    await used_up(limiter)

    await limiter.look(THREE, MALLORY)
    remaining = [await left(limiter, MALLORY), await left(limiter, limit=OTHER)]
    no_text = [await left(limiter, "\ud800"), await left(limiter, "\ud800")]

    assert (remaining, no_text) == ([2, 2], [2, 1])


async def test_hits_at_once_are_all_counted(limiter: Limiter) -> None:
    hundred = Limit("hundred", 100, 60)

    hits = [limiter.hit(hundred, ADA) for _ in range(130)]
    outcomes = await asyncio.gather(*hits, return_exceptions=True)

    kinds = [type(outcome) for outcome in outcomes]
    assert (kinds.count(Standing), kinds.count(RateLimited)) == (100, 30)


async def test_limiter_that_is_off_neither_counts_nor_refuses(shared: Place) -> None:
    limiter = Limiter.open(shared.server.url, is_on=False)

    standings = [await limiter.hit(THREE, ADA) for _ in range(5)]
    await limiter.look(THREE, ADA)

    with shared.server.client() as inside:
        assert (standings, inside.dbsize()) == ([None] * 5, 0)


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("203.0.113.5", "203.0.113.6", False),
        ("2001:db8:0:1::5", "2001:db8:0:1:ffff::6", True),
        ("2001:db8:0:1::5", "2001:db8:0:2::5", False),
        ("::ffff:203.0.113.5", "203.0.113.5", True),
        ("::ffff:203.0.113.5", "::ffff:203.0.113.6", False),
        ("", "203.0.113.5", False),
    ],
)
def test_key_of_an_address_is_that_of_its_network(
    first: str, second: str, *, is_same: bool
) -> None:
    found = [ipaddress.ip_address(each) if each else None for each in (first, second)]

    keys = {limits.key_of_address(each) for each in found}

    assert len(keys) == (1 if is_same else 2)


def test_headers_are_structured_fields_of_the_draft() -> None:
    assert limits.headers_of(None) == []
    assert limits.headers_of(Standing(limits.REQUESTS, 1199, 60)) == [
        (b"ratelimit-policy", b'"requests";q=3000;w=60'),
        (b"ratelimit", b'"requests";r=1199;t=60'),
    ]


async def test_reset_is_the_end_of_the_window_until_nothing_is_left() -> None:
    memory = Place()
    limiter = memory.limiter()

    standings = []
    for _ in range(3):
        standings.append(await limiter.hit(THREE, ADA))
        memory.later(15.5)

    # The last of them is the wait for one more, hence rounded up to more than the 29 seconds.
    assert standings == [Standing(THREE, 2, 60), Standing(THREE, 1, 45), Standing(THREE, 0, 30)]


async def test_memory_in_a_flood_forgets_the_oldest_key_of_that_limit() -> None:
    limiter = Place().limiter()
    for limit, key in ((OTHER, ADA), (THREE, ADA), (THREE, MALLORY)):
        await limiter.hit(limit, key)
    for number in range(limits.MOST_KEYS - 2):
        await limiter.hit(THREE, str(number))
    await limiter.hit(THREE, ADA)

    await limiter.hit(THREE, "one too many")

    of_three = [await left(limiter), await left(limiter, MALLORY)]
    assert (of_three, await left(limiter, limit=OTHER)) == ([0, 2], 1)
    assert [len(each) for each in limiter._memory._counters.values()] == [1, limits.MOST_KEYS]


async def test_memory_forgets_what_is_over() -> None:
    memory = Place()
    limiter = memory.limiter()
    for number in range(100):
        await limiter.hit(THREE, str(number))

    memory.later(2 * THREE.seconds)
    await limiter.hit(THREE, ADA)

    assert [len(each) for each in limiter._memory._counters.values()] == [1]


async def test_redis_holds_no_address_and_nothing_forever(shared: Place) -> None:
    await shared.limiter().hit(THREE, ADA)

    with shared.server.client() as inside:
        (key,) = inside.keys("*")
        assert 0 < inside.ttl(key) <= 2 * THREE.seconds
    assert re.fullmatch(rb"turnout:\{three/[0-9a-f]{32}\}", key)


async def test_redis_killed_leaves_the_counts_of_the_process(shared: Place, log: Log) -> None:
    limiter = shared.limiter()
    before = [await left(limiter), await left(limiter)]

    shared.server.kill()
    after = await left(limiter)
    refusal = await used_up(limiter)

    assert [*before, after] == [2, 1, 0]
    assert wait_of(refusal) >= 1
    assert log.lines() == [AWAY]


async def test_redis_started_again_is_shared_again(shared: Place, log: Log) -> None:
    both = first, second = shared.limiter(), shared.limiter()
    # All connections that there can be, and each of them dead after the crash.
    await asyncio.gather(*(left(each, key) for each in both for key in MANY))
    shared.server.kill()
    apart = [await left(first), await left(second)]

    shared.server.restart()
    shared.seconds += limits.ASK_AGAIN_SECONDS
    together = [await left(first), await left(second), await left(first)]
    with pytest.raises(RateLimited):
        await second.look(THREE, ADA)
    await asyncio.gather(*(left(each, key) for each in both for key in MANY))

    assert (apart, together) == ([2, 2], [2, 1, 0])
    assert log.lines() == [AWAY, AWAY, BACK, BACK]


async def test_redis_that_is_away_is_tried_after_a_while_by_one_alone(
    shared: Place, log: Log
) -> None:
    limiter = shared.limiter()
    shared.server.kill()
    await left(limiter)
    shared.server.restart()
    shared.seconds += limits.ASK_AGAIN_SECONDS - 0.1
    too_early = await left(limiter)

    shared.server.hang()
    shared.seconds += 0.1
    trial = asyncio.create_task(left(limiter))
    await asyncio.sleep(0.05)
    meanwhile = [await left(limiter, MALLORY) for _ in range(2)]
    shared.server.wake()

    assert (too_early, meanwhile) == (1, [2, 1]), "counted in memory"
    assert (await trial, log.lines()) == (2, [AWAY, BACK])


@pytest.mark.parametrize(
    "break_down", [RedisServer.kill, RedisServer.hang, RedisServer.refuse_writes]
)
async def test_redis_that_never_counts_leaves_it_to_the_process(
    shared: Place, log: Log, break_down: Callable[[RedisServer], None]
) -> None:
    break_down(shared.server)
    limiter = shared.limiter(patience_seconds=0.05)

    at_once = await asyncio.gather(*(left(limiter, key) for key in MANY))
    remaining = []
    for _ in range(3):
        shared.seconds += limits.ASK_AGAIN_SECONDS
        remaining.append(await left(limiter))

    assert (set(at_once), remaining) == ({2}, [2, 1, 0])
    assert log.lines() == [AWAY]


async def test_caller_who_leaves_meanwhile_mixes_up_no_answers(shared: Place) -> None:
    limiter = shared.limiter()
    await left(limiter)
    shared.server.hang()
    asked = asyncio.create_task(left(limiter, MALLORY))
    await asyncio.sleep(0.05)

    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    shared.server.wake()

    assert [await left(limiter), await left(limiter, "olive@example.org")] == [1, 2]


async def test_limiter_closed_leaves_no_connection(shared: Place) -> None:
    limiter = shared.limiter()
    await asyncio.gather(*(left(limiter, key) for key in MANY))

    await limiter.aclose()

    with shared.server.client() as inside:
        assert len(inside.client_list()) == 1, "none but the one that asks"
