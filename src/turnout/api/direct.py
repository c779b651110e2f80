"""Runs the calls of the API without the framework's layers in between. Knows no feature.

FastAPI describes the calls, and answers what none of them takes (404, 405, pages). Its own way
from request to handler (telemetry, body limit, exit stacks, dependencies, response model) costs
more than a small call itself; our handlers use none of it: they read what they need themselves, in
the order that the status policy asks for, and what they raise is a problem.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from turnout.api import problems
from turnout.api.calls import Call, Router


def router(tag: str) -> Router:
    """A router for calls that are described under `tag`."""
    return Router(tag)


class Direct:
    """Pure ASGI; put it around the framework. The calls are tried in the order of `routes`."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._calls: dict[str, list[tuple[re.Pattern[str], Any]]] = defaultdict(list)
        for route in routes:
            if isinstance(route, Call):
                for method in route.methods or ():
                    self._calls[method].append((route.path_regex, route.endpoint))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request by its call; all else goes to the framework."""
        if scope["type"] == "http":
            for pattern, endpoint in self._calls.get(scope["method"], ()):
                found = pattern.match(scope["path"])
                if found is not None:
                    request = Request(scope, receive, send)
                    try:
                        response = await endpoint(request=request, **found.groupdict())
                    except Exception as error:  # noqa: BLE001 - what is no problem goes on up
                        response = problems.answer_to(request, error)
                    await response(scope, receive, send)
                    return
        await self._app(scope, receive, send)
