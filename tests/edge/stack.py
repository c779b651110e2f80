"""A small product of the tests' own behind the real edge, served by uvicorn; and a raw client."""

import http.client
import json
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar
from uuid import UUID

import uvicorn
from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Scope
from tests.support.processes import LOOPBACK, Server, free_port

from turnout.api import bodies, problems
from turnout.edge import forms
from turnout.edge.guards import Guards
from turnout.edge.protocol import Protocol
from turnout.edge.request_line import RequestLine
from turnout.errors import Conflict, NotSignedIn, TooMany
from turnout.fields import EmailText, Input, Line, Number, Paragraphs, WholeNumber, YesOrNo
from turnout.observability import logs

ROOT = Path(__file__).parents[2]
IMPORT_LIMIT_BYTES = 400_000
SECRET = "hunter2-hunter2"


class Slot(Input):
    end_time: Annotated[str, Line(40)]


class Sample(Input):
    name: Annotated[str, Line(200)]
    notes: Annotated[str, Paragraphs(500, 0)] = ""
    email: EmailText | None = None
    seats: WholeNumber | None = None
    latitude: Number | None = None
    online: YesOrNo = False
    slots: tuple[Slot, ...] = ()
    extra: Any = None


class SampleFull(Conflict):
    code = "sample-full"
    title = "The sample is full"
    explanation = "All seats are taken. <Join> the waitlist."


class SampleLimited(TooMany):
    code = "sample-limited"
    title = "Too many samples"
    explanation = "Wait a little."
    retry_after_seconds: ClassVar[int] = 7


def make_app() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, redirect_slashes=False)
    problems.install(app)
    app.router.routes.extend(problems.router.routes)

    @app.post("/samples", status_code=201, openapi_extra=bodies.body_of(Sample))
    async def create(request: Request) -> JSONResponse:
        sample = await bodies.read(request, Sample)
        return JSONResponse({"name": sample.name, "bytes": len(await forms.raw(request))}, 201)

    @app.get("/samples")
    async def search(limit: Annotated[int, Query(ge=1, le=100)] = 20) -> dict[str, int]:
        return {"limit": limit}

    @app.get("/samples/{sample_id}")
    async def show(sample_id: UUID, request: Request) -> dict[str, str]:
        return {"method": request.method, "id": str(sample_id)}

    @app.delete("/samples/{sample_id}", status_code=204)
    async def delete(sample_id: UUID) -> Response:
        return Response(f"{sample_id}"[:0], 204)

    @app.post("/samples/{sample_id}/import")
    async def take(sample_id: str, request: Request) -> dict[str, str | int]:
        return {"id": sample_id, "bytes": len(await forms.raw(request))}

    @app.post("/parsed-by-the-framework")
    async def parsed(body: dict[str, Any]) -> int:
        return len(body)

    _add_failures(app)
    _add_pages(app)
    return app


def _add_failures(app: FastAPI) -> None:
    @app.get("/full")
    async def full() -> None:
        raise SampleFull("No seat is left.", status="kept out", seats_left=0)

    @app.get("/limited")
    async def limited() -> None:
        raise SampleLimited

    @app.get("/signed")
    async def signed() -> None:
        raise NotSignedIn

    @app.get("/away")
    async def away() -> None:
        raise ConnectionRefusedError(SECRET)

    @app.get("/defect")
    async def defect() -> None:
        raise ZeroDivisionError

    @app.get("/half")
    async def half() -> StreamingResponse:
        async def rows() -> AsyncIterator[bytes]:
            yield b"first"
            raise ZeroDivisionError

        return StreamingResponse(rows())


def _add_pages(app: FastAPI) -> None:
    @app.get("/page")
    async def page() -> HTMLResponse:
        return HTMLResponse("<p>hello")

    @app.get("/cached")
    async def cached() -> Response:
        return Response(b"{}", headers={"Cache-Control": "private, no-cache"})


def make_stack(*, base_url: str = "", hosts: frozenset[str] = frozenset()) -> RequestLine:
    app = make_app()
    guards = Guards(
        app,
        larger_bodies={"/samples/{sample_id}/import": IMPORT_LIMIT_BYTES},
        hosts=hosts,
        misrouted=problems.misrouted(app),
    )
    return RequestLine(guards, base_url=base_url)


@contextmanager
def serving() -> Iterator[Server]:
    """The stack as a program of its own on a loopback port."""
    port = free_port()
    command = [sys.executable, "-m", "tests.edge.stack", str(port)]
    with Server(command, port=port, path="/samples", cwd=ROOT) as server:
        yield server


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for given, value in self.headers if given.lower() == name]

    @property
    def problem(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


def request(method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    """The bytes of a request to a host that is fine, with the length of its body."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def post_json(body: bytes, *headers: str) -> bytes:
    return request("POST", "/samples", "Content-Type: application/json", *headers, body=body)


def chunked(target: str, size: int, *headers: str) -> bytes:
    """A POST whose body of `size` bytes comes in chunks, without a length."""
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    rest = size % 65_536
    last = b"%x\r\n" % rest + b" " * rest + b"\r\n" if rest else b""
    head = request("POST", target, "Transfer-Encoding: chunked", *headers)
    return head + chunk * (size // 65_536) + last + b"0\r\n\r\n"


def ask(server: Server, raw: bytes) -> Answer:
    """The first answer to `raw`, sent as it is on a connection of its own."""
    with socket.create_connection((LOOPBACK, server.port), timeout=20) as connection:
        connection.sendall(raw)
        return receive(connection, raw.partition(b" ")[0].decode())


def receive(connection: socket.socket, method: str) -> Answer:
    with closing(http.client.HTTPResponse(connection, method=method)) as response:
        response.begin()
        return Answer(response.status, response.getheaders(), response.read())


def lines_with(server: Server, mark: str) -> list[dict[str, Any]]:
    """All lines that hold `mark`; waits for the request line, which follows the answer."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        lines = [json.loads(line) for line in server.output().splitlines() if mark in line]
        if any(line["message"] == "request" for line in lines):
            return lines
        time.sleep(0.02)
    raise TimeoutError(f"no request line with {mark} in {server.output()}")


async def no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def nowhere(_: Message) -> None:
    """Takes what nobody looks at."""


async def call(
    app: ASGIApp,
    *,
    method: str = "GET",
    path: str = "/samples",
    headers: list[tuple[bytes, bytes]],
) -> Answer:
    """The answer of `app` to a request that no server has looked at."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": headers,
    }
    await app(scope, no_body, send)
    given = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    return Answer(
        sent[0]["status"], given, b"".join(message.get("body", b"") for message in sent[1:])
    )


if __name__ == "__main__":
    logs.configure(human=False, stream=sys.stdout.buffer)
    uvicorn.run(make_stack(), host=LOOPBACK, port=int(sys.argv[1]), http=Protocol, log_config=None)
