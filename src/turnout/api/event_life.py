"""The calls by which organizers run an event: change, publish, cancel, move, duplicate, delete."""

from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Actor
from turnout.api import bodies, describe, direct, following, once, organizing, queries, responses
from turnout.api.events import EventId, cause_of, display_zone
from turnout.api.organizing import Reach, ReachQuery, RehearsalQuery
from turnout.api.queries import ZoneQuery
from turnout.audit.audit import Cause
from turnout.db.session import Db
from turnout.discovery import queries as discovery
from turnout.discovery.changes import ChangeOut, change_out
from turnout.discovery.schemas import EventOut, event_out
from turnout.discovery.series import FollowingOut
from turnout.edge import forms
from turnout.edge.caller import runtime_of
from turnout.errors import NotAllowed, NotFound, NotSignedIn
from turnout.events import policy, times
from turnout.events.errors import (
    AmbiguousLocalTime,
    EventCancelled,
    EventNotPublished,
    EventOver,
    InvalidTimezone,
    NonexistentLocalTime,
    NotInSeries,
)
from turnout.events.moves import Keep
from turnout.events.patches import EventPatch
from turnout.events.schemas import TimeText
from turnout.fields import Input, Paragraphs, YesOrNo, ZoneText
from turnout.idempotency.idempotency import Answer
from turnout.notifications import dispatch
from turnout.outbox import outbox
from turnout.registrations import hosting
from turnout.registrations.errors import CapacityTaken, EventHasRegistrations
from turnout.registrations.hosting import Change, Hosted

router = direct.router("Events")

_WRONG_TIMES = (InvalidTimezone, NonexistentLocalTime, AmbiguousLocalTime)
_WHO = (NotSignedIn, NotAllowed, NotFound)


class CancelIn(Input):
    """Why an event does not take place: everyone registered reads it."""

    reason: Annotated[str, Paragraphs(1000, 1)]


class TimezoneIn(Input):
    """Another time zone for an event, and what stays: the instants, or what the clock shows."""

    timezone: ZoneText
    keep: Keep = Keep.INSTANT
    dry_run: YesOrNo = False


class DuplicateIn(Input):
    """When the event takes place again; its agenda moves by the same distance on the clock."""

    start_time: TimeText


Work = Callable[[Db, Hosted, Cause], Awaitable[Change]]


@router.patch(
    "/events/{event_id}",
    summary="Change an event",
    response_model=EventOut | ChangeOut | FollowingOut,
    **describe.change(
        *(*_WHO, *_WRONG_TIMES, CapacityTaken, NotInSeries),
        body=EventPatch,
        matched=True,
        query=RehearsalQuery,
    ),
)
async def change_event(event_id: EventId, request: Request) -> Response:
    """The event with what was sent; what is left out stays. With `dry_run`, what that would do.

    A new `start_time` alone takes `end_time` and all slots along by the same distance on the
    clock; a new `timezone` alone keeps every instant. With `scope=following` the events after it
    in its series change alike: their times by the same distance on the clock.
    """
    actor, event = await organizing.organizer(event_id, request)
    patch, query = await bodies.read(request, EventPatch), queries.read(request, RehearsalQuery)
    if query.scope is Reach.FOLLOWING:
        return await following.change(request, actor, event, patch, query)

    async def work(db: Db, hosted: Hosted, cause: Cause) -> Change:
        return await hosting.edit(db, cause, hosted, patch, clock.now())

    shown, version = await _changed(request, actor, event, work, query, dry_run=query.dry_run)
    return responses.changed(shown if query.dry_run else shown.event, version)


@router.delete(
    "/events/{event_id}",
    summary="Delete an event",
    **describe.done(*_WHO, EventHasRegistrations, NotInSeries, matched=True, query=ReachQuery),
)
async def delete_event(event_id: EventId, request: Request) -> Response:
    """Take an event away for good. While people are registered it has to be cancelled first.

    With `scope=following` also those after it in its series, all or none.
    """
    actor, event = await organizing.organizer(event_id, request, owner=True)
    if queries.read(request, ReachQuery).scope is Reach.FOLLOWING:
        return await following.delete(request, actor, event)
    async with runtime_of(request).database.write() as db:
        # Whoever is still to hear that it was cancelled could not be found any more.
        await dispatch.hold(db)
        hosted = await hosting.locked(db, actor, event, owner=True)
        responses.require_match(request, hosted.event.version)
        await dispatch.tell_before_deletion(db, [event], clock.now())
        await hosting.delete_event(db, cause_of(request, actor), hosted, clock.now())
    return Response(status_code=204)


@router.post(
    "/events/{event_id}/publish",
    summary="Publish an event",
    response_model=EventOut,
    **describe.change(
        *_WHO, EventCancelled, EventOver, InvalidTimezone, matched=True, query=ZoneQuery
    ),
)
async def publish_event(event_id: EventId, request: Request) -> Response:
    """Let everyone see a draft. An event that is published already stays as it is."""
    actor, event = await organizing.organizer(event_id, request)

    async def work(db: Db, hosted: Hosted, cause: Cause) -> Change:
        return await hosting.publish(db, cause, hosted, clock.now())

    shown, version = await _changed(request, actor, event, work, queries.read(request, ZoneQuery))
    return responses.changed(shown.event, version)


@router.post(
    "/events/{event_id}/cancel",
    summary="Cancel an event",
    response_model=EventOut | ChangeOut | FollowingOut,
    **describe.change(
        *(*_WHO, EventOver, EventNotPublished, InvalidTimezone, NotInSeries),
        body=CancelIn,
        matched=True,
        query=RehearsalQuery,
    ),
)
async def cancel_event(event_id: EventId, request: Request) -> Response:
    """Call an event off: everyone registered is told why. With `dry_run`, how many that are.

    A second time it stays as it is, with the first reason. With `scope=following` those after it
    in its series are called off as well.
    """
    actor, event = await organizing.organizer(event_id, request, owner=True)
    body, query = await bodies.read(request, CancelIn), queries.read(request, RehearsalQuery)
    if query.scope is Reach.FOLLOWING:
        return await following.cancel(request, actor, event, body.reason, query)

    async def work(db: Db, hosted: Hosted, cause: Cause) -> Change:
        return await hosting.cancel(db, cause, hosted, body.reason, clock.now())

    shown, version = await _changed(
        request, actor, event, work, query, dry_run=query.dry_run, owner=True
    )
    return responses.changed(shown if query.dry_run else shown.event, version)


@router.post(
    "/events/{event_id}/timezone",
    summary="Move an event to another time zone",
    response_model=ChangeOut,
    **describe.change(*_WHO, *_WRONG_TIMES, body=TimezoneIn, matched=True, query=ZoneQuery),
)
async def move_event(event_id: EventId, request: Request) -> Response:
    """Every time of the event and of its agenda, old and new.

    `instant` keeps when it happens and tells it in the new zone; `wall_clock` keeps what the clock
    shows, for an event that was written down in the wrong zone.
    """
    actor, event = await organizing.organizer(event_id, request)
    body = await bodies.read(request, TimezoneIn)
    zone = times.canonical_zone(body.timezone)

    async def work(db: Db, hosted: Hosted, cause: Cause) -> Change:
        return await hosting.move_to_zone(db, cause, hosted, zone, body.keep, clock.now())

    query = queries.read(request, ZoneQuery)
    found = await _changed(request, actor, event, work, query, dry_run=body.dry_run)
    return responses.changed(*found)


@router.post(
    "/events/{event_id}/duplicate",
    summary="Duplicate an event",
    response_model=EventOut,
    **describe.create(*_WHO, *_WRONG_TIMES, body=DuplicateIn),
)
async def duplicate_event(event_id: EventId, request: Request) -> Response:
    """A draft of the same event at another time, with its agenda and the rules of its seats."""
    runtime = runtime_of(request)
    actor, event = await organizing.organizer(event_id, request, match=False)
    policy.require_creator(actor)
    body = await bodies.read(request, DuplicateIn)
    claim = once.claim_of(request, actor, await forms.raw(request))
    work = partial(_duplicate, request, actor, event, body)
    return responses.respond(await once.write(runtime, claim, work))


async def _duplicate(
    request: Request, actor: Actor, event_id: UUID, body: DuplicateIn, db: Db
) -> Answer:
    original = await hosting.locked(db, actor, event_id)
    start = times.read_time(body.start_time, original.event.timezone, field="start_time")
    cause, now = cause_of(request, actor), clock.now()
    copy = await hosting.duplicate(db, actor, cause, original, start, now)
    view = await discovery.event(db, actor, copy)
    out = event_out(view, actor.timezone)
    return responses.created(out, f"/events/{copy}", view.row.version)


async def _changed(
    request: Request,
    actor: Actor,
    event_id: UUID,
    work: Work,
    query: ZoneQuery,
    *,
    dry_run: bool = False,
    owner: bool = False,
) -> tuple[ChangeOut, int]:
    """What the change did, and the event's version; a rehearsal does the same and takes it back.

    Of a rehearsal it is the version that stays: sent as If-Match, its ETag lets the change through
    as long as the event is the one that it was rehearsed with.
    """
    runtime, zone = runtime_of(request), display_zone(query, actor)

    async def change(db: Db) -> tuple[ChangeOut, int]:
        hosted = await hosting.locked(db, actor, event_id, owner=owner)
        responses.require_match(request, hosted.event.version)
        change = await work(db, hosted, cause_of(request, actor))
        view = await discovery.event(db, actor, event_id)
        told = Counter[str](outbox.noted(db))
        shown = change_out(change, event_out(view, zone), told, dry_run=dry_run)
        return shown, hosted.event.version if dry_run else view.row.version

    return await organizing.changed(runtime, change, dry_run=dry_run)
