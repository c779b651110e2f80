"""Migrations keep what is in a database that has served: every row, and what rows point at."""

from collections.abc import Collection
from typing import Any

import pytest
from sqlalchemy import Connection, Table, inspect, select, table, text
from tests.db.samples import a_row, in_order, table_of
from tests.events import indexed
from tests.events.indexed import an_event
from tests.migrations import portrait

from turnout.db import driver, engines
from turnout.db.session import Database, Db
from turnout.events import search_index
from turnout.migrations import schema

Content = dict[str, list[dict[str, Any]]]
FIRST = "0001"
ROWS = 3
NAMES = ["ÉMILE Straße", "\u0390" * 200, "Zoë"]
"""Their lower case is longer, on the second far longer than its column."""


async def columns(db: Db) -> dict[str, list[str]]:
    """The tables of models that there are, with the names of their columns."""

    def look(connection: Connection) -> dict[str, list[str]]:
        found = inspect(connection)
        others = {"alembic_version", *search_index.TABLES}
        names = [name for name in found.get_table_names() if name not in others]
        return {name: [each["name"] for each in found.get_columns(name)] for name in names}

    return await (await db.connection()).run_sync(look)


async def fill(url: str, *, but: Content | None = None) -> None:
    """Rows in every table there is, except those that have some."""
    database = Database(url)
    async with database.write() as db:
        there = await columns(db)
        wanted = [each for each in map(table_of, in_order()) if each.name in there]
        for each in wanted:
            if each.name not in (but or {}):
                for n in range(ROWS):
                    await db.execute(each.insert().values(a_dict(each, n, there[each.name])))
    await database.aclose()


def a_dict(of: Table, n: int, names: Collection[str]) -> dict[str, Any]:
    values = zip(of.columns, a_row(of, n), strict=True)
    row = {column.name: value for column, value in values if column.name in names}
    return row | ({"name": NAMES[n]} if of.name == "users" else {})


async def content(url: str) -> Content:
    """Every row of every table, as it stands in the database.

    But what a migration notes of itself: that the tz database is not known.
    """
    database = Database(url)
    async with database.read() as db:
        everything = select(text("*")).order_by(text("1"))
        queries = {name: everything.select_from(table(name)) for name in await columns(db)}
        found = {name: await db.execute(query) for name, query in queries.items()}
    await database.aclose()
    whole = {name: [dict(row) for row in rows.mappings()] for name, rows in found.items()}
    kept = [row for row in whole.get("facts", []) if row != {"name": "tzdata", "value": "0"}]
    return whole | ({"facts": kept} if "facts" in whole else {})


def dangling(url: str) -> list[Any]:
    """References that lead nowhere; PostgreSQL has none, whatever happens."""
    if not engines.is_sqlite(url):
        return []
    connection = driver.sqlite.connect(engines.sqlite_path(url))
    found = list(connection.execute("PRAGMA foreign_key_check"))
    connection.close()
    return found


async def test_upgrade_of_a_database_in_use_keeps_every_row(empty_url: str) -> None:
    await schema.upgrade(empty_url, FIRST)
    await fill(empty_url)
    before = await content(empty_url)

    await schema.upgrade(empty_url)

    after = await content(empty_url)
    kept = {
        name: [{column: row[column] for column in rows[0]} for row in after[name]]
        for name, rows in before.items()
    }
    assert {len(rows) for rows in before.values()} == {ROWS}
    assert kept == before
    assert dangling(empty_url) == []


async def test_upgrade_lets_people_be_found_whatever_letters_they_have(empty_url: str) -> None:
    await schema.upgrade(empty_url, FIRST)
    await fill(empty_url)

    await schema.upgrade(empty_url)

    users = (await content(empty_url))["users"]
    assert [user["search_text"] for user in users] == [
        "émile strasse email zoë \U0001f40d 0",
        "\u03b9\u0308\u0301" * 200,
        "zoë email zoë \U0001f40d 2",
    ]
    assert [user["password_hash"] for user in users] == [None] * ROWS
    assert [user["email_verified_at"] for user in users] == [None] * ROWS


async def test_downgrade_of_a_database_in_use_takes_what_is_new_alone(empty_url: str) -> None:
    await schema.upgrade(empty_url, FIRST)
    await fill(empty_url)
    before, shape = await content(empty_url), await portrait.of(empty_url)
    await schema.upgrade(empty_url)
    await fill(empty_url, but=before)
    news = {name: len(rows) for name, rows in (await content(empty_url)).items()}

    await schema.downgrade(empty_url, FIRST)

    assert len(news) > len(before)
    assert set(news.values()) == {ROWS}
    assert await content(empty_url) == before
    assert await portrait.of(empty_url) == shape
    assert dangling(empty_url) == []


async def test_index_of_search_is_filled_on_the_way_down_and_up(empty_url: str) -> None:
    await schema.upgrade(empty_url)
    database = Database(empty_url)
    await indexed.add_olive(database)
    await indexed.add(database, an_event(1), an_event(2, status="draft"), an_event(3, tags=["a"]))
    await database.aclose()
    before = await index_of(empty_url)

    await schema.downgrade(empty_url, "0003")
    older = await index_of(empty_url)
    await schema.upgrade(empty_url)

    assert await index_of(empty_url) == before
    assert older != before
    assert [len(rows) for rows in older.values()] == [len(rows) for rows in before.values()]
    database = Database(empty_url)
    await indexed.check(database)
    await database.aclose()


async def index_of(url: str) -> dict[str, list[str]]:
    """What the tables of the index hold that a query can read."""
    database = Database(url)
    names = ("event_numbers",) if database.is_sqlite else ("event_facets", "event_search")
    async with database.read() as db:
        queries = {name: select(text("*")).select_from(table(name)) for name in names}
        found = {name: await db.execute(query) for name, query in queries.items()}
    await database.aclose()
    return {name: sorted(map(repr, rows)) for name, rows in found.items()}


@pytest.mark.parametrize("table", ["events", "registrations"])
async def test_dangling_finds_what_points_nowhere(sqlite_url: str, table: str) -> None:
    """The control of the tests above."""
    await fill(sqlite_url)
    before = dangling(sqlite_url)

    connection = driver.sqlite.connect(engines.sqlite_path(sqlite_url))
    connection.executescript("PRAGMA foreign_keys = OFF; DELETE FROM users")
    connection.close()

    assert before == []
    assert table in {each[0] for each in dangling(sqlite_url)}
