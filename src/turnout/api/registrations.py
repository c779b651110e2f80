"""The calls about registrations: take a seat, see who comes."""

from typing import Annotated
from uuid import UUID

from fastapi import Path
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Actor, Scope
from turnout.accounts.policy import require_account
from turnout.api import bodies, describe, direct, once, pages, queries, responses
from turnout.api.events import EventId, cause_of, display_zone
from turnout.api.queries import PageQuery, ZoneQuery
from turnout.db.session import Db
from turnout.edge import caller, forms
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import FieldError, Invalid, NotAllowed, NotFound, NotSignedIn, TurnoutError
from turnout.events import policy as events_policy
from turnout.events import queries as events
from turnout.events.errors import InvalidTimezone
from turnout.events.queries import EventBrief
from turnout.fields import InvalidEmail, canonical_email
from turnout.idempotency.idempotency import Answer, Claim
from turnout.limiter import GUEST_REGISTRATION
from turnout.registrations import changes, policy
from turnout.registrations import queries as registrations
from turnout.registrations.desk import GaveUp
from turnout.registrations.errors import (
    AlreadyRegistered,
    EventFull,
    Overloaded,
    RegistrationCancelled,
    RegistrationClosed,
)
from turnout.registrations.models import Status
from turnout.registrations.records import Held, Registered, Render, Seated, Wish
from turnout.registrations.schemas import (
    AttendeePage,
    DoorRegistrationOut,
    NewRegistrationOut,
    RegisterIn,
    RegistrationChangeIn,
    RegistrationOut,
    RegistrationPage,
    door_out,
    new_registration_out,
    registration_out,
)
from turnout.runtime import Runtime

router = direct.router("Registrations")


RegistrationId = Annotated[
    str, Path(description="The registration's id.", json_schema_extra={"format": "uuid"})
]


class OwnQuery(PageQuery, ZoneQuery):
    """Which page of one's own registrations, in which zone."""


class AttendeesQuery(PageQuery, ZoneQuery):
    """Which of the registrations, which page, in which zone."""

    status: Status | None = None


@router.post(
    "/events/{event_id}/register",
    summary="Take a seat",
    response_model=NewRegistrationOut,
    **describe.create(
        NotAllowed, NotFound, AlreadyRegistered, EventFull, RegistrationClosed, InvalidEmail,
        Overloaded,
        body=RegisterIn, located=False,
    ),
)  # fmt: skip
async def register(event_id: EventId, request: Request) -> Response:
    """A seat for one person: confirmed, or on the waitlist where the event keeps one.

    An address holds one live registration an event. Guests get a `manage_token`, once.
    """
    runtime, actor = runtime_of(request), await _registering(request)
    event = pages.id_of(event_id)
    body, claim = await _read_if_visible(runtime, actor, event, request)
    name, email = _who(body, actor)
    person, cause = canonical_email(email), cause_of(request, actor)
    render = _render(runtime, actor)
    wish = Wish(event, name, email, person, actor, cause, render, claim)
    try:
        outcome = await runtime.desk.register(wish, gone=request.is_disconnected)
    except GaveUp:
        raise ClientDisconnect from None
    return responses.respond(render(outcome) if isinstance(outcome, Seated) else outcome)


async def _registering(request: Request) -> Actor:
    """The caller; those without an account are counted as guests who want a seat."""
    sent = caller.sent_with(request.scope)
    is_guest = sent is None or sent.scheme == "ticket"
    limit = GUEST_REGISTRATION if is_guest else None
    return await actor_of(request, Scope.REGISTRATIONS_WRITE, limit=limit)


def _who(body: RegisterIn, actor: Actor) -> tuple[str, str]:
    """Name and address, the account's own where they are left out. Raises Invalid."""
    name, email = body.name, body.email
    if actor.is_account:
        name, email = name or actor.name, email or actor.email
    if name and email:
        return name, email
    missing = [field for field, value in (("name", name), ("email", email)) if not value]
    fields = tuple(FieldError(field, "missing", "Is required.") for field in missing)
    raise Invalid(f"Refused: {', '.join(missing)}.", fields=fields)


async def _read_if_visible(
    runtime: Runtime, actor: Actor, event_id: UUID, request: Request
) -> tuple[RegisterIn, Claim | None]:
    """The request; where it is wrong, the caller first has to be one who may know of the event."""
    try:
        body = await bodies.read(request, RegisterIn)
        _who(body, actor)
        return body, once.claim_of(request, actor, await forms.raw(request))
    except TurnoutError:
        async with runtime.database.read() as db:
            events_policy.require_visible(actor, await events.brief(db, actor, event_id))
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
    runtime, actor = runtime_of(request), await actor_of(request, Scope.REGISTRATIONS_READ)
    events_policy.require_known(actor)
    event = pages.id_of(event_id)
    async with runtime.database.read() as db:
        brief = await events.brief(db, actor, event)
        policy.require_lister(actor, brief)
        query = queries.read(request, AttendeesQuery)
        name = pages.query_name(actor, "attendees", event, query.status)
        after = pages.id_after(runtime.cursors, name, query.cursor)
        found = await registrations.attendees(
            db, event, status=query.status, after=after, limit=query.limit + 1
        )
    assert brief is not None  # noqa: S101 - require_lister has seen to it; narrows the type
    rows, cursor = pages.cut(found, query.limit, runtime.cursors, name, pages.by_id)
    zone = display_zone(query, actor) or brief.timezone
    page = AttendeePage([_shown(runtime, actor, brief, row, zone) for row in rows], cursor)
    return responses.read(request, page, link=responses.next_link(request, cursor))


def _shown(
    runtime: Runtime, actor: Actor, event: EventBrief, row: Registered, zone: str
) -> RegistrationOut | DoorRegistrationOut:
    if policy.sees_addresses(actor, event):
        return registration_out(row, runtime.tickets, zone)
    return door_out(row, zone)


@router.get(
    "/users/me/registrations",
    summary="List your registrations",
    response_model=RegistrationPage,
    **describe.read(NotSignedIn, InvalidTimezone, query=OwnQuery, paged=True),
)
async def list_own(request: Request) -> Response:
    """Your seats, the newest first, each in its event's zone unless you ask for another.

    What you registered for without an account comes in once your address is verified.
    """
    runtime, actor = runtime_of(request), await actor_of(request, Scope.REGISTRATIONS_READ)
    require_account(actor)
    query = queries.read(request, OwnQuery)
    zone = display_zone(query, actor)

    async def load(db: Db, position: str | None, limit: int) -> list[Held]:
        return await registrations.own(db, actor, before=pages.id_at(position), limit=limit)

    def show(row: Held) -> RegistrationOut:
        return registration_out(row.registration, runtime.tickets, zone or row.event.timezone)

    name = pages.query_name(actor, "registrations")
    return await pages.listed(request, query, name, load, show, RegistrationPage)


@router.get(
    "/registrations/{registration_id}",
    summary="Read a registration",
    response_model=RegistrationOut | DoorRegistrationOut,
    **describe.read(NotSignedIn, NotFound, InvalidTimezone, query=ZoneQuery),
)
async def read_registration(registration_id: RegistrationId, request: Request) -> Response:
    """For its attendee and the organizers; a guest sends `Authorization: Ticket <manage_token>`."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.REGISTRATIONS_READ)
    policy.require_known(actor)
    wanted = pages.id_of(registration_id)
    async with runtime.database.read() as db:
        found = await registrations.held(db, actor, wanted)
    zone = display_zone(queries.read(request, ZoneQuery), actor)
    return responses.read(request, _held_out(runtime, actor, found, zone), version=_version(found))


def _version(found: Held) -> int:
    return responses.version_at(found.registration.updated_at)


def _held_out(
    runtime: Runtime, actor: Actor, found: Held, zone: str | None
) -> RegistrationOut | DoorRegistrationOut:
    shown_in = zone or found.event.timezone
    if policy.may_change(actor, found):
        return registration_out(found.registration, runtime.tickets, shown_in)
    return door_out(found.registration, shown_in)


@router.patch(
    "/registrations/{registration_id}",
    summary="Change a registration",
    response_model=RegistrationOut,
    **describe.change(
        NotSignedIn, NotAllowed, NotFound, RegistrationCancelled,
        body=RegistrationChangeIn, matched=True,
    ),
)  # fmt: skip
async def change_registration(registration_id: RegistrationId, request: Request) -> Response:
    """Correct the name on it."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.REGISTRATIONS_WRITE)
    policy.require_known(actor)
    wanted = pages.id_of(registration_id)
    async with runtime.database.read() as db:
        found = await registrations.held(db, actor, wanted)
        policy.require_changer(actor, found)
        responses.require_match(request, _version(found))
    body, cause = await bodies.read(request, RegistrationChangeIn), cause_of(request, actor)
    async with runtime.database.write() as db:
        # Locked, or two who send the same If-Match at once would both find their version.
        found = await registrations.held(db, actor, wanted, lock=True)
        responses.require_match(request, _version(found))
        found = await changes.rename(db, actor, found, body.name, cause, clock.now())
    return responses.changed(_held_out(runtime, actor, found, actor.timezone), _version(found))


@router.post(
    "/registrations/{registration_id}/cancel",
    summary="Give a seat back",
    response_model=RegistrationOut,
    **describe.change(NotSignedIn, NotAllowed, NotFound, tagged=True),
)
async def cancel_registration(registration_id: RegistrationId, request: Request) -> Response:
    """The seat is free at once, for the head of the waitlist where there is one.

    A second time changes nothing.
    """
    runtime, actor = runtime_of(request), await actor_of(request, Scope.REGISTRATIONS_WRITE)
    policy.require_known(actor)
    wanted, cause = pages.id_of(registration_id), cause_of(request, actor)
    async with runtime.database.write() as db:
        found = await registrations.held(db, actor, wanted)
        found = await changes.cancel(db, actor, found, cause, clock.now())
    return responses.changed(_held_out(runtime, actor, found, actor.timezone), _version(found))
