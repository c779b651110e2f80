"""`turnout data reindex`: rows that came of older rules are found by those of today."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from tests.cli.typed import on, typed
from tests.db import rows
from tests.events import indexed
from tests.events.indexed import EVENTS, add, an_event, an_id, found

from turnout.cli.data.reindexing import Reindexed, reindex
from turnout.db.session import Database
from turnout.events import finding, reindexing
from turnout.migrations import schema

OLD: dict[str, Any] = {
    "title_words": "old",
    "words": "older oldest",
    "facets": "=told",
    "lasting": 3,
    "place_x": 0.5,
    "place_y": None,
    "place_z": 1.0,
}
"""What rules of another time might have made of any event."""


async def left_behind(database: Database, events: int, *, stale: set[int]) -> list[Any]:
    """Some events, of which those that are `stale` hold what older rules made; the others' rows."""
    await indexed.add_olive(database)
    made = [an_event(n, status="draft" if n % 4 == 3 else "published") for n in range(events)]
    await add(database, *made)
    before = await rows.read(database, select(EVENTS).order_by(EVENTS.c.id))
    old = EVENTS.update().where(EVENTS.c.id.in_([an_id(n) for n in stale])).values(OLD)
    await rows.change(database, old)
    return before


@pytest.mark.parametrize("page_size", [1, 3, 4, 8, 100])
async def test_reindex_derives_all_that_is_stale_and_nothing_else(
    database: Database, page_size: int
) -> None:
    before = await left_behind(database, 8, stale={0, 3, 6})
    pages: list[int] = []

    done = await reindex(database, pages.append, page_size=page_size)
    again = await reindex(database, pages.append, page_size=page_size)

    assert (done, again) == (Reindexed(8, 3), Reindexed(8, 0))
    assert await rows.read(database, select(EVENTS).order_by(EVENTS.c.id)) == before
    assert sum(pages) == 16
    assert max(pages) <= page_size
    await indexed.check(database)
    assert await found(database, "older") == []
    assert len(await found(database, "bengaluru")) == 6


@pytest.mark.parametrize("column", finding.DERIVED)
async def test_reindex_sees_each_column_that_is_stale(database: Database, column: str) -> None:
    before = await left_behind(database, 1, stale=set())
    await rows.change(database, EVENTS.update().values({column: OLD[column]}))

    done = await reindex(database, lambda _: None)

    assert done == Reindexed(1, 1)
    assert await rows.read(database, select(EVENTS)) == before


def test_reindex_knows_all_that_is_derived() -> None:
    derived = finding.columns_of(SimpleNamespace(**an_event(1)))

    assert [*derived] == [*finding.DERIVED] == [*OLD]


async def test_reindex_takes_the_text_of_now_where_it_was_edited_meanwhile(
    database: Database,
) -> None:
    await left_behind(database, 3, stale={0, 1, 2})
    async with database.read() as db:
        stale = reindexing.stale(await reindexing.page(db, after=None, limit=10))
    edit = EVENTS.update().where(EVENTS.c.id == an_id(1)).values(name="Edited meanwhile")
    gone = EVENTS.delete().where(EVENTS.c.id == an_id(2))
    await rows.change(database, edit, gone)

    async with database.write() as db:
        count = await reindexing.renew(db, stale)

    assert count == 2
    assert await found(database, "meanwhile", in_title=True) == ["Edited meanwhile"]
    assert await found(database, "0", in_title=True) == ["Event 0"]
    assert (await reindex(database, lambda _: None)).changed == 0
    await indexed.check(database)


async def test_reindex_of_nothing_is_nothing(database: Database) -> None:
    assert await reindex(database, lambda _: None) == Reindexed(0, 0)


def test_command_says_how_many_changed(database_url: str) -> None:
    before = on(database_url, lambda database: left_behind(database, 5, stale={1, 2}))

    ran = [typed("data", "reindex", database_url=database_url) for _ in range(2)]

    assert [(each.exit_code, each.stdout, each.stderr) for each in ran] == [
        (0, "Events: 5\nChanged: 2\n", ""),
        (0, "Events: 5\nChanged: 0\n", ""),
    ]
    after = on(
        database_url, lambda database: rows.read(database, select(EVENTS).order_by(EVENTS.c.id))
    )
    assert after == before
    counts = on(database_url, rows.counts)
    assert (counts["events"], counts["audit_entries"], counts["outbox_messages"]) == (5, 0, 0)


def test_command_needs_the_newest_schema(tmp_path: Path) -> None:
    ran = typed("data", "reindex", database_url=f"sqlite:///{tmp_path / 'none.db'}")

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"turnout: the database is empty or not there, and this needs {schema.head()}: "
        "run turnout schema upgrade\n"
    )
