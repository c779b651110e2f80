"""The calls about the link under which one's own events are found by a calendar program."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import ANONYMOUS, Actor
from turnout.accounts.policy import require_account
from turnout.api import describe, direct, once, responses
from turnout.api.events import cause_of
from turnout.db.session import Db
from turnout.discovery import ical
from turnout.edge.caller import actor_of, count, runtime_of
from turnout.errors import NotFound, NotSignedIn
from turnout.idempotency.idempotency import Answer
from turnout.notifications import feeds

router = direct.router("Accounts")

CALENDAR_NAME = "My events"
FeedToken = Annotated[str, Path(description="The secret of the link.")]


@dataclass(frozen=True, slots=True)
class CalendarFeedOut:
    """The link of a calendar feed, shown this once."""

    url: Annotated[
        str,
        Field(examples=["https://events.example.com/feeds/8mJ2vQk3.ics"], description="Secret."),
    ]


@router.post(
    "/users/me/calendar-feed",
    summary="Make a link for your calendar",
    response_model=CalendarFeedOut,
    **describe.create(NotSignedIn, body=None, located=False),
)
async def make_feed(request: Request) -> Response:
    """A link to subscribe to, with the events you are registered for; a former link ends.

    Whoever has it sees them: it is shown this once and kept as a hash alone.
    """
    runtime, actor = runtime_of(request), await actor_of(request, None)
    require_account(actor)
    claim = once.claim_of(request, actor, b"")
    return responses.respond(await once.write(runtime, claim, partial(_make, request, actor)))


async def _make(request: Request, actor: Actor, db: Db) -> Answer:
    secret = await feeds.renew(db, actor, cause_of(request, actor), clock.now())
    base_url = runtime_of(request).settings.base_url
    return responses.created(CalendarFeedOut(f"{base_url}/feeds/{secret}.ics"), None)


@router.delete(
    "/users/me/calendar-feed",
    summary="End the link for your calendar",
    **describe.done(NotSignedIn, NotFound),
)
async def end_feed(request: Request) -> Response:
    """The link leads nowhere from now on; programs that subscribed keep what they have."""
    actor = await actor_of(request, None)
    require_account(actor)
    async with runtime_of(request).database.write() as db:
        await feeds.end(db, actor, cause_of(request, actor), clock.now())
    return Response(status_code=204)


@router.get(
    "/feeds/{token}.ics",
    summary="The events of whoever has the link",
    **describe.public_text(NotFound, kind="text/calendar"),
)
async def read_feed(token: FeedToken, request: Request) -> Response:
    """The events one is registered for, as iCalendar (RFC 5545); the link is the credential.

    A seat that was given back, and an event that was called off, have `STATUS:CANCELLED`; where one
    waits for a seat, `TENTATIVE`.
    """
    await count(request, ANONYMOUS, None)
    runtime = runtime_of(request)
    async with runtime.database.read() as db:
        rows = await feeds.entries(db, token)
    # Beside the loop: hundreds of events take some 200 milliseconds.
    body = await asyncio.to_thread(ical.calendar, rows, runtime.settings.base_url, CALENDAR_NAME)
    headers = {
        "ETag": responses.etag_of(body),
        "Cache-Control": responses.REVALIDATE,
        "Content-Disposition": 'inline; filename="events.ics"',
        "X-Robots-Tag": "noindex",
    }
    return Response(body, headers=headers, media_type=ical.MEDIA_TYPE)
