"""The API document at /openapi.json: what the server does, no more and no less."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from turnout.api import bodies
from turnout.api.problems import PROBLEM_SCHEMA

TITLE = "Turnout"
DESCRIPTION = """Publish events, find them, take a seat. No seat is ever sold twice.

Lists are `{"items": [...], "next_cursor": ...}`; errors are problem details (RFC 9457) with a
stable `code`. Times go out with the offset of the zone they are shown in: the event's own, or the
one that `?tz=` asks for. A POST that creates can be repeated safely with an `Idempotency-Key`.
"""
_REF = "#/components/schemas/{model}"


def install(app: FastAPI) -> None:
    """Let `app` answer /openapi.json with our document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way


def build(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document of `app`."""
    document = get_openapi(
        title=TITLE,
        version=app.version,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=app.routes,
        tags=[
            {"name": "Events", "description": "Publish and find events."},
            {"name": "Registrations", "description": "Take a seat, see who comes."},
            {"name": "Operation", "description": "For those who run the server."},
            {"name": "Problems", "description": "Pages that explain errors."},
        ],
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    _, described = models_json_schema(
        [(model, "validation") for model in bodies.body_models()], ref_template=_REF
    )
    schemas.update(described.get("$defs", {}))
    schemas["Problem"] = PROBLEM_SCHEMA
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for calls in document["paths"].values():
        for call in calls.values():
            _drop_framework_errors(call)
    return document


def _drop_framework_errors(call: dict[str, Any]) -> None:
    """FastAPI adds its own 422 wherever a path has a parameter; none of ours answers so."""
    schema = call["responses"].get("422", {}).get("content", {}).get("application/json", {})
    if "HTTPValidationError" in str(schema):
        del call["responses"]["422"]
