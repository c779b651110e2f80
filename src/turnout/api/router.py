"""The JSON door: every call, the ones asked for most often first."""

from starlette.routing import BaseRoute

from turnout.api import (
    audit,
    auth,
    event_life,
    events,
    health,
    me,
    problems,
    registrations,
    second_factor,
    team,
    users,
)

# `me` before `users`, whose paths would take it for an id.
_ROUTERS = (
    *(
        registrations.router,
        events.router,
        event_life.router,
        auth.router,
        me.router,
        second_factor.router,
    ),
    *(team.router, users.router, audit.router, health.router, problems.router),
)
ROUTES: list[BaseRoute] = [route for router in _ROUTERS for route in router.routes]
"""Flat: each router inside a router is asked anew for every request."""
