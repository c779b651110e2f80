"""A figure: what was measured beside its goal; knows neither how it was measured nor printed."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from turnout.cli.bench.measured import Measured, Spread, spread_of


@dataclass(frozen=True, slots=True)
class Goal:
    """What to reach: a least ratio to the floor, and where it is set a greatest p99."""

    ratio: float
    p99_ms: float | None = None

    def __str__(self) -> str:
        tail = "" if self.p99_ms is None else f", p99 <= {self.p99_ms:.0f} ms"
        return f">= {self.ratio:.2f}{tail}"


class Turns(NamedTuple):
    """What two loads in turns have found, a result a round, and what went on beside the second."""

    floor: Sequence[Measured]
    real: Sequence[Measured]
    beside: Sequence[Measured]

    @property
    def errors(self) -> int:
        """How many requests failed, in all."""
        return sum(each.errors for each in (*self.floor, *self.real, *self.beside))


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its rounds.

    `unit` is what a ratio is one of ("of the floor"), else "s" or "MiB". `real` and `floor` hold
    one result a round, in the order they were measured in turns; both are empty for a figure that
    has no floor.
    """

    name: str
    unit: str
    goal: str
    spread: Spread
    met: bool
    errors: int = 0
    real: tuple[Measured, ...] = ()
    floor: tuple[Measured, ...] = ()
    note: str = ""

    @property
    def p50_ms(self) -> float | None:
        """The median of the rounds' medians, in milliseconds."""
        return statistics.median(each.p50_ms for each in self.real) if self.real else None

    @property
    def p99_ms(self) -> float | None:
        """The median of the rounds' 99th percentiles, in milliseconds."""
        return statistics.median(each.p99_ms for each in self.real) if self.real else None

    @property
    def per_second(self) -> float | None:
        """The median rate, in requests a second."""
        return statistics.median(each.per_second for each in self.real) if self.real else None

    @property
    def floor_per_second(self) -> float | None:
        """The floor's median rate, in requests a second."""
        return statistics.median(each.per_second for each in self.floor) if self.floor else None


def ratio(
    name: str,
    goal: Goal,
    floor: Sequence[Measured],
    real: Sequence[Measured],
    beside: Sequence[Measured] = (),
) -> Figure:
    """The rates divided round by round; of the loads `beside` them only the errors count."""
    ratios = [mine.per_second / base.per_second for base, mine in zip(floor, real, strict=True)]
    spread = spread_of(ratios)
    errors = Turns(floor, real, beside).errors
    p99_ms = statistics.median(each.p99_ms for each in real)
    in_time = goal.p99_ms is None or p99_ms <= goal.p99_ms
    return Figure(
        name=name,
        unit="of the floor",
        goal=str(goal),
        spread=spread,
        met=spread.median >= goal.ratio and in_time and errors == 0,
        errors=errors,
        real=tuple(real),
        floor=tuple(floor),
        note=_note(real, beside),
    )


def slowdown(name: str, most: float, turns: Turns) -> Figure:
    """How many times as long p95 is for a load with another beside it than for it alone."""
    ratios = [busy.p95_ms / quiet.p95_ms for quiet, busy in zip(*turns[:2], strict=True)]
    spread = spread_of(ratios)
    quiet, busy = (statistics.median(each.p95_ms for each in rounds) for rounds in turns[:2])
    beside = statistics.median(each.per_second for each in turns.beside)
    return Figure(
        name=name,
        unit="times quiet",
        goal=f"<= {most:g} times quiet",
        spread=spread,
        met=spread.median <= most and turns.errors == 0,
        errors=turns.errors,
        real=tuple(turns.real),
        floor=tuple(turns.floor),
        note=f"p95 of {quiet:.1f} ms quiet, {busy:.1f} ms beside {beside:.0f} requests a second",
    )


def at_most(name: str, unit: str, most: float, values: Sequence[float], note: str = "") -> Figure:
    """A figure without a floor, such as seconds or MiB, that is to stay at or below `most`."""
    spread = spread_of(values)
    return Figure(name, unit, f"<= {most:g} {unit}", spread, spread.median <= most, note=note)


def _note(real: Sequence[Measured], beside: Sequence[Measured]) -> str:
    """The client used, and what went on beside it."""
    client = f"with {'wrk' if real[0].tool == 'wrk' else 'our own client'}"
    if not beside:
        return client
    rate = statistics.median(each.per_second for each in beside)
    return f"{client}, and {rate:.0f} registrations a second beside it"
