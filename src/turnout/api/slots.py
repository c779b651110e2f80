"""The calls about the agenda of an event, slot by slot."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Actor, Scope
from turnout.api import bodies, describe, direct, once, pages, queries, responses
from turnout.api.events import LONGEST_KEPT, EventId, cause_of, display_zone
from turnout.api.queries import ZoneQuery
from turnout.db.session import Db
from turnout.discovery import queries as discovery
from turnout.discovery.schemas import SlotOut
from turnout.discovery.slots import ScheduledOut, one_slot, scheduled_out
from turnout.edge import forms
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotAllowed, NotFound, NotSignedIn
from turnout.events import policy, slots, whole
from turnout.events.errors import AmbiguousLocalTime, InvalidTimezone, NonexistentLocalTime
from turnout.events.schemas import SlotIn
from turnout.events.slot_patches import SlotPatch
from turnout.idempotency.idempotency import Answer

router = direct.router("Events")

SlotId = Annotated[str, Path(description="The slot's id.", json_schema_extra={"format": "uuid"})]
_WRONG_TIMES = (NonexistentLocalTime, AmbiguousLocalTime)
_WHO = (NotSignedIn, NotAllowed, NotFound)


@router.post(
    "/events/{event_id}/slots",
    summary="Add a slot",
    response_model=ScheduledOut,
    **describe.create(*_WHO, *_WRONG_TIMES, body=SlotIn),
)
async def add_slot(event_id: EventId, request: Request) -> Response:
    """A new part of the agenda, inside the event. Times without an offset are in the event's zone.

    Two slots at the same time in one room, or with one speaker, are no error: `warnings` names
    both.
    """
    runtime, (actor, event) = runtime_of(request), await _organizer(event_id, request, match=False)
    body = await bodies.read(request, SlotIn)
    claim = once.claim_of(request, actor, await forms.raw(request))
    work = partial(_add, request, actor, event, body)
    return responses.respond(await once.write(runtime, claim, work))


async def _add(request: Request, actor: Actor, event_id: UUID, body: SlotIn, db: Db) -> Answer:
    event = await whole.locked(db, actor, event_id)
    made = await slots.add(db, cause_of(request, actor), event, body, clock.now())
    location = f"/events/{event_id}/slots/{made.slot.id}"
    return responses.created(scheduled_out(made, actor.timezone), location, made.event.version)


@router.get(
    "/events/{event_id}/slots/{slot_id}",
    summary="Read a slot",
    response_model=SlotOut,
    **describe.read(NotFound, InvalidTimezone, query=ZoneQuery),
)
async def read_slot(event_id: EventId, slot_id: SlotId, request: Request) -> Response:
    """One part of the agenda, for whoever may see the event."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_READ)
    wanted, slot = pages.id_of(event_id), pages.id_of(slot_id)
    async with runtime.database.read() as db:
        view = await discovery.event(db, actor, wanted)
    zone = display_zone(queries.read(request, ZoneQuery), actor)
    out, until = one_slot(view, slot, zone), clock.now() + LONGEST_KEPT
    return responses.read(request, out, version=view.row.version, until=until)


@router.patch(
    "/events/{event_id}/slots/{slot_id}",
    summary="Change a slot",
    response_model=ScheduledOut,
    **describe.change(
        *_WHO, *_WRONG_TIMES, InvalidTimezone, body=SlotPatch, matched=True, query=ZoneQuery
    ),
)
async def change_slot(event_id: EventId, slot_id: SlotId, request: Request) -> Response:
    """The slot with what was sent; a new `start_time` alone keeps its length on the clock.

    If-Match is about the event, whose ETag every answer about its slots has.
    """
    actor, event_key = await _organizer(event_id, request)
    slot, patch = pages.id_of(slot_id), await bodies.read(request, SlotPatch)
    zone, cause = display_zone(queries.read(request, ZoneQuery), actor), cause_of(request, actor)
    async with runtime_of(request).database.write() as db:
        event = await whole.locked(db, actor, event_key)
        slots.of(event, slot)
        responses.require_match(request, event.version)
        changed = await slots.change(db, cause, event, slot, patch, clock.now())
    return responses.changed(scheduled_out(changed, zone), changed.event.version)


@router.delete(
    "/events/{event_id}/slots/{slot_id}",
    summary="Delete a slot",
    **describe.done(*_WHO, matched=True),
)
async def delete_slot(event_id: EventId, slot_id: SlotId, request: Request) -> Response:
    """Take a part out of the agenda. If-Match is about the event."""
    actor, event_key = await _organizer(event_id, request)
    slot, cause = pages.id_of(slot_id), cause_of(request, actor)
    async with runtime_of(request).database.write() as db:
        event = await whole.locked(db, actor, event_key)
        slots.of(event, slot)
        responses.require_match(request, event.version)
        await slots.remove(db, cause, event, slot, clock.now())
    return Response(status_code=204)


async def _organizer(event_id: str, request: Request, *, match: bool = True) -> tuple[Actor, UUID]:
    """The caller, who may edit the event as they know it; asked before the body is looked at.

    What is asked here is asked again under the lock, where it counts.
    """
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_WRITE)
    policy.require_known(actor)
    found = pages.id_of(event_id)
    async with runtime.database.read() as db:
        row = (await discovery.event(db, actor, found)).row
    policy.require_editor(actor, row)
    if match:
        responses.require_match(request, row.version)
    return actor, found
