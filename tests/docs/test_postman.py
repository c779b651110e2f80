"""The Postman collection is that of the present API, has Postman's form, and runs as it stands."""

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types, and stubs would be one more package
import pytest
from scripts import generate_postman
from tests.docs import postman
from tests.support import product

from turnout.api import openapi

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
            "type": "object",
            "required": ["mode", "raw"],
            "properties": {"mode": {"const": "raw"}, "raw": TEXT},
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

    names = [item["name"] for item in postman.requests_of(committed)]

    assert sorted(names) == sorted(call["summary"] for _, _, call in openapi.calls_of(document))


def test_collection_runs_against_a_server(committed: dict[str, Any], tmp_path: Path) -> None:
    with product.served(tmp_path) as server:
        results = postman.run(committed, server.url)

    assert [result for result in results if result.status != result.expected] == []
    assert len(results) == len(list(postman.requests_of(committed)))


def test_collection_with_a_wrong_status_planted_is_noticed(
    committed: dict[str, Any], tmp_path: Path
) -> None:
    """The control: what a script expects is compared with what came."""
    item = next(postman.requests_of(committed))
    lines = item["event"][0]["script"]["exec"]
    lines[0] = lines[0].replace("201", "204")

    with product.served(tmp_path) as server:
        result = postman.run({**committed, "item": [item]}, server.url)[0]

    assert (result.expected, result.status) == (204, 201)
