"""What the API document says of a call beyond its path. Knows no feature."""

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, ParamSpec

from pydantic import BaseModel
from starlette.responses import Response

from turnout.accounts.errors import SecondFactorMissing
from turnout.api import bodies, problems, queries
from turnout.api.once import LONGEST_KEY, InvalidIdempotencyKey
from turnout.db.paging import InvalidCursor
from turnout.edge.caller import InsufficientScope, InvalidToken
from turnout.edge.csrf import CsrfFailed
from turnout.edge.refusals import (
    BadRequest,
    HeadersTooLarge,
    InternalError,
    MalformedJson,
    MalformedPrecondition,
    PayloadTooLarge,
    PreconditionFailed,
    Unavailable,
    UnsupportedMediaType,
    UriTooLong,
)
from turnout.errors import Invalid, NotAllowed, NotSignedIn, TurnoutError
from turnout.idempotency.idempotency import IdempotencyInProgress, IdempotencyMismatch
from turnout.limiter import RateLimited

P = ParamSpec("P")
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
    *_CHANGING,
    *(InvalidIdempotencyKey, IdempotencyMismatch, IdempotencyInProgress),
)
_TEXT = {"type": "string"}


def _header(description: str, *, required: bool = True, kind: str = "string") -> dict[str, Any]:
    return {"description": description, "required": required, "schema": {"type": kind}}


_REQUEST_ID = _header("The id of the request, for questions and logs.")
_RETRY_AFTER = _header("Seconds to wait before asking again.", kind="integer")
_CHALLENGE = _header("How to sign in: `Bearer`.")
_ETAG = _header("Names these bytes (RFC 9110, 8.8.3).")
_LINK = _header('The next page, rel="next" (RFC 8288).', required=False)
_LOCATION = _header("Where it is from now on.")
COUNTED = {
    "RateLimit-Policy": _header(
        "How much one caller may ask for: `q` requests in `w` seconds.", required=False
    ),
    "RateLimit": _header("What is left: `r` requests for `t` seconds.", required=False),
}
"""The headers of every answer to a request that was counted."""
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


def _when_asked(describe: Callable[P, Any]) -> Callable[P, Any]:
    """Let a call be described when the document is made, and not when its module is read.

    The function that comes back gives the option `described` of a route (see `direct.Router`).
    """

    @wraps(describe)
    def noted(*args: P.args, **kwargs: P.kwargs) -> Any:
        for model in (kwargs.get("body"), kwargs.get("form")):
            if model is not None:  # at once: a second model of a name stops the start
                bodies.body_of(model)  # type: ignore[arg-type]  # what every `body` and `form` is
        return {"described": partial(describe, *args, **kwargs)}

    return noted


@_when_asked
def read(
    *errors: type[TurnoutError], query: type[BaseModel] | None = None, paged: bool = False
) -> Any:
    """The description of a GET that answers JSON with an ETag, for a route's decorator."""
    return _read(*errors, query=query, paged=paged)


def _read(
    *errors: type[TurnoutError], query: type[BaseModel] | None = None, paged: bool = False
) -> dict[str, Any]:
    link = {"Link": _LINK} if paged else {}
    headers = {"X-Request-Id": _REQUEST_ID, "ETag": _ETAG, **link}
    unchanged = {"description": "Unchanged: what you have is right.", "headers": headers}
    cursor: Errors = (InvalidCursor,) if paged else ()
    parameters = queries.query_of(query) if query is not None else []
    return {
        "responses": {
            200: {"description": "What was asked for.", "headers": headers},
            304: unchanged,
            **_documented(*_KNOWN, *cursor, *errors),
        },
        "openapi_extra": {"parameters": [*parameters, _IF_NONE_MATCH]},
    }


@_when_asked
def text(*errors: type[TurnoutError], kind: str, query: type[BaseModel] | None = None) -> Any:
    """The description of a GET that answers a text of that media type with an ETag."""
    return _text_of(*errors, kind=kind, query=query)


def _text_of(
    *errors: type[TurnoutError], kind: str, query: type[BaseModel] | None = None
) -> dict[str, Any]:
    described = _read(*errors, query=query)
    content = {kind: {"schema": {"type": "string"}}}
    described["responses"][200] = {**described["responses"][200], "content": content}
    return {**described, "response_class": Response}


@_when_asked
def public_text(*errors: type[TurnoutError], kind: str) -> Any:
    """The same, of a call whose path is all the credential there is."""
    described = _text_of(*errors, kind=kind)
    answers = {200: described["responses"][200], 304: described["responses"][304]}
    refusals = _documented(*ANY_CALL, RateLimited, *errors)
    return {**described, "responses": {**answers, **refusals}}


@_when_asked
def streamed(*errors: type[TurnoutError]) -> Any:
    """The description of a GET that answers JSON piece by piece, and so without an ETag."""
    headers = {"X-Request-Id": _REQUEST_ID}
    return {
        "responses": {
            200: {"description": "What was asked for.", "headers": headers},
            **_documented(*_KNOWN, *errors),
        }
    }


@_when_asked
def create(*errors: type[TurnoutError], body: type[BaseModel] | None, located: bool = True) -> Any:
    """The description of a POST that creates, for a route's decorator."""
    location = {"Location": _LOCATION} if located else {}
    headers = {"X-Request-Id": _REQUEST_ID, "ETag": _ETAG, **location}
    return {
        "status_code": 201,
        "responses": {
            201: {"description": "What was made.", "headers": headers},
            **_documented(*_KNOWN, *_CREATING, *_of_body(body), *errors),
        },
        "openapi_extra": {**_body(body), "parameters": [_IDEMPOTENCY_KEY]},
    }


@_when_asked
def change(
    *errors: type[TurnoutError],
    body: type[BaseModel] | None = None,
    query: type[queries.Query] | None = None,
    matched: bool = False,
    tagged: bool = False,
) -> Any:
    """The description of a call that changes something and answers what it is now.

    With `matched`, the call honours If-Match; with that or `tagged`, the answer has an ETag.
    """
    return _change(*errors, body=body, query=query, matched=matched, tagged=tagged)


def _change(
    *errors: type[TurnoutError],
    body: type[BaseModel] | None = None,
    query: type[queries.Query] | None = None,
    matched: bool = False,
    tagged: bool = False,
) -> dict[str, Any]:
    headers = {"X-Request-Id": _REQUEST_ID, **({"ETag": _ETAG} if matched or tagged else {})}
    asked = [] if query is None else queries.query_of(query)
    return {
        "responses": {
            200: {"description": "What it is now.", "headers": headers},
            **_documented(*_KNOWN, *_CHANGING, *_of_body(body), *_stale(matched), *errors),
        },
        "openapi_extra": {**_body(body), "parameters": [*asked, *([_IF_MATCH] if matched else [])]},
    }


@_when_asked
def upload(*errors: type[TurnoutError], kinds: Sequence[str]) -> Any:
    """The description of a PUT whose body is a file, of one of these media types.

    What the header of a request says of it is not looked at; the call honours If-Match.
    """
    described = _change(UnsupportedMediaType, *errors, matched=True)
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = dict.fromkeys((*kinds, "application/octet-stream"), binary)
    body = {"required": True, "content": content}
    described["openapi_extra"] = {**described["openapi_extra"], "requestBody": body}
    return described


@_when_asked
def picture(*errors: type[TurnoutError], kind: str, query: type[BaseModel]) -> Any:
    """The description of a GET that answers a picture of that media type with an ETag."""
    described = _read(*errors, query=query)
    content = {kind: {"schema": {"type": "string", "format": "binary"}}}
    described["responses"][200] = {**described["responses"][200], "content": content}
    return {**described, "response_class": Response}


@_when_asked
def done(
    *errors: type[TurnoutError],
    body: type[BaseModel] | None = None,
    status: int = 204,
    matched: bool = False,
    query: type[BaseModel] | None = None,
) -> Any:
    """The description of a call that does something and has nothing to tell.

    With `matched`, the call honours If-Match.
    """
    described = _silent(status, "Done.", (*_stale(matched), *errors), body)
    asked = [*(queries.query_of(query) if query else []), *([_IF_MATCH] if matched else [])]
    if asked:
        described["openapi_extra"] = {**described["openapi_extra"], "parameters": asked}
    return described


@_when_asked
def accepted(*errors: type[TurnoutError], body: type[BaseModel]) -> Any:
    """The description of a call whose answer goes by mail, and is the same for everyone here."""
    return _silent(202, "Taken; what comes of it goes to the address.", errors, body)


@_when_asked
def sign_in(*errors: type[TurnoutError], form: type[BaseModel]) -> Any:
    """The description of the call that a form signs in by (RFC 6749)."""
    schema = {"$ref": f"#/components/schemas/{form.__name__}"}
    content = {"application/x-www-form-urlencoded": {"schema": schema}}
    refusals = _documented(*ANY_CALL, RateLimited, *_CHANGING, UnsupportedMediaType, *errors)
    bodies.body_of(form)
    return {
        "responses": {
            200: {"description": "Signed in.", "headers": {"X-Request-Id": _REQUEST_ID}},
            **refusals,
        },
        "openapi_extra": {"requestBody": {"required": True, "content": content}},
    }


def _documented(*errors: type[TurnoutError]) -> dict[int | str, dict[str, Any]]:
    """What the errors are answered with; where a role decides, it may lack a second factor."""
    by_role = NotAllowed in errors and NotSignedIn in errors
    missing: Errors = (SecondFactorMissing,) if by_role else ()
    return problems.documented(*errors, *missing)


def _silent(status: int, what: str, errors: Errors, body: type[BaseModel] | None) -> dict[str, Any]:
    headers = {"X-Request-Id": _REQUEST_ID}
    known = _KNOWN if NotSignedIn in errors else (*ANY_CALL, RateLimited)
    return {
        "status_code": status,
        "response_class": Response,
        "responses": {
            status: {"description": what, "headers": headers},
            **_documented(*known, *_CHANGING, *_of_body(body), *errors),
        },
        "openapi_extra": _body(body),
    }


def _stale(matched: bool) -> Errors:  # noqa: FBT001 - handed through from `matched=`
    return (PreconditionFailed, MalformedPrecondition) if matched else ()


def _body(body: type[BaseModel] | None) -> dict[str, Any]:
    return {} if body is None else bodies.body_of(body)


def _of_body(body: type[BaseModel] | None) -> Errors:
    return () if body is None else _WITH_BODY
