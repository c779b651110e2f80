"""Reads of registrations. Changes nothing."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.registrations.models import Registration, Status
from turnout.registrations.records import Registered

_COLUMNS = (
    Registration.id,
    Registration.event_id,
    Registration.name,
    Registration.email,
    Registration.status,
    Registration.waitlist_position,
    Registration.checked_in_at,
    Registration.created_at,
    Registration.updated_at,
    Registration.answers,
)


async def attendees(
    db: AsyncSession,
    event_id: UUID,
    *,
    status: Status | None,
    after: UUID | None,
    limit: int,
) -> list[Registered]:
    """The event's registrations in the order they were made, at most `limit` behind `after`.

    Without `status`, all that are not cancelled.
    """
    wanted = Registration.status == status if status else Registration.status != Status.CANCELLED
    query = (
        select(*_COLUMNS)
        .where(Registration.event_id == event_id, wanted)
        .order_by(Registration.event_id, Registration.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Registration.id > after)
    return [_registered(row) for row in await db.execute(query)]


def _registered(row: Row[Any]) -> Registered:
    values: tuple[Any, ...] = tuple(row)
    return Registered(*values)
