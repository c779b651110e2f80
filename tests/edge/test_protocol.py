"""What the server's parser refuses is a problem too, and heads and patience have bounds."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
import uvicorn
from tests.edge import stack
from tests.edge.stack import ask, receive, request
from tests.support.processes import LOOPBACK, Server, free_port
from uvicorn.server import ServerState

from turnout.edge import protocol
from turnout.edge.protocol import MAX_HEAD_BYTES, Protocol

JSON = "Content-Type: application/json"
MARK = "zq7Mallory"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with stack.serving() as running:
        yield running


def framed(*framing: str, body: bytes = b"{}") -> bytes:
    return request("POST", "/samples", JSON, *framing) + body


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(
            framed("Content-Length: 2", "Transfer-Encoding: chunked"), id="two ways to frame"
        ),
        pytest.param(framed("Content-Length: 2", "Content-Length: 3"), id="two lengths"),
        pytest.param(framed("Content-Length: -2"), id="negative length"),
        pytest.param(framed("Content-Length: 0x2"), id="hexadecimal length"),
        pytest.param(
            framed("Transfer-Encoding: chunked", body=b"2\rzq7Mallory"), id="chunk without its end"
        ),
        pytest.param(b"zq7Mallory\r\n\r\n", id="no HTTP"),
        pytest.param(request("GET", "http://[zq7Mallory/"), id="no address"),
        pytest.param(request("GET", "/samples", "zq7Mallory\x00: 1"), id="NUL in a header's name"),
    ],
)
def test_message_that_cannot_be_parsed_is_a_bad_request(server: Server, raw: bytes) -> None:
    answer = ask(server, raw)

    assert (answer.status, answer.problem["code"]) == (400, "bad-request")
    assert answer.header("x-request-id") == [answer.problem["instance"]]
    assert answer.header("x-content-type-options") == ["nosniff"]
    assert answer.problem["instance"] in server.output()
    assert MARK.encode() not in answer.body


@pytest.mark.parametrize("method", ["BREW", "get", "ZQ7MALLORY"])
def test_unknown_method_is_not_allowed(server: Server, method: str) -> None:
    answer = ask(server, request(method, "/samples"))

    assert (answer.status, answer.problem["code"]) == (405, "method-not-allowed")
    assert answer.header("allow") == ["DELETE, GET, HEAD, PATCH, POST, PUT"]


def test_head_that_does_not_end_is_cut_off(server: Server) -> None:
    with socket.create_connection((LOOPBACK, server.port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * MAX_HEAD_BYTES)
        answer = receive(connection, "GET")

    assert (answer.status, answer.problem["code"]) == (431, "bad-request")


def test_connection_serves_a_body_larger_than_a_head(server: Server) -> None:
    body = b'{"name": "Ada"}' + b" " * (2 * MAX_HEAD_BYTES)
    statuses: list[int] = []

    with socket.create_connection((LOOPBACK, server.port), timeout=20) as connection:
        for _ in range(3):
            connection.sendall(stack.post_json(body))
            statuses.append(receive(connection, "POST").status)

    assert statuses == [201, 201, 201]


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\n", id="half a head"),
        pytest.param(framed("Content-Length: 9"), id="half a body"),
    ],
)
async def test_client_that_does_not_finish_is_cut_off(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "SLOW_SECONDS", 0.05)
    config = uvicorn.Config(stack.make_stack(), log_config=None)
    loop = asyncio.get_running_loop()
    serving = await loop.create_server(
        lambda: Protocol(config, ServerState(), {}), LOOPBACK, free_port()
    )

    async with serving:
        port = serving.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(sent)
        answered = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        await writer.wait_closed()

    assert answered == b""
