"""Many small questions at once are one statement, each answered as newly as if asked alone."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from turnout.db import lookups
from turnout.db.held import Asked
from turnout.db.lookups import Lookups
from turnout.db.session import Database


class Statements:
    """What is known now, and each set that was asked for; a statement waits for `go`."""

    def __init__(self) -> None:
        self.known = {n: f"first {n}" for n in range(1_000)}
        self.asked: list[list[int]] = []
        self.began = asyncio.Event()
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def load(self, _: Asked, keys: Collection[int]) -> Mapping[int, str]:
        self.asked.append(sorted(keys))
        seen, error = dict(self.known), self.error  # as a statement sees what was when it began
        self.began.set()
        await self.go.wait()
        if error is not None:
            raise error
        return {key: seen[key] for key in keys if key in seen}


@pytest.fixture
def statements() -> Statements:
    return Statements()


@pytest.fixture
def asking(database: Database, statements: Statements) -> Lookups[int, str]:
    return Lookups(database, statements.load)


async def test_get_of_many_at_once_is_one_statement(
    asking: Lookups[int, str], statements: Statements
) -> None:
    statements.go.set()

    found = await asyncio.gather(*(asking.get(n % 10) for n in range(50)), asking.get(-1))

    assert found == [*(f"first {n % 10}" for n in range(50)), None]
    assert statements.asked == [[-1, *range(10)]]


async def test_get_after_a_statement_began_is_answered_by_the_next(
    asking: Lookups[int, str], statements: Statements
) -> None:
    first = asyncio.create_task(asking.get(1))
    await statements.began.wait()
    statements.known[1] = "second 1"

    later = [asyncio.create_task(asking.get(n)) for n in (1, 2, 1)]
    await asyncio.sleep(0)
    statements.go.set()

    assert await first == "first 1"
    assert await asyncio.gather(*later) == ["second 1", "first 2", "second 1"]
    assert statements.asked == [[1], [1, 2]]


async def test_get_asks_again_each_time(asking: Lookups[int, str], statements: Statements) -> None:
    statements.go.set()
    first = await asking.get(1)
    del statements.known[1]

    second = await asking.get(1)

    assert (first, second) == ("first 1", None)
    assert statements.asked == [[1], [1]]


async def test_get_that_fails_fails_for_those_who_asked_and_nobody_else(
    asking: Lookups[int, str], statements: Statements
) -> None:
    statements.error = OSError("the database went away")
    failing = [asyncio.create_task(asking.get(n)) for n in (1, 1, 2)]
    await statements.began.wait()
    statements.error = None
    others = [asyncio.create_task(asking.get(n)) for n in (1, 3)]
    await asyncio.sleep(0)
    statements.go.set()

    errors = await asyncio.gather(*failing, return_exceptions=True)
    found = await asyncio.gather(*others)
    last = await asking.get(2)

    assert [str(each) for each in errors] == ["the database went away"] * 3
    assert (found, last) == (["first 1", "first 3"], "first 2")


async def test_get_of_one_who_leaves_is_answered_to_the_others(
    asking: Lookups[int, str], statements: Statements
) -> None:
    leaves, stays = [asyncio.create_task(asking.get(1)) for _ in range(2)]
    await statements.began.wait()

    leaves.cancel()
    statements.go.set()

    assert await stays == "first 1"
    assert leaves.cancelled()
    assert await asking.get(2) == "first 2"


async def test_get_that_fails_when_all_have_left_is_no_lost_error(
    asking: Lookups[int, str], statements: Statements
) -> None:
    statements.error = OSError("the database went away")
    leaves = asyncio.create_task(asking.get(1))
    await statements.began.wait()
    leaves.cancel()
    statements.error = None
    statements.go.set()

    assert await asking.get(1) == "first 1"
    assert leaves.cancelled()
    assert asking._task is None or not asking._task.done()


async def test_get_of_very_many_at_once_is_a_few_statements(
    asking: Lookups[int, str], statements: Statements
) -> None:
    statements.go.set()

    found = await asyncio.gather(*(asking.get(n) for n in range(600)))

    assert found == [f"first {n}" for n in range(600)]
    assert [len(each) for each in statements.asked] == [lookups.LARGEST_SET] * 2 + [88]
