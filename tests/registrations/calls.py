"""One registration as a server sees it, with a client that can hang up; it knows no answer."""

import asyncio
import json
from collections.abc import Mapping

from starlette.types import Message
from tests.support.app import RunningApp


class Call:
    """A request to register that has been sent; `messages` is what came back so far."""

    def __init__(self, app: RunningApp, event_id: str, person: Mapping[str, str]) -> None:
        self.messages: list[Message] = []
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        body = json.dumps(dict(person)).encode()
        self._incoming.put_nowait({"type": "http.request", "body": body, "more_body": False})
        headers = [
            (b"host", b"testserver"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        path = f"/events/{event_id}/register"
        scope: dict[str, object] = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 50_000),
            "server": ("testserver", 80),
        }
        self.task = asyncio.create_task(self._run(app, scope))

    async def _run(self, app: RunningApp, scope: dict[str, object]) -> None:
        await app(scope, self._incoming.get, self._send)

    async def _send(self, message: Message) -> None:
        self.messages.append(message)

    def hang_up(self) -> None:
        """What a server tells an application whose client has gone."""
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def status(self) -> int:
        """The status of the answer, once the call is over."""
        await self.task
        status: int = self.messages[0]["status"]
        return status
