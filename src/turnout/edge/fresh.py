"""Answers of GET kept as bytes while nothing was committed, and If-None-Match for all of them.

Only what a route has marked with `keep` is kept, and before an answer is given again the database
is asked whether it has changed (db/freshness.py): what anyone just changed is what everyone next
reads, on every process. An answer to a credential is given again to that credential alone, to the
byte of its headers: whoever it belongs to, and whether it still counts, is in the database too, and
its end is an end of the kept answer. Knows no feature.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turnout import clock
from turnout.db.errors import suspect
from turnout.runtime import Runtime

MOST_BYTES = 4 * 1024 * 1024
_UNTIL = "turnout.fresh_until"
_CREDENTIALS = frozenset((b"authorization", b"cookie"))

Key = tuple[str, bytes, bytes]
"""Path, query, and the credential that was sent, if any."""


def keep(scope: Scope, until: datetime) -> None:
    """Allow the answer of this request to be given again, to the same credential, until then."""
    scope[_UNTIL] = until


@dataclass(frozen=True, slots=True)
class _Kept:
    version: object
    until: datetime
    etag: bytes
    start: Message
    body: Message
    unchanged: Message
    """The start of the 304."""
    size: int


class Fresh:
    """Pure ASGI; put it around the routes. Only paths that begin with `prefix` are ever kept."""

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self._app = app
        self._prefix = prefix
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._bytes = 0
        self._building: dict[Key, tuple[object, asyncio.Event]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a GET from what is kept where that is right; all else passes through."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        wanted, credential = None, b""
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                wanted = value
            elif name in _CREDENTIALS:
                credential += name + b":" + value + b"\n"
        version = await self._version(scope)
        if version is None:
            await self._app(scope, receive, _Recorder(send, wanted).send)
            return
        key = (scope["path"], scope["query_string"], credential)
        kept = self._current(key, version) or await self._from_builder(key, version)
        if kept is None:
            await self._build(key, version, wanted, scope, receive, send)
        elif wanted is not None and _matches(wanted, kept.etag):
            await send(kept.unchanged)
            await send(_NO_BODY)
        else:
            await send(kept.start)
            await send(kept.body)

    async def _version(self, scope: Scope) -> object:
        if not scope["path"].startswith(self._prefix):
            return None
        runtime: Runtime = scope["state"]["runtime"]
        try:
            return await runtime.database.freshness.version()
        except suspect():
            return None  # The route meets the same fault and answers it.

    def _current(self, key: Key, version: object) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is None or kept.version != version or kept.until <= clock.now():
            return None
        self._kept.move_to_end(key)
        return kept

    async def _from_builder(self, key: Key, version: object) -> _Kept | None:
        """What another request is building from the same version; many may ask at once."""
        building = self._building.get(key)
        if building is None or building[0] != version:
            return None
        await building[1].wait()
        return self._current(key, version)

    async def _build(
        self,
        key: Key,
        version: object,
        wanted: bytes | None,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        done = asyncio.Event()
        self._building[key] = (version, done)

        def built(recorder: _Recorder) -> None:
            until = scope.get(_UNTIL)
            if until is not None:
                self._keep(key, recorder.kept(version, until, _size_of(key)))
            done.set()

        try:
            await self._app(scope, receive, _Recorder(send, wanted, built).send)
        finally:
            done.set()
            if self._building.get(key) == (version, done):
                del self._building[key]

    def _keep(self, key: Key, kept: _Kept) -> None:
        before = self._kept.pop(key, None)
        self._bytes += kept.size - (before.size if before else 0)
        self._kept[key] = kept
        while self._bytes > MOST_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.size


class _Recorder:
    """Passes a response on, turns it into 304 where it matches, and remembers it.

    `built` is told of a whole answer before any of it is sent: whoever waits for it must not wait
    for the client that asked first, which may be slow.
    """

    __slots__ = ("_body", "_built", "_etag", "_is_unchanged", "_send", "_start", "_wanted")

    def __init__(
        self, send: Send, wanted: bytes | None, built: "Callable[[_Recorder], None] | None" = None
    ) -> None:
        self._send = send
        self._wanted = wanted
        self._built = built
        self._start: Message | None = None
        self._body: Message = {}
        self._etag: bytes | None = None
        self._is_unchanged = False

    async def send(self, message: Message) -> None:
        """Pass one message of the response on, its start together with what follows."""
        if message["type"] == "http.response.start":
            self._begin(message)
            return
        start, self._body = self._start, message
        if start is not None:
            if self._built and self._etag is not None and not message.get("more_body"):
                self._built(self)
            self._start = None
            await self._send(_unchanged(start) if self._is_unchanged else start)
        await self._send(_NO_BODY if self._is_unchanged else message)

    def _begin(self, start: Message) -> None:
        self._start = start
        self._etag = _header(start, b"etag") if start["status"] == 200 else None
        self._is_unchanged = bool(
            self._etag and self._wanted and _matches(self._wanted, self._etag)
        )

    def kept(self, version: object, until: datetime, key_size: int) -> _Kept:
        """The response, to be given again; `key_size` in bytes is what its key takes beside it."""
        assert self._start is not None  # noqa: S101 - `built` is told before the start is sent; narrows the type
        size = len(self._body["body"]) + key_size + _OVERHEAD_BYTES
        start, etag = self._start, self._etag or b""
        # A copy: what the encoder gave keeps the room it wrote in, twice of what it needs.
        body = {**self._body, "body": bytes(memoryview(self._body["body"]))}
        return _Kept(version, until, etag, start, body, _unchanged(start), size)


_OVERHEAD_BYTES = 2_000


def _size_of(key: Key) -> int:
    return sum(len(part) for part in key)


_NO_BODY: Message = {"type": "http.response.body", "body": b""}
# What RFC 9110, 15.4.5 wants on a 304: what a cache needs, and nothing that describes a body.
_OF_BODY = frozenset((b"content-length", b"content-type"))


def _unchanged(start: Message) -> Message:
    headers = [pair for pair in start["headers"] if pair[0] not in _OF_BODY]
    return {"type": "http.response.start", "status": 304, "headers": headers}


def _header(start: Message, wanted: bytes) -> bytes | None:
    return next((value for name, value in start["headers"] if name == wanted), None)


def _matches(wanted: bytes, etag: bytes) -> bool:
    """Whether If-None-Match names the tag; weakly compared (RFC 9110, 13.1.2)."""
    if wanted == etag or wanted.strip() == b"*":
        return True
    return any(tag.strip().removeprefix(b"W/") == etag for tag in wanted.split(b","))
