"""The start page, /docs to try out the API, and the files of both. Knows no other origin."""

from fastapi import APIRouter
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
def static(request: Request) -> Response:
    """One file. Not a coroutine, so that compressing it does not stop the event loop."""
    asked = request.query_params.get("v", "")
    return _file(request.path_params["name"], asked, request.headers.get("accept-encoding", ""))


def _file(name: str, version: str, accepted: str) -> Response:
    asset = assets.ASSETS.get(name)
    if asset is None:
        raise NotFound
    content = asset.read()
    compressed = asset.compressed(content) if "gzip" in accepted else None
    # An upgrade may have put another file there since the start: it is not what the address names.
    kept = assets.KEPT_FOR_EVER if version == content.version else assets.ASKED_FOR_EACH_TIME
    headers = {
        "Cache-Control": kept,
        "ETag": f'"{content.version}{"" if compressed is None else "-gzip"}"',
        "Vary": "Accept-Encoding",
    }
    if compressed is not None:
        headers["Content-Encoding"] = "gzip"
    return Response(compressed or content.data, media_type=asset.media_type, headers=headers)
