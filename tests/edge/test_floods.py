"""However much is sent without an end, the server holds little of it and answers everyone else."""

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.edge.stack import ask, request
from tests.factories import ADA, an_event
from tests.races import fleet
from tests.support.processes import LOOPBACK, Server

from turnout.edge.guards import MAX_BODY_BYTES
from turnout.edge.protocol import MAX_PIPELINED

CLIENTS = 200
MOST_GROWTH_KIB = 50 * 1024
JSON = "Content-Type: application/json"
CHUNKED = request("POST", "/events", JSON, "Transfer-Encoding: chunked")
CHUNK = b"8000\r\n" + b" " * 32_768 + b"\r\n"
LAST_CHUNK = b"2\r\n{}\r\n0\r\n"
MANY_HEADERS = b"a: 1\r\n" * 10_000
LONG_HEADER = b"X: " + b"a" * 1_000_000

FLOODS = {
    "declared and never sent": request("POST", "/events", JSON, "Content-Length: 1000000000000"),
    "chunks without an end": CHUNKED + CHUNK * 32,
    "a body that stops before its end": CHUNKED + CHUNK * 3,
    "small chunks": CHUNKED + b"1\r\n \r\n" * 40_000,
    "an extension of a chunk": CHUNKED + b"2;" + LONG_HEADER,
    "a head": b"GET / HTTP/1.1\r\nHost: a\r\n" + LONG_HEADER,
    "headers": b"GET / HTTP/1.1\r\nHost: a\r\n" + MANY_HEADERS,
    "a trailer": CHUNKED + LAST_CHUNK + LONG_HEADER,
    "trailers": CHUNKED + LAST_CHUNK + MANY_HEADERS * 10,
    "requests whose answers nobody reads": request("GET", "/events") * 20_000,
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("floods")
    with fleet.server(folder, f"sqlite:///{folder / 'turnout.db'}") as server:
        yield server


def memory_kib(server: Server, name: str) -> int:
    """A line of the process's status: VmRSS is what it holds, VmHWM the most it has held."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1])


def flood(server: Server, sent: bytes) -> socket.socket:
    """A connection on which as much was sent as the server took."""
    connection = socket.create_connection((LOOPBACK, server.port), timeout=0.5)
    with contextlib.suppress(OSError):
        connection.sendall(sent)
    return connection


@pytest.mark.parametrize("sent", FLOODS.values(), ids=list(FLOODS))
def test_flood_from_many_clients_takes_little_memory(product: Server, sent: bytes) -> None:
    Path(f"/proc/{product.pid}/clear_refs").write_text("5")  # the peak counts from now
    before = memory_kib(product, "VmRSS")

    with contextlib.ExitStack() as held:
        for _ in range(CLIENTS):
            held.enter_context(flood(product, sent))
        other = ask(product, request("GET", "/health/live"))

    assert other.status == 200
    assert memory_kib(product, "VmHWM") - before < MOST_GROWTH_KIB


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        pytest.param(FLOODS["declared and never sent"], 413, "payload-too-large", id="declared"),
        pytest.param(
            CHUNKED + CHUNK * (MAX_BODY_BYTES // 32_768 + 1), 413, "payload-too-large", id="chunks"
        ),
        pytest.param(CHUNKED + LAST_CHUNK + MANY_HEADERS, 431, "bad-request", id="trailers"),
        pytest.param(
            CHUNKED + LAST_CHUNK + b"X: " + b"a" * 70_000, 431, "bad-request", id="a trailer"
        ),
    ],
)
def test_flood_is_told_what_is_too_much(
    product: Server, sent: bytes, status: int, code: str
) -> None:
    answer = ask(product, sent)

    assert (answer.status, answer.problem["code"]) == (status, code)


def test_requests_that_wait_on_one_connection_are_all_answered(product: Server) -> None:
    """What a client may send ahead is not cut off."""
    with socket.create_connection((LOOPBACK, product.port), timeout=20) as connection:
        connection.sendall(request("GET", "/health/live") * (MAX_PIPELINED - 1))
        connection.sendall(request("GET", "/health/live", "Connection: close"))
        answered = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answered.count(b"HTTP/1.1 200 OK\r\n") == MAX_PIPELINED


def test_trailers_do_not_become_headers(product: Server) -> None:
    """Nothing has looked at them when the headers were judged."""
    event = ask(product, post("/events", an_event())).problem
    chunks = json.dumps(ADA).encode()
    sent = (
        request("POST", f"/events/{event['id']}/register", JSON, "Transfer-Encoding: chunked")
        + b"%x\r\n%s\r\n" % (len(chunks), chunks)
        + b"0\r\nIdempotency-Key: from-a-trailer\r\n\r\n"
    )

    answers = [ask(product, sent) for _ in range(2)]

    assert [answer.status for answer in answers] == [201, 409]
    assert answers[1].problem["code"] == "already-registered"


def post(target: str, body: dict[str, object]) -> bytes:
    return request("POST", target, JSON, body=json.dumps(body).encode())
