"""The calls of the API as routes, described by FastAPI when somebody asks. Knows no feature.

A route of FastAPI's own holds a validator for each answer, parameter and refusal from the start.
Our handlers use none of them (see `direct`).
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[..., Any]
Description = Callable[[], Mapping[str, Any]]
"""Gives the options of a FastAPI route that say what a call answers."""


def _bare() -> Mapping[str, Any]:
    return {}


class Call(Route):
    """A route whose endpoint is `async def endpoint(<values of the path>, request) -> Response`.

    What the API document says of it is made when the document is: the models of all answers and
    the examples of all refusals take 3 MiB, in a server that may never be asked for them.
    """

    def __init__(
        self, method: str, path: str, endpoint: Endpoint, as_described: Description
    ) -> None:
        async def run(request: Request) -> Response:
            response: Response = await endpoint(request=request, **request.path_params)
            return response

        super().__init__(path, run, methods=[method], name=endpoint.__name__)
        self.endpoint = endpoint
        self.methods = {method}  # HEAD is the edge's, for every GET
        self._as_described = as_described

    def described(self) -> APIRoute:
        """The same call as FastAPI describes it, made anew each time."""
        described = APIRouter()
        options = self._as_described()
        described.add_api_route(self.path, self.endpoint, methods=self.methods, **options)
        [route] = described.routes
        assert isinstance(route, APIRoute)  # noqa: S101 - what add_api_route makes; narrows the type
        return route


class Router:
    """Collects calls that are described under one tag."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self.routes: list[Call] = []

    def _call(
        self, method: str, path: str, *, described: Description = _bare, **options: Any
    ) -> Callable[[Endpoint], Endpoint]:
        def as_described() -> Mapping[str, Any]:
            return {"tags": [self._tag], **options, **described()}

        def add(endpoint: Endpoint) -> Endpoint:
            self.routes.append(Call(method, path, endpoint, as_described))
            return endpoint

        return add

    def get(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """A decorator for the endpoint of a GET; `options` are FastAPI's, or of `describe`."""
        return self._call("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """A decorator, as `get`."""
        return self._call("POST", path, **options)

    def put(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """A decorator, as `get`."""
        return self._call("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """A decorator, as `get`."""
        return self._call("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """A decorator, as `get`."""
        return self._call("DELETE", path, **options)
