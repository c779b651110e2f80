"""Questions to the driver itself: what the session would say, and never from before they began."""

import asyncio

import pytest
from sqlalchemy import column, delete, insert, select, table, text
from sqlalchemy.exc import DBAPIError
from tests.db import rows
from tests.db.samples import a_row, table_of

from turnout.accounts.models import ApiToken, User
from turnout.db.errors import away, is_away
from turnout.db.facts import Fact
from turnout.db.held import Question
from turnout.db.session import Database

ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
FACTS = Question(select(Fact.name, Fact.value), table_of(Fact).c.name)


async def know(database: Database, *names: str) -> None:
    await rows.change(database, *(insert(Fact).values(name=name, value=name * 2) for name in names))


async def test_question_has_few_sizes_for_its_statements(database: Database) -> None:
    dialect = database.reader.dialect

    sizes = {len(FACTS.of(["n"] * count, dialect).values) for count in range(1, 257)}

    assert sizes == {1, 2, 4, 8, 16, 32, 64, 128, 256}


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 200])
async def test_rows_of_any_number_of_keys_come_once(database: Database, count: int) -> None:
    names = [f"n{n}" for n in range(count)]
    await know(database, "other", *names)

    found = await database.held.rows(FACTS, [*names, "nobody"])

    assert sorted(found) == sorted((name, name * 2) for name in names)


async def test_rows_hold_what_the_session_reads(database: Database) -> None:
    """Ids, bytes, times, truths and documents, which each driver has in its own way."""
    await rows.change(
        database,
        insert(User).values(a_row(table_of(User), 1)),
        insert(ApiToken).values(a_row(table_of(ApiToken), 1)),
    )
    joined = select(*table_of(User).c, *table_of(ApiToken).c).join_from(
        User, ApiToken, User.id == ApiToken.user_id
    )
    async with database.read() as db:
        [expected] = (await db.execute(joined)).all()
    key = table_of(ApiToken).c.token_hash

    [found] = await database.held.rows(Question(joined, key), [expected[-5]])

    assert list(map(type, found)) == list(map(type, expected))
    assert found == tuple(expected)


async def test_rows_are_those_of_the_last_commit(database: Database) -> None:
    await know(database, "one")
    first = await database.held.rows(FACTS, ["one", "two"])
    await know(database, "two")
    await rows.change(database, delete(Fact).where(Fact.name == "one"))

    second = await database.held.rows(FACTS, ["one", "two"])

    assert (first, second) == ([("one", "oneone")], [("two", "twotwo")])


async def test_rows_for_many_at_once_are_each_their_own(database: Database) -> None:
    names = [f"n{n}" for n in range(20)]
    await know(database, *names)

    found = await asyncio.gather(*(database.held.rows(FACTS, [name]) for name in names))

    assert found == [[(name, name * 2)] for name in names]


async def test_a_wrong_question_is_a_defect_and_spoils_no_other(database: Database) -> None:
    await know(database, "one")
    missing = table("missing", column("name"))

    with pytest.raises(Exception, match="missing") as wrong:
        await database.held.rows(Question(select(missing.c.name), missing.c.name), ["one"])

    assert not is_away(wrong.value)
    assert isinstance(wrong.value, DBAPIError) is database.is_sqlite
    assert await database.held.rows(FACTS, ["one"]) == [("one", "oneone")]


@ON_POSTGRESQL
async def test_a_connection_that_was_cut_is_replaced(database: Database) -> None:
    await know(database, "one")
    await database.held.rows(FACTS, ["one"])
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    async with database.read() as db:
        await db.execute(text(f"{cut} AND datname = current_database()"))

    with pytest.raises(away()):
        await database.held.rows(FACTS, ["one"])

    assert await database.held.rows(FACTS, ["one"]) == [("one", "oneone")]


async def test_held_connection_goes_back_to_its_pool(database: Database) -> None:
    await database.held.rows(FACTS, ["one"])
    pool = database.reader.sync_engine.pool
    during = pool.checkedout()  # type: ignore[attr-defined]  # of a queue's pool

    await database.held.aclose()

    assert (during, pool.checkedout()) == (1, 0)  # type: ignore[attr-defined]  # as above
