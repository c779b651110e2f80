"""Malformed and oversized requests are refused before anything parses them, byte for byte."""

import socket
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send
from tests.edge import stack
from tests.edge.stack import IMPORT_LIMIT_BYTES, ask, chunked, post_json, receive, request
from tests.support.processes import LOOPBACK, Server

from turnout.edge.guards import MAX_BODY_BYTES, Guards

MARK = "zq7Mallory"
JSON = "Content-Type: application/json"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with stack.serving() as running:
        yield running


def with_hosts(*hosts: str) -> bytes:
    return "\r\n".join(["GET /samples HTTP/1.1", *hosts, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(with_hosts(), 400, id="no Host"),
        pytest.param(with_hosts("Host: a", "Host: zq7Mallory"), 400, id="two Hosts"),
        pytest.param(with_hosts("Host: a", "Host: a"), 400, id="the same Host twice"),
        pytest.param(with_hosts("Host:"), 400, id="empty Host"),
        pytest.param(with_hosts("Host: zq7Mallory b"), 400, id="Host with a space"),
        pytest.param(with_hosts("Host: zq7Mallory/x"), 400, id="Host with a path"),
        pytest.param(with_hosts("Host: ada@zq7Mallory"), 400, id="Host with a user"),
        pytest.param(with_hosts("Host: a:zq7Mallory"), 400, id="Host with another port"),
        pytest.param(with_hosts("Host: [zq7Mallory]"), 400, id="Host in brackets"),
        pytest.param(request("GET", "/samples?q=" + "a" * 8_192), 414, id="long URL"),
        pytest.param(request("GET", "/" + "a" * 8_192), 414, id="long path"),
        pytest.param(request("GET", "/samples", "X: " + MARK * 1_700), 431, id="long header"),
        pytest.param(request("GET", "/samples", *["X: " + "a" * 400] * 60), 431, id="long headers"),
        pytest.param(request("GET", "/samples", *["X: zq7Mallory"] * 500), 431, id="many headers"),
    ],
)
def test_malformed_message_is_a_bad_request(server: Server, raw: bytes, status: int) -> None:
    answer = ask(server, raw)

    assert (answer.status, answer.problem["code"]) == (status, "bad-request")
    assert answer.header("x-request-id") == [answer.problem["instance"]]
    assert MARK.encode() not in answer.body


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "EXAMPLE.org", "a_b"]
)
def test_host_that_is_an_authority_is_answered(server: Server, host: str) -> None:
    answer = ask(server, with_hosts(f"Host: {host}"))

    assert answer.status == 200


def test_host_may_be_missing_in_the_old_version(server: Server) -> None:
    answer = ask(server, b"GET /samples HTTP/1.0\r\n\r\n")

    assert answer.status == 200


def test_a_hundred_headers_are_answered(server: Server) -> None:
    answer = ask(server, request("GET", "/samples", *["X: 1"] * 99))

    assert answer.status == 200


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/samples?q=a%00b", 422, "validation-error"),
        ("/samples?q=%ff", 422, "validation-error"),
        ("/samples?q=%ed%a0%80", 422, "validation-error"),
        ("/samples?%00=1", 422, "validation-error"),
        ("/nowhere?q=%00", 404, "not-found"),
        ("/samples/a%00b", 404, "not-found"),
        ("/samples/%ff", 404, "not-found"),
    ],
)
def test_address_that_is_no_text_is_refused(
    server: Server, target: str, status: int, code: str
) -> None:
    answer = ask(server, request("GET", target))

    assert (answer.status, answer.problem["code"]) == (status, code)


@pytest.mark.parametrize("query", ["q=%25_%5C'%22%29:*", "q=%F0%9F%8E%89", "q=%D7%A9", "q=+", "%"])
def test_query_that_is_text_is_answered(server: Server, query: str) -> None:
    answer = ask(server, request("GET", f"/samples?{query}"))

    assert answer.status == 200


def declared(target: str, size: int, method: str = "POST") -> bytes:
    """A request that declares a body of `size` bytes and sends none of it."""
    return request(method, target, JSON, f"Content-Length: {size}")


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        pytest.param(
            declared("/samples", MAX_BODY_BYTES + 1), 413, "payload-too-large", id="declared"
        ),
        pytest.param(declared("/samples", 10**17), 413, "payload-too-large", id="endless"),
        pytest.param(
            chunked("/samples", MAX_BODY_BYTES + 1, JSON), 413, "payload-too-large", id="chunked"
        ),
        pytest.param(
            declared("/samples/1/import", IMPORT_LIMIT_BYTES + 1),
            413,
            "payload-too-large",
            id="declared, above the larger limit",
        ),
        pytest.param(
            chunked("/samples/1/import", IMPORT_LIMIT_BYTES + 1),
            413,
            "payload-too-large",
            id="chunked, above the larger limit",
        ),
        pytest.param(
            declared("/samples/1/2/import", MAX_BODY_BYTES + 1), 404, "not-found", id="no such path"
        ),
        pytest.param(
            declared("/samples", MAX_BODY_BYTES + 1, "PUT"),
            405,
            "method-not-allowed",
            id="no such method",
        ),
        pytest.param(
            chunked("/parsed-by-the-framework", MAX_BODY_BYTES + 1, JSON),
            413,
            "payload-too-large",
            id="chunked, read by the framework",
        ),
    ],
)
def test_body_above_the_limit_is_refused(
    server: Server, raw: bytes, status: int, code: str
) -> None:
    answer = ask(server, raw)

    assert (answer.status, answer.problem["code"]) == (status, code)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(chunked("/samples/1/import", IMPORT_LIMIT_BYTES), id="chunked"),
        pytest.param(
            request("POST", "/samples/1/import", body=b" " * IMPORT_LIMIT_BYTES), id="declared"
        ),
    ],
)
def test_body_up_to_the_larger_limit_is_read(server: Server, raw: bytes) -> None:
    answer = ask(server, raw)

    assert (answer.status, answer.problem) == (200, {"id": "1", "bytes": IMPORT_LIMIT_BYTES})


def test_body_up_to_the_limit_is_read(server: Server) -> None:
    body = b'{"name": "Ada"}' + b" " * (MAX_BODY_BYTES - 15)

    answer = ask(server, post_json(body))

    assert (answer.status, answer.problem) == (201, {"name": "Ada", "bytes": MAX_BODY_BYTES})


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity", "zq7Mallory"])
def test_body_with_an_encoding_is_unsupported(server: Server, encoding: str) -> None:
    answer = ask(server, post_json(b'{"name": "Ada"}', f"Content-Encoding: {encoding}"))

    assert (answer.status, answer.problem["code"]) == (415, "unsupported-media-type")
    assert MARK.encode() not in answer.body


def test_body_longer_than_declared_is_a_bad_request(server: Server) -> None:
    raw = request("POST", "/samples", JSON, "Content-Length: 10") + b'{"name": "zq7Mallory"}'

    answer = ask(server, raw)

    assert (answer.status, answer.problem["code"]) == (400, "bad-request")
    assert MARK.encode() not in answer.body


def test_body_shorter_than_declared_is_a_bad_request_in_the_log(server: Server) -> None:
    target = "/samples/cut-off/import"
    raw = request("POST", target, JSON, "Content-Length: 100") + b"{}"

    with socket.create_connection((LOOPBACK, server.port), timeout=20) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        rest = connection.recv(1)

    (line,) = stack.lines_with(server, target)
    assert (rest, line["status"]) == (b"", 400)


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"2"), (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"2"), (b"content-length", b"2")],
        [(b"content-length", b"-2")],
        [(b"content-length", b"9" * 19)],
    ],
)
async def test_contradicting_lengths_are_refused(
    headers: list[tuple[bytes, bytes]],
) -> None:
    answer = await stack.call(stack.make_stack(), headers=[(b"host", b"a"), *headers])

    assert (answer.status, answer.problem["code"]) == (400, "bad-request")


@pytest.mark.parametrize(
    ("host", "status"), [(b"Example.org", 200), (b"example.org:80", 200), (b"evil", 400)]
)
async def test_host_outside_the_list_is_a_bad_request(host: bytes, status: int) -> None:
    served = stack.make_stack(hosts=frozenset({"example.ORG"}))

    answer = await stack.call(served, headers=[(b"host", host)])

    assert answer.status == status


async def test_refusal_goes_before_a_framework_that_is_never_asked() -> None:
    asked: list[str] = []

    async def framework(scope: Scope, _: Receive, __: Send) -> None:
        asked.append(scope["type"])

    guards = Guards(framework)
    answer = await stack.call(guards, headers=[])
    await guards({"type": "lifespan"}, stack.no_body, stack.nowhere)

    assert (answer.status, asked) == (400, ["lifespan"])


def test_connection_serves_on_after_a_refused_body(server: Server) -> None:
    refused = chunked("/samples", MAX_BODY_BYTES + 100_000, JSON)

    with socket.create_connection((LOOPBACK, server.port), timeout=20) as connection:
        connection.sendall(refused)
        first = receive(connection, "POST")
        connection.sendall(request("GET", "/samples?limit=3"))
        second = receive(connection, "GET")

    assert (first.status, second.status) == (413, 200)
