"""Problem details (RFC 9457) as bytes and as responses. Knows statuses, but no route.

Below the doors, because the edge refuses requests before any route is chosen, and its refusals
look like all others.
"""

from collections.abc import Mapping

import orjson
from starlette.responses import Response
from starlette.types import Scope

from turnout import errors
from turnout.edge.refusals import Refusal
from turnout.errors import TurnoutError

MEDIA_TYPE = "application/problem+json"
STATUS_OF_KIND: dict[type[TurnoutError], int] = {
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Invalid: 422,
    errors.NotAllowed: 403,
    errors.NotSignedIn: 401,
    errors.TooMany: 429,
    errors.Unready: 503,  # the server's limit, not the caller's (RFC 9110, 15.6.4)
}
"""The status of each kind, and of the errors whose status differs from their kind's."""


def status_of(error: type[TurnoutError]) -> int:
    """The HTTP status that `error` is answered with: its own, its kind's, or 500."""
    if issubclass(error, Refusal):
        return error.status
    return next((STATUS_OF_KIND[kind] for kind in error.__mro__ if kind in STATUS_OF_KIND), 500)


def problem(error: TurnoutError, request_id: str) -> dict[str, object]:
    """The members of the answer to `error`; `instance` is the request's id as in X-Request-Id."""
    members: dict[str, object] = {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": status_of(type(error)),
        "detail": error.detail,
        "instance": request_id,
        "code": error.code,
    }
    if error.fields:
        members["errors"] = [
            {"field": one.field, "code": one.code, "message": one.message} for one in error.fields
        ]
    for name, value in error.members.items():
        members.setdefault(name, value)
    return members


def problem_response(
    error: TurnoutError, request_id: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The response to `error`, with the headers its status asks for and `headers` beside them."""
    return Response(
        orjson.dumps(problem(error, request_id)),
        status_code=status_of(type(error)),
        headers={**headers_of(error), **(headers or {})},
        media_type=MEDIA_TYPE,
    )


def request_id_of(scope: Scope) -> str:
    """The id that the edge gave to this request, empty where the edge is not in front."""
    state: dict[str, object] = scope.get("state") or {}
    return str(state.get("request_id", ""))


def headers_of(error: TurnoutError) -> dict[str, str]:
    """The headers that the status of `error` asks for."""
    match status_of(type(error)):
        case 401:
            return {"WWW-Authenticate": "Bearer"}
        case 405:
            return {"Allow": str(error.members.get("allow", ""))}
        case 429 | 503:
            of_class = getattr(error, "retry_after_seconds", 1)
            return {"Retry-After": str(error.members.get("retry_after_seconds", of_class))}
        case _:
            return {}
