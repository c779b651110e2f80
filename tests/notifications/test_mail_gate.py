"""Urgent mails go first, at an even pace, and the others leave them places."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

import pytest

from turnout.notifications.mail_gate import Gate, NoTurn


class Leaping(asyncio.SelectorEventLoop):
    """A loop whose clock stands while anything happens, and leaps to the next timer else."""

    def __init__(self) -> None:
        self._now = 1000.0
        leaping = self

        class Selector(selectors.SelectSelector):
            def select(self, timeout: float | None = None) -> Any:
                leaping._now += timeout or 0.0
                return super().select(0)

        super().__init__(Selector())

    def time(self) -> float:
        return self._now


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run it under the leaping clock."""
    loop = Leaping()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


async def gone_through(
    gate: Gate, turns: list[tuple[str, bool]], seconds: float
) -> list[tuple[str, float]]:
    """Who came in when, in seconds from now, where everyone stays for `seconds`."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    entered: list[tuple[str, float]] = []

    async def go(name: str, *, urgent: bool) -> None:
        async with gate.turn(urgent=urgent):
            entered.append((name, round(loop.time() - start, 3)))
            await asyncio.sleep(seconds)

    await asyncio.gather(*(go(name, urgent=urgent) for name, urgent in turns))
    return entered


def test_pace_is_even_and_urgent_ones_go_first() -> None:
    async def work() -> list[tuple[str, float]]:
        gate = Gate(8, 2, per_second=10)
        turns = [(f"bulk {n}", False) for n in range(3)] + [(f"urgent {n}", True) for n in range(3)]
        return await gone_through(gate, turns, 0.0)

    assert run(work()) == [
        ("bulk 0", 0.0),
        ("urgent 0", 0.1),
        ("urgent 1", 0.2),
        ("urgent 2", 0.3),
        ("bulk 1", 0.4),
        ("bulk 2", 0.5),
    ]


def test_pause_is_not_made_up_for_by_a_burst() -> None:
    async def work() -> list[float]:
        gate = Gate(8, 2, per_second=10)
        await gone_through(gate, [("one", True)], 0.0)
        await asyncio.sleep(60)
        entered = await gone_through(gate, [(str(n), True) for n in range(5)], 0.0)
        return [at for _, at in entered]

    assert run(work()) == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_no_pace_lets_in_as_many_as_there_are_places() -> None:
    async def work() -> list[float]:
        entered = await gone_through(Gate(3, 1, 0), [(str(n), True) for n in range(7)], 5.0)
        return [at for _, at in entered]

    assert run(work()) == [0.0, 0.0, 0.0, 5.0, 5.0, 5.0, 10.0]


@pytest.mark.parametrize(("size", "at_once"), [(8, 6), (3, 1), (2, 1), (1, 1)])
def test_others_leave_places_to_urgent_ones(size: int, at_once: int) -> None:
    async def work() -> int:
        entered = await gone_through(Gate(size, 2, 0), [(str(n), False) for n in range(9)], 5.0)
        return [at for _, at in entered].count(0.0)

    assert run(work()) == at_once


def test_urgent_one_finds_a_place_while_others_fill_theirs() -> None:
    async def work() -> list[tuple[str, float]]:
        turns = [(f"bulk {n}", False) for n in range(4)] + [("urgent", True)]
        return await gone_through(Gate(4, 2, 0), turns, 5.0)

    assert run(work()) == [
        ("bulk 0", 0.0), ("bulk 1", 0.0), ("urgent", 0.0), ("bulk 2", 5.0), ("bulk 3", 5.0),
    ]  # fmt: skip


def test_narrow_gate_widens_again_by_and_by() -> None:
    async def work() -> list[float]:
        gate = Gate(3, 0, 0)
        gate.narrow(0, 10.0)
        entered = await gone_through(gate, [(str(n), True) for n in range(6)], 8.0)
        gate.close()
        return [at for _, at in entered]

    # One place until 10, two until 20, three from then on.
    assert run(work()) == [0.0, 8.0, 10.0, 16.0, 18.0, 20.0]


def test_one_who_gives_up_takes_nobodys_place() -> None:
    async def work() -> list[tuple[str, float]]:
        gate = Gate(1, 0, 0)
        async with gate.turn(urgent=True):
            waiting = [asyncio.create_task(gone_through(gate, [("x", True)], 0)) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[0].cancel()
            await asyncio.sleep(1)
            waiting[1].cancel()
        waiting[2].cancel()  # it was let in this very moment, and has not gone on yet
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(each) for each in ended] == [asyncio.CancelledError] * 3
        return await gone_through(gate, [("after", False)], 0)

    assert run(work()) == [("after", 0.0)]


def test_those_who_wait_can_be_sent_away() -> None:
    async def work() -> list[str]:
        gate = Gate(1, 0, 0)
        async with gate.turn(urgent=False):
            waiting = [
                asyncio.create_task(gone_through(gate, [("x", urgent)], 0))
                for urgent in (True, False)
            ]
            await asyncio.sleep(1)
            gate.dismiss(lambda: KeyError("away"))
            ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert await gone_through(gate, [("after", False)], 0) == [("after", 0.0)]
        return [repr(each) for each in ended]

    assert run(work()) == ["KeyError('away')"] * 2


def test_one_whose_turn_does_not_come_is_told_to_come_back() -> None:
    async def work() -> list[tuple[str, float]]:
        gate = Gate(1, 0, 0)
        async with gate.turn(urgent=True):
            with pytest.raises(NoTurn):
                await gone_through(gate, [("late", False)], 0)
        return await gone_through(gate, [("after", False)], 0)

    assert run(work()) == [("after", 0.0)]
