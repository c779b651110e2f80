"""A small HTTP server in the test's own loop, for a world outside that behaves as badly as wanted.

Each path has an answer that writes bytes itself; it knows nothing of what they mean.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from tests.support.processes import LOOPBACK


@dataclass(frozen=True)
class Request:
    """What was asked; the names of `headers` are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: str = ""

    @property
    def asked(self) -> dict[str, str]:
        """The parameters of the address, each of which came once."""
        return {name: value for name, (value,) in parse_qs(self.query).items()}

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form, each of which came once."""
        return {name: value for name, (value,) in parse_qs(self.body.decode()).items()}


Answer = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


class SmallServer:
    """Answers by path, 404 for others; `asked` holds each request in the order it came."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self.answers: dict[str, Answer] = {}
        self.asked: list[Request] = []

    def times_asked(self, path: str) -> int:
        """How often that path was asked for."""
        return sum(request.path == path for request in self.asked)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request and its answer; then the connection is closed."""
        # The other side may hang up at any time: that is what some tests are about.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await _request(reader)
            self.asked.append(request)
            await self.answers.get(request.path, NOT_FOUND)(request, writer)
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def small_server() -> AsyncIterator[SmallServer]:
    """A server on a free loopback port; leaving ends its answers, unfinished ones too."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(small.serve(reader, writer))
        tasks.add(task)
        try:
            await task
        except asyncio.CancelledError:
            writer.transport.abort()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    small = SmallServer(server.sockets[0].getsockname()[1])
    async with server:
        yield small
        for task in tasks:
            task.cancel()


async def _request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Request(method, parts.path, headers, body, parts.query)


def answer(body: bytes, status: str = "200 OK", **headers: str) -> Answer:
    """A whole answer; `content_type` becomes Content-Type, and so on."""
    named = {"Content-Length": str(len(body))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return raw(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body)


def json_answer(value: object, status: str = "200 OK") -> Answer:
    """A whole answer that holds `value` as JSON."""
    return answer(json.dumps(value).encode(), status, content_type="application/json")


def raw(data: bytes) -> Answer:
    """These bytes, and then the end."""

    async def write(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return write


async def silence(_: Request, __: asyncio.StreamWriter) -> None:
    """Nothing, until the other side or the test gives up."""
    await asyncio.Event().wait()


async def trickle(_: Request, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, each soon enough, and no end."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


NOT_FOUND = answer(b"", "404 Not Found")
