"""What the API document says of a call beyond its path. Knows no feature."""

from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from turnout.api import bodies, queries
from turnout.api.once import LONGEST_KEY, InvalidIdempotencyKey
from turnout.api.problems import documented
from turnout.db.paging import InvalidCursor
from turnout.edge.caller import InsufficientScope, InvalidToken
from turnout.edge.csrf import CsrfFailed
from turnout.edge.refusals import (
    BadRequest,
    HeadersTooLarge,
    InternalError,
    MalformedJson,
    PayloadTooLarge,
    PreconditionFailed,
    Unavailable,
    UnsupportedMediaType,
    UriTooLong,
)
from turnout.errors import Invalid, NotSignedIn, TurnoutError
from turnout.idempotency.idempotency import IdempotencyInProgress, IdempotencyMismatch
from turnout.limiter import RateLimited

Errors = tuple[type[TurnoutError], ...]

ANY_CALL: Errors = (
    BadRequest, PayloadTooLarge, UriTooLong, Invalid, HeadersTooLarge, InternalError, Unavailable,
)  # fmt: skip
"""What the edge and the database can answer to any call, whatever it is about."""
_ALWAYS: Errors = (*ANY_CALL, InvalidToken, RateLimited)
_KNOWN: Errors = (*_ALWAYS, InsufficientScope)
"""Of calls that look at the caller's credential."""
_CHANGING: Errors = (CsrfFailed,)
_WITH_BODY: Errors = (MalformedJson, UnsupportedMediaType)
_CREATING: Errors = (
    *(*_CHANGING, *_WITH_BODY),
    *(InvalidIdempotencyKey, IdempotencyMismatch, IdempotencyInProgress),
)
_TEXT = {"type": "string"}
_REQUEST_ID = {"description": "The id of the request, for questions and logs.", "schema": _TEXT}
_RETRY_AFTER = {
    "description": "Seconds to wait before asking again.",
    "schema": {"type": "integer"},
}
_CHALLENGE = {"description": "How to sign in: `Bearer`.", "schema": _TEXT}
_ETAG = {"description": "Names these bytes (RFC 9110, 8.8.3).", "schema": _TEXT}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the answer you have: 304 if it is still right.",
    "schema": _TEXT,
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of what you have: 412 if it has changed since.",
    "schema": _TEXT,
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again within 24 hours, the same request gets the same answer.",
    "schema": {"type": "string", "maxLength": LONGEST_KEY, "pattern": "^[!-~]{1,255}$"},
}


def headers_of(status: str) -> dict[str, Any]:
    """The headers of an answer with that status that is a problem."""
    match status:
        case "401":
            return {"X-Request-Id": _REQUEST_ID, "WWW-Authenticate": _CHALLENGE}
        case "429" | "503":
            return {"X-Request-Id": _REQUEST_ID, "Retry-After": _RETRY_AFTER}
        case _:
            return {"X-Request-Id": _REQUEST_ID}


def read(
    *errors: type[TurnoutError], query: type[BaseModel] | None = None, paged: bool = False
) -> Any:
    """The description of a GET that answers JSON with an ETag, for a route's decorator."""
    link = {"Link": {"description": 'The next page, rel="next" (RFC 8288).', "schema": _TEXT}}
    headers = {"X-Request-Id": _REQUEST_ID, "ETag": _ETAG, **(link if paged else {})}
    unchanged = {"description": "Unchanged: what you have is right.", "headers": headers}
    cursor: Errors = (InvalidCursor,) if paged else ()
    parameters = queries.query_of(query) if query is not None else []
    return {
        "responses": {
            200: {"description": "What was asked for.", "headers": headers},
            304: unchanged,
            **documented(*_KNOWN, *cursor, *errors),
        },
        "openapi_extra": {"parameters": [*parameters, _IF_NONE_MATCH]},
    }


def create(*errors: type[TurnoutError], body: type[BaseModel], located: bool = True) -> Any:
    """The description of a POST that creates, for a route's decorator."""
    location = {"Location": {"description": "Where it is from now on.", "schema": _TEXT}}
    headers = {"X-Request-Id": _REQUEST_ID, "ETag": _ETAG, **(location if located else {})}
    return {
        "status_code": 201,
        "responses": {
            201: {"description": "What was made.", "headers": headers},
            **documented(*_KNOWN, *_CREATING, *errors),
        },
        "openapi_extra": {**bodies.body_of(body), "parameters": [_IDEMPOTENCY_KEY]},
    }


def change(
    *errors: type[TurnoutError], body: type[BaseModel] | None = None, matched: bool = False
) -> Any:
    """The description of a call that changes something and answers what it is now.

    With `matched`, the call honours If-Match.
    """
    headers = {"X-Request-Id": _REQUEST_ID, **({"ETag": _ETAG} if matched else {})}
    stale: Errors = (PreconditionFailed,) if matched else ()
    return {
        "responses": {
            200: {"description": "What it is now.", "headers": headers},
            **documented(*_KNOWN, *_CHANGING, *_of_body(body), *stale, *errors),
        },
        "openapi_extra": {**_body(body), "parameters": [_IF_MATCH] if matched else []},
    }


def done(
    *errors: type[TurnoutError], body: type[BaseModel] | None = None, status: int = 204
) -> Any:
    """The description of a call that does something and has nothing to tell."""
    return _silent(status, "Done.", errors, body)


def accepted(*errors: type[TurnoutError], body: type[BaseModel]) -> Any:
    """The description of a call whose answer goes by mail, and is the same for everyone here."""
    return _silent(202, "Taken; what comes of it goes to the address.", errors, body)


def sign_in(*errors: type[TurnoutError], form: type[BaseModel]) -> Any:
    """The description of the call that a form signs in by (RFC 6749)."""
    schema = {"$ref": f"#/components/schemas/{form.__name__}"}
    content = {"application/x-www-form-urlencoded": {"schema": schema}}
    refusals = documented(*ANY_CALL, RateLimited, *_CHANGING, UnsupportedMediaType, *errors)
    bodies.body_of(form)
    return {
        "responses": {
            200: {"description": "Signed in.", "headers": {"X-Request-Id": _REQUEST_ID}},
            **refusals,
        },
        "openapi_extra": {"requestBody": {"required": True, "content": content}},
    }


def _silent(status: int, what: str, errors: Errors, body: type[BaseModel] | None) -> dict[str, Any]:
    headers = {"X-Request-Id": _REQUEST_ID}
    known = _KNOWN if NotSignedIn in errors else (*ANY_CALL, RateLimited)
    return {
        "status_code": status,
        "response_class": Response,
        "responses": {
            status: {"description": what, "headers": headers},
            **documented(*known, *_CHANGING, *_of_body(body), *errors),
        },
        "openapi_extra": _body(body),
    }


def _body(body: type[BaseModel] | None) -> dict[str, Any]:
    return {} if body is None else bodies.body_of(body)


def _of_body(body: type[BaseModel] | None) -> Errors:
    return () if body is None else _WITH_BODY
