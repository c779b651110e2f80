"""What is measured, with the goal of each; knows the API's paths, but neither tables nor sockets.

Every ratio is that of the product to a floor which does the same with nothing behind it.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from turnout.cli.bench import authorized, checks, figure, floors, reads, servers
from turnout.cli.bench.bench import UNLIMITED, Bench, new_event, registration
from turnout.cli.bench.calls import Caller, CannotMeasureError, UnexpectedAnswerError
from turnout.cli.bench.figure import Figure, Goal
from turnout.cli.bench.reads import LIST, UNCACHED
from turnout.cli.bench.wire import NUMBER, Load, Request, post

FEW_SEATS = 1_000
"""Capacity below demand: gone in the first part of a second, and refusals from then on."""
MANY_EVENTS = 1_000
BESIDE_PER_SECOND = 50.0
BESIDE_CONNECTIONS = 8
READY_SECONDS = 2.0
WORKER_MIB = 120.0

_FLOOR_GET = Request(floors.GET_PATH)
_FLOOR_POST = post(
    floors.POST_PATH, {"name": f"Ada {NUMBER}", "email": f"ada.{NUMBER}.f@example.org"}
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the table, and what it cannot do without."""

    about: str
    run: Callable[[Bench], Figure]
    needs: Literal["any server", "own server", "own server on postgresql"] = "any server"

    def can_run(self, *, is_own: bool, database: str) -> bool:
        """Whether it can with this server, where `database` is the scheme of its address."""
        match self.needs:
            case "any server":
                return True
            case "own server":
                return is_own
            case "own server on postgresql":
                return is_own and database.startswith("postgres")
            case _:
                assert_never(self.needs)


def read(bench: Bench, name: str, path: str, goal: Goal, *, is_known: bool = False) -> Figure:
    """A GET that changes nothing; with `is_known` the client has the answer already (304)."""
    request = Request(path)
    with bench.calls() as caller:
        answer = caller.expect(200, "GET", path)
        if is_known:
            request = Request(path, headers=(("if-none-match", answer.headers["etag"]),))
            caller.expect(304, "GET", path, headers=dict(request.headers))
    real = bench.load(request, expected=(304 if is_known else 200,))
    with bench.floor(_FLOOR_GET, length=len(answer.body)) as floor:
        return bench.in_turns(name, goal, floor, lambda _: real)


def read_filtered(bench: Bench) -> Figure:
    """Each request another filter, so that no kept answer fits."""
    return _unread(bench, "list-uncached", lambda _: reads.filtered())


def read_pages(bench: Bench) -> Figure:
    """Each request another page of the list in another zone: not even an event fits."""
    return _unread(bench, "list-pages", reads.uncached)


def _unread(bench: Bench, name: str, unread: Callable[[Caller], Iterator[str]]) -> Figure:
    with bench.calls() as caller:
        length = len(caller.expect(200, "GET", LIST).body)
        paths = unread(caller)

    def real(_: int) -> Load:
        return bench.load(*(Request(path) for path in itertools.islice(paths, UNCACHED)))

    with bench.floor(_FLOOR_GET, length=length) as floor:
        return bench.in_turns(name, Goal(0.25), floor, real)


def read_while_registering(bench: Bench) -> Figure:
    """The list while the first event on it fills, so that its answer really changes."""
    with bench.calls() as caller:
        event = new_event(caller, capacity=UNLIMITED, name="Tomorrow", days=1)
        answer = caller.expect(200, "GET", LIST)
    if event["id"] not in {each["id"] for each in answer.json()["items"]}:
        raise UnexpectedAnswerError("the event of tomorrow is not on the first page of the list")

    def beside(number: int) -> Load:
        going_on = bench.load(registration(event["id"], f"r{number}"), expected=(201,))
        return replace(going_on, rate=BESIDE_PER_SECOND, connections=BESIDE_CONNECTIONS)

    with bench.floor(_FLOOR_GET, length=len(answer.body)) as floor:
        real = bench.load(Request(LIST))
        return bench.in_turns("list-busy", Goal(0.4), floor, lambda _: real, beside=beside)


def register(bench: Bench, name: str, goal: Goal, *, capacity: int, connections: int) -> Figure:
    """Everyone wants the same event; a new event each round, counted afterwards."""
    bench = replace(bench, connections=connections)
    events: list[str] = []

    def real(_: int) -> Load:
        with bench.calls() as caller:
            events.append(new_event(caller, capacity=capacity)["id"])
        expected = (201,) if capacity == UNLIMITED else (201, 409)
        return bench.load(registration(events[-1]), expected=expected)

    with bench.floor(_FLOOR_POST) as floor:
        found = bench.in_turns(name, goal, floor, real)
    for event_id, measured in zip(events[1:], found.real, strict=True):
        with bench.calls() as caller:
            bench.broken += checks.broken_by(measured, checks.seats_of(caller, event_id))
    return found


def register_spread(bench: Bench) -> Figure:
    """Everyone wants one of a thousand events, in turn."""
    with bench.calls() as caller:
        ids = [new_event(caller, capacity=UNLIMITED)["id"] for _ in range(MANY_EVENTS)]

    def real(number: int) -> Load:
        wanted = [registration(event_id, f"r{number}") for event_id in ids]
        return bench.load(*wanted, expected=(201,))

    with bench.floor(_FLOOR_POST) as floor:
        found = bench.in_turns("register-spread", Goal(0.25), floor, real)
    with bench.calls() as caller:
        seats = [checks.seats_of(caller, event_id) for event_id in ids]
    for each in seats:
        bench.broken += checks.broken_promises(each)
    seated = sum(each.seated for each in seats)
    told = sum(measured.answered(201) for measured in found.real)
    if seated < told:
        bench.broken.append(f"{told} were told they hold a seat, {seated} do")
    return found


def second_worker(bench: Bench) -> Figure:
    """One hot event with two workers, against the same product with one."""
    environment = bench.environment or {}
    with (
        servers.product(environment, workers=1) as one,
        servers.product(environment, workers=2) as two,
    ):

        def on(server: servers.Server) -> Callable[[int], Load]:
            def hot(_: int) -> Load:
                with bench.calls() as caller:
                    event_id = new_event(caller, capacity=UNLIMITED)["id"]
                asked = bench.load(registration(event_id), expected=(201,))
                return replace(asked, port=server.address.port)

            return hot

        found = bench.in_turns("second-worker", Goal(1.0), on(one), on(two))
    return replace(found, unit="of one worker")


def start(bench: Bench) -> Figure:
    """From `turnout serve` to ready, on the database that is there."""
    seconds = []
    for _ in range(bench.rounds):
        with servers.product(bench.environment or {}, workers=bench.workers) as server:
            seconds.append(server.ready_seconds)
    return figure.at_most("start", "s", READY_SECONDS, seconds)


def memory(bench: Bench) -> Figure:
    """The largest process of the server, after everything that was measured before."""
    found = [] if bench.server is None else servers.memory_of(bench.server)
    if not found:
        raise CannotMeasureError("the memory of a process is read from /proc, which is not here")
    largest = max(found, key=lambda process: process.rss_mib)
    note = f"resident; {largest.pss_mib:.0f} MiB with shared pages divided"
    return figure.at_most("memory", "MiB", WORKER_MIB, [largest.rss_mib], note)


def _hot(name: str, capacity: int, connections: int, p99_ms: float) -> Callable[[Bench], Figure]:
    def run(bench: Bench) -> Figure:
        crowd = connections or bench.connections
        return register(bench, name, Goal(0.4, p99_ms), capacity=capacity, connections=crowd)

    return run


SCENARIOS: dict[str, Scenario] = {
    "list": Scenario(
        "first page of the list, nothing changes",
        lambda bench: read(bench, "list", LIST, Goal(0.8)),
    ),
    "list-304": Scenario(
        "the same, and the client has it already",
        lambda bench: read(bench, "list-304", LIST, Goal(1.0), is_known=True),
    ),
    "event": Scenario(
        "one event, nothing changes",
        lambda bench: read(bench, "event", reads.first_listed(bench), Goal(0.8)),
    ),
    "event-304": Scenario(
        "the same, and the client has it already",
        lambda bench: read(bench, "event-304", reads.first_listed(bench), Goal(1.0), is_known=True),
    ),
    "list-busy": Scenario("the list with 50 registrations a second", read_while_registering),
    "list-uncached": Scenario("the list, every request another filter", read_filtered),
    "list-pages": Scenario("the list, every request another page and zone", read_pages),
    "register-above": Scenario(
        "one hot event, seats for all", _hot("register-above", UNLIMITED, 0, 30)
    ),
    "register-below": Scenario(
        "one hot event, seats for few", _hot("register-below", FEW_SEATS, 0, 30)
    ),
    "register-above-256": Scenario(
        "the same, 256 connections", _hot("register-above-256", UNLIMITED, 256, 120)
    ),
    "register-below-256": Scenario(
        "the same, 256 connections", _hot("register-below-256", FEW_SEATS, 256, 120)
    ),
    "register-spread": Scenario("a thousand events", register_spread),
    "list-bearer": Scenario(
        "the list by one account to the same by nobody",
        lambda bench: authorized.read(bench, "list-bearer", LIST),
    ),
    "list-bearer-many": Scenario("the same by many accounts", authorized.read_by_many),
    "list-uncached-bearer": Scenario(
        "the same, every request another filter", authorized.read_uncached
    ),
    "event-bearer": Scenario(
        "one event by one account to the same by nobody",
        lambda bench: authorized.read(bench, "event-bearer", reads.first_listed(bench)),
    ),
    "register-bearer": Scenario(
        "one hot event, by its owner to the same by guests", authorized.register
    ),
    "sign-ins": Scenario(
        "p95 of the list while 50 people sign in to the same alone", authorized.read_beside_sign_ins
    ),
    "second-worker": Scenario(
        "one hot event, two workers to one", second_worker, needs="own server on postgresql"
    ),
    "start": Scenario("from `turnout serve` to ready", start, needs="own server"),
    "memory": Scenario("a worker after all this", memory, needs="own server"),
}
"""By name, in the order they are measured: memory last, after all the loads."""
