"""Gives every error its answer (RFC 9457), whoever raised it. Knows no feature.

`install` turns what handlers, FastAPI and the database raise into problems; `documented` puts
them into the API document. The pages that explain them are in `problem_pages`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Scope

from turnout.api.problem_pages import router
from turnout.db.errors import is_away, suspect
from turnout.edge import answers, field_errors, refusals
from turnout.edge.answers import problem_response, status_of
from turnout.edge.refusals import every_problem
from turnout.errors import NotFound, TurnoutError

__all__ = [
    "PROBLEM_SCHEMA",
    "allowed_methods",
    "documented",
    "every_problem",
    "install",
    "misrouted",
    "problem_response",
    "router",
]

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "Why a request was refused (RFC 9457). Some problems have further members.",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Page about it."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What happened this time."},
        "instance": {"type": "string", "description": "The request id, as in X-Request-Id."},
        "code": {"type": "string", "description": "Stable; the last part of `type`."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string", "description": "Dotted: `slots.0.end_time`."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
"""What `#/components/schemas/Problem` is, for the builder of the API document."""

_EXAMPLE_ID = "0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"


def install(app: FastAPI) -> None:
    """Answer every exception of `app` with a problem; nothing of the framework's own is left."""
    app.exception_handler(RequestValidationError)(_answer_invalid)
    app.exception_handler(HTTPException)(_answer_framework)
    for kind in (TurnoutError, ClientDisconnect, *suspect()):
        app.exception_handler(kind)(_answer_raised)
    app.exception_handler(Exception)(_answer_defect)


def documented(*errors: type[TurnoutError]) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route that may answer with `errors`: by status, an example a code."""
    by_status: dict[int, list[type[TurnoutError]]] = {}
    for error in errors:
        by_status.setdefault(status_of(error), []).append(error)
    return {status: _documented_response(of_status) for status, of_status in by_status.items()}


def misrouted(app: FastAPI) -> Callable[[Scope], TurnoutError | None]:
    """What tells for a scope the 404 or 405 that `app` would answer, or None if a route takes it.

    For the guards, which refuse a request before it is routed and let these two go first.
    """

    def judge(scope: Scope) -> TurnoutError | None:
        methods = allowed_methods(app, scope["path"])
        if not methods:
            return NotFound()
        if scope["method"] in methods:
            return None
        return refusals.MethodNotAllowed(allow=", ".join(sorted(methods)))

    return judge


def allowed_methods(app: FastAPI, path: str) -> frozenset[str]:
    """The methods that some route of `app` takes at `path`; empty if there is none (RFC 9110).

    FastAPI's own Allow names those of the first route alone, though each method is a route here.
    A route whose template is another one takes the path for something that it is not: an id that
    ends with `.ics`.
    """
    methods: set[str] = set()
    template = None
    for route in iter_route_contexts(app.routes):
        pattern = getattr(route, "path_regex", None)
        if pattern is not None and pattern.match(path):
            template = template or route.path
            if route.path == template:
                methods |= route.methods or {"GET"}  # a mounted folder of files has no methods
    return frozenset(methods | {"HEAD"} if "GET" in methods else methods)


def answer_to(request: Request, error: Exception) -> Response:
    """The answer to what a call raised. Raises `error` itself where it is a defect of ours."""
    if isinstance(error, TurnoutError):
        return _answer(request, error)
    if isinstance(error, ClientDisconnect):
        return _answer(request, refusals.BadRequest("The body ended before it was complete."))
    if is_away(error):
        return _answer(request, refusals.Unavailable())
    raise error  # the edge logs it with its cause


async def _answer_raised(request: Request, error: Exception) -> Response:
    return answer_to(request, error)


async def _answer_invalid(request: Request, error: RequestValidationError) -> Response:
    """A path that cannot name anything is 404; all else is what `errors` lists."""
    found = error.errors()
    if any(detail["loc"][0] == "path" for detail in found):
        return _answer(request, NotFound())
    located = [{**detail, "loc": tuple(detail["loc"])[1:]} for detail in found]
    return _answer(request, field_errors.invalid(field_errors.of(located)))


async def _answer_framework(request: Request, error: HTTPException) -> Response:
    if isinstance(error.__cause__, TurnoutError):
        # FastAPI wraps what the guards raise while it reads a form.
        return _answer(request, error.__cause__)
    if error.status_code < 400:
        return Response(status_code=error.status_code, headers=error.headers)
    if error.status_code == 405:
        methods = allowed_methods(request.app, request.scope["path"])
        return _answer(request, refusals.MethodNotAllowed(allow=", ".join(sorted(methods))))
    return _answer(request, refusals.of_status(error.status_code)(), error.headers)


async def _answer_defect(request: Request, _: Exception) -> Response:
    return _answer(request, refusals.InternalError())


def _answer(
    request: Request, error: TurnoutError, headers: Mapping[str, str] | None = None
) -> Response:
    return problem_response(error, answers.request_id_of(request.scope), headers)


def _documented_response(errors: list[type[TurnoutError]]) -> dict[str, Any]:
    examples = {
        error.code: {"summary": error.title, "value": answers.problem(error(), _EXAMPLE_ID)}
        for error in errors
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": ". ".join(error.title for error in errors) + ".",
        "content": {answers.MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }
