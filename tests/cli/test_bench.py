"""The benchmark: its floors, figures and reports, and what it says about seats."""

import asyncio
import json
import signal
import sys
from dataclasses import replace
from http.client import HTTPException
from typing import Any

import pytest
import typer
from rich.console import Console
from tests.cli.small_server import small_server
from typer.testing import CliRunner

from turnout.cli.bench import accounts, checks, command, figure, floors, report, servers
from turnout.cli.bench.bench import Bench
from turnout.cli.bench.calls import (
    Address,
    Caller,
    CannotMeasureError,
    NotLoopbackError,
    UnexpectedAnswerError,
    loopback,
)
from turnout.cli.bench.figure import Figure, Goal, Turns
from turnout.cli.bench.measured import Measured, Spread
from turnout.cli.bench.report import Report
from turnout.cli.bench.scenarios import SCENARIOS
from turnout.cli.bench.wire import FORM


def measured(per_second: float = 100.0, *, p99_ms: float = 4.0, errors: int = 0) -> Measured:
    return Measured("turnout", 100, 1.0, per_second, 1.0, 2.0, p99_ms, 5.0, {"200": 100}, errors)


# --- addresses and single calls ---


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8000", Address(8000)),
        ("http://localhost:81/", Address(81)),
        ("http://127.1.2.3", Address(80, "127.1.2.3")),
    ],
)
def test_loopback_addresses(url: str, address: Address) -> None:
    assert loopback(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.7:8000",
        "http://example.org",
        "http://127.0.0.1.example.org",
        "https://127.0.0.1",
        "http://127.0.0.1:8000/events",
        "127.0.0.1:8000",
        "",
    ],
)
def test_loopback_refuses_what_is_elsewhere(url: str) -> None:
    with pytest.raises(NotLoopbackError):
        loopback(url)


def page(items: list[int], cursor: str | None) -> bytes:
    body = json.dumps({"items": items, "next_cursor": cursor}).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


async def test_pages_are_read_to_the_end() -> None:
    answers = {
        b"/p?limit=100": page([1, 2], "a+b"),
        b"/p?limit=100&cursor=a%2Bb": page([3], None),
    }

    def read() -> list[int]:
        with Caller(Address(server.port)) as caller:
            return list(caller.pages("/p"))

    async with small_server(lambda request: answers[request.split()[1]]) as server:
        assert await asyncio.to_thread(read) == [1, 2, 3]


async def test_pages_without_an_end_are_refused() -> None:
    def read() -> list[int]:
        with Caller(Address(server.port)) as caller:
            return list(caller.pages("/p", most=3))

    async with small_server(lambda _: page([1], "again")) as server:
        with pytest.raises(UnexpectedAnswerError, match="no end after 3 pages"):
            await asyncio.to_thread(read)

    assert len(server.seen) == 3


async def test_calls_carry_the_headers_of_their_connection() -> None:
    def call() -> None:
        with Caller(Address(server.port), (("authorization", "Bearer a"),)) as caller:
            caller.expect(200, "GET", "/p")
            caller.expect(200, "POST", "/p", b"n=1", {"content-type": FORM})
            caller.expect(200, "POST", "/p", {"n": 1}, {"authorization": "Bearer b"})

    async with small_server(lambda _: page([], None)) as server:
        await asyncio.to_thread(call)

    asked = [request.decode().lower().split("\r\n") for request in server.seen]
    wanted = ("authorization:", "content-type:")
    assert [sorted(line for line in lines if line.startswith(wanted)) for lines in asked] == [
        ["authorization: bearer a"],
        ["authorization: bearer a", f"content-type: {FORM}"],
        ["authorization: bearer b", "content-type: application/json"],
    ]
    assert [lines[-1] for lines in asked] == ["", "n=1", '{"n": 1}']


# --- seats ---


def seats(*attendees: tuple[str, str], taken: int, capacity: int | None = 2) -> checks.Seats:
    event = {"id": "e", "seats_taken": taken, "max_capacity": capacity}
    return checks.Seats(event, [{"email": email, "status": status} for email, status in attendees])


ADA = ("ada@example.org", "confirmed")
BOB = ("bob@example.org", "offered")


@pytest.mark.parametrize(
    ("seen", "acknowledged", "refused", "broken"),
    [
        (seats(ADA, BOB, taken=2), 2, 5, []),
        (seats(ADA, ("ada@example.org", "cancelled"), taken=1), 1, 0, []),
        (seats(ADA, ("bob@example.org", "waitlisted"), taken=1), 1, 0, []),
        (seats(ADA, BOB, taken=2, capacity=None), 2, 0, []),
        (seats(ADA, taken=2), 0, 0, ["seats_taken is 2, 1 hold a seat"]),
        (seats(ADA, BOB, taken=2, capacity=1), 2, 0, ["2 of 1 seats are taken"]),
        (
            seats(ADA, ("ADA@example.org", "pending"), taken=2),
            2,
            0,
            ["1 people are registered twice"],
        ),
        (seats(ADA, taken=1), 2, 0, ["2 were told they hold a seat, 1 do"]),
        (seats(ADA, taken=1), 1, 3, ["3 were refused with 1 of 2 seats taken"]),
    ],
)
def test_broken_promises_about_seats(
    seen: checks.Seats, acknowledged: int, refused: int, broken: list[str]
) -> None:
    found = checks.broken_promises(seen, acknowledged=acknowledged, refused=refused)

    assert found == [f"event e: {what}" for what in broken]


def test_a_load_is_judged_by_the_seats_after_it() -> None:
    told = {"201": 2, "409": 1}
    found = replace(measured(), statuses=told, samples={"409": '{"code":"event-cancelled"}'})

    broken = checks.broken_by(found, seats(ADA, taken=1))

    assert broken == [
        "event e: 2 were told they hold a seat, 1 do",
        "event e: 1 were refused with 1 of 2 seats taken",
        'event e: refused for another reason: {"code":"event-cancelled"}',
    ]
    full = replace(found, statuses={"409": 1}, samples={"409": '{"code":"event-full"}'})
    assert checks.broken_by(full, seats(ADA, BOB, taken=2)) == []


# --- accounts ---


async def test_accounts_that_are_refused_are_told_with_what_is_needed() -> None:
    body = b'{"code":"rate-limited"}'
    refusal = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)

    async with small_server(lambda _: refusal) as server:
        with pytest.raises(CannotMeasureError, match=r"TURNOUT_RATE_LIMITS=off.*rate-limited"):
            await asyncio.to_thread(accounts.attendees, Bench(Address(server.port)), 2)

    assert len(server.seen) == 2


# --- servers and floors ---


def test_floor_answers_and_is_gone_afterwards() -> None:
    with servers.floor(1234) as server, Caller(server.address) as caller:
        got = caller.expect(200, "GET", floors.GET_PATH)
        good = caller.call("POST", floors.POST_PATH, {"name": "Ada", "email": "a@example.org"})
        bad = caller.call("POST", floors.POST_PATH, {"name": "Ada", "age": 7})

    assert len(got.body) == 1234
    assert isinstance(got.json(), str)
    assert (good.status, bad.status) == (201, 422)
    with Caller(server.address) as caller, pytest.raises((OSError, HTTPException)):
        caller.call("GET", floors.GET_PATH)


def test_memory_of_a_server_with_workers() -> None:
    with servers.floor(10, workers=2) as server:
        found = servers.memory_of(server)

    assert len(found) >= 3  # the parent and two workers
    assert server.group in {process.pid for process in found}
    assert all(0 < process.pss_mib <= process.rss_mib for process in found)


def test_server_that_ends_at_once_tells_why() -> None:
    failing = [sys.executable, "-c", "print('no such setting'); raise SystemExit(3)"]

    with (
        pytest.raises(servers.NotStartedError, match=r"ended with 3:\nno such setting"),
        servers.started(failing, {}, Address(servers.free_port()), "/"),
    ):
        pass


def test_sigterm_leaves_through_every_block() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(SystemExit) as left, servers.stopped_by_sigterm():
        signal.raise_signal(signal.SIGTERM)

    assert left.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before


# --- figures and reports ---


def test_ratio_is_the_median_of_its_rounds() -> None:
    base = [measured(100), measured(200), measured(50)]
    mine = [measured(50), measured(180), measured(10)]

    found = figure.ratio("list", Goal(0.5, p99_ms=5), base, mine)

    assert found.spread == Spread(median=0.5, low=0.2, high=0.9)
    assert (found.goal, found.met, found.errors) == (">= 0.50, p99 <= 5 ms", True, 0)
    assert (found.per_second, found.floor_per_second, found.p99_ms) == (50, 100, 4.0)


@pytest.mark.parametrize(
    ("goal", "mine", "beside"),
    [
        (Goal(0.6), [measured(50)], []),
        (Goal(0.4, p99_ms=3), [measured(50)], []),
        (Goal(0.4), [measured(50, errors=1)], []),
        (Goal(0.4), [measured(50)], [measured(50, errors=1)]),
    ],
)
def test_ratio_misses_its_goal(goal: Goal, mine: list[Measured], beside: list[Measured]) -> None:
    assert figure.ratio("list", Goal(0.4), [measured(100)], [measured(50)]).met
    assert not figure.ratio("list", goal, [measured(100)], mine, beside).met


def with_p95(*p95_ms: float, errors: int = 0) -> list[Measured]:
    return [replace(measured(errors=errors), p95_ms=each) for each in p95_ms]


def test_slowdown_is_the_median_of_its_rounds() -> None:
    turns = Turns(with_p95(1, 2, 1), with_p95(3, 3, 9), [measured(40)] * 3)

    found = figure.slowdown("sign-ins", 3.0, turns)

    assert found.spread == Spread(median=3.0, low=1.5, high=9.0)
    assert (found.goal, found.unit, found.met) == ("<= 3 times quiet", "times quiet", True)
    assert found.note == "p95 of 1.0 ms quiet, 3.0 ms beside 40 requests a second"


@pytest.mark.parametrize(
    "turns",
    [
        Turns(with_p95(1), with_p95(3.1), [measured()]),
        Turns(with_p95(1), with_p95(2), [measured(errors=1)]),
        Turns(with_p95(1), with_p95(2, errors=1), [measured()]),
        Turns(with_p95(1, errors=1), with_p95(2), [measured()]),
    ],
)
def test_slowdown_misses_its_goal(turns: Turns) -> None:
    assert not figure.slowdown("sign-ins", 3.0, turns).met


def made_report(*figures: Figure, broken: tuple[str, ...] = ()) -> Report:
    return Report("sqlite", 1, 64, 5.0, 3, figures, broken, {"python": "3.11.7"})


LISTED = figure.ratio("list", Goal(0.8), [measured(2000)], [measured(1500)])
STARTED = figure.at_most("start", "s", 2.0, [1.5, 1.25, 1.75])


def test_report_in_markdown() -> None:
    told = report.markdown(made_report(LISTED, STARTED, broken=("a seat was lost",)))

    assert told.splitlines() == [
        "### sqlite, 1 worker, 64 connections, 3 rounds of 5 s",
        "",
        "| measured | goal | figure | met | spread | a second | floor | p50 ms | p99 ms | errors |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "| list | >= 0.80 | 0.75 | no | 0.75..0.75 | 1,500 | 2,000 | 1.0 | 4.0 | 0 |",
        "| start | <= 2 s | 1.50 | yes | 1.25..1.75 |  |  |  |  | 0 |",
        "",
        "- broken: a seat was lost",
        "- with our own client: list",
        "- python 3.11.7",
    ]


def test_report_as_json_holds_every_round() -> None:
    told: list[dict[str, Any]] = json.loads(report.to_json([made_report(LISTED, STARTED)]))

    assert set(told[0]) == {
        "database", "workers", "connections", "seconds", "rounds", "figures", "broken", "machine",
    }  # fmt: skip
    first, second = told[0]["figures"]
    assert first["spread"] == {"median": 0.75, "low": 0.75, "high": 0.75}
    assert [each["per_second"] for each in first["real"]] == [1500]
    assert [each["per_second"] for each in first["floor"]] == [2000]
    assert (second["unit"], second["real"], second["met"]) == ("s", [], True)


def test_report_as_a_table() -> None:
    console = Console(width=120, record=True, file=None, quiet=True)

    drawn = report.table(made_report(LISTED, STARTED))
    console.print(drawn)

    assert tuple(column.header for column in drawn.columns) == report.COLUMNS
    assert drawn.row_count == 2
    assert [row.style for row in drawn.rows] == ["yellow", None]


@pytest.mark.parametrize(
    ("figures", "broken", "is_sound"),
    [
        ((LISTED, STARTED), (), True),
        ((LISTED,), ("a seat was lost",), False),
        ((figure.ratio("list", Goal(0), [measured()], [measured(errors=1)]),), (), False),
    ],
)
def test_report_is_sound_without_errors(
    figures: tuple[Figure, ...], broken: tuple[str, ...], *, is_sound: bool
) -> None:
    assert made_report(*figures, broken=broken).is_sound is is_sound


# --- the command ---


@pytest.mark.parametrize(
    ("is_own", "database", "missing"),
    [
        (True, "postgresql", set()),
        (True, "sqlite", {"second-worker"}),
        (False, "running server", {"second-worker", "start", "memory"}),
    ],
)
def test_chosen_scenarios_are_those_that_can_run(
    *,
    is_own: bool,
    database: str,
    missing: set[str],
) -> None:
    names = command.chosen(None, is_own=is_own, database=database)

    assert names == [name for name in SCENARIOS if name not in missing]


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    made.command()(command.bench)
    return made


def test_command_refuses_another_machine(app: typer.Typer) -> None:
    done = CliRunner().invoke(app, ["--url", "http://192.0.2.7:8000"])

    assert done.exit_code == 2
    assert "only a server of this machine is measured" in " ".join(done.stderr.split())


def test_command_refuses_an_unknown_scenario(app: typer.Typer) -> None:
    done = CliRunner().invoke(app, ["--scenario", "list", "--scenario", "lisst"])

    assert done.exit_code == 2
    assert "lisst: here there are list," in " ".join(done.stderr.split())
