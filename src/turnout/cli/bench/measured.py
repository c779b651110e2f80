"""What one load run found, and the arithmetic on it; knows neither sockets nor scenarios."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Measured:
    """One load run: latencies in milliseconds, the rate in requests a second.

    `statuses` counts answers by status ("201"; `wrk` only tells "ok" from "refused"). `errors`
    counts broken connections, requests without an answer, and answers of a status nobody expected.
    `samples` keeps the first body of each status, to see why something was refused.
    """

    tool: str
    requests: int
    seconds: float
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    statuses: Mapping[str, int] = field(default_factory=dict)
    errors: int = 0
    samples: Mapping[str, str] = field(default_factory=dict)

    def answered(self, status: int) -> int:
        """How many answers had this status."""
        return self.statuses.get(str(status), 0)


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, with the least and the greatest of them."""

    median: float
    low: float
    high: float


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of ascending values: the least value that `percent` % reach.

    0.0 for no values. Nearest rank (and not interpolation) so that the answer is always a latency
    that some request really had.
    """
    if not ordered:
        return 0.0
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def spread_of(values: Sequence[float]) -> Spread:
    """Median, least and greatest of at least one value."""
    return Spread(median=statistics.median(values), low=min(values), high=max(values))
