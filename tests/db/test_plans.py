"""Each list has its index: with many rows, no statement of the product reads a whole table."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import Table, text
from tests.db import plans

from turnout.accounts import service as accounts
from turnout.accounts.actor import Actor
from turnout.audit.audit import Cause
from turnout.db import sets
from turnout.db.session import Database, Db
from turnout.discovery import queries as discovery
from turnout.discovery import search_sql
from turnout.discovery.wanted import Position, Wanted
from turnout.events import times
from turnout.events.drafts import EventDraft, SlotDraft
from turnout.ids import new_id
from turnout.registrations import queries as registrations
from turnout.registrations import service, statements
from turnout.registrations.models import Registration, Status
from turnout.registrations.service import AdmissionDraft

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
EVENTS, PEOPLE = 1_500, 30
"""So many that an index pays; most events are over, as in a database that has served for years."""

Prepared = tuple[Actor, list[UUID]]


async def fill(database: Database) -> Prepared:
    """Events from 1,000 days ago to 500 days ahead, one a day, with slots and some with people."""
    async with database.write() as db:
        actor = await accounts.built_in_organizer(db, NOW)
        wanted = [(an_event(n), AdmissionDraft(100)) for n in range(EVENTS)]
        event_ids = await service.host(db, actor, Cause("open"), wanted, NOW)
    table = Registration.__table__
    assert isinstance(table, Table)
    async with database.write() as db:
        for event_id in event_ids[::5]:
            sets.insert(db, table, [a_registration(event_id, n) for n in range(PEOPLE)])
    await plans.gather_statistics(database)
    return actor, event_ids


def an_event(n: int) -> EventDraft:
    start = times.moment_at(NOW + timedelta(days=n - 1_000), "UTC")
    end = times.moment_at(start.instant + timedelta(hours=2), "UTC")
    slots = tuple(SlotDraft(f"Slot {k}", start, end) for k in range(6))
    return EventDraft(f"Event {n}", "Hall", "UTC", start, end, slots=slots)


def a_registration(event_id: UUID, n: int) -> tuple[object, ...]:
    email = f"person{n}@example.com"
    return (
        event_id, new_id(), "Person", email, email, None, "confirmed", None, None,
        None, {}, None, NOW, NOW,
    )  # fmt: skip


Work = Callable[[Db, Actor, list[UUID]], Awaitable[object]]
LISTED, LONG = "ix_events_listed", "ix_events_long"
AGENDA, PERSON = "ix_slots_agenda", "uq_registrations_person"


async def page(db: Db, after: Position | None) -> object:
    connection = await db.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    sql, values = search_sql.build(Wanted(since=NOW), after, 21, is_sqlite=is_sqlite)
    return await connection.exec_driver_sql(sql, tuple(values))


async def first_page(db: Db, _: Actor, __: list[UUID]) -> object:
    return await page(db, None)


async def later_page(db: Db, _: Actor, event_ids: list[UUID]) -> object:
    start = (NOW + timedelta(days=50)).isoformat()
    return await page(db, Position(0, start, event_ids[1_050].hex))


async def one_event(db: Db, actor: Actor, event_ids: list[UUID]) -> object:
    return await discovery.event(db, actor, event_ids[700])


async def attendees(db: Db, _: Actor, event_ids: list[UUID]) -> object:
    return await registrations.attendees(db, event_ids[5], status=None, after=None, limit=21)


async def later_attendees(db: Db, _: Actor, event_ids: list[UUID]) -> object:
    return await registrations.attendees(
        db, event_ids[5], status=Status.CONFIRMED, after=event_ids[9], limit=21
    )


async def one_person(db: Db, _: Actor, event_ids: list[UUID]) -> object:
    return await statements.lock(db, [(event_ids[5], "person7@example.com")], wait=True)


async def many_people(db: Db, _: Actor, event_ids: list[UUID]) -> object:
    people = [(event_ids[n % 3 * 5], f"person{n}@example.com") for n in range(20)]
    return await statements.lock(db, people, wait=False)


async def whole_table(db: Db, _: Actor, __: list[UUID]) -> object:
    return await db.execute(text("SELECT count(DISTINCT name) FROM registrations"))


BY_KEY = ("SEARCH registrations USING PRIMARY KEY", "using pk_registrations")
BY_EVENT = ("SEARCH admissions USING", "using pk_admissions")
ALL: list[tuple[Work, tuple[str, str]]] = [
    (first_page, (LISTED, LISTED)),
    (first_page, (LONG, LONG)),
    (later_page, (LISTED, LISTED)),
    (one_event, (AGENDA, AGENDA)),
    (attendees, BY_KEY),
    (later_attendees, BY_KEY),
    (one_person, (PERSON, PERSON)),
    (many_people, (PERSON, PERSON)),
    (many_people, BY_EVENT),
]
LARGE = ("events", "registrations", "admissions", "slots")


async def test_statements_over_many_rows_use_their_index(database: Database) -> None:
    actor, event_ids = await fill(database)

    for work, of_kind in ALL:
        found = "\n".join(await plans.of(database, partial(run, work, actor, event_ids)))

        index = of_kind[0 if database.is_sqlite else 1]
        assert [line for table in LARGE for line in plans.scans(found, table)] == [], found
        assert index in found


async def test_people_are_looked_up_by_their_index_while_nobody_has_registered(
    database: Database,
) -> None:
    """The plan is made when the first one registers, and kept for all who follow."""
    async with database.write() as db:
        actor = await accounts.built_in_organizer(db, NOW)
        wanted = [(an_event(n), AdmissionDraft(100)) for n in range(6)]
        event_ids = await service.host(db, actor, Cause("open"), wanted, NOW)
    await plans.gather_statistics(database)

    found = "\n".join(await plans.of(database, partial(run, one_person, actor, event_ids)))

    assert plans.scans(found, "registrations") == []
    assert PERSON in found


async def test_statement_over_a_whole_table_is_noticed(database: Database) -> None:
    """The control: what looks for scans finds one where there is one."""
    actor, event_ids = await fill(database)

    found = "\n".join(await plans.of(database, partial(run, whole_table, actor, event_ids)))

    assert len(plans.scans(found, "registrations")) == 1


async def run(work: Work, actor: Actor, event_ids: list[UUID], db: Db) -> object:
    return await work(db, actor, event_ids)
