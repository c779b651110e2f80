"""uvicorn's HTTP/1.1 protocol with our refusals and bounds. Knows bytes on a connection alone.

What the parser itself refuses never becomes a request, so that no middleware can answer it; the
stock protocol answers in plain text. It also sets no bound to the size of a head, to what comes
between and after the chunks of a body, and to the requests that wait on one connection; it takes
trailers for headers, and waits for ever for a client that never finishes a message.
"""

import re
import sys
from asyncio import TimerHandle, Transport
from http import HTTPStatus
from typing import cast

import httptools
import uuid_utils
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from turnout.edge import answers
from turnout.edge.headers import SecurityHeaders
from turnout.edge.joined_writes import JoinedWrites
from turnout.edge.refusals import BadRequest, HeadersTooLarge, MethodNotAllowed, Refusal
from turnout.structured import structlog

MAX_HEAD_BYTES = 65_536
"""Of the request line and all headers; the guards refuse far less, but only once they see it."""
SLOW_SECONDS = 30.0
MAX_PARSED_HEADERS = 1_000
"""Of a head or trailers that are still coming in. Short ones take ten times their bytes."""
MAX_FRAMING_RATIO = 8
"""Bytes that may frame one byte of a body: chunks of one byte have five."""
MAX_PIPELINED = 32
"""Requests that wait on one connection while an earlier one is answered."""

log = structlog.get_logger()
_METHODS = "DELETE, GET, HEAD, PATCH, POST, PUT"
_REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP/1\.[01]\r?\n")
_HEADERS = SecurityHeaders(https=False)


class TooManyWaiting(Exception):
    """A client sends requests without reading the answers."""


class Protocol(HttpToolsProtocol):
    """For `uvicorn.run(http=Protocol)`.

    A message that cannot be parsed is answered with a problem, an unknown method with 405, and a
    head of more than `MAX_HEAD_BYTES` with 431; the connection then closes. A client that has more
    than `MAX_PIPELINED` requests wait, or has not completed a message after `SLOW_SECONDS` to twice
    that, is cut off.
    """

    _in_head = True
    _unframed_bytes = 0
    _first_bytes = b""
    _is_receiving = True  # from the connection on: one that sends nothing is slow as well
    _begun = 0
    _begun_before = 0
    _watch: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as uvicorn's own: asyncio says BaseTransport and passes a Transport
        """Begin to watch for slowness: one timer a connection, none a request."""
        super().connection_made(cast("Transport", JoinedWrites(transport, self.loop)))
        self._watch = self.loop.call_later(SLOW_SECONDS, self._cut_if_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the watch."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse `data`, and refuse what does not end."""
        if self._in_head and self._latest() is None:
            self._first_bytes = data[:MAX_HEAD_BYTES]
        self._unframed_bytes += len(data)
        super().data_received(data)
        if self._is_endless() and not self.transport.is_closing():
            self._refuse(HeadersTooLarge())

    def _is_endless(self) -> bool:
        """Whether a head, or what frames a body, has come to more than anyone needs."""
        if self._unframed_bytes > MAX_HEAD_BYTES:
            return True
        headers: list[tuple[bytes, bytes]] | None = self.headers  # None before the first message
        return headers is not None and len(headers) > MAX_PARSED_HEADERS

    def on_message_begin(self) -> None:
        """Note that a message comes in, unless too many wait: an exception stops the parser."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise TooManyWaiting
        self._begun += 1
        self._is_receiving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note the end of its head."""
        self._in_head = False
        super().on_headers_complete()
        # Trailers are appended here: they must not become headers (RFC 9110, 6.5.1), which have
        # been looked at by then.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, which pays for some framing."""
        self._unframed_bytes = max(0, self._unframed_bytes - MAX_FRAMING_RATIO * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note the end of its body."""
        self._is_receiving = False
        self._in_head = True
        self._unframed_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - its text is for logs
        """Answer what the parser refused; uvicorn calls it while it handles that exception."""
        if len(self.pipeline) >= MAX_PIPELINED:
            # Others are to be answered first, and these bytes would be taken for their answer.
            self.transport.close()
            return
        is_method = isinstance(sys.exception(), httptools.HttpParserInvalidMethodError)
        # The parser says the same of what follows a body that was longer than declared.
        if is_method and self._latest() is None and _REQUEST_LINE.match(self._first_bytes):
            self._refuse(MethodNotAllowed(allow=_METHODS))
        else:
            self._refuse(BadRequest())

    def _refuse(self, error: Refusal) -> None:
        latest = self._latest()
        # Inside an answer that is on its way these bytes would be taken for a part of it.
        if latest is None or latest.response_complete or not latest.response_started:
            request_id = str(uuid_utils.uuid7())
            log.info("a message was refused", request_id=request_id, status=error.status)
            self.transport.write(_as_bytes(error, request_id))
        self.transport.close()

    def _latest(self) -> RequestResponseCycle | None:
        """The latest request here, None before the first, which uvicorn's annotation leaves out."""
        return self.cycle

    def _cut_if_slow(self) -> None:
        if self._is_receiving and self._begun == self._begun_before:
            self.transport.close()
            return
        self._begun_before = self._begun
        self._watch = self.loop.call_later(SLOW_SECONDS, self._cut_if_slow)


def _as_bytes(error: Refusal, request_id: str) -> bytes:
    response = answers.problem_response(error, request_id, {"Connection": "close"})
    headers = [*response.raw_headers, (b"x-request-id", request_id.encode())]
    lines = [b"HTTP/1.1 %d %s" % (error.status, HTTPStatus(error.status).phrase.encode())]
    lines += [b"%s: %s" % header for header in (*headers, *_HEADERS.for_response(headers))]
    return b"\r\n".join([*lines, b"", cast("bytes", response.body)])
