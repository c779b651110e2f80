"""The calls about events: create, list, read."""

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Actor, Scope
from turnout.api import bodies, describe, direct, once, pages, queries, responses
from turnout.api.queries import PageQuery, ZoneQuery
from turnout.audit.audit import Cause
from turnout.db.paging import key_of
from turnout.db.session import Db
from turnout.discovery import queries as discovery
from turnout.discovery.queries import EventView
from turnout.discovery.schemas import EventOut, EventPage, event_out
from turnout.edge import answers, forms
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotAllowed, NotFound, NotSignedIn
from turnout.events import policy, times, zones
from turnout.events.errors import AmbiguousLocalTime, InvalidTimezone, NonexistentLocalTime
from turnout.events.schemas import EventIn
from turnout.idempotency.idempotency import Answer
from turnout.registrations import service as registrations
from turnout.registrations.service import AdmissionDraft

router = direct.router("Events")

EventId = Annotated[str, Path(description="The event's id.", json_schema_extra={"format": "uuid"})]
LONGEST_KEPT = timedelta(hours=1)
_WRONG_TIMES = (InvalidTimezone, NonexistentLocalTime, AmbiguousLocalTime)


class EventsQuery(PageQuery, ZoneQuery):
    """Which page of the upcoming events, and in which zone."""


def cause_of(request: Request, actor: Actor) -> Cause:
    """Who asked, and by which request, for the audit."""
    return Cause(actor.standing, actor.user_id, answers.request_id_of(request.scope))


def shown_in(query: ZoneQuery, actor: Actor) -> ZoneInfo:
    """The zone in which to show times that belong to no event: asked for, the caller's, or UTC."""
    return zones.zone(display_zone(query, actor) or zones.UTC_NAME)


def display_zone(query: ZoneQuery, actor: Actor) -> str | None:
    """The zone the caller wants times in, or None for the event's own. Raises InvalidTimezone."""
    return times.canonical_zone(query.tz, field="tz") if query.tz is not None else actor.timezone


@router.post(
    "/events",
    summary="Create an event",
    response_model=EventOut,
    **describe.create(NotSignedIn, NotAllowed, *_WRONG_TIMES, body=EventIn),
)
async def create_event(request: Request) -> Response:
    """Publish an event, or keep it as a draft. The first five fields are enough.

    Times with an offset are instants; without one they are wall clocks in the event's zone.
    """
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_WRITE)
    policy.require_creator(actor)
    body = await bodies.read(request, EventIn)
    claim = once.claim_of(request, actor, await forms.raw(request))
    work = partial(_create, request, actor, body)
    return responses.respond(await once.write(runtime, claim, work))


async def _create(request: Request, actor: Actor, body: EventIn, db: Db) -> Answer:
    default = runtime_of(request).settings.default_timezone
    zone = body.zone(actor.timezone or times.canonical_zone(default))
    opens, closes = body.window(zone)
    admission = AdmissionDraft(body.max_capacity, body.waitlist_enabled, opens, closes)
    wanted = [(body.event_draft(zone), admission)]
    cause = cause_of(request, actor)
    [event_id] = await registrations.host(db, actor, cause, wanted, clock.now())
    view = await discovery.event(db, actor, event_id)
    location = f"/events/{event_id}"
    return responses.created(event_out(view, actor.timezone), location, view.row.version)


@router.get(
    "/events",
    summary="List upcoming events",
    response_model=EventPage,
    **describe.read(InvalidTimezone, query=EventsQuery, paged=True),
)
async def list_events(request: Request) -> Response:
    """Public events that have not ended, soonest first."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_READ)
    query = queries.read(request, EventsQuery)
    zone, name, now = display_zone(query, actor), pages.query_name(actor, "events"), clock.now()
    after = _position(runtime.cursors.read(name, query.cursor)) if query.cursor else None
    async with runtime.database.read() as db:
        found = await discovery.upcoming(db, now=now, after=after, limit=query.limit + 1)
    views, cursor = pages.cut(found, query.limit, runtime.cursors, name, _key)
    page = EventPage([event_out(view, zone) for view in views], cursor)
    until = min((view.row.end_at for view in found), default=now + LONGEST_KEPT)
    return responses.read(request, page, until=until, link=responses.next_link(request, cursor))


def _key(view: EventView) -> tuple[str | int | None, ...]:
    return key_of(view.row.start_at, view.row.id)


def _position(key: tuple[str | int | None, ...]) -> tuple[datetime, UUID]:
    start, event_id = key
    return datetime.fromisoformat(str(start)), UUID(str(event_id))


@router.get(
    "/events/{event_id}",
    summary="Read an event",
    response_model=EventOut,
    **describe.read(NotFound, InvalidTimezone, query=ZoneQuery),
)
async def read_event(event_id: EventId, request: Request) -> Response:
    """One event, with its agenda and its seats."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_READ)
    async with runtime.database.read() as db:
        view = await discovery.event(db, actor, pages.id_of(event_id))
    zone = display_zone(queries.read(request, ZoneQuery), actor)
    until = clock.now() + LONGEST_KEPT
    return responses.read(request, event_out(view, zone), version=view.row.version, until=until)
