"""The worker beside the server: started with it, started again when it dies, and ended with it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from tests.cli.test_serve import serving
from tests.cli.typed import typed
from tests.factories import an_event
from tests.support.processes import Server, is_running

NO_PROC = not Path("/proc/self/stat").exists()
pytestmark = pytest.mark.skipif(NO_PROC, reason="child processes are found in /proc")
LONGEST_SECONDS = 30.0


def workers_of(server: Server) -> list[int]:
    """The workers that this server has started and that run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if parent == server.pid and b"work" in words:
                found.append(int(folder.name))
    return found


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONGEST_SECONDS):
        while not holds():  # noqa: ASYNC110 - a process has no event
            await asyncio.sleep(0.02)


async def registered(server: Server) -> None:
    """Somebody takes a seat."""
    async with httpx2.AsyncClient(base_url=server.url) as api:
        made = await api.post("/events", json=an_event())
        person = {"name": "Ada", "email": "ada@example.com"}
        answer = await api.post(f"/events/{made.json()['id']}/register", json=person)
    assert answer.status_code == 201, answer.text


async def test_server_has_a_worker_that_keeps_mails_in_files_and_ends_with_it(
    database_url: str, tmp_path: Path
) -> None:
    with serving(tmp_path, database_url) as server:
        await registered(server)
        folder = tmp_path / "data" / "mail"
        await until(lambda: len(list(folder.glob("*.eml"))) == 1)
        [worker] = workers_of(server)
        [mail] = folder.glob("*.eml")
        head = mail.read_text().partition("\n\n")[0].splitlines()
        code = server.stop()

    assert code == 0
    assert not is_running(worker)
    assert "To: Ada <ada@example.com>" in head


async def test_worker_of_a_server_that_was_killed_ends(sqlite_url: str, tmp_path: Path) -> None:
    with serving(tmp_path, sqlite_url) as server:
        await until(lambda: len(workers_of(server)) == 1)
        [worker] = workers_of(server)
        await asyncio.sleep(1.0)  # it reads its input once it has started
        server.kill()
        await until(lambda: not is_running(worker))


async def test_worker_that_dies_is_started_again(sqlite_url: str, tmp_path: Path) -> None:
    with serving(tmp_path, sqlite_url) as server:
        await until(lambda: len(workers_of(server)) == 1)
        [worker] = workers_of(server)
        os.kill(worker, signal.SIGKILL)
        await until(lambda: workers_of(server) not in ([], [worker]))

        assert "the worker has ended; starting it again" in server.output()


async def test_server_may_leave_the_work_to_others(sqlite_url: str, tmp_path: Path) -> None:
    with serving(tmp_path, sqlite_url, "--no-worker") as server:
        await registered(server)
        await asyncio.sleep(0.5)
        workers = workers_of(server)

    assert workers == []
    assert not (tmp_path / "data" / "mail").exists()


def test_worker_does_not_work_on_another_schema(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}"

    done = typed("work", database_url=url, data_dir=tmp_path)

    assert done.exit_code == 2
    assert "the database has another schema; run `turnout schema upgrade` first" in done.stderr
