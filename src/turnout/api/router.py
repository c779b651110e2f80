"""The JSON door: every call, the ones asked for most often first."""

from collections.abc import Mapping

from starlette.routing import BaseRoute

from turnout.api import (
    audit,
    auth,
    calendars,
    covers,
    event_life,
    events,
    health,
    me,
    places,
    problems,
    registrations,
    second_factor,
    series,
    slots,
    team,
    users,
)
from turnout.events import pictures

# `me` before `users`, whose paths would take it for an id, and `calendars` before `events`.
_ROUTERS = (
    *(
        registrations.router,
        calendars.router,
        events.router,
        event_life.router,
        slots.router,
        series.router,
        auth.router,
        me.router,
        second_factor.router,
    ),
    *(covers.router, places.router, team.router, users.router, audit.router),
    *(health.router, problems.router),
)
LARGER_BODIES: Mapping[str, int] = {covers.PATH: pictures.MAX_BYTES}
"""The most bytes that a body may have there, where that is more than anywhere else."""
ROUTES: list[BaseRoute] = [route for router in _ROUTERS for route in router.routes]
"""Flat: each router inside a router is asked anew for every request."""
