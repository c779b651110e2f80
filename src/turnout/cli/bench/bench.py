"""One benchmark under way: the server it looks at, and how floor and real are set against it."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from turnout import clock
from turnout.cli.bench import figure, load, servers
from turnout.cli.bench.calls import Address, Caller
from turnout.cli.bench.figure import Figure, Goal, Turns
from turnout.cli.bench.measured import Measured
from turnout.cli.bench.servers import Server
from turnout.cli.bench.wire import NUMBER, Headers, Load, Request, post

WARM_UP_SECONDS = 0.5
UNLIMITED = 1_000_000

LoadOf = Callable[[int], Load]
"""Makes the load of one round; round 0 is the warm-up, which no figure counts."""


@dataclass(slots=True)
class Bench:
    """A server to measure and how to. `server` and `environment` only for one of our own."""

    target: Address
    connections: int = 64
    seconds: float = 5.0
    rounds: int = 3
    workers: int = 1
    server: Server | None = None
    environment: Mapping[str, str] | None = None
    broken: list[str] = field(default_factory=list)
    """A sentence for each promise that a load has broken."""

    @contextmanager
    def calls(self, headers: Headers = ()) -> Iterator[Caller]:
        """A connection for single calls to the target, each with these headers."""
        with Caller(self.target, headers) as caller:
            yield caller

    def load(self, *requests: Request, expected: tuple[int, ...] = (200,)) -> Load:
        """A closed loop against the target."""
        return Load(
            port=self.target.port,
            host=self.target.host,
            requests=requests,
            connections=self.connections,
            seconds=self.seconds,
            expected=expected,
        )

    @contextmanager
    def floor(self, request: Request, *, length: int = 2) -> Iterator[LoadOf]:
        """The load on a floor that answers `length` bytes, while that floor runs."""
        expected = (201,) if request.method == "POST" else (200,)
        with servers.floor(length, workers=self.workers) as ground:
            base = replace(
                self.load(request, expected=expected),
                port=ground.address.port,
                host=ground.address.host,
            )
            yield lambda _: base

    def in_turns(
        self, name: str, goal: Goal, floor: LoadOf, real: LoadOf, *, beside: LoadOf | None = None
    ) -> Figure:
        """The ratio of two loads' rates; a load `beside` is the real one's, as in `turns`."""
        return figure.ratio(name, goal, *self.turns(floor, real, beside=beside))

    def turns(self, floor: LoadOf, real: LoadOf, *, beside: LoadOf | None = None) -> Turns:
        """Two loads: floor, real, floor, real, with the same client for both.

        A load `beside` runs at the same time as each real one.
        """
        first = (floor(0), real(0))
        tool = load.tool_for(*first)
        for each in first:
            load.do(replace(each, seconds=WARM_UP_SECONDS))
        base: list[Measured] = []
        mine: list[Measured] = []
        others: list[Measured] = []
        for number in range(1, self.rounds + 1):
            base.append(load.do(floor(number), tool))
            with ThreadPoolExecutor(max_workers=1) as pool:
                other = None if beside is None else pool.submit(load.do, beside(number))
                mine.append(load.do(real(number), tool))
                others += [] if other is None else [other.result()]
        return Turns(base, mine, others)


def new_event(caller: Caller, *, capacity: int, days: float = 30, name: str = "Bench") -> Any:
    """An event made through the API, as the JSON that came back; it starts in `days`."""
    start = clock.now() + timedelta(days=days)
    body = {
        "name": name,
        "location": "Town hall",
        "start_time": start.isoformat(timespec="seconds"),
        "end_time": (start + timedelta(hours=2)).isoformat(timespec="seconds"),
        "max_capacity": capacity,
    }
    return caller.expect(201, "POST", "/events", body).json()


def registration(event_id: str, batch: str = "a", headers: Headers = ()) -> Request:
    """Someone new takes a seat at each sending; two batches hold no one in common."""
    person = {"name": f"Ada {NUMBER}", "email": f"ada.{NUMBER}.{batch}@example.org"}
    return replace(post(f"/events/{event_id}/register", person), headers=headers)
