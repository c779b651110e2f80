"""A client of one kept-alive connection, light enough for hundreds at once; it judges no answer."""

import asyncio
import json
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import uvloop
from tests.support.processes import LOOPBACK

LONGEST_ANSWER_SECONDS = 30.0
T = TypeVar("T")


class Unanswered(Exception):
    """The connection ended, or time ran out, before the answer was whole; it may have an effect."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body, parsed."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def code(self) -> str:
        """The code of a problem, empty for an answer that is none."""
        is_problem = self.headers.get("content-type") == "application/problem+json"
        return str(self.json["code"]) if is_problem else ""


class Client:
    """Sends one request at a time to a loopback port; dials when it has to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang_up()

    async def dial(self) -> None:
        """Connect, if there is no connection. Raises Unanswered when nobody listens."""
        if self._streams is None:
            try:
                self._streams = await asyncio.open_connection(LOOPBACK, self._port)
            except OSError as error:
                raise Unanswered from error

    def hang_up(self) -> None:
        """Drop the connection, answered or not."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def get(self, path: str) -> Reply:
        """The answer to a GET."""
        return await self._ask(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())

    async def post(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Reply:
        """The answer to a POST of `body` as JSON."""
        content = json.dumps(body).encode()
        extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = (
            f"POST {path} HTTP/1.1\r\nhost: localhost\r\n{extra}"
            f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
        )
        return await self._ask(head.encode() + content)

    async def _ask(self, request: bytes) -> Reply:
        await self.dial()
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(request)
        try:
            async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
                return await _reply(reader)
        except (OSError, asyncio.IncompleteReadError) as error:  # TimeoutError is an OSError
            self.hang_up()
            raise Unanswered from error


async def _reply(reader: asyncio.StreamReader) -> Reply:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    named = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in named}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Reply(int(first.split(" ", 2)[1]), headers, body)


def run_quickly(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work` in an event loop that leaves the processor to the servers."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
