"""Rows written in sets are what the ORM reads, whatever their number; none goes in alone."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from tests.db import rows
from tests.db.samples import AN_ID, a_row, emptied, in_order, table_of

from turnout.db import sets
from turnout.db.facts import Fact
from turnout.db.session import Database
from turnout.idempotency.models import KeptAnswer
from turnout.outbox.models import Delivery, OutboxMessage
from turnout.registrations.models import Admission


async def test_set_written_to_every_table_is_what_the_orm_reads(database: Database) -> None:
    sent = {
        model: [a_row(table_of(model), 1), emptied(table_of(model), a_row(table_of(model), 2))]
        for model in in_order()
    }

    async with database.write() as db:
        for model, of_model in sent.items():
            sets.insert(db, table_of(model), of_model)

    for model, of_model in sent.items():
        table = table_of(model)
        async with database.read() as db:
            key = list(table.primary_key.columns)[-1]
            found = list(await db.scalars(select(model).order_by(key)))
        back = [tuple(getattr(row, column.name) for column in table.columns) for row in found]
        assert (table.name, back) == (table.name, of_model)
        assert [[type(v) for v in row] for row in back] == [[type(v) for v in r] for r in of_model]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 63, 64, 65, 200])
async def test_set_of_any_size_is_written_whole(database: Database, count: int) -> None:
    sent = [(f"fact {n:03}", str(n)) for n in range(count)]

    async with database.write() as db:
        sets.insert(db, table_of(Fact), sent[:2])
        sets.insert(db, table_of(Fact), sent[2:])

    assert await rows.read(database, select(Fact.name, Fact.value).order_by(Fact.name)) == sent


async def test_set_with_a_row_that_is_there_already_writes_nothing(database: Database) -> None:
    sent = [(f"fact {n}", "x") for n in range(70)]
    await rows.change(database, table_of(Fact).insert().values(name="fact 69", value="before"))

    async def write() -> None:
        async with database.write() as db:
            sets.insert(db, table_of(KeptAnswer), [a_row(table_of(KeptAnswer), 1)])
            sets.insert(db, table_of(Fact), sent)

    with pytest.raises(IntegrityError):
        await write()

    counts = [await rows.count(database, model) for model in (Fact, KeptAnswer)]
    assert counts == [1, 0]


async def test_set_is_not_written_when_the_transaction_fails(database: Database) -> None:
    async def write() -> None:
        async with database.write() as db:
            sets.insert(db, table_of(Fact), [("one", "1")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write()

    await rows.change(database)
    assert await rows.count(database, Fact) == 0


async def test_set_that_was_flushed_is_seen_by_what_follows_and_written_once(
    database: Database,
) -> None:
    query = select(Fact.name)
    async with database.write() as db:
        sets.insert(db, table_of(Fact), [("one", "1")])
        before = list(await db.scalars(query))
        await sets.flush(db)
        after = list(await db.scalars(query))
        await sets.flush(db)

    assert (before, after) == ([], ["one"])
    assert await rows.count(database, Fact) == 1


async def test_increase_adds_to_each_row_what_is_its_own(database: Database) -> None:
    models = [model for model in in_order() if model.__tablename__ in {"users", "events"}]
    admissions = table_of(Admission)
    async with database.write() as db:
        for table in [*map(table_of, models), admissions]:
            sets.insert(db, table, [a_row(table, n) for n in range(5)])

    async with database.write() as db:
        moves = [(UUID(int=AN_ID.int + n), n, n * 10) for n in range(4)]
        sets.increase(db, admissions, ("event_id", "taken", "waiting"), moves)

    found = await rows.read(
        database, select(Admission.taken, Admission.waiting).order_by(Admission.event_id)
    )
    assert found == [(2, 0), (3, 10), (4, 20), (5, 30), (2, 0)]


async def test_change_sets_what_its_keys_match_and_nothing_else(database: Database) -> None:
    """Also a column that is a key itself, as a lease that ends."""
    table = table_of(Delivery)
    async with database.write() as db:
        sets.insert(db, table_of(OutboxMessage), [a_row(table_of(OutboxMessage), 0)])
        sets.insert(db, table, [a_delivery(n) for n in range(4)])

    async with database.write() as db:
        ended = [(number(n), number(n % 3), None, f"{n}") for n in range(1, 4)]
        sets.change(db, table, ("id", "claim"), ("claim", "last_error"), ended)

    query = select(Delivery.id, Delivery.claim, Delivery.last_error).order_by(Delivery.id)
    assert await rows.read(database, query) == [
        (number(0), number(0), None),
        (number(1), None, "1"),
        (number(2), None, "2"),
        (number(3), number(3), None),  # its claim was another
    ]


def number(n: int) -> UUID:
    return UUID(int=AN_ID.int + n)


def a_delivery(n: int) -> tuple[Any, ...]:
    values = dict(zip(table_of(Delivery).columns.keys(), a_row(table_of(Delivery), n), strict=True))
    others = {
        "id": number(n), "recipient_id": number(n), "message_id": number(0), "claim": number(n),
        "finished_at": None, "outcome": None, "last_error": None,
    }  # fmt: skip
    return tuple((values | others).values())
