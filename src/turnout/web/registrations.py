"""The page on which an attendee looks at a registration, gives the seat back, or has it erased.

Guests come by the link of a mail: it is exchanged for a cookie of that one page, so that the
address they see, pass on, or leave in a history, opens nothing (OWASP ASVS 14.2.1).
"""

import asyncio
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import ANONYMOUS, Actor
from turnout.audit.audit import Cause
from turnout.db.session import Db
from turnout.discovery import queries as discovery
from turnout.edge import answers, csrf
from turnout.edge.caller import (
    InvalidToken,
    cookie_name,
    count,
    guest,
    runtime_of,
    visitor_of,
)
from turnout.errors import NotFound
from turnout.ids import parse_id
from turnout.notifications import erasing
from turnout.registrations import changes, policy
from turnout.registrations import queries as registrations
from turnout.registrations.records import Held
from turnout.web import page, people, registration_view, render
from turnout.web.links import registration_path

router = page.router()

TICKET_COOKIE = "turnout_ticket"
TICKET_SECONDS = 86_400
"""How long the page opens without the link."""


@router.get("/r/{manage_token}")
async def enter(request: Request) -> Response:
    """On to the page of the registration, with the cookie that opens it."""
    manage_token: str = request.path_params["manage_token"]
    await count(request, ANONYMOUS, None)
    actor = await _guest(request, manage_token)
    if actor is None or actor.registration_id is None:
        raise NotFound
    answer = page.go(registration_path(actor.registration_id))
    _set_ticket(request, answer, actor.registration_id, manage_token, TICKET_SECONDS)
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


@router.get("/registration/{registration_id}")
async def show_registration(request: Request) -> Response:
    """The event and the ticket, for the guest with the link or the account it belongs to."""
    wanted, runtime = _id_of(request), runtime_of(request)
    actor = await _attendee(request, wanted)
    async with runtime.database.read() as db:
        held = await _own(db, actor, wanted)
        [view] = await discovery.events(db, [held.event.id])
    code, zone = runtime.tickets.code(wanted), actor.timezone
    shown = await asyncio.to_thread(
        registration_view.shown, held, view.row, code, zone, clock.now()
    )
    path = registration_path(wanted)
    return _private(render.page("registration.html", registration=shown, path=path))


@router.post("/registration/{registration_id}/cancel")
async def cancel(request: Request) -> Response:
    """Give the seat, or the place on the waitlist, back."""
    wanted = _id_of(request)
    actor = await _attendee(request, wanted)
    async with runtime_of(request).database.write() as db:
        held = await _own(db, actor, wanted)
        await changes.cancel(db, actor, held, _cause(request, actor), clock.now())
    return page.go(registration_path(wanted))


@router.post("/registration/{registration_id}/erase")
async def erase(request: Request) -> Response:
    """Take the person out of the registration; the link and the cookie open nothing any more."""
    wanted = _id_of(request)
    actor = await _attendee(request, wanted)
    async with runtime_of(request).database.write() as db:
        cause = _cause(request, actor)
        await erasing.erase_registration(db, actor, wanted, cause, clock.now())
    answer = _private(render.page("registration_erased.html"))
    _set_ticket(request, answer, wanted, "", 0)
    return answer


async def _attendee(request: Request, registration_id: UUID) -> Actor:
    """Who looks: the guest whose cookie is for this registration, else the account.

    Raises CsrfFailed and RateLimited.
    """
    ticket = request.cookies.get(_ticket_name(request))
    actor = await _guest(request, ticket) if ticket else None
    if actor is None or actor.registration_id != registration_id:
        return await visitor_of(request)
    csrf.require_own_page(request.scope)
    await count(request, actor, None)
    return actor


async def _guest(request: Request, token: str) -> Actor | None:
    """The guest with that token; None for any other text."""
    try:
        return await guest(runtime_of(request), token)
    except InvalidToken:
        return None


async def _own(db: Db, actor: Actor, registration_id: UUID) -> Held:
    """The caller's own registration: those who work on the event have other ways to see it."""
    held = await registrations.held(db, actor, registration_id)
    if not policy.is_own(actor, held):
        raise NotFound
    return held


def _id_of(request: Request) -> UUID:
    found = parse_id(request.path_params["registration_id"])
    if found is None:
        raise NotFound
    return found


def _cause(request: Request, actor: Actor) -> Cause:
    return Cause(actor.standing, actor.user_id, answers.request_id_of(request.scope))


def _ticket_name(request: Request) -> str:
    return cookie_name(request.scope, TICKET_COOKIE, prefix="__Secure-")


def _set_ticket(
    request: Request, answer: Response, registration_id: UUID, token: str, seconds: int
) -> None:
    path = registration_path(registration_id)
    people.set_cookie(request, answer, _ticket_name(request), token, seconds, path=path)


def _private(answer: Response) -> Response:
    """For nobody's index; no page of ours tells another site where people come from."""
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
