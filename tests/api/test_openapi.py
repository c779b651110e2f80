"""The API document is valid and readable, and its examples fit what it says."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.api.documents import calls, fetched, media_of, resolved

from turnout.api import openapi
from turnout.api.examples import EXAMPLES

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
BY_TICKET = {"read_registration", "change_registration", "cancel_registration"}
ACCOUNT: list[dict[str, list[str]]] = [{"password": []}, {"bearer": []}]
TICKET: dict[str, list[str]] = {"ticket": []}


@pytest.fixture
async def document(api: httpx2.AsyncClient) -> dict[str, Any]:
    return await fetched(api)


def schemas_in(value: object) -> Iterator[dict[str, Any]]:
    """Each object below `value` that has a list of examples."""
    if isinstance(value, dict):
        if isinstance(value.get("examples"), list):
            yield value
        for child in value.values():
            yield from schemas_in(child)
    elif isinstance(value, list):
        for child in value:
            yield from schemas_in(child)


async def test_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


async def test_document_names_every_call_for_people(document: dict[str, Any]) -> None:
    described = [call for _, _, call in openapi.calls_of(document)]
    methods = {method for _, method, _ in openapi.calls_of(document)}
    ids = [call["operationId"] for call in described]
    tags = {tag["name"] for tag in document["tags"]}

    assert len(set(ids)) == len(ids)
    assert [each for each in ids if not re.fullmatch(r"[a-z]+(_[a-z]+)*", each)] == []
    assert methods <= METHODS
    assert {tag for call in described for tag in call["tags"]} == tags
    for call in described:
        assert len(call["tags"]) == 1
        assert call["summary"]
        assert call["description"]


async def test_document_names_every_schema_for_people(document: dict[str, Any]) -> None:
    names = list(document["components"]["schemas"])

    assert [name for name in names if not re.fullmatch(r"([A-Z][a-z]+)+", name)] == []
    assert "HTTPValidationError" not in str(document)


async def test_document_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    shown = set[str]()
    for where, media in media_of(document):
        check = resolved(document, media["schema"])
        for name, example in media.get("examples", {}).items():
            errors = [f"{where} {name}: {error}" for error in check.iter_errors(example["value"])]
            assert errors == []
            shown.add(name)
    for schema in schemas_in(document["components"]["schemas"]):
        for value in schema["examples"]:
            resolved(document, schema).validate(value)

    assert {name for of_schema in EXAMPLES.values() for name in of_schema} <= shown


async def test_document_shows_an_example_of_every_json_body(document: dict[str, Any]) -> None:
    bare = [
        f"{method} {path} {where}"
        for path, method, call in openapi.calls_of(document)
        for where, holder in (("body", call.get("requestBody", {})), *call["responses"].items())
        for kind, media in holder.get("content", {}).items()
        if kind.endswith("json") and not media.get("examples")
    ]

    assert bare == []


async def test_document_says_which_calls_take_which_credential(document: dict[str, Any]) -> None:
    security = {name: call["security"] for name, (_, _, call) in calls(document).items()}

    assert {name for name, ways in security.items() if TICKET in ways} == BY_TICKET
    assert [ways for ways in security.values() if ways not in ([], ACCOUNT, [{}, *ACCOUNT])] == [
        [*ACCOUNT, TICKET]
    ] * len(BY_TICKET)
    assert {way for ways in security.values() for each in ways for way in each} == set(
        document["components"]["securitySchemes"]
    )


async def test_document_says_that_a_form_signs_in(document: dict[str, Any]) -> None:
    path, method, call = calls(document)["issue_tokens"]
    flow = document["components"]["securitySchemes"]["password"]["flows"]["password"]

    assert (method, path) == ("post", flow["tokenUrl"])
    assert list(call["requestBody"]["content"]) == ["application/x-www-form-urlencoded"]
