"""The API document at /openapi.json: what the server does, no more and no less."""

import asyncio
import gc
import json
import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from turnout.api import bodies, describe
from turnout.api.calls import Call as Route
from turnout.api.examples import EXAMPLES, IN_PATHS
from turnout.api.problems import PROBLEM_SCHEMA, documented
from turnout.edge.caller import InvalidToken
from turnout.errors import NotFound, NotSignedIn

PATH = "/openapi.json"
TITLE = "Turnout"
DESCRIPTION = """Publish events, find them, take a seat. No seat is ever sold twice.

Lists are `{"items": [...], "next_cursor": ...}`; errors are problem details (RFC 9457) with a
stable `code`. Times go out with the offset of the zone they are shown in: the event's own, or the
one that `?tz=` asks for. A POST that creates can be repeated safely with an `Idempotency-Key`.
"""
_TAGS = [
    {"name": "Events", "description": "Publish and find events."},
    {"name": "Registrations", "description": "Take a seat, see who comes."},
    {"name": "Accounts", "description": "Get an account, sign in, look after yourself."},
    {"name": "Team", "description": "Who helps with an event."},
    {"name": "Users", "description": "For administrators: everybody's accounts."},
    {"name": "Integrations", "description": "Programs are told what happens, or ask for it."},
    {"name": "Operation", "description": "For those who run the server."},
    {"name": "Problems", "description": "Pages that explain errors."},
]
_REF = "#/components/schemas/{model}"
_NAMES = {
    "turnout__events__models__Status": "EventStatus",
    "turnout__registrations__models__Status": "RegistrationStatus",
}
"""Two features call a thing by the same name; a reader of the document needs two."""

_BY_TICKET = ("read_registration", "change_registration", "cancel_registration")
_BY_QUESTION = ("list_events", "read_calendar")
"""Calls that need a credential only for one's own events."""
SECURITY_SCHEMES: dict[str, Any] = {
    "password": {
        "type": "oauth2",
        "description": "Address and password. Accounts with a second factor take an API token.",
        "flows": {"password": {"tokenUrl": "/auth/token", "scopes": {}}},
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token of POST /auth/token, or a personal API token.",
    },
    "ticket": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Ticket `, and the `manage_token` that a guest got with the registration.",
    },
}

Call = dict[str, Any]


def install(app: FastAPI) -> None:
    """Let `app` answer `PATH` with our document.

    It is made when somebody first asks, in a thread, for that takes 0.2 to 0.4 s; and kept as
    bytes, for writing it anew takes 20 ms of the loop.
    """
    document: list[bytes] = []
    one_at_a_time = asyncio.Lock()

    async def answer(_: Request) -> Response:
        async with one_at_a_time:
            if not document:
                document.append(await asyncio.to_thread(_written, app))
        return Response(document[0], media_type=JSONResponse.media_type)

    app.add_route(PATH, answer, include_in_schema=False)


def _written(app: FastAPI) -> bytes:
    written = bytes(JSONResponse(build(app)).body)
    gc.collect()  # 2 MiB of what it was made of; the start is frozen, so this is short
    return written


def build(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document of `app`."""
    document = get_openapi(
        title=TITLE,
        version=app.version,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=[route.described() if isinstance(route, Route) else route for route in app.routes],
        tags=_TAGS,
        license_info={"name": "MIT", "identifier": "MIT"},
    )
    document["components"]["schemas"] = _schemas(document)
    document["components"]["securitySchemes"] = SECURITY_SCHEMES
    for path, method, call in calls_of(document):
        call["operationId"] = _operation_id(call["operationId"], path, method)
        _complete_refusals(call, path)
        _secure(call)
        for media in _media_of(call):
            media["schema"].pop("title", None)  # FastAPI makes one of the path
            _show_examples(media)
        for parameter in call.get("parameters", ()):
            if parameter["in"] == "path" and parameter["name"] in IN_PATHS:
                parameter["example"] = IN_PATHS[parameter["name"]]
    return _renamed(document)


def calls_of(document: dict[str, Any]) -> Iterator[tuple[str, str, Call]]:
    """Each call of a document: its path, its method in lower case, and what is said of it."""
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            yield path, method, call


def _schemas(document: dict[str, Any]) -> dict[str, Any]:
    schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})
    _, described = models_json_schema(
        [(model, "validation") for model in bodies.body_models()], ref_template=_REF
    )
    unused = ("HTTPValidationError", "ValidationError")
    kept = {name: schema for name, schema in schemas.items() if name not in unused}
    return {**kept, **described.get("$defs", {}), "Problem": PROBLEM_SCHEMA}


def _operation_id(given: str, path: str, method: str) -> str:
    """The handler's name alone: FastAPI adds the path and the method, which stand beside it.

    One that is named like a module that it calls ends with an underline.
    """
    name = given.removesuffix("_" + method).removesuffix(re.sub(r"\W", "_", path))
    return name.rstrip("_")


def _complete_refusals(call: Call, path: str) -> None:
    """Add what the edge can answer to any call, and 404 where the path names something."""
    responses = call["responses"]
    # FastAPI adds its own 422 wherever a path has a parameter; none of ours answers so.
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    errors = (*describe.ANY_CALL, NotFound) if "{" in path else describe.ANY_CALL
    for status, response in documented(*errors).items():
        responses.setdefault(str(status), response)
    counted = describe.COUNTED if "429" in responses else {}
    for status, response in responses.items():
        headers = response.get("headers", {})
        own = {} if "X-Request-Id" in headers else describe.headers_of(status)
        response["headers"] = {**headers, **own, **counted}
    call["responses"] = dict(sorted(responses.items()))


def _secure(call: Call) -> None:
    """Say what credential a call needs, or takes: read off the refusals it is described with."""
    refusals = call["responses"].get("401", {}).get("content", {}).values()
    codes = {code for media in refusals for code in media["examples"]}
    if InvalidToken.code not in codes:
        call["security"] = []
        return
    accounts: list[dict[str, list[str]]] = [{"password": []}, {"bearer": []}]
    is_needed = NotSignedIn.code in codes and call["operationId"] not in _BY_QUESTION
    own = [{"ticket": list[str]()}] if call["operationId"] in _BY_TICKET else []
    call["security"] = [*accounts, *own] if is_needed else [{}, *accounts]


def _media_of(call: Call) -> Iterator[dict[str, Any]]:
    for holder in (call.get("requestBody", {}), *call["responses"].values()):
        yield from holder.get("content", {}).values()


def _show_examples(media: dict[str, Any]) -> None:
    """Show those of the schema, or of each that it may be."""
    schema = media.get("schema", {})
    names = [each.get("$ref", "").rpartition("/")[2] for each in (schema, *schema.get("anyOf", ()))]
    found = {name: each for of in names for name, each in EXAMPLES.get(of, {}).items()}
    if found:
        media["examples"] = found


def _renamed(document: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(document)
    for ours, shown in _NAMES.items():
        text = text.replace(f'{ours}"', f'{shown}"')
    renamed: dict[str, Any] = json.loads(text)
    return renamed
