"""The outermost layer: an id, the security headers and one log line for every request.

It must not know routes, callers or the database: what it does holds for any answer.
"""

import re
import time

import uuid_utils
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turnout.edge import answers, limits
from turnout.edge.headers import SecurityHeaders
from turnout.edge.refusals import InternalError
from turnout.observability import logs
from turnout.structured import structlog

LOGGED_PATH_CHARACTERS = 300
_ACCEPTABLE_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")

log = structlog.get_logger()


class RequestLine:
    """Pure ASGI; put it around everything else.

    `base_url` decides on HSTS alone. The id is in `scope["state"]["request_id"]` and in every
    log line that is written meanwhile. HEAD is answered by the route's GET without its body
    (RFC 9110, 9.3.2). An exception that nobody caught is logged once and answered with 500; where
    the response had begun, the connection is cut, so that no client takes half for the whole.
    """

    def __init__(self, app: ASGIApp, *, base_url: str = "") -> None:
        self._app = app
        self._headers = SecurityHeaders(https=base_url.startswith("https:"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other scopes (lifespan) pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _id_of(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        logs.request_id.set(request_id)
        is_head = scope["method"] == "HEAD"
        answer = _Answer(scope, send, self._headers, request_id, is_head=is_head)
        try:
            # A copy for HEAD: the server looks at its own scope to know that no body may follow.
            inner = {**scope, "method": "GET"} if answer.is_head else scope
            await self._app(inner, receive, answer.send)
        except Exception:
            log.exception("an exception escaped")
            await _answer_defect(scope, receive, answer)
        finally:
            logs.request_line(
                method=scope["method"],
                path=scope["path"][:LOGGED_PATH_CHARACTERS],
                status=answer.status,
                duration_ms=round((time.perf_counter() - started) * 1000, 3),
                sent_bytes=answer.sent_bytes,
            )


class _Answer:
    """The way out of one request: adds the headers and counts what was sent."""

    __slots__ = ("_headers", "_id", "_scope", "_send", "is_head", "sent_bytes", "status")

    def __init__(
        self, scope: Scope, send: Send, headers: SecurityHeaders, request_id: str, *, is_head: bool
    ) -> None:
        self._scope = scope
        self._send = send
        self._headers = headers
        self._id = request_id.encode()
        self.is_head = is_head
        self.status = 0
        self.sent_bytes = 0

    async def send(self, message: Message) -> None:
        """Pass one message of the response on; a body does not follow an answer to HEAD."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = message.get("headers", ())
            added = self._headers.for_response(given)
            own = ((b"x-request-id", self._id), *limits.headers_of(self._scope))
            message = {**message, "headers": [*given, *own, *added]}
        elif self.is_head:
            message = {**message, "body": b""}
        elif message["type"] == "http.response.body":
            self.sent_bytes += len(message.get("body", b""))
        await self._send(message)


def _id_of(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ACCEPTABLE_ID.fullmatch(value):
            inbound: bytes = value
            return inbound.decode("ascii")
    # The library's own type turns into text nine times faster than the standard library's, which
    # `ids.new_id` gives; nothing but text is needed here.
    return str(uuid_utils.uuid7())


async def _answer_defect(scope: Scope, receive: Receive, answer: _Answer) -> None:
    if answer.status:
        return  # An unfinished answer makes the server cut the connection; no other can follow.
    problem = answers.problem_response(InternalError(), answers.request_id_of(scope))
    await problem(scope, receive, answer.send)
