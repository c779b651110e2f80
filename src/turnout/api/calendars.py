"""The calls that answer events as iCalendar: one event, and a calendar to subscribe to."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Actor, Scope
from turnout.api import describe, direct, finding, pages, queries, responses
from turnout.api.events import LONGEST_KEPT, EventId, default_zone, display_zone
from turnout.api.finding import FilterQuery
from turnout.discovery import ical, search
from turnout.discovery import queries as discovery
from turnout.discovery.queries import EventView
from turnout.edge import caller, fresh
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotFound, NotSignedIn
from turnout.events.errors import AmbiguousLocalTime, InvalidTimezone, NonexistentLocalTime

router = direct.router("Events")

MOST_EVENTS = 500
"""In a calendar, the soonest ones: programs that subscribe ask again and again for all of it."""
CALENDAR_NAME = "Turnout"
_WRONG = (InvalidTimezone, NonexistentLocalTime, AmbiguousLocalTime)


@router.get(
    "/events/{event_id}.ics",
    summary="An event for a calendar",
    **describe.text(NotFound, kind="text/calendar"),
)
async def read_event_calendar(event_id: EventId, request: Request) -> Response:
    """The event as iCalendar (RFC 5545), in its own time zone; its UID never changes."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_READ)
    async with runtime.database.read() as db:
        view = await discovery.event(db, actor, pages.id_of(event_id))
    until, name = clock.now() + LONGEST_KEPT, f"{view.row.slug}.ics"
    body = await _written([view], runtime.settings.base_url)
    return _answer(request, body, name, version=view.row.version, until=until)


@router.get(
    "/calendar.ics",
    summary="A calendar to subscribe to",
    **describe.text(NotSignedIn, *_WRONG, kind="text/calendar", query=FilterQuery),
)
async def read_calendar(request: Request) -> Response:
    """The first 500 of the events that `GET /events` finds, as iCalendar (RFC 5545)."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_READ)
    query = queries.read(request, FilterQuery)
    views = await _found(request, query, actor)
    body = await _written(views, runtime.settings.base_url, CALENDAR_NAME)
    return _answer(request, body, "calendar.ics")


async def _found(request: Request, query: FilterQuery, actor: Actor) -> Sequence[EventView]:
    runtime = runtime_of(request)
    zone = display_zone(query, actor) or default_zone(runtime)
    wanted = finding.wanted_of(query, actor, zone, clock.now())
    if wanted is None:
        return []
    return await search.views(runtime.database, wanted, limit=MOST_EVENTS)


async def _written(views: Sequence[EventView], base_url: str, name: str | None = None) -> bytes:
    """The calendar, written beside the loop: hundreds of events take some 200 milliseconds."""
    return await asyncio.to_thread(ical.calendar, [view.row for view in views], base_url, name)


def _answer(
    request: Request,
    body: bytes,
    name: str,
    *,
    version: int | None = None,
    until: datetime | None = None,
) -> Response:
    """The file; the edge answers If-None-Match, and may give it again `until` then."""
    headers = {
        "ETag": responses.etag_of(body, version),
        "Cache-Control": responses.REVALIDATE,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    if until is not None:
        ends = caller.known_until(request.scope)
        fresh.keep(request.scope, until if ends is None else min(until, ends))
    return Response(body, headers=headers, media_type=ical.MEDIA_TYPE)
