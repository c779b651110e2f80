"""The JSON door: every call, the ones asked for most often first."""

from starlette.routing import BaseRoute

from turnout.api import events, health, problems, registrations

ROUTES: list[BaseRoute] = [
    route
    for router in (registrations.router, events.router, health.router, problems.router)
    for route in router.routes
]
"""Flat: each router inside a router is asked anew for every request."""
