"""A figure: what was measured beside its goal; knows neither how it was measured nor printed."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from turnout.cli.bench.measured import Measured, Spread, spread_of


@dataclass(frozen=True, slots=True)
class Goal:
    """What to reach: a least ratio to the floor, and where it is set a greatest p99."""

    ratio: float
    p99_ms: float | None = None

    def __str__(self) -> str:
        tail = "" if self.p99_ms is None else f", p99 <= {self.p99_ms:.0f} ms"
        return f">= {self.ratio:.2f}{tail}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its rounds.

    `unit` is "of the floor" for ratios, else "s" or "MiB". `real` and `floor` hold one result a
    round, in the order they were measured in turns; both are empty for a figure that has no floor.
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
    errors = sum(each.errors for each in (*floor, *real, *beside))
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
