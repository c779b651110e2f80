"""Reads of registrations. Changes nothing."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.accounts.policy import require_account
from turnout.errors import NotFound
from turnout.events.models import Event, TeamMember
from turnout.events.queries import EventBrief, in_team_of
from turnout.registrations import policy
from turnout.registrations.models import Registration, Status
from turnout.registrations.records import Held, Registered

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


async def held(
    db: AsyncSession, actor: Actor, registration_id: UUID, *, lock: bool = False
) -> Held:
    """A registration with its event; with `lock` nobody changes it until the transaction ends.

    Raises NotSignedIn, and NotFound for whose it is not.
    """
    policy.require_known(actor)
    query = _held_by(actor).where(Registration.id == registration_id)
    if lock:
        query = query.with_for_update(of=Registration, key_share=True)
    row = (await db.execute(query)).one_or_none()
    found = None if row is None else _held(row)
    if found is None or not policy.may_read(actor, found):
        raise NotFound
    return found


async def own(db: AsyncSession, actor: Actor, *, before: UUID | None, limit: int) -> list[Held]:
    """The caller's registrations, the newest first, at most `limit` older than `before`.

    Those of the account, and once its address is verified those that were made with it as a guest.
    """
    me = require_account(actor)
    found = await _newest(db, actor, Registration.account_id == me, before, limit)
    if actor.is_verified:
        as_guest = and_(
            Registration.email_canonical == actor.person, Registration.account_id.is_(None)
        )
        found += await _newest(db, actor, as_guest, before, limit)
    return sorted(found, key=lambda each: each.id, reverse=True)[:limit]


async def _newest(
    db: AsyncSession, actor: Actor, mine: ColumnElement[bool], before: UUID | None, limit: int
) -> list[Held]:
    query = _held_by(actor).where(mine).order_by(Registration.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Registration.id < before)
    return [_held(row) for row in await db.execute(query)]


def _held_by(actor: Actor) -> Select[Any]:
    return (
        select(
            *_COLUMNS,
            *(Registration.account_id, Registration.email_canonical),
            *(Event.id, Event.status, Event.visibility, Event.organizer_id, Event.timezone),
            *(TeamMember.role, Event.end_at),
        )
        .join(Event, Event.id == Registration.event_id)
        .outerjoin(TeamMember, in_team_of(actor.user_id))
    )


def _held(row: Row[Any]) -> Held:
    values: tuple[Any, ...] = tuple(row)
    split = len(_COLUMNS)
    account_id, person, *event, end = values[split:]
    return Held(Registered(*values[:split]), account_id, person, EventBrief(*event), end)


def _registered(row: Row[Any]) -> Registered:
    values: tuple[Any, ...] = tuple(row)
    return Registered(*values)
