"""The benchmark's load client, against a small real server, and `wrk` beside it."""

import asyncio

import pytest
from tests.cli.small_server import small_server

from turnout.cli.bench import load, servers, wrk
from turnout.cli.bench.client import MalformedAnswerError, Run, answer_size
from turnout.cli.bench.measured import Measured, Spread, percentile, spread_of
from turnout.cli.bench.wire import NUMBER, Load, Request, form, load_from_json, post

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
CREATED = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}"
FULL = b'HTTP/1.1 409 Conflict\r\ncontent-length: 21\r\n\r\n{"code":"event-full"}'
UNCHANGED = b'HTTP/1.1 304 Not Modified\r\netag: "a"\r\n\r\n'


# --- the arithmetic ---


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 50, 0.0),
        ([7.0], 1, 7.0),
        ([7.0], 99, 7.0),
        ([1.0, 2.0], 50, 1.0),
        ([1.0, 2.0], 51, 2.0),
        ([1.0, 2.0, 3.0, 4.0], 75, 3.0),
        ([float(n) for n in range(1, 101)], 50, 50.0),
        ([float(n) for n in range(1, 101)], 95, 95.0),
        ([float(n) for n in range(1, 101)], 99, 99.0),
        ([float(n) for n in range(1, 101)], 100, 100.0),
        ([float(n) for n in range(1, 1001)], 99.9, 999.0),
    ],
)
def test_percentile_of_ascending_values(
    values: list[float], percent: float, expected: float
) -> None:
    assert percentile(values, percent) == expected


def test_spread_of_rounds() -> None:
    assert spread_of([0.5, 0.9, 0.7]) == Spread(median=0.7, low=0.5, high=0.9)


# --- requests as bytes ---


def test_request_with_a_number_keeps_its_length() -> None:
    request = post(f"/e/{NUMBER}", {"name": f"Zoë {NUMBER}"})

    head, _, body = b"000042".join(request.parts("h:1")).partition(b"\r\n\r\n")

    assert body == b'{"name":"Zo\\u00eb 000042"}'
    assert head.split(b"\r\n") == [
        b"POST /e/000042 HTTP/1.1",
        b"host: h:1",
        b"content-type: application/json",
        b"content-length: %d" % len(body),
    ]


def test_form_is_sent_as_a_form() -> None:
    request = form("/auth/token", {"username": "ada@example.org", "password": "a b&c"})

    head, _, body = b"".join(request.parts("h:1")).partition(b"\r\n\r\n")

    assert body == b"username=ada%40example.org&password=a+b%26c"
    assert head.split(b"\r\n") == [
        b"POST /auth/token HTTP/1.1",
        b"host: h:1",
        b"content-type: application/x-www-form-urlencoded",
        b"content-length: %d" % len(body),
    ]


def test_load_survives_its_json() -> None:
    one = Load(
        port=1,
        requests=(
            Request("/a", headers=(("if-none-match", '"x"'),)),
            post("/b", {"n": NUMBER}),
            form("/c", {"n": "1"}),
        ),
        rate=50.0,
        count=3,
        expected=(201, 409),
    )

    assert load_from_json(one.to_json()) == one


@pytest.mark.parametrize(
    ("request_", "count", "most"),
    [
        (Request("/a"), None, float("inf")),
        (Request("/a"), 5, 5),
        (Request(f"/a?n={NUMBER}"), None, 1_000_000),
        (Request(f"/a?n={NUMBER}"), 2_000_000, 1_000_000),
    ],
)
def test_load_ends_before_numbers_repeat(request_: Request, count: int | None, most: float) -> None:
    assert Load(port=1, requests=(request_,), count=count).most == most


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"", None),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n", None),
        (OK, (200, 38, 42)),
        (OK + b"HTTP", (200, 38, 42)),
        (CREATED[:-1], (201, 43, 45)),
        (UNCHANGED, (304, 40, 40)),
    ],
)
def test_answer_size_of_what_arrived(data: bytes, size: tuple[int, int, int] | None) -> None:
    assert answer_size(data) == size


@pytest.mark.parametrize(
    "data",
    [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
)
def test_answer_size_of_what_cannot_be_measured(data: bytes) -> None:
    with pytest.raises(MalformedAnswerError):
        answer_size(data)


# --- the client, against a real server ---


async def test_client_sends_each_number_once() -> None:
    async with small_server(lambda _: CREATED) as server:
        wanted = post("/register", {"email": f"ada{NUMBER}@example.org"})
        asked = Load(server.port, (wanted,), connections=7, count=100, expected=(201,))
        found = await Run(asked).finish()

    assert (found.requests, found.statuses, found.errors) == (100, {"201": 100}, 0)
    numbers = sorted(int(request.partition(b"ada")[2][:6]) for request in server.seen)
    assert numbers == list(range(100))


async def test_client_takes_requests_in_turn() -> None:
    async with small_server(lambda _: OK) as server:
        paths = (Request("/a"), Request("/b"), Request("/c"))
        await Run(Load(server.port, paths, connections=1, count=7)).finish()

    assert [request.split()[1] for request in server.seen] == [
        b"/a", b"/b", b"/c", b"/a", b"/b", b"/c", b"/a",
    ]  # fmt: skip


async def test_client_orders_latencies() -> None:
    async with small_server(lambda _: OK) as server:
        found = await Run(Load(server.port, (Request("/"),), connections=3, seconds=0.1)).finish()

    assert found.requests == len(server.seen) == found.answered(200) > 0
    assert 0 < found.p50_ms <= found.p95_ms <= found.p99_ms <= found.max_ms
    assert found.per_second == pytest.approx(found.requests / found.seconds)


async def test_client_counts_statuses_and_what_was_not_expected() -> None:
    answers = iter([CREATED] * 3 + [FULL] * 7)
    async with small_server(lambda _: next(answers)) as server:
        asked = Load(server.port, (Request("/"),), connections=2, count=10, expected=(201,))
        found = await Run(asked).finish()

    assert found.statuses == {"201": 3, "409": 7}
    assert found.errors == 7
    assert found.samples == {"201": "{}", "409": '{"code":"event-full"}'}


async def test_client_reads_answers_that_come_in_pieces() -> None:
    async with small_server(lambda _: OK, piecewise=True) as server:
        found = await Run(Load(server.port, (Request("/"),), connections=2, count=6)).finish()

    assert (found.statuses, found.errors, found.samples) == ({"200": 6}, 0, {"200": "good"})


async def test_client_counts_answers_without_a_body() -> None:
    async with small_server(lambda _: UNCHANGED) as server:
        asked = Load(server.port, (Request("/"),), connections=2, count=6, expected=(304,))
        found = await Run(asked).finish()

    assert (found.statuses, found.errors) == ({"304": 6}, 0)


async def test_client_counts_hang_ups_and_dials_again() -> None:
    answers = iter([OK, None, OK, OK, None, OK])
    async with small_server(lambda _: next(answers)) as server:
        found = await Run(Load(server.port, (Request("/"),), connections=1, count=6)).finish()

    assert (found.statuses, found.errors) == ({"200": 4}, 2)


async def test_client_gives_up_on_a_server_that_always_hangs_up() -> None:
    async with small_server(lambda _: None) as server:
        found = await Run(Load(server.port, (Request("/"),), connections=2, seconds=60)).finish()

    assert found.requests == 0
    assert found.errors == len(server.seen) == 22  # the first two, and ten more for each


async def test_client_counts_answers_that_never_come() -> None:
    async with small_server(lambda _: b"HTTP/1.1 200 OK\r\n") as server:
        asked = Load(server.port, (Request("/"),), connections=3, seconds=0.05)
        found = await Run(asked, drain_seconds=0.05).finish()

    assert (found.requests, found.errors) == (0, 3)


async def test_client_counts_connections_that_nobody_takes() -> None:
    asked = Load(servers.free_port(), (Request("/"),), connections=4, seconds=0.05)

    found = await Run(asked).finish()

    assert (found.requests, found.errors, found.p99_ms) == (0, 4, 0.0)


async def test_client_at_a_rate_sends_what_is_due() -> None:
    async with small_server(lambda _: OK) as server:
        asked = Load(server.port, (Request("/"),), connections=2, rate=1000.0, count=40)
        found = await Run(asked).finish()

    assert (found.statuses, found.errors, len(server.seen)) == ({"200": 40}, 0, 40)


async def test_client_at_a_rate_counts_what_was_due_and_never_sent() -> None:
    async with small_server(lambda _: b"HTTP/1.1 200 OK\r\n") as server:
        asked = Load(server.port, (Request("/"),), connections=1, rate=1000.0, count=5, seconds=0.5)
        found = await Run(asked, drain_seconds=0.0).finish()

    assert (found.requests, found.errors) == (0, 5)


async def test_client_in_a_process_of_its_own() -> None:
    async with small_server(lambda _: OK) as server:
        asked = Load(server.port, (Request("/"),), connections=2, count=10, seconds=30)
        found = await asyncio.to_thread(load.do, asked)

    assert (found.tool, found.statuses, found.errors) == ("turnout", {"200": 10}, 0)


# --- wrk ---

CAPTURED = """\
Running 1s test @ http://127.0.0.1:9911/x
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   488.46us  286.10us   5.59ms   95.15%
    Req/Sec   121.87k     6.75k  137.64k    63.64%
  Latency Distribution
     50%  497.00us
     75%  527.00us
     90%  595.00us
     99%    1.05ms
  133097 requests in 1.10s, 50.52MB read
  Socket errors: connect 0, read 1, write 0, timeout 1
  Non-2xx or 3xx responses: 97
Requests/sec: 120824.27
Transfer/sec:     45.86MB
turnout {"requests":133097,"us":1100000,"p50":497,"p95":708,"p99":1055,"max":5592,\
"refused":97,"broken":2}
"""


def test_wrk_output_as_a_result() -> None:
    found = wrk.parse(CAPTURED)

    assert found == Measured(
        tool="wrk",
        requests=133097,
        seconds=1.1,
        per_second=133097 / 1.1,
        p50_ms=0.497,
        p95_ms=0.708,
        p99_ms=1.055,
        max_ms=5.592,
        statuses={"ok": 133000, "refused": 97},
        errors=99,
    )


def test_wrk_output_without_our_line() -> None:
    with pytest.raises(wrk.WrkFailedError, match="unable to connect"):
        wrk.parse("unable to connect to 127.0.0.1:1 Connection refused\n")


@pytest.mark.parametrize(
    "unfit",
    [
        Load(1, (Request("/a"), Request("/b"))),
        Load(1, (Request(f"/a?n={NUMBER}"),)),
        Load(1, (Request("/a", method="POST"),)),
        Load(1, (Request("/a"),), rate=50.0),
        Load(1, (Request("/a"),), count=10),
        Load(1, (Request("/a"),), seconds=0.5),
    ],
)
def test_wrk_is_not_used_for_what_it_cannot_do(unfit: Load) -> None:
    fit = Load(1, (Request("/a"),))

    assert load.tool_for(unfit) == "turnout"
    assert load.tool_for(fit, unfit) == load.tool_for(unfit, fit) == "turnout"
