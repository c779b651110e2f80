"""Every error has one shape, whoever raised it, and a page that explains it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi import APIRouter, FastAPI
from tests.edge import stack
from tests.edge.stack import SECRET, SampleFull, SampleLimited, ask, request
from tests.support.processes import Server

from turnout.api import problems
from turnout.edge import answers, refusals
from turnout.errors import FieldError, Invalid, NotFound, TurnoutError

RANDOM_ID = "0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with stack.serving() as running:
        yield running


def test_problem_has_every_member(server: Server) -> None:
    answer = ask(server, request("GET", "/full", "X-Request-Id: ada-request-1"))

    assert answer.header("content-type") == ["application/problem+json"]
    assert answer.header("x-request-id") == ["ada-request-1"]
    assert answer.problem == {
        "type": "/problems/sample-full",
        "title": "The sample is full",
        "status": 409,
        "detail": "No seat is left.",
        "instance": "ada-request-1",
        "code": "sample-full",
        "seats_left": 0,
    }


def test_problem_of_no_field_has_the_errors() -> None:
    error = Invalid("x", fields=(FieldError("slots.0", "missing", "Is required."),))

    members = answers.problem(error, "id")

    assert members["errors"] == [{"field": "slots.0", "code": "missing", "message": "Is required."}]


def test_problem_member_that_is_an_instant_has_its_offset() -> None:
    error = NotFound(opens_at=datetime(2026, 12, 5, 10, tzinfo=UTC))

    response = problems.problem_response(error, "id")

    assert b'"opens_at":"2026-12-05T10:00:00+00:00"' in bytes(response.body)


@pytest.mark.parametrize(
    ("target", "status", "code", "header", "value"),
    [
        ("/signed", 401, "unauthenticated", "www-authenticate", ["Bearer"]),
        ("/limited", 429, "sample-limited", "retry-after", ["7"]),
        ("/away", 503, "unavailable", "retry-after", ["5"]),
        ("/defect", 500, "internal-error", "retry-after", []),
        ("/nowhere", 404, "not-found", "allow", []),
        ("/samples/", 404, "not-found", "location", []),
    ],
)
def test_problem_of_each_origin_has_its_status_and_header(
    server: Server, target: str, status: int, code: str, header: str, value: list[str]
) -> None:
    answer = ask(server, request("GET", target))

    assert (answer.status, answer.problem["status"]) == (status, status)
    assert (answer.problem["code"], answer.header(header)) == (code, value)
    assert answer.header("x-request-id") == [answer.problem["instance"]]
    assert SECRET.encode() not in answer.body


@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [
        ("PUT", f"/samples/{RANDOM_ID}", "DELETE, GET, HEAD"),
        ("TRACE", "/samples", "GET, HEAD, POST"),
        ("OPTIONS", "/samples", "GET, HEAD, POST"),
        ("DELETE", "/problems/not-found", "GET, HEAD"),
        ("GET", "/parsed-by-the-framework", "POST"),
    ],
)
def test_other_method_is_told_all_methods_of_the_path(
    server: Server, method: str, target: str, allow: str
) -> None:
    answer = ask(server, request(method, target))

    assert (answer.status, answer.problem["code"]) == (405, "method-not-allowed")
    assert (answer.header("allow"), answer.problem["allow"]) == ([allow], allow)


def test_method_override_is_ignored(server: Server) -> None:
    answer = ask(server, request("GET", "/samples", "X-HTTP-Method-Override: DELETE"))

    assert (answer.status, answer.body) == (200, b'{"limit":20}')


@pytest.mark.parametrize("wrong", ["0", "-1", "1e9", "1.0", "01", "%00", "9" * 300, "null"])
def test_path_that_can_name_nothing_is_not_found(server: Server, wrong: str) -> None:
    answer = ask(server, request("GET", f"/samples/{wrong}"))

    assert (answer.status, answer.problem["code"]) == (404, "not-found")
    assert set(answer.problem) == {"type", "title", "status", "detail", "instance", "code"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "too-small"),
        ("limit=-1", "too-small"),
        ("limit=101", "too-large"),
        ("limit=zq7Mallory", "wrong-type"),
        ("limit=", "wrong-type"),
        ("limit=1.5", "wrong-type"),
        ("limit=" + "9" * 5_000, "too-large"),
    ],
)
def test_query_that_breaks_a_rule_names_the_parameter(
    server: Server, query: str, code: str
) -> None:
    answer = ask(server, request("GET", f"/samples?{query}"))

    assert (answer.status, answer.problem["code"]) == (422, "validation-error")
    assert [(one["field"], one["code"]) for one in answer.problem["errors"]] == [("limit", code)]
    assert b"zq7Mallory" not in answer.body


def test_body_parsed_by_the_framework_has_the_same_problems(server: Server) -> None:
    raw = request(
        "POST",
        "/parsed-by-the-framework",
        "Content-Type: application/json",
        body=b'["zq7Mallory"]',
    )

    answer = ask(server, raw)

    assert (answer.status, answer.problem["errors"]) == (
        422,
        [{"field": "body", "code": "wrong-type", "message": "Must be an object."}],
    )


async def test_page_of_each_problem_explains_it() -> None:
    """Asked without a server between, so that it covers every module this process has loaded."""
    served = stack.make_stack()
    host = [(b"host", b"a")]

    for error in problems.every_problem():
        answer = await stack.call(served, path=f"/problems/{error.code}", headers=host)

        page = answer.body.decode()
        assert (answer.status, answer.header("content-type")) == (200, ["text/html; charset=utf-8"])
        assert f"<code>{error.code}</code>" in page
        assert re.findall(r"<script|<style|\son\w+=|style=", page) == []


def test_page_of_a_problem_escapes_its_text(server: Server) -> None:
    answer = ask(server, request("GET", "/problems/sample-full"))

    assert "All seats are taken. &lt;Join&gt; the waitlist." in answer.body.decode()


def test_page_of_an_unknown_problem_is_not_found(server: Server) -> None:
    answer = ask(server, request("GET", "/problems/zq7Mallory"))

    assert (answer.status, answer.problem["code"]) == (404, "not-found")
    assert b"zq7Mallory" not in answer.body


def test_style_sheet_of_the_pages_is_served(server: Server) -> None:
    answer = ask(server, request("GET", "/problems/style.css"))

    assert (answer.status, answer.header("content-type")) == (200, ["text/css; charset=utf-8"])
    assert answer.header("cache-control") == ["public, max-age=3600"]


def test_every_problem_lists_each_code_once() -> None:
    codes = [problem.code for problem in problems.every_problem()]

    assert len(codes) == len(set(codes))
    assert {"not-found", "validation-error", "bad-request", "malformed-json"} <= set(codes)


def test_documented_groups_by_status_with_an_example_a_code() -> None:
    responses = problems.documented(NotFound, SampleFull, refusals.MalformedJson)

    examples = {
        status: {
            code: example["value"]["status"]
            for code, example in response["content"]["application/problem+json"]["examples"].items()
        }
        for status, response in responses.items()
    }
    assert examples == {
        404: {"not-found": 404},
        409: {"sample-full": 409},
        400: {"malformed-json": 400},
    }


@pytest.mark.parametrize(
    ("error", "status"),
    [(SampleFull, 409), (SampleLimited, 429), (refusals.UriTooLong, 414), (TurnoutError, 500)],
)
def test_status_is_the_kinds(error: type[TurnoutError], status: int) -> None:
    assert answers.status_of(error) == status


def test_misrouted_looks_into_included_routers() -> None:
    app, outer, inner = FastAPI(), APIRouter(prefix="/a"), APIRouter(prefix="/b")
    inner.add_api_route("/{name}", lambda name: name, methods=["PATCH"])
    outer.include_router(inner)
    app.include_router(outer)
    judge = problems.misrouted(app)

    found = [
        judge({"path": path, "method": method})
        for path, method in (("/a/b/c", "PATCH"), ("/a/b/c", "PUT"), ("/a/c", "PATCH"))
    ]

    assert [type(one) for one in found] == [type(None), refusals.MethodNotAllowed, NotFound]
