"""Whether the process lives and may be sent requests. Knows no feature."""

import ipaddress

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from turnout import tables
from turnout.api import direct
from turnout.db import health
from turnout.edge.caller import runtime_of
from turnout.edge.refusals import Unavailable
from turnout.events import times

router = direct.router("Operation")


@router.get("/health/live", summary="Is the process alive?")
async def live(request: Request) -> Response:
    """Answers as long as the process can answer at all; asks nothing else."""
    del request
    return JSONResponse({"status": "ok"})


@router.get("/health/ready", summary="May it be sent requests?")
async def ready(request: Request) -> Response:
    """Answers 200 when the database can be reached and has the schema of this version.

    Callers on the machine itself also learn the versions in use.
    """
    facts = await health.check(runtime_of(request).database)
    if facts["schema"] != tables.REVISION:
        raise Unavailable("The database has the schema of another version of Turnout.")
    detail = {**facts, "tzdata": times.tzdata_version()} if _is_local(request) else {}
    return JSONResponse({"status": "ok", **detail})


def _is_local(request: Request) -> bool:
    if request.client is None or "x-forwarded-for" in request.headers:
        return False
    return ipaddress.ip_address(request.client.host).is_loopback
