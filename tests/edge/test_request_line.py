"""Each request has an id, the security headers and one line; whatever escapes is answered."""

import io
import json
import re
import socket
from collections.abc import Iterator
from http.client import IncompleteRead
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from tests.edge import stack
from tests.edge.stack import Answer, ask, receive, request
from tests.support.processes import LOOPBACK, Server

from turnout.edge.request_line import RequestLine
from turnout.observability import logs

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
STORED_ID = "0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"
ALWAYS = {
    "x-content-type-options": ["nosniff"],
    "referrer-policy": ["no-referrer"],
    "cross-origin-resource-policy": ["same-origin"],
}
DATA_POLICY = ["default-src 'none'; frame-ancestors 'none'"]
PAGE_POLICY = [
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with stack.serving() as running:
        yield running


@pytest.fixture
def written() -> Iterator[io.BytesIO]:
    stream = io.BytesIO()
    logs.configure(human=False, stream=stream)
    yield stream
    logs.silence()


def lines(written: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.mark.parametrize("given", ["ada-1234", "A.b_c-" + "9" * 58, STORED_ID])
def test_request_id_that_is_acceptable_is_kept(server: Server, given: str) -> None:
    answer = ask(server, request("GET", "/samples", f"X-Request-Id: {given}"))

    assert answer.header("x-request-id") == [given]


@pytest.mark.parametrize("given", ["short", "a" * 65, "with space", "semi;colon", "ada-12345\t;"])
def test_request_id_that_is_not_acceptable_is_made_anew(server: Server, given: str) -> None:
    answer = ask(server, request("GET", "/samples", f"X-Request-Id: {given}"))

    (made,) = answer.header("x-request-id")
    assert UUID7.fullmatch(made) is not None


@pytest.mark.parametrize(
    ("target", "status", "cache_control", "policy"),
    [
        ("/samples", 200, ["no-store"], DATA_POLICY),
        ("/cached", 200, ["private, no-cache"], DATA_POLICY),
        ("/nowhere", 404, ["no-store"], DATA_POLICY),
        ("/samples?q=%00", 422, ["no-store"], DATA_POLICY),
        ("/page", 200, ["no-store"], PAGE_POLICY),
        ("/problems/not-found", 200, ["public, max-age=3600"], PAGE_POLICY),
    ],
)
def test_response_has_the_headers_of_its_kind(
    server: Server, target: str, status: int, cache_control: list[str], policy: list[str]
) -> None:
    answer = ask(server, request("GET", target))

    assert answer.status == status
    assert answer.header("cache-control") == cache_control
    assert answer.header("content-security-policy") == policy
    assert {name: answer.header(name) for name in ALWAYS} == ALWAYS


@pytest.mark.parametrize(
    ("base_url", "hsts"),
    [
        ("https://turnout.example", ["max-age=31536000; includeSubDomains"]),
        ("http://turnout.example", []),
    ],
)
async def test_response_promises_https_only_where_it_is_served(
    base_url: str, hsts: list[str]
) -> None:
    served = stack.make_stack(base_url=base_url)

    answer = await stack.call(served, headers=[(b"host", b"a")])

    assert answer.header("strict-transport-security") == hsts


@pytest.mark.parametrize("target", ["/samples", f"/samples/{STORED_ID}", "/page", "/nowhere"])
def test_head_has_the_headers_of_get_and_no_body(server: Server, target: str) -> None:
    got = ask(server, request("GET", target))

    head = ask(server, request("HEAD", target))

    assert (head.status, head.body) == (got.status, b"")
    assert constant(head) == constant(got)


def constant(answer: Answer) -> list[tuple[str, str]]:
    """The headers without those that differ from one request to the next."""
    return [one for one in answer.headers if one[0].lower() not in {"x-request-id", "date"}]


def test_connection_serves_on_after_head(server: Server) -> None:
    with socket.create_connection((LOOPBACK, server.port), timeout=20) as connection:
        connection.sendall(request("HEAD", "/samples"))
        first = receive(connection, "HEAD")
        connection.sendall(request("GET", "/samples?limit=3"))
        second = receive(connection, "GET")

    assert (first.status, first.body, first.header("content-length")) == (200, b"", ["12"])
    assert (second.status, second.body) == (200, b'{"limit":3}')


def test_response_that_breaks_off_is_cut_and_logged_once(server: Server) -> None:
    with pytest.raises(IncompleteRead):
        ask(server, request("GET", "/half", "X-Request-Id: half-request"))

    told = stack.lines_with(server, "half-request")
    ends = [(one["status"], one["bytes"]) for one in told if one["message"] == "request"]
    assert ends == [(200, 5)]
    assert [one["message"] for one in told if "exception" in one] == ["an exception escaped"]


def test_defect_is_answered_and_its_cause_logged_once(server: Server) -> None:
    answer = ask(server, request("GET", "/defect", "X-Request-Id: defect-request"))

    told = stack.lines_with(server, "defect-request")
    assert (answer.status, answer.problem["instance"]) == (500, "defect-request")
    assert [one["message"] for one in told] == ["an exception escaped", "request"]
    assert "ZeroDivisionError" in told[0]["exception"]


def test_line_tells_what_happened_and_no_secret(server: Server) -> None:
    raw = request(
        "POST",
        "/samples?token=canary-1",
        "Content-Type: application/json",
        "Authorization: Bearer canary-2",
        "Cookie: a=canary-3",
        "X-Request-Id: line-request",
        body=b'{"name": "canary-4", "password": "canary-5"}',
    )

    answer = ask(server, raw)

    (line,) = stack.lines_with(server, "line-request")
    assert {key: value for key, value in line.items() if key not in {"time", "duration_ms"}} == {
        "level": "info",
        "message": "request",
        "request_id": "line-request",
        "method": "POST",
        "path": "/samples",
        "status": 422,
        "bytes": len(answer.body),
    }
    assert isinstance(line["duration_ms"], float)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", line["time"]) is not None
    assert "canary" not in server.output()


async def test_framework_that_answers_its_defect_itself_is_not_answered_twice(
    written: io.BytesIO,
) -> None:
    """FastAPI answers 500 and raises all the same, so that a server can log it."""

    async def framework(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"own"})
        raise ZeroDivisionError

    answer = await stack.call(RequestLine(framework), headers=[])

    assert (answer.status, answer.body) == (500, b"own")
    assert [(one["message"], one["level"]) for one in lines(written)] == [
        ("an exception escaped", "error"),
        ("request", "error"),
    ]


async def test_defect_outside_the_framework_is_a_problem(written: io.BytesIO) -> None:
    async def broken(_: Scope, __: Receive, ___: Send) -> None:
        raise ZeroDivisionError

    answer = await stack.call(RequestLine(broken), headers=[(b"x-request-id", b"ada-1234")])

    assert (answer.status, answer.problem["code"]) == (500, "internal-error")
    assert answer.header("x-request-id") == ["ada-1234"]
    assert [one["request_id"] for one in lines(written)] == ["ada-1234", "ada-1234"]


async def test_policy_of_a_route_is_kept(written: io.BytesIO) -> None:
    policy = b"default-src 'self' https://tiles.example"

    async def page(_: Scope, __: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/html"), (b"content-security-policy", policy)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    answer = await stack.call(RequestLine(page), path="/" + "a" * 500, headers=[])

    assert answer.header("content-security-policy") == [policy.decode()]
    assert [one["path"] for one in lines(written)] == ["/" + "a" * 299]


async def test_state_of_the_lifespan_is_kept() -> None:
    seen: list[dict[str, object]] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(dict(scope["state"]))

    scope = {"type": "http", "method": "GET", "path": "/", "state": {"runtime": "kept"}}
    headers = [(b"x-request-id", b"ada-1234")]
    await RequestLine(app)({**scope, "headers": headers}, stack.no_body, stack.nowhere)

    assert seen == [{"runtime": "kept", "request_id": "ada-1234"}]
