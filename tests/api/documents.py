"""Holds answers against the API document; it knows no call."""

from collections.abc import Iterator
from typing import Any

import httpx2
import jsonschema  # type: ignore[import-untyped]  # it ships no types, and stubs would be one more package

from turnout.api import openapi

Document = dict[str, Any]


async def fetched(api: httpx2.AsyncClient) -> Document:
    """The document as the server answers it."""
    document: Document = (await api.get("/openapi.json")).json()
    return document


def calls(document: Document) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Path, method and description of each call, by its operation id."""
    return {
        call["operationId"]: (path, method, call)
        for path, method, call in openapi.calls_of(document)
    }


def resolved(document: Document, schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """What checks values against `schema`, whose references lead into the document."""
    whole = {**schema, "components": document["components"]}
    return jsonschema.Draft202012Validator(
        whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def media_of(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each media type of each body and answer, and where it is."""
    for path, method, call in openapi.calls_of(document):
        for name, holder in (("body", call.get("requestBody", {})), *call["responses"].items()):
            for media in holder.get("content", {}).values():
                yield f"{method} {path} {name}", media


def require_described(document: Document, call: dict[str, Any], answer: httpx2.Response) -> None:
    """The answer has a status, headers, a media type, a form and a code that are described."""
    described = call["responses"].get(str(answer.status_code))
    assert described, f"{call['operationId']} answered {answer.status_code}: {answer.text}"
    needed = {name for name, header in described["headers"].items() if header["required"]}
    assert {name for name in needed if name not in answer.headers} == set()
    if not described.get("content"):
        assert answer.content == b""
        return
    kind = answer.headers["content-type"].partition(";")[0]
    media = described["content"][kind]
    if kind.endswith("json"):
        resolved(document, media["schema"]).validate(answer.json())
    if answer.status_code >= 400:
        assert answer.json()["code"] in media["examples"], call["operationId"]
