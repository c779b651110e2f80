"""The test database is a real, durable PostgreSQL that crashes, recovers and leaves nothing."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from tests.support import postgres_binaries
from tests.support.postgres import PostgresServer
from tests.support.processes import DidNotStart, is_running

WAIT_SECONDS = 30.0
ROOT = Path(__file__).parents[2]

ORPHAN = """
import time
from tests.support.postgres import PostgresServer

with PostgresServer.start() as server:
    print(server.data.parent, server.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer.start() as running:
        yield running


@contextlib.asynccontextmanager
async def connected(
    server: PostgresServer, database: str
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(server.url(database))
    try:
        yield connection
    finally:
        await connection.close()


async def test_create_database_from_a_template_copies_its_rows(server: PostgresServer) -> None:
    await server.create_database("pattern")
    async with connected(server, "pattern") as db:
        await db.execute("CREATE TABLE seats (number int); INSERT INTO seats VALUES (7)")

    await server.create_database("copied", template="pattern")

    async with connected(server, "copied") as db:
        assert await db.fetchval("SELECT array_agg(number) FROM seats") == [7]


async def test_kill_then_restart_keeps_what_was_committed_and_nothing_else() -> None:
    with PostgresServer.start() as server:
        await server.create_database("crashing")
        async with connected(server, "crashing") as db:
            await db.execute("CREATE TABLE seats (number int); INSERT INTO seats VALUES (1)")
            unfinished = db.transaction()
            await unfinished.start()
            await db.execute("INSERT INTO seats VALUES (2)")

            server.kill()

        server.restart()
        async with connected(server, "crashing") as db:
            assert await db.fetchval("SELECT array_agg(number) FROM seats") == [1]
        assert "not properly shut down" in server.log()


async def test_kill_leaves_no_server_to_connect_to() -> None:
    with PostgresServer.start() as server:
        server.kill()

        with pytest.raises(OSError, match="Connect call failed"):
            await asyncpg.connect(server.url("postgres"))
        with pytest.raises(DidNotStart, match="does not run"):
            assert server.pid


def test_restart_after_a_stop_keeps_the_address() -> None:
    with PostgresServer.start() as server:
        server.create_database_sync("kept")
        before = server.url("kept")
        server.stop()

        server.restart()

        assert server.url("kept") == before
        assert asyncio.run(_answer(before, "SELECT current_database()")) == "kept"


async def test_start_gives_a_durable_server_that_folds_every_script(
    server: PostgresServer,
) -> None:
    names = ["fsync", "synchronous_commit", "full_page_writes", "max_connections", "TimeZone"]
    async with connected(server, "postgres") as db:
        settings = [await db.fetchval("SELECT current_setting($1)", name) for name in names]
        encoding = await db.fetchval("SHOW server_encoding")
        lowered = await db.fetchval("SELECT lower('ÄÇΣЖ' COLLATE \"default\")")

    assert settings == ["on", "on", "on", "200", "UTC"]
    assert encoding == "UTF8"
    assert lowered == "äçσж"


async def test_start_with_settings_uses_them_over_the_usual_ones() -> None:
    with PostgresServer.start(settings={"max_connections": "17", "work_mem": "3MB"}) as server:
        async with connected(server, "postgres") as db:
            values = [await db.fetchval("SHOW max_connections"), await db.fetchval("SHOW work_mem")]

    assert values == ["17", "3MB"]


def test_start_with_an_unknown_setting_says_what_the_server_said() -> None:
    refused = PostgresServer.start(settings={"no_such_thing": "1"})

    with pytest.raises(DidNotStart, match="no_such_thing"), refused:
        raise AssertionError("a server with a wrong setting must not start")


async def test_two_servers_side_by_side_share_nothing(server: PostgresServer) -> None:
    with PostgresServer.start() as other:
        await other.create_database("only-here")

        async with connected(server, "postgres") as db:
            names = await db.fetch("SELECT datname FROM pg_database WHERE datname = 'only-here'")

        assert names == []
        assert other.port != server.port


async def test_url_with_a_wrong_password_is_refused(server: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.url("postgres"), password="guessed")


async def test_drop_database_with_a_client_inside_cuts_it_off(server: PostgresServer) -> None:
    await server.create_database('odd "name"')
    client = await asyncpg.connect(server.url("postgres"), database='odd "name"')

    await server.drop_database('odd "name"')

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await client.execute("SELECT 1")
    client.terminate()
    async with connected(server, "postgres") as db:
        assert await db.fetch("SELECT 1 FROM pg_database WHERE datname LIKE 'odd%'") == []


async def test_sync_calls_within_a_running_loop_create_and_drop(server: PostgresServer) -> None:
    counting = "SELECT count(*) FROM pg_database WHERE datname = 'from-a-thread'"

    server.create_database_sync("from-a-thread", template="template1")
    created = await _answer(server.url("postgres"), counting)
    server.drop_database_sync("from-a-thread")
    dropped = await _answer(server.url("postgres"), counting)

    assert (created, dropped) == (1, 0)


def test_leaving_the_context_removes_the_data_folder() -> None:
    with PostgresServer.start() as server:
        folder = server.data.parent
        existed = folder.exists()

    assert existed
    assert not folder.exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_test_run_that_is_cut_short_leaves_neither_server_nor_folder(how: int) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", ORPHAN],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with run:
        assert run.stdout is not None
        folder, pid = run.stdout.readline().split()
        run.send_signal(how)

    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline and (Path(folder).exists() or is_running(int(pid))):
        time.sleep(0.05)

    assert not Path(folder).exists()
    assert not is_running(int(pid))


def test_template_is_made_once_in_a_process() -> None:
    first = postgres_binaries.template()

    second = postgres_binaries.template()

    assert first is second
    assert (first.data / "PG_VERSION").read_text().strip() == str(postgres_binaries.major_version())


async def _answer(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()
