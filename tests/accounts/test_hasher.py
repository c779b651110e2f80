"""Hashes of passwords: any form of the right one, the same work for all, and blocking nobody."""

import asyncio
import io
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import argon2
import pytest

from turnout.accounts import passwords
from turnout.accounts.errors import Busy
from turnout.accounts.passwords import MOST_WAITING, Hasher
from turnout.observability import logs

GOOD = "correct horse battery staple"
LONG_NUMBER = 3**400_000
LONGEST_SECONDS = 60.0


@pytest.fixture
async def hasher() -> AsyncIterator[Hasher]:
    hasher = Hasher()
    yield hasher
    await hasher.aclose()


@pytest.fixture
def written() -> Iterator[io.BytesIO]:
    stream = io.BytesIO()
    logs.configure(human=False, stream=stream)
    yield stream
    logs.configure(human=False, stream=io.BytesIO(), level="error")


@asynccontextmanager
async def full(hasher: Hasher) -> AsyncIterator[list[asyncio.Task[bool]]]:
    """As many as may wait for the threads, which are held up until the end."""
    gate, begun = threading.Event(), threading.Semaphore(0)

    def wait() -> bool:
        begun.release()
        return gate.wait(LONGEST_SECONDS)

    count = hasher.threads + MOST_WAITING
    waiting = [asyncio.create_task(hasher._in_thread(wait)) for _ in range(count)]
    # Until a thread has begun with it, the work of one who leaves is taken back.
    for _ in range(hasher.threads):
        assert await asyncio.to_thread(begun.acquire, timeout=LONGEST_SECONDS)
    try:
        yield waiting
    finally:
        gate.set()
        await asyncio.gather(*waiting, return_exceptions=True)


async def left(task: asyncio.Task[bool]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def turns_of_the_loop_during(work: Callable[[], object], hasher: Hasher) -> int:
    """How often the event loop went round while a thread of the hasher did that."""
    turns = 0

    def counted() -> int:
        before = turns
        work()
        return turns - before

    task = asyncio.create_task(hasher._in_thread(counted))
    while not task.done():
        turns += 1
        await asyncio.sleep(0)
    return task.result()


async def test_hash_verifies_its_password_alone(hasher: Hasher) -> None:
    stored = await hasher.hash(GOOD)

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert len(stored) == 97
    assert await hasher.verify(GOOD, stored)
    assert not await hasher.verify(GOOD + " ", stored)
    assert not await hasher.verify(GOOD.title(), stored)


async def test_hash_of_one_password_is_never_the_same(hasher: Hasher) -> None:
    assert await hasher.hash(GOOD) != await hasher.hash(GOOD)


async def test_hash_uses_every_character(hasher: Hasher) -> None:
    stored = await hasher.hash("x" * 1023 + "y")

    assert await hasher.verify("x" * 1023 + "y", stored)
    assert not await hasher.verify("x" * 1023 + "z", stored)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ångström café", "A\u030angstro\u0308m cafe\u0301"),
        ("two words here", "two\u00a0words\u3000here"),
        ("\u1ed9" * 1024, "o\u0323\u0302" * 1024),
    ],
)
async def test_verify_takes_another_form_of_the_same_text(
    one: str, other: str, hasher: Hasher
) -> None:
    assert one != other
    assert await hasher.verify(other, await hasher.hash(one))
    assert await hasher.verify(one, await hasher.hash(other))


@pytest.mark.parametrize("password", ["short", "x" * 1025, "with a NUL \x00", "\ud800" * 12])
async def test_hash_of_what_is_not_taken_raises(password: str, hasher: Hasher) -> None:
    with pytest.raises(ValueError, match=r"at least|at most|not allowed"):
        await hasher.hash(password)


@pytest.mark.parametrize(
    "password", ["", "a", f"{GOOD}\x00", f"{GOOD}\ud800", "x" * 1025, "x" * 1_000_000]
)
async def test_verify_of_what_is_no_password_is_false(password: str, hasher: Hasher) -> None:
    stored = await hasher.hash(GOOD)

    assert await hasher.verify(password, stored) is False
    assert await hasher.verify(password, None) is False


async def test_verify_of_a_text_too_long_starts_no_work(hasher: Hasher) -> None:
    assert await hasher.verify("x" * 1025, passwords.NOBODYS_HASH) is False
    assert hasher._pool is None


async def test_verify_without_a_hash_does_the_work_of_one(hasher: Hasher) -> None:
    of_a_password = argon2.extract_parameters(await hasher.hash(GOOD))

    assert argon2.extract_parameters(passwords.NOBODYS_HASH) == of_a_password
    assert await hasher.verify(GOOD, None) is False
    async with full(hasher):
        with pytest.raises(Busy):
            await hasher.verify(GOOD, None)


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "x",
        "$argon2id$",
        passwords.NOBODYS_HASH[:-1],
        passwords.NOBODYS_HASH + "\n",
        passwords.NOBODYS_HASH.replace("argon2id", "argon2i"),
        passwords.NOBODYS_HASH.replace("19456", "9999999"),
        passwords.NOBODYS_HASH.replace("19456", "١٩٤٥٦"),
        "$2b$12$" + "a" * 53,
        GOOD,
    ],
)
async def test_verify_of_a_damaged_hash_is_false_and_logged(
    damaged: str, hasher: Hasher, written: io.BytesIO
) -> None:
    verified = await hasher.verify(GOOD, damaged)

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    said = [(line["level"], line["message"], line["characters"]) for line in lines]
    assert verified is False
    assert said == [("error", "a stored password hash is damaged", len(damaged))]
    assert GOOD.encode() not in written.getvalue()


@pytest.mark.parametrize(
    ("memory", "passes", "expected"),
    [
        (19_456, 2, False),
        (19_456, 1, True),
        (12_288, 3, True),
        (65_536, 2, False),
        (19_456, 3, False),
    ],
)
def test_needs_rehash_of_less_work_alone(memory: int, passes: int, *, expected: bool) -> None:
    stored = passwords.NOBODYS_HASH.replace("m=19456,t=2", f"m={memory},t={passes}")

    assert Hasher().needs_rehash(stored) is expected


def test_needs_rehash_of_a_damaged_hash() -> None:
    assert Hasher().needs_rehash("x")


async def test_hash_lets_the_event_loop_go_on(hasher: Hasher) -> None:
    """argon2 releases the interpreter lock; the control, a long multiplication, does not."""
    hashing = await turns_of_the_loop_during(lambda: hasher._argon2.hash(GOOD), hasher)
    held_up = await turns_of_the_loop_during(lambda: LONG_NUMBER * LONG_NUMBER, hasher)

    assert hashing > held_up


async def test_hasher_leaves_a_core_to_the_loop(hasher: Hasher) -> None:
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1

    assert hasher.threads == max(1, cores - 1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
async def test_hasher_lets_everything_else_go_first(hasher: Hasher) -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = priority()

    assert await hasher._in_thread(priority) == max(10, before)
    assert priority() == before


async def test_hasher_refuses_one_more_than_may_wait(hasher: Hasher) -> None:
    async with full(hasher) as waiting:
        with pytest.raises(Busy) as caught:
            await hasher.hash(GOOD)

    assert caught.value.retry_after_seconds == 2
    assert [task.result() for task in waiting] == [True] * len(waiting)
    assert await hasher.verify(GOOD, await hasher.hash(GOOD))


async def test_hasher_gives_the_place_of_one_who_left_to_another(hasher: Hasher) -> None:
    async with full(hasher) as waiting:
        await left(waiting[-1])
        another = asyncio.create_task(hasher.hash(GOOD))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await hasher.hash(GOOD)

    assert await hasher.verify(GOOD, await another)
    assert hasher._unfinished == set()


async def test_hasher_counts_the_work_of_one_who_left_until_it_is_done(hasher: Hasher) -> None:
    async with full(hasher) as waiting:
        await left(waiting[0])
        with pytest.raises(Busy):
            await hasher.hash(GOOD)

    assert hasher._unfinished == set()


async def test_aclose_answers_who_waits() -> None:
    hasher = Hasher()
    tasks = [asyncio.create_task(hasher.hash(GOOD)) for _ in range(3)]
    await asyncio.sleep(0)

    await hasher.aclose()
    await hasher.aclose()

    assert len({await task for task in tasks}) == 3
    assert not [each for each in threading.enumerate() if each.name.startswith("passwords")]
