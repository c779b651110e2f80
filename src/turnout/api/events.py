"""The calls about events: create, find, read."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

import orjson
from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Actor, Scope
from turnout.api import bodies, describe, direct, finding, once, pages, queries, responses
from turnout.api.finding import EventsQuery
from turnout.api.queries import ZoneQuery
from turnout.audit.audit import Cause
from turnout.db.paging import Key
from turnout.db.session import Db
from turnout.discovery import queries as discovery
from turnout.discovery import search
from turnout.discovery.schemas import EventOut, EventPage, event_out
from turnout.discovery.search import Hit
from turnout.discovery.wanted import Position, Wanted
from turnout.edge import answers, forms
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotAllowed, NotFound, NotSignedIn
from turnout.events import policy, times, zones
from turnout.events.errors import AmbiguousLocalTime, InvalidTimezone, NonexistentLocalTime
from turnout.events.schemas import EventIn
from turnout.idempotency.idempotency import Answer
from turnout.registrations import service as registrations
from turnout.registrations.service import AdmissionDraft
from turnout.runtime import Runtime

router = direct.router("Events")

EventId = Annotated[str, Path(description="The event's id.", json_schema_extra={"format": "uuid"})]
LONGEST_KEPT = timedelta(hours=1)
_WRONG_DATES = (NonexistentLocalTime, AmbiguousLocalTime)
_WRONG_TIMES = (InvalidTimezone, *_WRONG_DATES)


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
    answer = await once.write(runtime, claim, work)
    return responses.respond(answer)


async def _create(request: Request, actor: Actor, body: EventIn, db: Db) -> Answer:
    zone = body.zone(actor.timezone or default_zone(runtime_of(request)))
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
    summary="Find events",
    response_model=EventPage,
    **describe.read(NotSignedIn, InvalidTimezone, *_WRONG_DATES, query=EventsQuery, paged=True),
)
async def list_events(request: Request) -> Response:
    """Public events that have not ended, soonest first; or what the filters say, all of them."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_READ)
    query, now = queries.read(request, EventsQuery), clock.now()
    zone, name = display_zone(query, actor), pages.query_name(actor, "events", *query.identity())
    wanted = finding.wanted_of(query, actor, zone or default_zone(runtime), now)
    after = search.position_of(runtime.cursors.read(name, query.cursor)) if query.cursor else None
    found = await _search(runtime, wanted, after, query.limit + 1)
    hits, cursor = pages.cut(found, query.limit, runtime.cursors, name, _key)
    items = await _rendered(runtime, wanted, hits, zone)
    ends = [ends for hit in found if (ends := hit.ends) > now]
    return responses.read(
        request,
        {"items": items, "next_cursor": cursor},
        until=min(ends, default=now + LONGEST_KEPT),
        link=responses.next_link(request, cursor),
    )


async def _search(
    runtime: Runtime, wanted: Wanted | None, after: Position | None, limit: int
) -> list[Hit]:
    if wanted is None:
        return []
    return await search.search(runtime.database, wanted, after=after, limit=limit)


async def _rendered(
    runtime: Runtime, wanted: Wanted | None, hits: Sequence[Hit], zone: str | None
) -> list[orjson.Fragment]:
    bodies = await runtime.rendered.of(runtime.database, hits, zone)
    circle = None if wanted is None else wanted.circle
    return [
        orjson.Fragment(
            body if circle is None else runtime.rendered.with_distance(body, hit.km_from(circle))
        )
        for hit, body in zip(hits, bodies, strict=True)
        if body is not None
    ]


def _key(hit: Hit) -> Key:
    return search.key_of(hit.position)


def default_zone(runtime: Runtime) -> str:
    """The zone of what is said without one by somebody who has none."""
    return times.canonical_zone(runtime.settings.default_timezone)


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
