"""The product in the test's own event loop, with its lifespan; no socket in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turnout.main import create_app
from turnout.runtime import Runtime
from turnout.settings import Settings

BASE_URL = "http://testserver"


class RunningApp:
    """One process's application after its start-up."""

    def __init__(self, app: ASGIApp, state: dict[str, Any]) -> None:
        self._app = app
        self._state = state

    @property
    def runtime(self) -> Runtime:
        """What the process holds."""
        runtime: Runtime = self._state["runtime"]
        return runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, with the state a server would hand in."""
        await self._app({**scope, "state": dict(self._state)}, receive, send)

    def client(self, **options: Any) -> httpx2.AsyncClient:
        """A client of this application."""
        transport = httpx2.ASGITransport(app=self, raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url=BASE_URL, **options)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RunningApp]:
    """The application with these settings, started and later stopped by its lifespan."""
    app, state = create_app(settings), dict[str, Any]()
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": state}
    task = asyncio.create_task(_run(app, scope, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    started = await from_app.get()
    assert started["type"] == "lifespan.startup.complete", started.get("message")
    try:
        yield RunningApp(app, state)
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        await task


async def _run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
