"""What all pages of people have in common: who looks, and what a refusal looks like."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from turnout.accounts.actor import Actor
from turnout.db.errors import is_away, suspect
from turnout.edge import answers
from turnout.edge.caller import visitor_of
from turnout.edge.refusals import Unavailable
from turnout.errors import NotSignedIn, TurnoutError
from turnout.web import render

LOGIN = "/login"


class Page(APIRoute):
    """A route whose refusals are pages, too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, as FastAPI asks for it."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except NotSignedIn:
                return to_login(request)
            except TurnoutError as error:
                return refusal(request, error)
            except suspect() as error:
                if not is_away(error):
                    raise
                return refusal(request, Unavailable())

        return answer


def router() -> APIRouter:
    """A router for pages; the API document does not have them."""
    return APIRouter(include_in_schema=False, route_class=Page)


async def signed_in(request: Request) -> Actor:
    """The account that looks at the page. Raises NotSignedIn where nobody is signed in."""
    actor = await visitor_of(request)
    if not actor.is_account:
        raise NotSignedIn
    return actor


def go(path: str) -> Response:
    """To another page, by GET."""
    return RedirectResponse(path, status_code=303)


def to_login(request: Request) -> Response:
    """To the sign-in page, and from there back to this one, where it can be asked for again."""
    if request.method != "GET":
        return go(LOGIN)
    path, query = quote(request.scope["path"]), request.scope["query_string"].decode("latin-1")
    return go(login_before(f"{path}?{query}" if query else path))


def login_before(wanted: str, notice: str = "") -> str:
    """The address of the sign-in page from which people go on to `wanted`; it shows `notice`."""
    return f"{LOGIN}?{notice}{'&' if notice else ''}next={quote(wanted, safe='/')}"


def refusal(request: Request, error: TurnoutError) -> Response:
    """A page that says why not."""
    status = answers.status_of(type(error))
    headers = answers.headers_of(error)
    request_id = answers.request_id_of(request.scope)
    page = render.page("refusal.html", status=status, error=error, request_id=request_id)
    page.status_code = status
    page.headers.update(headers)
    return page
