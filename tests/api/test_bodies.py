"""What `bodies.read` takes and refuses, byte for byte, through a real server."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel
from tests.edge import stack
from tests.edge.stack import ask, post_json, request
from tests.support.processes import Server

from turnout.api import bodies

MARK = "zq7Mallory"
"""Stands in whatever is refused; no answer may hold it."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with stack.serving() as running:
        yield running


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="open"),
        pytest.param(b'{"name": "zq7Mallory",}', id="trailing comma"),
        pytest.param('{"name": "zq7Mallory"}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'\xef\xbb\xbf{"name": "zq7Mallory"}', id="byte order mark"),
        pytest.param(b'{"name": "zq7Mallory\xff"}', id="invalid UTF-8"),
        pytest.param(b'{"name": "zq7Mallory\x00"}', id="raw NUL"),
        pytest.param(b'{"name": "zq7Mallory", "latitude": NaN}', id="NaN"),
        pytest.param(b'{"name": "zq7Mallory", "extra": NaN}', id="NaN in a field of any type"),
        pytest.param(b'{"name": "zq7Mallory", "latitude": -Infinity}', id="Infinity"),
        pytest.param(b'{"name": "zq7Mallory"} {}', id="two documents"),
        pytest.param(b"[" * 100_000, id="nested without end"),
        pytest.param(b'{"extra": ' + b"[" * 500 + b"]" * 500 + b"}", id="nested deep"),
        pytest.param(b'{"name": ' + b"9" * 5_000, id="long integer, cut off"),
    ],
)
def test_body_that_is_no_json_is_malformed(server: Server, body: bytes) -> None:
    answer = ask(server, post_json(body))

    assert (answer.status, answer.problem["code"]) == (400, "malformed-json")
    assert MARK.encode() not in answer.body


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (b'{"name": "zq7Mallory\\ud800"}', "name", "invalid"),
        (b'{"name": "zq7Mallory\\u0000"}', "name", "invalid"),
        (b'{"name": "zq7Mallory\\u202e"}', "name", "invalid"),
        (b'{"name": "zq7Mallory\\nb"}', "name", "invalid"),
        (b'{"name": "\\u200b\\u200b"}', "name", "invalid"),
        (b'{"name": "   "}', "name", "too-short"),
        (b'{"name": ""}', "name", "too-short"),
        (b'{"name": "' + b"zq7Mallory" * 21 + b'"}', "name", "too-long"),
        (b'{"name": null}', "name", "wrong-type"),
        (b'{"name": ["zq7Mallory"]}', "name", "wrong-type"),
        (b"{}", "name", "missing"),
        (b'["zq7Mallory"]', "body", "wrong-type"),
        (b'{"name": "x", "seats": ' + b"9" * 5_000 + b"}", "seats", "too-large"),
        (b'{"name": "x", "seats": 9223372036854775808}', "seats", "too-large"),
        (b'{"name": "x", "seats": -9223372036854775809}', "seats", "too-small"),
        (b'{"name": "x", "seats": "5"}', "seats", "wrong-type"),
        (b'{"name": "x", "seats": true}', "seats", "wrong-type"),
        (b'{"name": "x", "seats": 3.0}', "seats", "wrong-type"),
        (b'{"name": "x", "seats": 3.5}', "seats", "wrong-type"),
        (b'{"name": "x", "latitude": 1e400}', "latitude", "invalid"),
        (b'{"name": "x", "latitude": "zq7Mallory"}', "latitude", "wrong-type"),
        (b'{"name": "x", "online": 1}', "online", "wrong-type"),
        (b'{"name": "x", "online": "yes"}', "online", "wrong-type"),
        (b'{"name": "x", "is_admin": "zq7Mallory"}', "is_admin", "unknown-field"),
        (b'{"name": "x", "<zq7Mallory>": 1}', "?", "unknown-field"),
        (b'{"name": "x", "slots": [{"end_time": 5}]}', "slots.0.end_time", "wrong-type"),
        (b'{"name": "x", "slots": {}}', "slots", "wrong-type"),
        (b'{"name": "x", "slots": [{"end_time": "\\udfff"}]}', "slots.0.end_time", "invalid"),
    ],
)
def test_body_that_breaks_a_rule_names_the_field(
    server: Server, body: bytes, field: str, code: str
) -> None:
    answer = ask(server, post_json(body))

    errors = [(one["field"], one["code"]) for one in answer.problem["errors"]]
    assert (answer.status, answer.problem["code"]) == (422, "validation-error")
    assert errors == [(field, code)]
    assert MARK.encode() not in answer.body


def test_body_with_a_bad_address_has_its_own_problem(server: Server) -> None:
    answer = ask(server, post_json(b'{"name": "x", "email": "zq7Mallory@b"}'))

    assert (answer.status, answer.problem["code"]) == (422, "invalid-email")
    assert answer.problem["errors"] == [
        {"field": "email", "code": "invalid-email", "message": "Must be one valid e-mail address."}
    ]


def test_body_with_endless_errors_has_a_short_answer(server: Server) -> None:
    body = b'{"name": "x"' + b"".join(b', "k%d": 0' % i for i in range(10_000)) + b"}"

    answer = ask(server, post_json(body))

    assert (answer.status, len(answer.problem["errors"])) == (422, 50)


@pytest.mark.parametrize(
    "header",
    [
        "X-None: 1",
        "Content-Type: text/plain",
        "Content-Type: application/json; charset=utf-7",
        "Content-Type: multipart/form-data; boundary=zq7Mallory",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Type: application/json\r\nContent-Type: application/json",
    ],
)
def test_body_of_another_type_is_unsupported(server: Server, header: str) -> None:
    answer = ask(server, request("POST", "/samples", header, body=b'{"name": "zq7Mallory"}'))

    assert (answer.status, answer.problem["code"]) == (415, "unsupported-media-type")
    assert MARK.encode() not in answer.body


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
    ],
)
def test_body_of_json_is_read(server: Server, content_type: str) -> None:
    raw = request("POST", "/samples", f"Content-Type: {content_type}", body=b'{"name": " Ada "}')

    answer = ask(server, raw)

    assert (answer.status, answer.body) == (201, b'{"name":"Ada","bytes":17}')


def test_body_with_the_letters_of_a_constant_in_a_text_is_read(server: Server) -> None:
    answer = ask(server, post_json(b'{"name": "NaN Infinity"}'))

    assert (answer.status, answer.problem["name"]) == (201, "NaN Infinity")


def test_key_sent_twice_counts_with_its_last_value(server: Server) -> None:
    answer = ask(server, post_json(b'{"name": "Ada", "name": "Mallory"}'))

    assert (answer.status, answer.problem["name"]) == (201, "Mallory")


def test_body_of_refers_to_the_schema() -> None:
    class Refers(BaseModel):
        pass

    documented = bodies.body_of(Refers)

    schema = {"$ref": "#/components/schemas/Refers"}
    assert documented == {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}
    }
    assert [model for model in bodies.body_models() if model.__name__ == "Refers"] == [Refers]


def test_body_of_refuses_a_second_model_of_a_name() -> None:
    first = type("Twice", (BaseModel,), {})
    second = type("Twice", (BaseModel,), {})
    bodies.body_of(first)

    with pytest.raises(ValueError, match="two models for bodies are named Twice"):
        bodies.body_of(second)
