"""The calls by which organizers decide when people are reminded, and how mails are worded."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Actor, Scope
from turnout.api import bodies, describe, direct, pages, queries, responses
from turnout.api.events import EventId, cause_of, display_zone
from turnout.api.queries import ZoneQuery
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotAllowed, NotFound, NotSignedIn
from turnout.events import policy, times
from turnout.events import queries as events
from turnout.events.errors import InvalidTimezone
from turnout.events.queries import EventBrief
from turnout.fields import Input, Line, Paragraphs, WholeNumber
from turnout.notifications import reminders, wording, wordings
from turnout.notifications.errors import InvalidTemplate
from turnout.notifications.kinds import WORDABLE, MailKind
from turnout.notifications.letters import Readable
from turnout.notifications.news import Words
from turnout.notifications.reminders import FEWEST_MINUTES, MOST_MINUTES, Plan
from turnout.notifications.wordings import Worded

router = direct.router("Events")

_WHO = (NotSignedIn, NotAllowed, NotFound)
Minutes = Annotated[WholeNumber, Field(ge=FEWEST_MINUTES, le=MOST_MINUTES)]
Kind = Annotated[
    str,
    Path(
        description="The kind of mail.",
        json_schema_extra={"enum": [kind.value for kind in WORDABLE]},
    ),
]


class ReminderIn(Input):
    """When people are reminded."""

    minutes_before: Minutes | None = Field(description="Of the start; null is never.")


class WordingIn(Input):
    """Your words: the body in Markdown; both with placeholders such as `{{name}}`."""

    subject: Annotated[str, Line(wording.LONGEST_SUBJECT)]
    body: Annotated[str, Paragraphs(wording.LONGEST_BODY)]


@dataclass(frozen=True, slots=True)
class ReminderOut:
    """When people are reminded; times are in the display zone."""

    minutes_before: Annotated[int | None, Field(description="Of the start; null is never.")]
    due_at: Annotated[
        datetime | None, Field(description="null where it was sent, or is not to come.")
    ]


@dataclass(frozen=True, slots=True)
class WordingOut:
    """A kind of mail, and your words for it; null where it has Turnout's own."""

    kind: MailKind
    placeholders: Annotated[list[str], Field(description="What may stand between double braces.")]
    subject: str | None
    body: str | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class MailsOut:
    """The mails about an event that its organizers have a say in."""

    reminder: ReminderOut
    wordings: list[WordingOut]


@dataclass(frozen=True, slots=True)
class PreviewOut:
    """A mail as its reader would get it. The picture of the ticket is not in it."""

    subject: str
    text: str
    html: str


@router.get(
    "/events/{event_id}/mails",
    summary="Read what people are sent",
    response_model=MailsOut,
    **describe.read(*_WHO, InvalidTimezone, query=ZoneQuery),
)
async def read_mails(event_id: EventId, request: Request) -> Response:
    """When those who come are reminded, and your words for the mails that may have some."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_READ)
    event = await _edited(request, actor, event_id)
    zone = display_zone(queries.read(request, ZoneQuery), actor) or event.timezone
    async with runtime.database.read() as db:
        plan = await reminders.plan(db, actor, event.id)
        worded = await wordings.of_event(db, event.id)
    shown = [_wording_out(kind, worded.get(kind), zone) for kind in WORDABLE]
    return responses.read(request, MailsOut(_reminder_out(plan, zone), shown))


@router.put(
    "/events/{event_id}/reminder",
    summary="Set when people are reminded",
    response_model=ReminderOut,
    **describe.change(*_WHO, body=ReminderIn, tagged=True),
)
async def set_reminder(event_id: EventId, request: Request) -> Response:
    """So many minutes before the start, wherever that moves. Nobody is reminded twice of one start.

    Where that time is over, nobody is reminded.
    """
    actor = await actor_of(request, Scope.EVENTS_WRITE)
    event = await _edited(request, actor, event_id)
    body, cause = await bodies.read(request, ReminderIn), cause_of(request, actor)
    async with runtime_of(request).database.write() as db:
        plan = await reminders.set_minutes(
            db, actor, event.id, body.minutes_before, cause, clock.now()
        )
    return responses.changed(_reminder_out(plan, actor.timezone or event.timezone))


@router.put(
    "/events/{event_id}/mails/{kind}",
    summary="Say it in your own words",
    response_model=WordingOut,
    **describe.change(*_WHO, InvalidTemplate, body=WordingIn, matched=True),
)
async def set_wording(event_id: EventId, kind: Kind, request: Request) -> Response:
    """From now on mails of that kind begin with your words; time, place and ticket stay below."""
    actor = await actor_of(request, Scope.EVENTS_WRITE)
    event, of = await _edited(request, actor, event_id), wordings.kind_of(kind)
    words, cause = _words(await bodies.read(request, WordingIn)), cause_of(request, actor)
    async with runtime_of(request).database.write() as db:
        place = await wordings.locked(db, actor, event.id, of)
        responses.require_match(request, place.version)
        worded = await wordings.put(db, place, words, cause, clock.now())
    zone = actor.timezone or event.timezone
    return responses.changed(_wording_out(of, worded, zone), worded.version)


@router.delete(
    "/events/{event_id}/mails/{kind}",
    summary="Take your words back",
    **describe.done(*_WHO, matched=True),
)
async def remove_wording(event_id: EventId, kind: Kind, request: Request) -> Response:
    """From now on mails of that kind have Turnout's own words again."""
    actor = await actor_of(request, Scope.EVENTS_WRITE)
    event, of = await _edited(request, actor, event_id), wordings.kind_of(kind)
    cause = cause_of(request, actor)
    async with runtime_of(request).database.write() as db:
        place = await wordings.locked(db, actor, event.id, of)
        responses.require_match(request, place.version)
        await wordings.remove(db, place, cause, clock.now())
    return Response(status_code=204)


@router.post(
    "/events/{event_id}/mails/{kind}/preview",
    summary="See what people would get",
    response_model=PreviewOut,
    **describe.change(*_WHO, InvalidTemplate, body=WordingIn),
)
async def preview_wording(event_id: EventId, kind: Kind, request: Request) -> Response:
    """The mail with these words, to somebody with a sample name. Nothing is kept, nothing sent."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_WRITE)
    event, of = await _edited(request, actor, event_id), wordings.kind_of(kind)
    words = _words(await bodies.read(request, WordingIn))
    async with runtime.database.read() as db:
        facts = await wordings.event_of(db, actor, event.id)
    work = partial(wordings.preview, runtime.letterhead, facts, of, words, clock.now())
    mail: Readable = await asyncio.to_thread(work)
    return responses.plain(PreviewOut(mail.subject, mail.text, mail.html))


async def _edited(request: Request, actor: Actor, event_id: str) -> EventBrief:
    """The event, which the caller may edit; asked before its body is looked at."""
    policy.require_known(actor)
    wanted: UUID = pages.id_of(event_id)
    async with runtime_of(request).database.read() as db:
        event = await events.brief(db, actor, wanted)
    policy.require_editor(actor, event)
    assert event is not None  # noqa: S101 - require_editor has seen to it; narrows the type
    return event


def _words(body: WordingIn) -> Words:
    return Words(body.subject, body.body)


def _reminder_out(plan: Plan, zone: str) -> ReminderOut:
    due = None if plan.due_at is None else times.shown(plan.due_at, zone)
    return ReminderOut(plan.minutes_before, due)


def _wording_out(kind: MailKind, worded: Worded | None, zone: str) -> WordingOut:
    known = list(wording.placeholders(kind))
    if worded is None:
        return WordingOut(kind, known, None, None, None)
    at = times.shown(worded.updated_at, zone)
    return WordingOut(kind, known, worded.words.subject, worded.words.body, at)
