"""The Postman collection is that of the present API, has Postman's form, and runs as it stands."""

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types, and stubs would be one more package
import pyotp
import pytest
from scripts import generate_postman
from tests.cli.typed import typed
from tests.docs import postman
from tests.support import product

from turnout.api import openapi

ADMIN = {
    "TURNOUT_ADMIN_EMAIL": generate_postman.VARIABLES["admin_email"],
    "TURNOUT_ADMIN_PASSWORD": generate_postman.VARIABLES["admin_password"],
}
TEXT = {"type": "string"}
HEADERS = {
    "type": "array",
    "items": {"type": "object", "required": ["key", "value"], "properties": {"key": TEXT}},
}
REQUEST = {
    "type": "object",
    "required": ["method", "header", "url"],
    "properties": {
        "method": {"enum": ["GET", "POST", "PUT", "PATCH", "DELETE"]},
        "header": HEADERS,
        "url": {
            "type": "object",
            "required": ["raw", "host", "path"],
            "properties": {
                "raw": TEXT,
                "host": {"type": "array", "items": TEXT},
                "path": {"type": "array", "items": TEXT},
                "query": HEADERS,
            },
        },
        "body": {
            "oneOf": [
                {
                    "type": "object",
                    "required": ["mode", "raw"],
                    "properties": {"mode": {"const": "raw"}, "raw": TEXT},
                },
                {
                    "type": "object",
                    "required": ["mode", "urlencoded"],
                    "properties": {"mode": {"const": "urlencoded"}, "urlencoded": HEADERS},
                },
            ]
        },
    },
}
ITEM = {
    "type": "object",
    "required": ["name", "request", "event", "response"],
    "properties": {
        "name": TEXT,
        "request": REQUEST,
        "event": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["listen", "script"],
                "properties": {
                    "listen": {"enum": ["test", "prerequest"]},
                    "script": {
                        "type": "object",
                        "required": ["type", "exec"],
                        "properties": {"exec": {"type": "array", "items": TEXT}},
                    },
                },
            },
        },
        "response": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "originalRequest", "code", "body"],
                "properties": {"originalRequest": REQUEST, "code": {"type": "integer"}},
            },
        },
    },
}
FORM = {
    "type": "object",
    "required": ["info", "item", "variable"],
    "properties": {
        "info": {
            "type": "object",
            "required": ["name", "schema"],
            "properties": {"schema": {"const": generate_postman.FORM}},
        },
        "variable": HEADERS,
        "item": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "item"],
                "properties": {"item": {"type": "array", "minItems": 1, "items": ITEM}},
            },
        },
    },
}
"""What of Postman's published form of a collection (v2.1.0) ours makes use of."""


OF_LINKS = ("The events of whoever has the link", "Try once more")
"""Of a link that the collection cannot cut out of an answer, and of a webhook that is gone."""
BEFORE_VERIFIED = ("Choose which mails you get",)
"""Of an address that nobody has shown to be theirs."""
WITH_A_FILE = ("Set the cover picture", "Get the cover picture", "Take the cover picture away")
"""A collection cannot hold a picture: these end in the second status that they allow."""


@pytest.fixture
def committed() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(generate_postman.FILE.read_text("utf-8"))
    return whole


def test_collection_is_current() -> None:
    assert generate_postman.FILE.read_text("utf-8") == generate_postman.text()


def test_collection_has_postmans_form(committed: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(FORM).validate(committed)


def test_collection_has_every_call_of_the_document(committed: dict[str, Any]) -> None:
    document = asyncio.run(generate_postman.api_document())

    requests = [item["request"] for item in postman.requests_of(committed)]

    sent = {(each["method"], "/" + "/".join(each["url"]["path"])) for each in requests}
    assert sent == {
        (method.upper(), path.replace("{", "{{").replace("}", "}}"))
        for path, method, _ in openapi.calls_of(document)
    }


def test_collection_begins_with_the_calls_that_need_no_account(committed: dict[str, Any]) -> None:
    first = list(postman.requests_of(committed))[:4]

    assert [(each["request"]["method"], each["request"]["url"]["raw"]) for each in first] == [
        ("POST", "{{base_url}}/events"),
        ("GET", "{{base_url}}/events"),
        ("POST", "{{base_url}}/events/{{event_id}}/register"),
        ("GET", "{{base_url}}/events/{{event_id}}/attendees"),
    ]
    assert "Authorization" not in json.dumps(first)


def test_collection_runs_against_a_server(committed: dict[str, Any], tmp_path: Path) -> None:
    with product.served(tmp_path, settings=ADMIN) as server:
        runner = postman.Runner(committed, server.url, **link_tokens(tmp_path))
        results = []
        for result in runner.run():
            results.append(result)
            if secret := runner.variables["secret"]:
                runner.variables["otp"] = pyotp.TOTP(secret).now()

    others = (*WITH_A_FILE, *OF_LINKS, *BEFORE_VERIFIED)
    wanted = [result.expected[result.name in others] for result in results]
    assert [result.status for result in results] == wanted
    assert len(results) == len(list(postman.requests_of(committed)))


def test_collection_runs_twice_without_mails_and_authenticator(
    committed: dict[str, Any], tmp_path: Path
) -> None:
    with product.served(tmp_path, settings=ADMIN) as server:
        results = [
            result for _ in range(2) for result in postman.Runner(committed, server.url).run()
        ]

    assert [result for result in results if result.status not in result.expected] == []
    assert {result.name for result in results if result.status != result.expected[0]} == {
        "Verify an address",
        "Set a new password by a link",
        "Confirm your second factor",
        "Get new recovery codes",
        "Take your second factor away",
        *BEFORE_VERIFIED,
        *OF_LINKS,
        *WITH_A_FILE,
    }


def test_collection_with_a_wrong_status_planted_is_noticed(
    committed: dict[str, Any], tmp_path: Path
) -> None:
    """The control: what a script expects is compared with what came."""
    item = next(postman.requests_of(committed))
    lines = item["event"][0]["script"]["exec"]
    lines[0] = lines[0].replace("201", "204")

    with product.served(tmp_path) as server:
        [result] = postman.Runner({**committed, "item": [item]}, server.url).run()

    assert (result.expected, result.status) == ((204,), 201)


def link_tokens(folder: Path) -> dict[str, str]:
    """What the mails to a second account hold, as whoever runs the server can print it."""
    made = typed("users", "create", "lin@example.com", data_dir=folder / "var")
    verifying = typed("users", "link", "lin@example.com", "--verify", data_dir=folder / "var")
    assert (made.exit_code, verifying.exit_code) == (0, 0)
    return {"reset_token": _token(made.output), "verify_token": _token(verifying.output)}


def _token(printed: str) -> str:
    return printed.strip().rpartition("=")[2]
