"""The secret link under which someone's calendar program finds their events. Knows no HTTP."""

from collections.abc import Iterable
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts import opaque
from turnout.accounts.actor import Actor, Standing
from turnout.accounts.models import User
from turnout.accounts.policy import require_account
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.db import upserts
from turnout.discovery import queries as discovery
from turnout.errors import NotFound
from turnout.events.models import Status as EventStatus
from turnout.notifications.models import CalendarFeed
from turnout.registrations import queries as registrations
from turnout.registrations.models import Status
from turnout.registrations.records import Held

MOST_EVENTS = 500
"""In a feed, those that were registered for last: programs ask again and again for all of it."""


async def renew(db: AsyncSession, actor: Actor, cause: Cause, now: datetime) -> str:
    """The secret of the caller's feed, which nobody can ask for again; a former one ends.

    Raises NotSignedIn.
    """
    owner, secret = require_account(actor), opaque.new_secret()
    row = {"user_id": owner, "token_hash": opaque.hash_of(secret), "created_at": now}
    await upserts.put(db, CalendarFeed, [row], key=("user_id",))
    audit.record(db, [audit.Entry(now, cause, "calendar-feed.made", subject_id=owner)])
    return secret


async def end(db: AsyncSession, actor: Actor, cause: Cause, now: datetime) -> None:
    """Let the link of the caller's feed lead nowhere. Raises NotSignedIn, NotFound for none."""
    owner = require_account(actor)
    this = delete(CalendarFeed).where(CalendarFeed.user_id == owner)
    ended = await db.execute(this.returning(CalendarFeed.user_id))
    if ended.one_or_none() is None:
        raise NotFound
    audit.record(db, [audit.Entry(now, cause, "calendar-feed.ended", subject_id=owner)])


async def entries(db: AsyncSession, secret: str) -> list[Any]:
    """The events of whoever has that link, for `discovery.ical`. Raises NotFound for any other.

    One that they are not registered for any more is among them as cancelled: of an entry that is
    missing, a program does not know that it should go. Where they wait for a seat, it is tentative.
    """
    owner = select(User).join(CalendarFeed, CalendarFeed.user_id == User.id)
    user = await db.scalar(owner.where(CalendarFeed.token_hash == opaque.hash_of(secret)))
    if user is None or not user.is_active:
        raise NotFound
    held = await registrations.own(db, _as_themselves(user), before=None, limit=MOST_EVENTS)
    standing = _standing(held)
    views = await discovery.events(db, list(standing))
    return [_as_held(view.row, standing[view.row.id]) for view in views]


def _as_themselves(user: User) -> Actor:
    return Actor(
        Standing.ACCOUNT,
        user.id,
        person=user.email_canonical,
        is_verified=user.email_verified_at is not None,
    )


def _standing(held: Iterable[Held]) -> dict[UUID, Status]:
    """How someone stands at each event: by the registration that counts, else a cancelled one."""
    found = dict[UUID, Status]()
    for each in held:
        status = Status(each.registration.status)
        if found.get(each.event.id, Status.CANCELLED) == Status.CANCELLED:
            found[each.event.id] = status
    return found


def _as_held(row: Any, status: Status) -> Any:
    """The event as it is for one who stands so."""
    shown = row.status
    if status == Status.CANCELLED:
        shown = EventStatus.CANCELLED
    elif shown == EventStatus.PUBLISHED and status != Status.CONFIRMED:
        shown = EventStatus.DRAFT  # which calendars are told as TENTATIVE
    return SimpleNamespace(**{**row._mapping, "status": shown})  # noqa: SLF001 - the columns' names
