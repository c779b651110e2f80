"""The calls about series: let an event repeat, and read the events of one."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Actor, Scope
from turnout.api import bodies, describe, direct, once, organizing, pages, queries, responses
from turnout.api.events import EventId, cause_of, display_zone
from turnout.api.queries import PageQuery, ZoneQuery
from turnout.db.paging import Key, key_of
from turnout.db.session import Db
from turnout.discovery import series as discovery
from turnout.discovery.queries import EventView
from turnout.discovery.schemas import event_out
from turnout.discovery.series import SeriesOut, SeriesPage
from turnout.edge import forms
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotAllowed, NotFound, NotSignedIn
from turnout.events import policy, recurrence
from turnout.events.errors import (
    AlreadyInSeries,
    EventCancelled,
    InvalidRule,
    InvalidTimezone,
)
from turnout.events.recurrence import Rule
from turnout.events.recurrence_rules import LONGEST_RULE
from turnout.fields import Input, Line, YesOrNo
from turnout.idempotency.idempotency import Answer
from turnout.registrations import hosting, series

router = direct.router("Events")

SeriesId = Annotated[str, Path(description="The series' id.", json_schema_extra={"format": "uuid"})]


class SeriesIn(Input):
    """By which rule an event repeats; the event itself is the first date of the rule."""

    rule: Annotated[
        str,
        Line(LONGEST_RULE),
        Field(
            description="RRULE of RFC 5545, without DTSTART, with COUNT or UNTIL.",
            examples=["FREQ=WEEKLY;BYDAY=SA;COUNT=10"],
        ),
    ]
    dry_run: YesOrNo = Field(default=False, description="Only say which events it would make.")


class SeriesQuery(PageQuery, ZoneQuery):
    """Which page of the events of a series, and in which zone."""


_CREATING = describe.create(
    *(NotSignedIn, NotAllowed, NotFound, InvalidRule, AlreadyInSeries, EventCancelled),
    body=SeriesIn,
)


def _described() -> Any:
    described = _CREATING["described"]()
    rehearsed = {"model": SeriesOut, "description": "What it would make: nothing was."}
    made = described["responses"][201]
    headers = {k: v for k, v in made["headers"].items() if k != "Location"}
    described["responses"][200] = {**rehearsed, "headers": headers}
    return described


@router.post(
    "/events/{event_id}/series",
    summary="Let an event repeat",
    response_model=SeriesOut,
    described=_described,
)
async def repeat_event(event_id: EventId, request: Request) -> Response:
    """Make the other events of a series, of which the event is the first; 500 at most.

    They are on the dates of the rule, at the same time of day by the clock of the event's zone,
    with its agenda, the rules of its seats and its team, and as public as it is.
    """
    runtime = runtime_of(request)
    actor, event = await organizing.organizer(event_id, request, match=False)
    policy.require_creator(actor)
    body = await bodies.read(request, SeriesIn)
    rule = recurrence.parse(body.rule)
    if body.dry_run:
        found = await organizing.changed(
            runtime, partial(_repeat, request, actor, event, rule, rehearsed=True), dry_run=True
        )
        return responses.changed(found)
    claim = once.claim_of(request, actor, await forms.raw(request))
    return responses.respond(
        await once.write(runtime, claim, partial(_made, request, actor, event, rule))
    )


async def _made(request: Request, actor: Actor, event_id: UUID, rule: Rule, db: Db) -> Answer:
    made = await _repeat(request, actor, event_id, rule, db, rehearsed=False)
    return responses.created(made, f"/series/{made.series_id}")


async def _repeat(
    request: Request, actor: Actor, event_id: UUID, rule: Rule, db: Db, *, rehearsed: bool
) -> SeriesOut:
    first = await hosting.locked(db, actor, event_id)
    cause, now = cause_of(request, actor), clock.now()
    made = await series.repeat(db, actor, cause, first, rule, now)
    return discovery.series_out(made, actor.timezone, dry_run=rehearsed)


@router.get(
    "/series/{series_id}",
    summary="Read a series",
    response_model=SeriesPage,
    **describe.read(NotFound, InvalidTimezone, query=SeriesQuery, paged=True),
)
async def read_series(series_id: SeriesId, request: Request) -> Response:
    """The rule of a series, and those of its events that you may see, soonest first.

    What is unlisted, private or a draft is shown to those who work on it. Where nothing is left to
    show, there is no such series.
    """
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_READ)
    wanted, query = pages.id_of(series_id), queries.read(request, SeriesQuery)
    zone, name = display_zone(query, actor), pages.query_name(actor, "series", wanted)
    after = _position(runtime.cursors.read(name, query.cursor)) if query.cursor else None
    async with runtime.database.read() as db:
        found = await discovery.events_of(db, actor, wanted, after=after, limit=query.limit + 1)
    views, cursor = pages.cut(found.events, query.limit, runtime.cursors, name, _key)
    items = [event_out(view, zone) for view in views]
    page = SeriesPage(found.id, found.rule, found.timezone, items, cursor)
    return responses.read(request, page, link=responses.next_link(request, cursor))


def _key(view: EventView) -> Key:
    return key_of(view.row.start_at, view.row.id)


def _position(key: Key) -> discovery.Position:
    start, event_id = key
    return datetime.fromisoformat(str(start)), UUID(str(event_id))
