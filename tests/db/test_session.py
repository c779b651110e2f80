"""A transaction happens whole or not at all; readers change nothing; writers do not fail."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from tests.db import rows
from tests.support import databases, processes
from tests.support.postgres import PostgresServer

from turnout.db import engines
from turnout.db.errors import is_away
from turnout.db.facts import Fact
from turnout.db.session import Database, NotDurableError

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class GaveUp(BaseException):
    """What a cancelled task looks like to the transaction: no Exception."""


@pytest.mark.parametrize("kind", [ZeroDivisionError, GaveUp, asyncio.CancelledError])
async def test_write_that_ends_in_an_error_leaves_nothing(
    database: Database, kind: type[BaseException]
) -> None:
    async def write_and_fail() -> None:
        async with database.write() as db:
            await db.execute(insert(Fact).values(name="one", value="1"))
            raise kind

    with pytest.raises(kind):
        await write_and_fail()

    assert await rows.count(database, Fact) == 0
    await rows.change(database, insert(Fact).values(name="two", value="2"))
    assert await rows.count(database, Fact) == 1


async def test_write_that_a_constraint_refuses_leaves_nothing(database: Database) -> None:
    with pytest.raises(IntegrityError):
        await rows.change(
            database,
            insert(Fact).values(name="one", value="1"),
            insert(Fact).values(name="two", value="2"),
            insert(Fact).values(name="one", value="3"),
        )

    assert await rows.count(database, Fact) == 0


async def test_write_is_not_seen_before_its_end(database: Database) -> None:
    async with database.write() as db:
        await db.execute(insert(Fact).values(name="one", value="1"))
        during = await rows.count(database, Fact)

    assert (during, await rows.count(database, Fact)) == (0, 1)


async def test_writes_of_one_process_follow_each_other(database: Database) -> None:
    """Each reads and then writes, which a deferred BEGIN could not do side by side."""
    await rows.change(database, insert(Fact).values(name="n", value="0"))
    add = "UPDATE facts SET value = CAST(CAST(value AS integer) + 1 AS text) WHERE name = 'n'"

    async def one() -> None:
        async with database.write() as db:
            await db.execute(text("SELECT value FROM facts"))
            await db.execute(text(add))

    await asyncio.gather(*(one() for _ in range(50)))

    async with database.read() as db:
        assert (await db.execute(text("SELECT value FROM facts"))).scalar_one() == "50"


@ON_SQLITE
async def test_reader_refuses_to_write(database: Database) -> None:
    async with database.read() as db:
        with pytest.raises(DBAPIError, match="readonly"):
            await db.execute(insert(Fact).values(name="one", value="1"))

    assert await rows.count(database, Fact) == 0


WRITER = """
import asyncio, sys
from sqlalchemy import text
from turnout.db.session import Database

async def main(url, times):
    database = Database(url)
    for _ in range(times):
        async with database.write() as db:
            await db.execute(text("SELECT value FROM facts"))
            await db.execute(text(
                "UPDATE facts SET value = CAST(CAST(value AS integer) + 1 AS text)"))
    await database.aclose()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@ON_SQLITE
async def test_writes_of_two_processes_that_read_first_all_succeed(
    database: Database, database_url: str
) -> None:
    """BEGIN IMMEDIATE: with a deferred one, most would fail at once with `database is locked`."""
    await rows.change(database, insert(Fact).values(name="n", value="0"))
    times = 100
    command = [sys.executable, "-c", WRITER, database_url, str(times)]

    running = [
        await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE) for _ in range(2)
    ]
    ended = [await process.communicate() for process in running]

    async with database.read() as db:
        value = (await db.execute(text("SELECT value FROM facts"))).scalar_one()
    assert [errors for _, errors in ended] == [b"", b""]
    assert value == str(2 * times)


@ON_SQLITE
async def test_whoever_waits_for_the_lock_waits_beside_others_and_may_give_up(
    database: Database, database_url: str
) -> None:
    """The loop goes on meanwhile, and who gave up can write later."""
    other = Database(database_url)
    async with database.write() as db:
        await db.execute(insert(Fact).values(name="first", value="1"))
        waiting = asyncio.create_task(
            rows.change(other, insert(Fact).values(name="given up", value="2"))
        )
        turns = 0
        while not waiting.done() and turns < 50:
            await asyncio.sleep(0.001)
            turns += 1
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await rows.change(other, insert(Fact).values(name="second", value="3"))
    await other.aclose()

    assert turns == 50
    names = await rows.read(database, select(Fact.name).order_by(Fact.name))
    assert [name for (name,) in names] == ["first", "second"]


@ON_SQLITE
async def test_sqlite_connections_keep_what_they_acknowledge(database: Database) -> None:
    async with database.write() as db:
        found = [
            (await db.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    full = 2
    assert found == ["wal", full, 1]


async def test_durability_of_a_sound_database_is_accepted(database: Database) -> None:
    async with database.read() as db:
        assert (await db.execute(text("SELECT 1"))).scalar_one() == 1

    assert await database.check_durability() is None  # type: ignore[func-returns-value]  # that it raises nothing is the point


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
async def test_durability_without_it_is_refused(setting: str) -> None:
    with PostgresServer.start(settings={setting: "off"}) as server:
        await server.create_database("turnout")
        unsafe = Database(server.url("turnout"))

        with pytest.raises(NotDurableError, match=f"{setting} = off"):
            await unsafe.check_durability()
        await unsafe.aclose()


@ON_POSTGRESQL
async def test_durability_without_synchronous_commit_is_refused(database_url: str) -> None:
    name = database_url.rpartition("/")[2]
    careless = Database(database_url)
    async with careless.write() as db:
        await db.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    await careless.aclose()

    again = Database(database_url)
    with pytest.raises(NotDurableError, match="synchronous_commit = off"):
        await again.check_durability()
    await again.aclose()


async def failure(url: str, statement: str) -> Exception | None:
    database = Database(url)
    try:
        async with database.read() as db:
            await db.execute(text(statement))
    except Exception as error:  # noqa: BLE001 - which error it is, is what the test asks
        return error
    finally:
        await database.aclose()
    return None


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("statement", "away"),
    [
        ("SELECT pg_sleep(20)", True),
        ("SELECT pg_terminate_backend(pg_backend_pid())", True),
        ("SELECT * FROM no_such_table", False),
        ("SELECT 1 / 0", False),
        ("SELECT 'x'::integer", False),
    ],
)
async def test_failure_of_postgresql_tells_away_from_wrong(
    database_url: str, statement: str, monkeypatch: pytest.MonkeyPatch, *, away: bool
) -> None:
    monkeypatch.setattr(engines, "STATEMENT_TIMEOUT_MS", 200)

    error = await failure(database_url, statement)

    assert error is not None
    assert is_away(error) is away


async def test_failure_to_reach_postgresql_is_away(postgres: PostgresServer) -> None:
    nobody = f"postgresql://postgres@127.0.0.1:{processes.free_port()}/turnout"
    wrong = postgres.url(databases.TEMPLATE).replace("://postgres:", "://postgres:wrong")

    errors = [
        await failure(url, "SELECT 1") for url in (nobody, wrong, postgres.url("no_such_database"))
    ]

    assert [error is not None and is_away(error) for error in errors] == [True] * 3


async def test_failure_of_sqlite_by_a_wrong_statement_is_not_away(sqlite_url: str) -> None:
    error = await failure(sqlite_url, "SELECT * FROM no_such_table")

    assert error is not None
    assert not is_away(error)


async def test_failure_to_open_or_lock_sqlite_is_away(sqlite_url: str, tmp_path: Path) -> None:
    no_folder = f"sqlite:///{tmp_path / 'nowhere' / 'turnout.db'}"

    cannot_open = await failure(no_folder, "SELECT 1")
    one, two = Database(sqlite_url), Database(sqlite_url)
    two.writer = engines.sqlite_engine(sqlite_url, write=True, busy_timeout_ms=1)
    async with one.write() as db:
        await db.execute(text("SELECT 1"))
        with pytest.raises(DBAPIError) as locked:
            await rows.change(two, insert(Fact).values(name="one", value="1"))
    for database in (one, two):
        await database.aclose()

    assert cannot_open is not None
    assert [is_away(cannot_open), is_away(locked.value)] == [True, True]
