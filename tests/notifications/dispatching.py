"""Messages handed on as the worker does it, and what became of them; sends nothing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from tests.db import rows
from tests.support.app import RunningApp

from turnout import clock
from turnout.notifications import announcements, dispatch, reminders
from turnout.outbox.models import Delivery, OutboxMessage

AT_ONCE = timedelta()


async def dispatched(app: RunningApp, settle: timedelta = AT_ONCE) -> None:
    """Everything that is due is handed on."""
    database = app.runtime.database
    while True:
        async with database.write() as db:
            done = await dispatch.dispatch(db, clock.now(), settle)
        if not done.messages:
            return


async def by_the_clock(app: RunningApp) -> None:
    """What is due by the clock has its message, and that is handed on."""
    database = app.runtime.database
    async with database.write() as db:
        await announcements.settle_due(db, clock.now())
    async with database.write() as db:
        await reminders.call_due(db, clock.now())
    await dispatched(app)


async def mails(app: RunningApp, *kinds: str) -> list[tuple[str, str]]:
    """Kind and address of every mail there is to be, in the order in which they came up."""
    query = select(Delivery.kind, Delivery.address).where(Delivery.channel == "mail")
    found = await rows.read(app.runtime.database, query.order_by(Delivery.id))
    return [(kind, address) for kind, address in found if not kinds or kind in kinds]


async def data_of(app: RunningApp, kind: str) -> list[dict[str, Any]]:
    """What the mails of a kind are given along."""
    query = select(Delivery.data).where(Delivery.kind == kind).order_by(Delivery.id)
    return [data for (data,) in await rows.read(app.runtime.database, query)]


async def positions(app: RunningApp) -> list[tuple[UUID, int | None]]:
    """Every message with its place in the feed, in the order of their ids."""
    query = select(OutboxMessage.id, OutboxMessage.position).order_by(OutboxMessage.id)
    return [(row[0], row[1]) for row in await rows.read(app.runtime.database, query)]
