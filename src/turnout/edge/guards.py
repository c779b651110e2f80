"""Refuses requests that are malformed or too large before anything parses them.

It must not know what a request asks for: it sees sizes, framing and encodings alone.
"""

import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turnout.edge import answers
from turnout.edge.refusals import (
    BadRequest,
    HeadersTooLarge,
    PayloadTooLarge,
    UnsupportedMediaType,
    UriTooLong,
)
from turnout.errors import FieldError, Invalid, NotFound, TurnoutError

MAX_BODY_BYTES = 262_144
MAX_URL_BYTES = 8_192
MAX_HEADER_BYTES = 16_384
MAX_HEADERS = 100
MAX_LENGTH_DIGITS = 18

_HOST = b"host"
_LENGTH = b"content-length"
_TRANSFER = b"transfer-encoding"
_ENCODING = b"content-encoding"
_WATCHED = frozenset((_HOST, _LENGTH, _TRANSFER, _ENCODING))
_PORT = re.compile(rb":[0-9]+$")
# uri-host [ ":" port ] (RFC 9112, 3.2): a name, an IPv4 address, or an IPv6 address in brackets.
_AUTHORITY = re.compile(rb"(?:[A-Za-z0-9._~-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")

Misrouted = Callable[[Scope], TurnoutError | None]


class Guards:
    """Pure ASGI; put it inside `RequestLine` and around the framework.

    `larger_bodies` maps path templates (`/events/{event_id}/attendees/import`) to their limit in
    bytes. `hosts`, where given, are the only names answered, at any port. `misrouted` tells
    the framework's 404 or 405 for a scope: it goes before 413 and 422, so that sizes say nothing
    about a path that does not exist. It is asked only for requests that are refused anyway.

    A compressed body and a chunked one above the limit are refused at the moment it is read, which
    is after the route has looked at the credential. No more than one chunk above the limit is read.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int = MAX_BODY_BYTES,
        larger_bodies: Mapping[str, int] | None = None,
        hosts: frozenset[str] = frozenset(),
        misrouted: Misrouted | None = None,
    ) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._larger = [(_template(path), size) for path, size in (larger_bodies or {}).items()]
        self._hosts = frozenset(host.lower().encode("ascii") for host in hosts)
        self._misrouted = misrouted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            watched = _watch(scope["headers"])
            self._judge_host(scope, watched)
            _judge_url(scope)
            if len(watched) > 1:
                receive = self._judge_body(scope, watched, receive)
        except TurnoutError as error:
            await self._refuse(error, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _judge_host(self, scope: Scope, watched: dict[bytes, bytes]) -> None:
        host = watched.get(_HOST)
        if host is None:
            if scope.get("http_version") != "1.0":
                raise BadRequest("The request has no Host header.")
        elif not _AUTHORITY.fullmatch(host):
            raise BadRequest("The Host header is not a valid host.")
        elif self._hosts and _PORT.sub(b"", host.lower()) not in self._hosts:
            raise BadRequest("The Host header names a host that is not served here.")

    def _judge_body(self, scope: Scope, watched: dict[bytes, bytes], receive: Receive) -> Receive:
        length, chunked = watched.get(_LENGTH), _TRANSFER in watched
        if length is not None:
            if chunked:
                raise BadRequest("Send either Content-Length or Transfer-Encoding, not both.")
            if not length.isdigit() or len(length) > MAX_LENGTH_DIGITS:
                raise BadRequest("Content-Length is not a length in bytes.")
            size = int(length)
            if size > self._max_body_bytes and size > self._limit(scope):
                raise PayloadTooLarge
        if _ENCODING in watched and (chunked or length is not None):
            return _refuse_encoding
        return _limited(receive, self._limit(scope)) if chunked else receive

    def _limit(self, scope: Scope) -> int:
        path = scope["path"]
        limits = (size for template, size in self._larger if template.fullmatch(path))
        return next(limits, self._max_body_bytes)

    async def _refuse(
        self, error: TurnoutError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if isinstance(error, PayloadTooLarge | Invalid) and self._misrouted is not None:
            error = self._misrouted(scope) or error
        response = answers.problem_response(error, answers.request_id_of(scope))
        await response(scope, receive, send)


def _watch(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers that decide on framing, each at most once; refuses too many and too long ones."""
    if len(headers) > MAX_HEADERS:
        raise HeadersTooLarge(f"A request may have {MAX_HEADERS} headers.")
    watched: dict[bytes, bytes] = {}
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
        if name in _WATCHED:
            if name in watched and name != _ENCODING:
                raise BadRequest(f"The header {name.decode('ascii').title()} was sent twice.")
            watched[name] = value
    if size > MAX_HEADER_BYTES:
        raise HeadersTooLarge(f"Headers may have {MAX_HEADER_BYTES} bytes in all.")
    return watched


def _judge_url(scope: Scope) -> None:
    path, query = scope["path"], scope["query_string"]
    raw_path = scope.get("raw_path") or path.encode()
    if len(raw_path) + len(query) >= MAX_URL_BYTES:
        raise UriTooLong(f"Path and query together may have {MAX_URL_BYTES} bytes.")
    # Servers put U+FFFD where the path was not UTF-8. Nothing has a name with that character.
    if "\0" in path or (not path.isascii() and "\ufffd" in path):
        raise NotFound
    if query and (b"%" in query or not query.isascii()) and not _is_text(query):
        raise Invalid(
            "The query holds a NUL character or bytes that are not UTF-8.",
            fields=(FieldError("query", "invalid", "Must be UTF-8 text without NUL."),),
        )


def _is_text(query: bytes) -> bool:
    plain = unquote_to_bytes(query)
    try:
        plain.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in plain


def _limited(receive: Receive, limit: int) -> Receive:
    """A `receive` for bodies of unknown length that stops at `limit` bytes."""
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise PayloadTooLarge
        return message

    return limited


async def _refuse_encoding() -> Message:
    raise UnsupportedMediaType("A body with Content-Encoding is not read; send it uncompressed.")


def _template(path: str) -> re.Pattern[str]:
    """A pattern for `path`, in which each `{name}` stands for one segment."""
    parts = re.split(r"\{[^}]*\}", path)
    return re.compile("[^/]+".join(re.escape(part) for part in parts))
