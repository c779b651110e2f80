"""The HTML door: every page."""

from starlette.routing import BaseRoute

from turnout.web import docs, events, people, provider, registrations, unsubscribe

ROUTES: list[BaseRoute] = [
    route
    for router in (
        *(docs.router, events.router, people.router, provider.router),
        *(registrations.router, unsubscribe.router),
    )
    for route in router.routes
]
