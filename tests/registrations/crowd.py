"""Many who want something of an event at once, from two processes' ways to one database; no HTTP.

A process is a Database and a Desk: two of each know nothing of one another, as in two servers.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from tests.db import rows

from turnout import clock
from turnout.accounts import service as accounts
from turnout.accounts import users
from turnout.accounts.actor import ANONYMOUS, SYSTEM, Actor
from turnout.audit.audit import Cause
from turnout.db.session import Database
from turnout.events import times
from turnout.events.drafts import EventDraft
from turnout.idempotency.idempotency import Answer
from turnout.registrations import changes, erasing, gate, queries, service
from turnout.registrations.desk import Desk
from turnout.registrations.models import Registration
from turnout.registrations.records import Registered, Seated, Wish
from turnout.registrations.service import AdmissionDraft

CAUSE = Cause("system")
SECRET = b"of one installation, for tests alone"
PEOPLE_IN_ONE_SET = 1_000


@dataclass(frozen=True, slots=True)
class Process:
    """One server, as the database knows it."""

    database: Database
    desk: Desk

    async def register(self, event_id: UUID, email: str, actor: Actor = ANONYMOUS) -> Registered:
        """A new registration, by the desk."""
        seated = await self.desk.register(a_wish(event_id, email, actor))
        assert isinstance(seated, Seated)
        return seated.registration

    async def cancel(self, registration_id: UUID) -> None:
        """Cancel a registration, in a transaction of its own."""
        async with self.database.write() as db:
            await cancel_in(db, registration_id)

    async def erase(self, email: str) -> None:
        """Erase an account as the API does it."""
        async with self.database.write() as db:
            found = await users.by_email(db, email)
            assert found is not None
            user = await users.locked(db, found.id)
            await erasing.erase(db, user, CAUSE, clock.now())


@asynccontextmanager
async def processes(url: str, count: int = 2) -> AsyncIterator[list[Process]]:
    """So many servers of one database."""
    databases = [Database(url) for _ in range(count)]
    started = [Process(database, Desk(database, SECRET)) for database in databases]
    try:
        yield started
    finally:
        for each in started:
            await each.desk.aclose()
            await each.database.aclose()


async def cancel_in(db: AsyncSession, registration_id: UUID) -> None:
    """Cancel a registration in the caller's transaction."""
    found = await queries.held(db, SYSTEM, registration_id)
    await changes.cancel(db, SYSTEM, found, CAUSE, clock.now())


def a_wish(event_id: UUID, email: str, actor: Actor = ANONYMOUS) -> Wish:
    """What somebody asks for."""
    return Wish(event_id, "Person", email, email, actor, CAUSE, _never_shown)


def _never_shown(_: Seated) -> Answer:
    return Answer(201, {}, b"")


async def make_events(database: Database, capacities: Sequence[int | None]) -> list[UUID]:
    """Coming events with a waitlist, one for each of the capacities."""
    now = clock.now()
    start, end = [times.moment_at(now + timedelta(days=days), "UTC") for days in (10, 11)]
    async with database.write() as db:
        owner = await accounts.built_in_organizer(db, now)
        wanted = [
            (
                EventDraft(f"Event {n}", "Hall", "UTC", start, end),
                AdmissionDraft(capacity, waitlist_enabled=True),
            )
            for n, capacity in enumerate(capacities)
        ]
        return await service.host(db, owner, CAUSE, wanted, now)


async def fill(database: Database, event_id: UUID, count: int) -> None:
    """Let so many people register, in few transactions."""
    for first in range(0, count, PEOPLE_IN_ONE_SET):
        many = range(first, min(count, first + PEOPLE_IN_ONE_SET))
        wishes = [a_wish(event_id, f"many{n}@example.com") for n in many]
        async with database.write() as db:
            outcomes = await gate.admit(db, wishes, clock.now(), secret=SECRET, wait=True)
        assert all(isinstance(outcome, Seated) for outcome in outcomes)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a registration stands."""

    id: UUID
    status: str
    waitlist_position: int | None


async def everyone(database: Database, event_id: UUID) -> list[Place]:
    """Each registration of an event, in the order in which they were made."""
    columns = Registration.id, Registration.status, Registration.waitlist_position
    query = select(*columns).where(Registration.event_id == event_id).order_by(Registration.id)
    return [Place(*row) for row in await rows.read(database, query)]
