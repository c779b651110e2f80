"""Whether the process lives and may be sent requests. Knows no feature."""

from dataclasses import asdict, dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from turnout import tables
from turnout.api import direct
from turnout.db import health
from turnout.edge import client
from turnout.edge.caller import runtime_of
from turnout.edge.refusals import Unavailable
from turnout.events import times

router = direct.router("Operation")


@dataclass(frozen=True, slots=True)
class Alive:
    """The process can answer."""

    status: Literal["ok"]


@dataclass(frozen=True, slots=True)
class Ready(Alive):
    """The process may be sent requests; the versions are told on the machine itself."""

    database: str | None
    schema: str | None
    tzdata: str | None


@router.get("/health/live", summary="Is the process alive?", response_model=Alive)
async def check_live(request: Request) -> Response:
    """Answers as long as the process can answer at all; asks nothing else."""
    del request
    return JSONResponse(asdict(Alive("ok")))


@router.get("/health/ready", summary="May it be sent requests?", response_model=Ready)
async def check_ready(request: Request) -> Response:
    """Answers 200 when the database can be reached and has the schema of this version.

    Callers on the machine itself also learn the versions in use.
    """
    facts = await health.check(runtime_of(request).database)
    if facts["schema"] != tables.REVISION:
        raise Unavailable("The database has the schema of another version of Turnout.")
    if not _is_local(request):
        return JSONResponse(asdict(Ready("ok", None, None, None)))
    found = Ready("ok", facts["database"], facts["schema"], times.tzdata_version())
    return JSONResponse(asdict(found))


def _is_local(request: Request) -> bool:
    """Whether it comes from this machine; a proxy here that is not trusted speaks for others."""
    trusted = runtime_of(request).settings.trusted_proxies
    if not trusted and "x-forwarded-for" in request.headers:
        return False
    address = client.address_of(request.scope, trusted)
    return address is not None and address.is_loopback
