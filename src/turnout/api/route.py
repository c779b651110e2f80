"""How a call of the API is run: the path's values and the request in, a Response out.

FastAPI describes the route for the API document and matches its path. Its own way from request to
handler (dependencies, two exit stacks, its body parser, a response model) is left out: our handlers
read what they need themselves, in the order that the status policy asks for, and each stage costs
as much as the rest of a small call.
"""

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope, Send


class Call(APIRoute):
    """A route whose endpoint is `async def endpoint(<values of the path>, request) -> Response`."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. What the endpoint raises is answered by the error maps."""
        if scope["method"] not in (self.methods or ()):
            raise HTTPException(405)
        request = Request(scope, receive, send)
        response = await self.endpoint(request=request, **scope["path_params"])
        await response(scope, receive, send)


def router(tag: str) -> APIRouter:
    """A router for calls that are described under `tag`."""
    return APIRouter(tags=[tag], route_class=Call)


def operation_id(route: APIRoute) -> str:
    """The name of a call in the API document: that of its function."""
    return route.name
