"""The start page, /docs to try out the API, and the files of both. Knows no other origin."""

from typing import Annotated

from fastapi import APIRouter, Header
from starlette.requests import Request
from starlette.responses import Response

from turnout.edge.caller import runtime_of
from turnout.errors import NotFound
from turnout.web import assets, render

router = APIRouter(include_in_schema=False)


@router.get("/")
async def start(request: Request) -> Response:
    """What this server is, and four calls to try it with."""
    settings = runtime_of(request).settings
    return render.page("start.html", base_url=settings.base_url, is_open=settings.open_access)


@router.get("/docs")
async def docs() -> Response:
    """The API document, to read and to try out."""
    return render.page("docs.html")


@router.get("/favicon.ico")
async def favicon() -> Response:
    """Browsers ask for it whatever a page says, and a 404 would stand in their console."""
    return _file("turnout.svg", "", "")


@router.get("/static/{name:path}")
def static(name: str, v: str = "", accept_encoding: Annotated[str, Header()] = "") -> Response:
    """One file. Not a coroutine, so that compressing it does not stop the event loop."""
    return _file(name, v, accept_encoding)


def _file(name: str, version: str, accepted: str) -> Response:
    asset = assets.ASSETS.get(name)
    if asset is None:
        raise NotFound
    compressed = asset.compressed if "gzip" in accepted else None
    kept = assets.KEPT_FOR_EVER if version == asset.version else assets.ASKED_FOR_EACH_TIME
    headers = {
        "Cache-Control": kept,
        "ETag": f'"{asset.version}{"" if compressed is None else "-gzip"}"',
        "Vary": "Accept-Encoding",
    }
    if compressed is not None:
        headers["Content-Encoding"] = "gzip"
    return Response(compressed or asset.content, media_type=asset.media_type, headers=headers)
