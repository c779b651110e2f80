"""The HTML door: every page."""

from starlette.routing import BaseRoute

from turnout.web import docs, events, people, provider

ROUTES: list[BaseRoute] = [
    route
    for router in (docs.router, events.router, people.router, provider.router)
    for route in router.routes
]
