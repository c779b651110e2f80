"""How often a caller may ask, and what is left. Knows neither routes nor who the callers are.

Counted is in a sliding window: the last whole one weighs as much as it still reaches into this one.
The counts are in Redis where it is configured, so that all processes share them, and in the memory
of each process else, or for as long as Redis is away.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from math import ceil, floor
from typing import NamedTuple, Self, TypeVar

from turnout.errors import TooMany
from turnout.structured import structlog

MINUTE_SECONDS, HOUR_SECONDS = 60, 3600
REDIS_TIMEOUT_SECONDS = 0.2
ASK_AGAIN_SECONDS = 5.0  # so long Redis is left alone after it did not answer
MOST_CONNECTIONS = 16  # to Redis, of one process
MOST_ADDRESSES = 1_024  # whose keys are remembered
MOST_KEYS = 20_000  # of one limit in the memory of one process, some 6 MB

Answer = TypeVar("Answer")
Address = IPv4Address | IPv6Address
Header = tuple[bytes, bytes]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limit:
    """`amount` in a sliding window of `seconds`; callers see `name`, of ASCII letters and `-`."""

    name: str
    amount: int
    seconds: int


# An account, with all its programs: 50 a second for a minute are far more than a page needs.
REQUESTS = Limit("requests", 3000, MINUTE_SECONDS)
# A client address: a whole hall of people may be behind one when the seats open.
ANONYMOUS = Limit("anonymous", 6000, MINUTE_SECONDS)
# Failures for one account's e-mail address: a person forgets, but not 20 times; a guesser gets
# less than 2,000 guesses a day.
SIGN_IN_ACCOUNT = Limit("sign-in-account", 20, 15 * MINUTE_SECONDS)
# Failures from one client address, for whoever tries few passwords on many accounts.
SIGN_IN_ADDRESS = Limit("sign-in-address", 100, 15 * MINUTE_SECONDS)
# Accounts made from one client address: a whole school may sign up together.
SIGN_UP = Limit("sign-up", 300, HOUR_SECONDS)
# Mails to one account's e-mail address: each lands with somebody who may not have asked for it.
RESET = Limit("reset", 5, HOUR_SECONDS)
# The same mails, by the client address that asks: it may name a different account each time.
RESET_ADDRESS = Limit("reset-address", 60, HOUR_SECONDS)
# Links redeemed from one client address: nobody guesses one, but each try is a look-up.
LINK = Limit("link", 60, 15 * MINUTE_SECONDS)
# Seats taken without an account, by client address: again the hall, which comes in one minute.
GUEST_REGISTRATION = Limit("guest-registration", 3000, MINUTE_SECONDS)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands: `remaining` may follow before `reset_after_seconds` are over.

    With none remaining, the next is taken after these seconds.
    """

    limit: Limit
    remaining: int
    reset_after_seconds: int


class RateLimited(TooMany):
    """The caller asked too often; the member `retry_after_seconds` says how long to wait."""

    code = "rate-limited"
    title = "You ask too often"
    explanation = (
        "More was asked for than one caller may have in this time. Wait for the seconds that "
        "Retry-After names, and try again. RateLimit-Policy and RateLimit tell what is left."
    )
    standing: Standing | None = None

    @classmethod
    def at(cls, standing: Standing) -> Self:
        """The refusal of one who has nothing left; it carries `standing`, for headers_of()."""
        limit, wait = standing.limit, standing.reset_after_seconds
        taken = f"At most {limit.amount} are taken in {_spoken(limit.seconds)}."
        detail = f"{taken} Try again in {_spoken(wait)}."
        error = cls(detail, retry_after_seconds=wait)
        error.standing = standing
        return error


class Limiter:
    """Counts what callers do, and refuses what is too much; one for each process."""

    def __init__(self, memory: "_Memory", redis: "_Redis | None", *, is_on: bool) -> None:
        self._memory = memory
        self._redis = redis
        self._is_on = is_on

    @classmethod
    def open(
        cls,
        redis_url: str | None,
        *,
        is_on: bool,
        timeout_seconds: float = REDIS_TIMEOUT_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> Self:
        """One that has not asked Redis for anything yet, and does nothing where `is_on` is false.

        ValueError for a URL that is not one of Redis. `timeout_seconds` is for one question to it.
        """
        redis = _Redis(redis_url, timeout_seconds, monotonic) if is_on and redis_url else None
        return cls(_Memory(monotonic), redis, is_on=is_on)

    async def hit(self, limit: Limit, key: str) -> Standing | None:
        """Count one for `key`, and say what is left; None when limits are off.

        Raises RateLimited, and counts nothing, when nothing was left.
        """
        if not self._is_on:
            return None
        name = _name_of(limit, key)
        # Here in any case, so that a crash of Redis gives nobody a fresh start.
        count = self._memory.count(limit, name)
        if self._redis is not None:
            count = await self._redis.count(limit, name) or count
        if not count.was_taken:
            raise RateLimited.at(_exhausted(limit, count.window))
        return _standing(limit, count.window)

    async def look(self, limit: Limit, key: str) -> None:
        """Raise RateLimited when hit() would, but count nothing.

        For limits of failures alone: look before the attempt, hit after it has failed.
        """
        if not self._is_on:
            return
        name = _name_of(limit, key)
        window = self._memory.window(limit, name)
        if self._redis is not None:
            window = await self._redis.window(limit, name) or window
        if _left(limit, window) <= 0:
            raise RateLimited.at(_exhausted(limit, window))

    async def aclose(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            await self._redis.pool.aclose()


@lru_cache(MOST_ADDRESSES)
def key_of_address(address: Address | None) -> str:
    """The key of a client address: an IPv6 address counts as its /64.

    One customer has a whole /64 at least (RFC 6177), and could take a new address for each request.
    """
    if address is None:
        return "none"
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        # On a socket for both kinds, all of IPv4 would be one /64.
        return str(address.ipv4_mapped)
    return f"{int(address) >> 64:x}/64"


def headers_of(standing: Standing | None) -> list[Header]:
    """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10); none for None.

    Names are in lower case, as ASGI wants them.
    """
    if standing is None:
        return []
    limit = standing.limit
    policy = f'"{limit.name}";q={limit.amount};w={limit.seconds}'
    state = f'"{limit.name}";r={standing.remaining};t={standing.reset_after_seconds}'
    return [(b"ratelimit-policy", policy.encode("ascii")), (b"ratelimit", state.encode("ascii"))]


class _Window(NamedTuple):
    """What was counted in the last and in the present window, and for how long each counts yet.

    The present one ends, and becomes the last one, `limit.seconds` before that.
    """

    previous: int
    previous_seconds: float
    current: int
    current_seconds: float


class _Count(NamedTuple):
    """Whether one more was counted, and the window after that."""

    was_taken: bool
    window: _Window


def _left(limit: Limit, window: _Window) -> int:
    weighed = window.previous * window.previous_seconds / limit.seconds
    return limit.amount - window.current - floor(weighed)


def _standing(limit: Limit, window: _Window) -> Standing:
    left = _left(limit, window)
    if left <= 0:
        return _exhausted(limit, window)
    return Standing(limit, left, max(0, ceil(window.current_seconds - limit.seconds)))


def _exhausted(limit: Limit, window: _Window) -> Standing:
    """Nothing left; the time is that of Retry-After, as the draft wants it.

    The next is taken once the last window weighs less than what the present one leaves free; in a
    full present window that is once it has become the last one.
    """
    free = limit.amount - window.current
    wait = window.current_seconds - limit.seconds
    if free > 0:
        wait = window.previous_seconds - free * limit.seconds / max(1, window.previous)
    # Rounded up to more than `wait`: at that very moment the weight is still too much.
    return Standing(limit, 0, max(1, floor(wait) + 1))


def _name_of(limit: Limit, key: str) -> str:
    """The name of a count: whoever can read Redis shall not read e-mail addresses in it."""
    # What JSON and forms bring may hold lone surrogates, which UTF-8 has not.
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16)
    return f"{limit.name}/{digest.hexdigest()}"


def _spoken(seconds: int) -> str:
    if seconds >= 2 * MINUTE_SECONDS:
        return f"{ceil(seconds / MINUTE_SECONDS)} minutes"
    return "1 second" if seconds == 1 else f"{seconds} seconds"


class _Counter:
    """One count in memory: since when the present window is, what is in it and in the last one."""

    __slots__ = ("current", "previous", "started")

    def __init__(self, now: float) -> None:
        self.started, self.current, self.previous = now, 0, 0

    def window(self, limit: Limit, now: float) -> _Window:
        """The windows as they are `now`, after the present one was replaced where it is over."""
        seconds = limit.seconds
        age = now - self.started
        if age >= 2 * seconds:
            self.started, self.current, self.previous = now, 0, 0
        elif age >= seconds:
            self.started += seconds
            self.current, self.previous = 0, self.current
        left = self.started + seconds - now
        return _Window(self.previous, left, self.current, left + seconds)


class _Memory:
    """The counts of this process: bounded, and without a timer.

    The storage of `limits` goes through all its keys whenever it counts, a millisecond for 10,000.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        # Apart for each limit, so that a flood of one kind pushes out no counts of another. The
        # counter that was asked for last is at the end.
        self._counters: defaultdict[str, OrderedDict[str, _Counter]] = defaultdict(OrderedDict)

    def count(self, limit: Limit, name: str) -> _Count:
        """Count one, if there is one left."""
        now = self._monotonic()
        counters = self._counters[limit.name]
        counter = counters.get(name)
        if counter is None:
            _make_room(counters, limit, now)
            counter = counters[name] = _Counter(now)
        else:
            counters.move_to_end(name)
        window = counter.window(limit, now)
        if _left(limit, window) <= 0:
            return _Count(was_taken=False, window=window)
        counter.current += 1
        return _Count(was_taken=True, window=counter.window(limit, now))

    def window(self, limit: Limit, name: str) -> _Window:
        """What was counted until now."""
        counter = self._counters[limit.name].get(name)
        return counter.window(limit, self._monotonic()) if counter else _Window(0, 0.0, 0, 0.0)


def _make_room(counters: OrderedDict[str, _Counter], limit: Limit, now: float) -> None:
    """Forget what is over and, of too many, who has not been seen for the longest time.

    Refusing the newcomers instead would shut out everybody else during a flood.
    """
    while counters:
        oldest = next(iter(counters.values()))
        if len(counters) < MOST_KEYS and now - oldest.started < 2 * limit.seconds:
            return
        counters.popitem(last=False)


class _Redis:
    """The counts in Redis, through `limits`; whatever is asked for is None while Redis is away."""

    def __init__(self, url: str, timeout_seconds: float, monotonic: Callable[[], float]) -> None:
        # Imported here: together they take 9 MB, which a server without Redis has no use for.
        from limits.aio.storage import RedisStorage
        from redis.asyncio import ConnectionPool
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        self.pool = ConnectionPool.from_url(
            url,
            # All that the scripts need, and every server has it.
            protocol=2,
            max_connections=MOST_CONNECTIONS,
            # The time-out around a question is the only one, and memory is the second try.
            retry=Retry(NoBackoff(), 0),
            socket_timeout=None,
            socket_connect_timeout=None,
        )
        self._storage = RedisStorage(
            "redis://",
            implementation="redispy",
            key_prefix="turnout",
            connection_pool=self.pool,  # type: ignore[arg-type]  # the stub forgets this option
        )
        self._timeout_seconds = timeout_seconds
        self._monotonic = monotonic
        # Waiting for a connection is no fault of Redis, so it is outside of the time-out.
        self._free = asyncio.Semaphore(MOST_CONNECTIONS)
        self._ask_again_at: float | None = None  # None while Redis answers

    async def count(self, limit: Limit, name: str) -> _Count | None:
        """Count one, if there is one left."""

        async def ask() -> _Count:
            was_taken = await self._storage.acquire_sliding_window_entry(
                name, limit.amount, limit.seconds
            )
            window = await self._storage.get_sliding_window(name, limit.seconds)
            return _Count(was_taken, _Window(*window))

        return await self._answer(ask)

    async def window(self, limit: Limit, name: str) -> _Window | None:
        """What was counted until now."""

        async def ask() -> _Window:
            return _Window(*await self._storage.get_sliding_window(name, limit.seconds))

        return await self._answer(ask)

    async def _answer(self, ask: Callable[[], Awaitable[Answer]]) -> Answer | None:
        async with self._free:
            if not self._may_ask():
                return None
            is_trial = self._ask_again_at is not None
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    answer = await ask()
            except Exception as error:  # noqa: BLE001 - no fault of Redis may refuse a caller
                self._note_away(error)
                return None
            # An answer to a question from before Redis went away is no sign that it is back.
            if is_trial and self._ask_again_at is not None:
                self._ask_again_at = None
                log.info("Redis is back; the processes share their limits")
            return answer

    def _may_ask(self) -> bool:
        if self._ask_again_at is None:
            return True
        now = self._monotonic()
        if now < self._ask_again_at:
            return False
        # Whoever comes now tries for all; the others shall not wait for a Redis that hangs.
        self._ask_again_at = now + ASK_AGAIN_SECONDS
        return True

    def _note_away(self, error: Exception) -> None:
        if self._ask_again_at is None:
            reason = f"{type(error).__name__}: {error}"
            log.warning("Redis is away; each process limits for itself", reason=reason)
        self._ask_again_at = self._monotonic() + ASK_AGAIN_SECONDS
