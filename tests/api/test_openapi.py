"""The API document is valid, readable, and says what the server does."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import jsonschema  # type: ignore[import-untyped]  # it ships no types, and stubs would be one more package
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.factories import make_event

from turnout.api import openapi
from turnout.api.examples import EXAMPLES

NOBODY = "01a202ff-5858-7344-a5f9-a038e1760637"
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
BAD_REQUESTS: list[dict[str, Any]] = [
    {},
    {"headers": {"Authorization": "Bearer none"}},
    {"headers": {"Idempotency-Key": "two words"}},
    {"headers": {f"X-{n}": "1" for n in range(101)}},
    {"headers": {"Host": "a b"}},
    {"params": {"q": "x" * 8_200}},
    {"params": {"tz": "Mars/Olympus"}},
    {"params": {"limit": "0", "cursor": "x"}},
    {"params": {"cursor": "x"}},
    {"params": {"status": "lost"}},
    {"params": b"q=%ff"},
    {"content": b"{", "headers": {"Content-Type": "application/json"}},
    {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
    {"content": b"{}", "headers": {"Content-Encoding": "gzip"}},
    {"content": b" " * 262_145, "headers": {"Content-Type": "application/json"}},
    {"json": {}},
    {"json": {"name": "", "email": "a@b"}},
]


@pytest.fixture
async def document(api: httpx2.AsyncClient) -> dict[str, Any]:
    document: dict[str, Any] = (await api.get("/openapi.json")).json()
    return document


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """What checks values against `schema`, whose references lead into the document."""
    whole = {**schema, "components": document["components"]}
    return jsonschema.Draft202012Validator(
        whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def media_of(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each media type of each body and answer, and where it is."""
    for path, method, call in openapi.calls_of(document):
        for name, holder in (("body", call.get("requestBody", {})), *call["responses"].items()):
            for media in holder.get("content", {}).values():
                yield f"{method} {path} {name}", media


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
    calls = list(openapi.calls_of(document))
    ids = [call["operationId"] for _, _, call in calls]
    tags = {tag["name"] for tag in document["tags"]}

    assert len(set(ids)) == len(ids)
    assert [each for each in ids if not re.fullmatch(r"[a-z]+(_[a-z]+)*", each)] == []
    for _, method, call in calls:
        assert method in METHODS
        assert call["summary"]
        assert call["description"]
        assert set(call["tags"]) <= tags


async def test_document_names_every_schema_for_people(document: dict[str, Any]) -> None:
    names = list(document["components"]["schemas"])

    assert [name for name in names if not re.fullmatch(r"([A-Z][a-z]+)+", name)] == []
    assert "HTTPValidationError" not in str(document)


async def test_document_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    shown = 0
    for where, media in media_of(document):
        check = resolved(document, media["schema"])
        for name, example in media.get("examples", {}).items():
            errors = [f"{where} {name}: {error}" for error in check.iter_errors(example["value"])]
            assert errors == []
            shown += 1
    for schema in schemas_in(document["components"]["schemas"]):
        for value in schema["examples"]:
            resolved(document, schema).validate(value)
            shown += 1

    assert shown > len(EXAMPLES)


async def test_document_shows_an_example_of_every_json_answer(document: dict[str, Any]) -> None:
    bare = [
        f"{method} {path} {status}"
        for path, method, call in openapi.calls_of(document)
        for status, answer in call["responses"].items()
        for kind, media in answer.get("content", {}).items()
        if kind.endswith("json") and "$ref" in media["schema"] and not media.get("examples")
    ]

    assert bare == []


@pytest.mark.parametrize("name", EXAMPLES["EventIn"])
async def test_example_of_a_new_event_works(name: str, api: httpx2.AsyncClient) -> None:
    answer = await api.post("/events", json=EXAMPLES["EventIn"][name]["value"])

    listed = await api.get("/events")
    assert answer.status_code == 201, answer.text
    assert [event["name"] for event in listed.json()["items"]] == [answer.json()["name"]]


@pytest.mark.parametrize("name", EXAMPLES["RegisterIn"])
async def test_example_of_a_registration_works(name: str, api: httpx2.AsyncClient) -> None:
    event = await make_event(api)

    answer = await api.post(
        f"/events/{event['id']}/register", json=EXAMPLES["RegisterIn"][name]["value"]
    )

    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "confirmed"


async def test_answers_are_those_that_the_document_describes(
    api: httpx2.AsyncClient, closed_api: httpx2.AsyncClient, document: dict[str, Any]
) -> None:
    event = await make_event(api, **EXAMPLES["EventIn"]["conference"]["value"])
    checked = 0

    for path, method, call in openapi.calls_of(document):
        for event_id, client in ((NOBODY, api), (event["id"], api), (event["id"], closed_api)):
            for request in BAD_REQUESTS:
                real = path.format(event_id=event_id, code="event-full")
                answer = await client.request(method, real, **request)
                described = call["responses"].get(str(answer.status_code))
                assert described, f"{method} {path} answered {answer.status_code} to {request}"
                fits(document, described, answer)
                checked += 1

    assert checked == 3 * len(BAD_REQUESTS) * len(list(openapi.calls_of(document)))


def fits(document: dict[str, Any], described: dict[str, Any], answer: httpx2.Response) -> None:
    """The answer has the media type, the code, the headers and the form that are described."""
    kind = answer.headers["content-type"].partition(";")[0]
    media = described["content"][kind]
    missing = [name for name in described.get("headers", {}) if name not in answer.headers]
    assert [name for name in missing if name != "Link"] == []
    if kind.endswith("json"):
        resolved(document, media["schema"]).validate(answer.json())
    if answer.status_code >= 400:
        assert answer.json()["code"] in media["examples"]
