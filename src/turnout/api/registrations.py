"""The calls about registrations: take a seat, see who comes."""

from uuid import UUID

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from turnout.accounts.actor import Actor
from turnout.api import bodies, describe, direct, once, pages, queries, responses
from turnout.api.events import EventId, cause_of, display_zone
from turnout.api.queries import PageQuery, ZoneQuery
from turnout.db.paging import key_of
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotFound, NotSignedIn, TurnoutError
from turnout.events import policy as events_policy
from turnout.events import queries as events
from turnout.events.errors import InvalidTimezone
from turnout.fields import InvalidEmail, canonical_email
from turnout.idempotency.idempotency import Answer, Claim
from turnout.registrations import policy
from turnout.registrations import queries as registrations
from turnout.registrations.desk import GaveUp
from turnout.registrations.errors import (
    AlreadyRegistered,
    EventFull,
    Overloaded,
    RegistrationClosed,
)
from turnout.registrations.models import Status
from turnout.registrations.records import Registered, Render, Seated, Wish
from turnout.registrations.schemas import (
    AttendeePage,
    NewRegistrationOut,
    RegisterIn,
    new_registration_out,
    registration_out,
)
from turnout.runtime import Runtime

router = direct.router("Registrations")


class AttendeesQuery(PageQuery, ZoneQuery):
    """Which of the registrations, which page, in which zone."""

    status: Status | None = None


@router.post(
    "/events/{event_id}/register",
    summary="Take a seat",
    response_model=NewRegistrationOut,
    **describe.create(
        NotFound, AlreadyRegistered, EventFull, RegistrationClosed, InvalidEmail, Overloaded,
        body=RegisterIn, located=False,
    ),
)  # fmt: skip
async def register(event_id: EventId, request: Request) -> Response:
    """A seat for one person: confirmed, or on the waitlist where the event keeps one.

    An address holds one live registration an event. Guests get a `manage_token`, once.
    """
    runtime, actor = runtime_of(request), actor_of(request)
    event = pages.id_of(event_id)
    body, claim = await _read_if_visible(runtime, actor, event, request)
    person, cause = canonical_email(body.email), cause_of(request, actor)
    render = _render(runtime, actor)
    wish = Wish(event, body.name, body.email, person, actor, cause, render, claim)
    try:
        outcome = await runtime.desk.register(wish, gone=request.is_disconnected)
    except GaveUp:
        raise ClientDisconnect from None
    return responses.respond(render(outcome) if isinstance(outcome, Seated) else outcome)


async def _read_if_visible(
    runtime: Runtime, actor: Actor, event_id: UUID, request: Request
) -> tuple[RegisterIn, Claim | None]:
    """The request; where it is wrong, the caller first has to be one who may know of the event."""
    try:
        body = await bodies.read(request, RegisterIn)
        return body, once.claim_of(request, actor, await bodies.raw(request))
    except TurnoutError:
        async with runtime.database.read() as db:
            events_policy.require_visible(actor, await events.brief(db, event_id))
        raise


def _render(runtime: Runtime, actor: Actor) -> Render:
    def render(new: Seated) -> Answer:
        zone = actor.timezone or new.event_timezone
        out = new_registration_out(new.registration, new.manage_token, runtime.tickets, zone)
        return responses.created(out, None)

    return render


@router.get(
    "/events/{event_id}/attendees",
    summary="List who comes",
    response_model=AttendeePage,
    **describe.read(NotSignedIn, NotFound, InvalidTimezone, query=AttendeesQuery, paged=True),
)
async def list_attendees(event_id: EventId, request: Request) -> Response:
    """The event's registrations in the order they were made; cancelled ones only by `status`."""
    runtime, actor = runtime_of(request), actor_of(request)
    events_policy.require_known(actor)
    event = pages.id_of(event_id)
    async with runtime.database.read() as db:
        brief = await events.brief(db, event)
        policy.require_lister(actor, brief)
        query = queries.read(request, AttendeesQuery)
        name = pages.query_name(actor, "attendees", event, query.status)
        after = UUID(str(runtime.cursors.read(name, query.cursor)[0])) if query.cursor else None
        found = await registrations.attendees(
            db, event, status=query.status, after=after, limit=query.limit + 1
        )
    rows, cursor = pages.cut(found, query.limit, runtime.cursors, name, _key)
    zone = display_zone(query, actor) or (brief.timezone if brief else "UTC")
    page = AttendeePage([registration_out(row, runtime.tickets, zone) for row in rows], cursor)
    return responses.read(request, page, link=responses.next_link(request, cursor))


def _key(row: Registered) -> tuple[str | int | None, ...]:
    return key_of(row.id)
