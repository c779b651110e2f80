"""Starts real programs for tests and ends them surely; it knows nothing of what they serve."""

import contextlib
import http.client
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.02
PROBE_SECONDS = 2.0
PRODUCT_VARIABLES = "TURNOUT_"

# Below the range that Linux hands to outgoing connections (32768 and up). A port of that range
# can be taken by any client while a crashed server is down, and a client that keeps trying to
# reach it may even connect to itself.
_PORTS = range(20_000, 32_000)
_TRIES = 200
# Not the module's own generator: property tests seed that one, and each run, each test process
# would then try the same ports.
_random = random.SystemRandom()


class DidNotStart(Exception):
    """The program ended, or did not answer in time; the text holds what it wrote."""


class DidNotStop(Exception):
    """The program ignored the request to end and was killed; the text holds what it wrote."""


def free_port() -> int:
    """A loopback TCP port that nobody listens on now; OSError when none can be found."""
    for _ in range(_TRIES):
        port = _random.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            # As servers do, so that connections of an earlier one in TIME_WAIT do not matter.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, port))
            return port
    raise OSError(f"no free port among {_TRIES} tried")


KILL_SECONDS = 5.0


def is_running(pid: int) -> bool:
    """Whether the process still works on something; a zombie that nobody reaped does not."""
    try:
        return bool(Path(f"/proc/{pid}/cwd").readlink().name)
    except OSError:
        return False


def _members(group: int) -> list[int]:
    """The processes of a group, by what /proc says of each."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(state[2]) == group:
                found.append(int(folder.name))
    return found


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of this process without the product's own, and `extra`.

    What a developer has set for the product must not decide whether a test passes.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(PRODUCT_VARIABLES)}
    return kept | dict(extra or {})


class Server:
    """A program that serves HTTP on loopback, as a process group of its own.

    Entering the context starts `command` and returns once `path` answers 200 on `port`;
    DidNotStart if it ends before, or does not within `timeout_seconds`. Leaving kills what is
    left of the group.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        port: int,
        path: str = "/",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"
        self._command = [str(part) for part in command]
        self._path = path
        self._env = environment(env)
        self._cwd = cwd
        self._timeout_seconds = timeout_seconds

    def __enter__(self) -> Self:
        # A file and not a pipe: nobody reads while the test runs, and a full pipe would block.
        self._written = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=self._written,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                start_new_session=True,
            )
        except BaseException:
            self._written.close()
            raise
        try:
            self._wait_until_ready()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def pid(self) -> int:
        """The process id of the leader, which is the id of the group as well."""
        return self._process.pid

    def stop(self, *, timeout_seconds: float = 30.0) -> int:
        """Ask the leader to end (SIGTERM) and give its exit code; negative means by that signal.

        DidNotStop, after killing the group, when it has not ended in `timeout_seconds`.
        """
        self._process.terminate()
        try:
            return self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise DidNotStop(f"{self._command}\n{self.output()}") from error

    def kill(self) -> None:
        """End the whole group at once (SIGKILL), as a crash would; the leader is gone after."""
        # The number cannot be another group's by now: the kernel keeps it while a member lives.
        members = _members(self._process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # Only the leader is ours to wait for; the others die in their own time, on a busy machine
        # some milliseconds later.
        deadline = time.monotonic() + KILL_SECONDS
        while any(is_running(pid) for pid in members) and time.monotonic() < deadline:
            time.sleep(0.005)

    def output(self) -> str:
        """All that the group has written to its standard output and error until now."""
        # pread leaves alone the offset that the running program shares with this file.
        size = os.fstat(self._written.fileno()).st_size
        return os.pread(self._written.fileno(), size, 0).decode(errors="replace")

    def _end(self) -> None:
        try:
            self.kill()
        finally:
            self._written.close()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._timeout_seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise DidNotStart(f"{self._command} ended: {self.output()}")
            if self._answers():
                return
            time.sleep(POLL_SECONDS)
        raise DidNotStart(f"{self._command} gave no 200 for {self._path}: {self.output()}")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=PROBE_SECONDS)
        try:
            connection.request("GET", self._path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
