"""Puts the process together: doors, error maps, layers, lifespan. Nothing else."""

import asyncio
import importlib.metadata
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypedDict
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.types import ASGIApp

from turnout import interpreter
from turnout import settings as settings_
from turnout.api import openapi, problems, router
from turnout.api.direct import Direct
from turnout.db import engines
from turnout.edge.fresh import Fresh
from turnout.edge.guards import Guards
from turnout.edge.request_line import RequestLine
from turnout.observability import logs
from turnout.runtime import Runtime
from turnout.settings import Settings
from turnout.web import router as pages

_ANYWHERE = frozenset(("0.0.0.0", "[::]"))  # noqa: S104 - compared with, not listened on
_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")


class State(TypedDict):
    """What every request finds in its scope."""

    runtime: Runtime


def create_app(settings: Settings) -> ASGIApp:
    """The whole product as one ASGI application; what nobody waits for is `turnout work`'s."""
    app = FastAPI(
        title=openapi.TITLE,
        version=importlib.metadata.version("turnout"),
        lifespan=_lifespan(settings),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.router.routes.extend([*router.ROUTES, *pages.ROUTES])
    engines.load_driver(settings.database_url)
    problems.install(app)
    openapi.install(app)
    fresh = Fresh(Direct(app, router.ROUTES), prefix="/events")
    guarded = Guards(
        fresh,
        larger_bodies=router.LARGER_BODIES,
        hosts=_hosts(settings),
        misrouted=problems.misrouted(app),
    )
    return RequestLine(guarded, base_url=settings.base_url)


def _hosts(settings: Settings) -> frozenset[str]:
    """The names this server is reached by; none are wrong where its address names no machine.

    A page of somebody else's whose name is made to lead here (DNS rebinding) would otherwise act
    with whatever this server allows to its own machine, open mode above all.
    """
    named = urlsplit(settings.base_url).netloc.rpartition("@")[2].lower()
    name = re.sub(r":[0-9]+$", "", named)
    return frozenset() if name in _ANYWHERE else frozenset({name, *_THIS_MACHINE})


def app_from_environment() -> ASGIApp:
    """The application with the settings of this process's environment, for worker processes."""
    settings = settings_.load()
    logs.to_stderr(settings.log_format)
    return create_app(settings)


def _lifespan(settings: Settings) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        runtime = await Runtime.open(settings)
        interpreter.tune()
        try:
            yield {"runtime": runtime}
        finally:
            async with asyncio.timeout(30):
                await runtime.aclose()

    return lifespan
