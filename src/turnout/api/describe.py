"""What the API document says of a call beyond its path. Knows no feature."""

from typing import Any

from pydantic import BaseModel

from turnout.api import bodies, queries
from turnout.api.once import LONGEST_KEY, InvalidIdempotencyKey
from turnout.api.problems import documented
from turnout.db.paging import InvalidCursor
from turnout.edge.caller import InvalidToken
from turnout.edge.refusals import (
    BadRequest,
    HeadersTooLarge,
    InternalError,
    MalformedJson,
    PayloadTooLarge,
    Unavailable,
    UnsupportedMediaType,
    UriTooLong,
)
from turnout.errors import Invalid, TurnoutError
from turnout.idempotency.idempotency import IdempotencyInProgress, IdempotencyMismatch

Errors = tuple[type[TurnoutError], ...]

ANY_CALL: Errors = (
    BadRequest, PayloadTooLarge, UriTooLong, Invalid, HeadersTooLarge, InternalError, Unavailable,
)  # fmt: skip
"""What the edge and the database can answer to any call, whatever it is about."""
_ALWAYS: Errors = (*ANY_CALL, InvalidToken)
_CREATING: Errors = (
    MalformedJson, UnsupportedMediaType, InvalidIdempotencyKey, IdempotencyMismatch,
    IdempotencyInProgress,
)  # fmt: skip
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


def read(*errors: type[TurnoutError], query: type[BaseModel], paged: bool = False) -> Any:
    """The description of a GET that answers JSON with an ETag, for a route's decorator."""
    link = {"Link": {"description": 'The next page, rel="next" (RFC 8288).', "schema": _TEXT}}
    headers = {"X-Request-Id": _REQUEST_ID, "ETag": _ETAG, **(link if paged else {})}
    unchanged = {"description": "Unchanged: what you have is right.", "headers": headers}
    cursor: Errors = (InvalidCursor,) if paged else ()
    return {
        "responses": {
            200: {"description": "What was asked for.", "headers": headers},
            304: unchanged,
            **documented(*_ALWAYS, *cursor, *errors),
        },
        "openapi_extra": {"parameters": [*queries.query_of(query), _IF_NONE_MATCH]},
    }


def create(*errors: type[TurnoutError], body: type[BaseModel], located: bool = True) -> Any:
    """The description of a POST that creates, for a route's decorator."""
    location = {"Location": {"description": "Where it is from now on.", "schema": _TEXT}}
    headers = {"X-Request-Id": _REQUEST_ID, "ETag": _ETAG, **(location if located else {})}
    return {
        "status_code": 201,
        "responses": {
            201: {"description": "What was made.", "headers": headers},
            **documented(*_ALWAYS, *_CREATING, *errors),
        },
        "openapi_extra": {**bodies.body_of(body), "parameters": [_IDEMPOTENCY_KEY]},
    }
