"""The rows of series, and which events follow one in its own. Knows neither seats nor HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout import ids
from turnout.accounts.actor import Actor
from turnout.db import sets
from turnout.events.errors import NotInSeries
from turnout.events.models import Event, Series, TeamMember
from turnout.events.queries import EventBrief, in_team_of
from turnout.events.recurrence import Rule
from turnout.events.whole import Whole


@dataclass(frozen=True, slots=True)
class Following:
    """The events from one on in their series, in the order of the rule; that one is the first."""

    series_id: UUID
    events: Sequence[EventBrief]


async def add(db: AsyncSession, first: Whole, rule: Rule, now: datetime) -> UUID:
    """The id of a new series that begins with that event, and has no event yet."""
    series_id = ids.new_id()
    row = {
        "id": series_id,
        "organizer_id": first.organizer_id,
        "rule": rule.text,
        "timezone": first.timezone,
        "start_local": first.start.local,
        "created_at": now,
    }
    await db.execute(insert(Series).values(row))
    return series_id


async def share_team(db: AsyncSession, event_id: UUID, others: Sequence[UUID]) -> None:
    """Let whoever helps with the event help with the others as well. Nobody is told again."""
    table = TeamMember.__table__
    members = (await db.execute(select(table).where(table.c.event_id == event_id))).all()
    rows = [
        tuple(other if column.name == "event_id" else row[column.name] for column in table.columns)
        for other in others
        for row in [each._mapping for each in members]  # noqa: SLF001 - SQLAlchemy's public name for it
    ]
    sets.insert(db, table, rows)  # type: ignore[arg-type]  # a Table, though declared as FromClause


async def following(db: AsyncSession, actor: Actor, event_id: UUID) -> Following:
    """The event and those after it by the rule, whatever became of their times since.

    `team_role` is the caller's; no policy is asked. Raises NotInSeries.
    """
    here = select(Event.series_id, Event.series_local).where(Event.id == event_id)
    row = (await db.execute(here)).one_or_none()
    if row is None or row.series_id is None:
        raise NotInSeries
    query = (
        select(
            *(Event.id, Event.status, Event.visibility, Event.organizer_id, Event.timezone),
            TeamMember.role,
        )
        .outerjoin(TeamMember, in_team_of(actor.user_id))
        .where(
            Event.series_id == row.series_id,
            or_(Event.series_local > row.series_local, Event.id == event_id),
        )
        .order_by(Event.series_local, Event.id)
    )
    return Following(row.series_id, [EventBrief(*each) for each in await db.execute(query)])


async def forget_empty(db: AsyncSession, series_id: UUID) -> None:
    """Take the series away, unless it still has an event."""
    has_events = exists().where(Event.series_id == series_id)
    await db.execute(delete(Series).where(Series.id == series_id, ~has_events))
