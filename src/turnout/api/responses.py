"""Turns what features give into responses: JSON once, ETag, Link. Knows no feature."""

import re
from datetime import datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from turnout.edge import caller, fresh
from turnout.edge.refusals import MalformedPrecondition, PreconditionFailed
from turnout.idempotency.idempotency import Answer

MEDIA_TYPE = "application/json"
# Kept by the caller alone, and asked for again each time: then If-None-Match makes it cheap.
REVALIDATE = "private, no-cache"


def body_of(content: Any) -> bytes:
    """Dataclasses, ids and aware times as JSON (RFC 8259, times as RFC 3339)."""
    return orjson.dumps(content)


def etag_of(body: bytes, version: int | None = None) -> str:
    """A strong ETag (RFC 9110, 8.8.3): the row's version where there is one, and the bytes."""
    digest = blake2b(body, digest_size=12).hexdigest()
    return f'"{digest}"' if version is None else f'"{version}-{digest}"'


def read(
    request: Request,
    content: Any,
    *,
    version: int | None = None,
    until: datetime | None = None,
    link: str | None = None,
) -> Response:
    """The answer to a GET; the edge answers If-None-Match.

    With `until`, the answer stays right for this credential until then, as long as nothing is
    committed.
    """
    body = body_of(content)
    headers = {"ETag": etag_of(body, version), "Cache-Control": REVALIDATE}
    if link is not None:
        headers["Link"] = link
    if until is not None:
        ends = caller.known_until(request.scope)
        fresh.keep(request.scope, until if ends is None else min(until, ends))
    return Response(body, headers=headers, media_type=MEDIA_TYPE)


def created(content: Any, location: str | None, version: int | None = None) -> Answer:
    """The answer to a POST that made `content`, found at `location` from now on."""
    body = body_of(content)
    headers = {"ETag": etag_of(body, version), "Content-Type": MEDIA_TYPE}
    if location is not None:
        headers["Location"] = location
    return Answer(201, headers, body)


def plain(content: Any) -> Response:
    """The answer to a call that is no resource: tokens, codes."""
    return Response(body_of(content), media_type=MEDIA_TYPE)


def changed(content: Any, version: int | None = None) -> Response:
    """The answer to a change: what the resource is now."""
    body = body_of(content)
    return Response(body, headers={"ETag": etag_of(body, version)}, media_type=MEDIA_TYPE)


def version_at(updated_at: datetime) -> int:
    """The version of a row that has no number of its own: microseconds since 1970."""
    return int(updated_at.timestamp() * 1_000_000)


def require_match(request: Request, version: int) -> None:
    """Let a change through that names no ETag in If-Match, or one of the present version.

    A version is one state of the row, however it was shown. Raises PreconditionFailed for another,
    MalformedPrecondition for what is no entity tag (RFC 9110, 13.1.1).
    """
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return
    tags = [tag.strip() for tag in given.split(",")]
    if not all(_ENTITY_TAG.fullmatch(tag) for tag in tags):
        raise MalformedPrecondition
    # A weak tag never matches here: it does not say that the state is the same.
    if not any(tag.startswith(f'"{version}-') for tag in tags):
        raise PreconditionFailed


_ENTITY_TAG = re.compile(r'(?:W/)?"[!#-~\x80-\xff]*"')


def respond(answer: Answer) -> Response:
    """The response with that answer."""
    return Response(answer.body, answer.status, answer.headers)


def next_link(request: Request, cursor: str | None) -> str | None:
    """The Link header (RFC 8288) to the next page, or None on the last."""
    if cursor is None:
        return None
    kept = [(k, v) for k, v in request.query_params.multi_items() if k != "cursor"]
    return f'<{request.scope["path"]}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'
