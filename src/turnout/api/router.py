"""The JSON door: every call, the ones asked for most often first."""

from collections.abc import Mapping

from starlette.routing import BaseRoute

from turnout.api import (
    audit,
    auth,
    calendar_feeds,
    calendars,
    changes,
    covers,
    event_life,
    events,
    health,
    mails,
    me,
    outgoing,
    personal_data,
    places,
    preferences,
    problems,
    registrations,
    second_factor,
    series,
    slots,
    team,
    users,
    webhooks,
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
        mails.router,
        auth.router,
        me.router,
        *(preferences.router, calendar_feeds.router, personal_data.router),
        second_factor.router,
    ),
    *(covers.router, places.router, team.router, users.router, audit.router, outgoing.router),
    *(webhooks.router, changes.router),
    *(health.router, problems.router),
)
LARGER_BODIES: Mapping[str, int] = {covers.PATH: pictures.MAX_BYTES}
"""The most bytes that a body may have there, where that is more than anywhere else."""
ROUTES: list[BaseRoute] = [route for router in _ROUTERS for route in router.routes]
"""Flat: each router inside a router is asked anew for every request."""
