"""Answers of GET kept as bytes while nothing was committed, and If-None-Match for all of them.

Only what a route has marked with `keep` is kept, only for callers without any credential, and
before an answer is given again the database is asked whether it has changed (db/freshness.py):
what anyone just changed is what everyone next reads, on every process. Knows no feature.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turnout import clock
from turnout.db.errors import AWAY
from turnout.runtime import Runtime

MOST_BYTES = 16 * 1024 * 1024
_UNTIL = "turnout.fresh_until"
_CREDENTIALS = frozenset((b"authorization", b"cookie"))

Key = tuple[str, bytes]


def keep(scope: Scope, until: datetime) -> None:
    """Allow the answer of this request to be given to every anonymous caller until then."""
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
        wanted, known = None, False
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                wanted = value
            elif name in _CREDENTIALS:
                known = True
        version = None if known else await self._version(scope)
        if version is None:
            await self._app(scope, receive, _Recorder(send, wanted).send)
            return
        key = (scope["path"], scope["query_string"])
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
        except AWAY:
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
        recorder = _Recorder(send, wanted)
        try:
            await self._app(scope, receive, recorder.send)
            until = scope.get(_UNTIL)
            if until is not None and recorder.is_whole:
                self._keep(key, recorder.kept(version, until))
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
    """Passes a response on, turns it into 304 where it matches, and remembers it."""

    __slots__ = ("_body", "_etag", "_is_unchanged", "_send", "_start", "_wanted", "is_whole")

    def __init__(self, send: Send, wanted: bytes | None) -> None:
        self._send = send
        self._wanted = wanted
        self._start: Message = {}
        self._body: Message = {}
        self._etag: bytes | None = None
        self._is_unchanged = False
        self.is_whole = False

    async def send(self, message: Message) -> None:
        """Pass one message of the response on."""
        if message["type"] == "http.response.start":
            self._start = message
            self._etag = _header(message, b"etag") if message["status"] == 200 else None
            if self._etag and self._wanted and _matches(self._wanted, self._etag):
                self._is_unchanged = True
                message = _unchanged(message)
        else:
            self._body = message
            self.is_whole = self._etag is not None and not message.get("more_body")
            if self._is_unchanged:
                message = _NO_BODY
        await self._send(message)

    def kept(self, version: object, until: datetime) -> _Kept:
        """The response, to be given again."""
        size = len(self._body["body"]) + _OVERHEAD_BYTES
        start, etag = self._start, self._etag or b""
        return _Kept(version, until, etag, start, self._body, _unchanged(start), size)


_OVERHEAD_BYTES = 2_000
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
