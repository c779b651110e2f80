"""Series as they are answered: the events of one, and what a change to several of them does.

Knows no HTTP.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.discovery import queries
from turnout.discovery.changes import AffectedOut, MoveOut, ToldOut, WarningOut, moves_of
from turnout.discovery.changes import recipients as recipients_of
from turnout.discovery.queries import EventView
from turnout.discovery.schemas import EventOut
from turnout.errors import NotFound
from turnout.events import policy, times
from turnout.events.models import Event, Series, Status
from turnout.registrations.series import Followed, Made

Position = tuple[datetime, UUID]
"""Start and id of the event behind which a page begins."""
RuleText = Annotated[
    str, Field(description="RRULE of RFC 5545.", examples=["FREQ=WEEKLY;BYDAY=SA;COUNT=10"])
]


@dataclass(frozen=True, slots=True)
class DateOut:
    """One event of a new series; `id` is null in a rehearsal for what would be made."""

    id: UUID | None
    start_time: datetime
    end_time: datetime


@dataclass(frozen=True, slots=True)
class SeriesOut:
    """A new series: all of its events, the one that repeats being the first.

    The `field` of a warning says whose it is: `events.3.start_time`.
    """

    dry_run: Annotated[bool, Field(description="Whether nothing was made.")]
    series_id: Annotated[UUID | None, Field(description="null in a rehearsal.")]
    rule: RuleText
    timezone: Annotated[str, Field(examples=["Asia/Kolkata"])]
    events: list[DateOut]
    warnings: list[WarningOut]


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """A page of the events of a series that the caller may see, soonest first."""

    series_id: UUID
    rule: RuleText
    timezone: Annotated[str, Field(description="By whose clock the rule goes.")]
    items: list[EventOut]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class FollowedOut:
    """An event as it is now (or would be, in a rehearsal), and what the change does to it."""

    id: UUID
    name: str
    status: Status
    start_time: datetime
    end_time: datetime
    display_timezone: str
    max_capacity: int | None
    seats_taken: int
    moves: list[MoveOut]
    affected: AffectedOut
    warnings: list[WarningOut]


@dataclass(frozen=True, slots=True)
class FollowingOut:
    """What one change does to an event and to those that follow it, in the order of the rule."""

    dry_run: Annotated[bool, Field(description="Whether nothing was changed.")]
    series_id: UUID
    events: list[FollowedOut]
    messages: Annotated[
        list[ToldOut], Field(description="Of all events; whoever is registered twice, hears twice.")
    ]


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A series with some of its events."""

    id: UUID
    rule: str
    timezone: str
    events: Sequence[EventView]


async def events_of(
    db: AsyncSession, actor: Actor, series_id: UUID, *, after: Position | None, limit: int
) -> SeriesView:
    """The events of a series that the caller may come upon, soonest first, at most `limit`.

    Raises NotFound where there is none from the start on: then the series is not to be known.
    """
    query = (
        select(Event.id)
        .where(Event.series_id == series_id, policy.met_events(actor))
        .order_by(Event.start_at, Event.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(Event.start_at, Event.id) > after)
    event_ids = (await db.scalars(query)).all()
    told = select(Series.rule, Series.timezone).where(Series.id == series_id)
    row = (await db.execute(told)).one_or_none()
    if row is None or (after is None and not event_ids):
        raise NotFound
    views = await queries.events(db, event_ids) if event_ids else []
    views.sort(key=lambda view: (view.row.start_at, view.row.id))
    return SeriesView(series_id, row.rule, row.timezone, views)


def series_out(made: Made, zone: str | None, *, dry_run: bool) -> SeriesOut:
    """A new series as it is answered, its times in `zone`, else in its own.

    Of a rehearsal without the ids of what was not made.
    """
    first, *_ = made.events
    shown_in = zone or made.timezone
    return SeriesOut(
        dry_run=dry_run,
        series_id=None if dry_run else made.series_id,
        rule=made.rule,
        timezone=made.timezone,
        events=[
            DateOut(
                None if dry_run and event_id != first[0] else event_id,
                times.shown(span.start.instant, shown_in),
                times.shown(span.end.instant, shown_in),
            )
            for event_id, span in made.events
        ],
        warnings=[WarningOut(each.code, each.field, each.message) for each in made.warnings],
    )


def following_out(
    series_id: UUID, followed: Sequence[Followed], zone: str | None, *, dry_run: bool
) -> FollowingOut:
    """The answer to a change of several events, their times in `zone`, else in their own."""
    return FollowingOut(
        dry_run=dry_run,
        series_id=series_id,
        events=[_followed_out(each, zone) for each in followed],
        messages=_told(followed),
    )


def _followed_out(followed: Followed, zone: str | None) -> FollowedOut:
    change = followed.change
    after, event = change.after, change.after.event
    shown_in = zone or event.timezone
    return FollowedOut(
        id=event.id,
        name=event.name,
        status=Status(event.status),
        start_time=times.shown(event.start.instant, shown_in),
        end_time=times.shown(event.end.instant, shown_in),
        display_timezone=shown_in,
        max_capacity=after.admission.capacity,
        seats_taken=after.taken,
        moves=list(moves_of(change.before, after)),
        affected=AffectedOut(after.taken, after.waiting, change.promoted),
        warnings=[WarningOut(each.code, each.field, each.message) for each in change.warnings],
    )


def _told(followed: Sequence[Followed]) -> list[ToldOut]:
    """The messages by their topics, with the recipients at all events together."""
    told: dict[str, int] = {}
    for each in followed:
        people = each.change.after.taken + each.change.after.waiting
        for topic, count in Counter[str](each.topics).items():
            told[topic] = told.get(topic, 0) + recipients_of(topic, count, people)
    return [ToldOut(topic, count) for topic, count in told.items()]
