"""The migrations lead where the models say, and back; two that start at once do not collide."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from tests.migrations import portrait

from turnout import tables
from turnout.db import driver, engines
from turnout.db.session import Database
from turnout.migrations import schema

NAMED = re.compile(r"(pk|fk|uq|ck|ix)_[a-z_]+")


async def run_script(url: str, script: str) -> None:
    if engines.is_sqlite(url):
        connection = driver.sqlite.connect(engines.sqlite_path(url))
        connection.executescript(script)
        connection.close()
        return
    server = await asyncpg.connect(url, ssl=False)
    await server.execute(script)
    await server.close()


async def test_migrations_go_up_down_and_up_again(empty_url: str) -> None:
    newest = schema.head()

    first = await schema.upgrade(empty_url)
    up = await portrait.of(empty_url)
    down = await schema.downgrade(empty_url, "base")
    bare = await portrait.of(empty_url)
    again = await schema.upgrade(empty_url)

    assert [first, down, again] == [(None, newest), (newest, None), (None, newest)]
    assert [made for made in bare.values() if made] == []
    assert await portrait.of(empty_url) == up
    assert await schema.current(empty_url) == newest


async def test_migrations_a_second_time_change_nothing(empty_url: str) -> None:
    await schema.upgrade(empty_url)
    before = await portrait.of(empty_url)

    moved = await schema.upgrade(empty_url)

    assert moved == (schema.head(), schema.head())
    assert await portrait.of(empty_url) == before


async def test_migrated_schema_is_what_the_models_say(database_url: str, empty_url: str) -> None:
    """Made by the statements that the models give, and compared by what the database says."""
    dialect = "sqlite" if engines.is_sqlite(empty_url) else "postgresql"

    await run_script(empty_url, schema.statements(dialect))

    migrated = await portrait.of(database_url)
    assert sum(len(parts) for parts in migrated.values()) > 100
    assert migrated == await portrait.of(empty_url)


@pytest.mark.filterwarnings(
    # What it cannot look at, the test above does.
    "ignore:Skipped unsupported reflection of expression-based index",
    "ignore:autogenerate skipping metadata-specified expression-based index",
)
async def test_migrated_schema_leaves_alembic_nothing_to_add(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        opts = {"compare_type": True, "include_name": schema.is_compared}
        context = MigrationContext.configure(connection, opts=opts)
        return list(compare_metadata(context, tables.METADATA))

    async with database.read() as db:
        found = await (await db.connection()).run_sync(differences)

    assert found == []


async def test_every_constraint_and_index_has_a_name_by_the_rule(database_url: str) -> None:
    found = await portrait.of(database_url)

    if engines.is_sqlite(database_url):
        # FTS5 makes the tables behind its own.
        ours = [name for name in found if name[:5] == "table" and "event_search_" not in name]
        parts = [part for name in ours for part in found[name]]
        unnamed = r"(PRIMARY KEY|FOREIGN KEY|UNIQUE|CHECK|REFERENCES)\b"
        assert [part for part in parts if re.match(unnamed, part)] == []
        names = [part.split()[1] for part in parts if part.startswith("CONSTRAINT")]
        names += [name.split()[1] for name in found if name.startswith("index")]
    else:
        checked = [line for line in found["constraints"] if "NOT NULL " not in line]
        names = [line.split()[0].partition(".")[2] for line in checked]
        names += [line.split(" INDEX ")[1].split()[0] for line in found["indexes"]]
    assert len(names) > 30
    assert [name for name in names if not NAMED.fullmatch(name)] == []


def test_portrait_notices_a_changed_condition(tmp_path: Path) -> None:
    made = []
    for n, condition in enumerate(("status <> 'cancelled'", "status <> 'draft'")):
        path = tmp_path / f"{n}.db"
        connection = driver.sqlite.connect(path)
        connection.execute("CREATE TABLE t (status TEXT, CONSTRAINT c CHECK (status > ''))")
        connection.execute(f"CREATE UNIQUE INDEX i ON t (status) WHERE {condition}")
        connection.close()
        made.append(asyncio.run(portrait.of(f"sqlite:///{path}")))

    assert made[0]["table t"] == made[1]["table t"]
    assert made[0]["index i"] != made[1]["index i"]


GONE = ("DROP TRIGGER audit_entries_no_delete", "DROP TRIGGER audit_entries_append_only ON")


async def test_portrait_notices_a_trigger_that_is_gone(database_url: str) -> None:
    before = await portrait.of(database_url)

    statement = GONE[0] if engines.is_sqlite(database_url) else f"{GONE[1]} audit_entries"
    await run_script(database_url, statement)

    after = await portrait.of(database_url)
    assert before != after
    assert [name for name in before if before[name] != after.get(name)] == [
        "trigger audit_entries_no_delete" if engines.is_sqlite(database_url) else "triggers"
    ]


UPGRADE = """
import asyncio, sys
from turnout.migrations import schema
print(asyncio.run(schema.upgrade(sys.argv[1])))
"""


async def test_migrations_of_two_processes_at_once_happen_once(
    empty_url: str, database_url: str
) -> None:
    command = [sys.executable, "-c", UPGRADE, empty_url]

    running = [
        await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    ended = [await process.communicate() for process in running]

    newest = schema.head()
    assert [errors.decode() for _, errors in ended] == ["", ""]
    assert sorted(said.decode().strip() for said, _ in ended) == sorted(
        [str((None, newest)), str((newest, newest))]
    )
    assert await portrait.of(empty_url) == await portrait.of(database_url)


async def test_current_of_a_database_that_is_not_there_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "turnout.db"

    revision = await schema.current(f"sqlite:///{path}")

    assert revision is None
    assert not path.parent.exists()
