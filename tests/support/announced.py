"""Servers for tests on free loopback ports; those of one kind say in their log when they are ready.

Knows nothing of what they serve.
"""

import contextlib
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Self

from tests.support.processes import DidNotStart, environment, free_port

START_SECONDS = 30.0
POLL_SECONDS = 0.005
PORT_TRIES = 5


class PortTaken(DidNotStart):
    """Somebody else listens on the port that was free a moment ago."""


def on_free_port(launch: Callable[[int], None]) -> None:
    """Launch on a port that is free; where somebody else was faster, on another one."""
    for attempt in range(1, PORT_TRIES + 1):
        try:
            return launch(free_port())
        except PortTaken:
            if attempt == PORT_TRIES:
                raise
    return None


class AnnouncedServer(ABC):
    """A program of one process that writes a line once it takes connections."""

    ready: ClassVar[str]
    """In the line by which it says so."""
    taken: ClassVar[str]
    """In what it writes where its port is somebody else's."""
    stdin: ClassVar[int] = subprocess.DEVNULL

    def __init__(self, folder: Path, cwd: Path) -> None:
        self.port = 0
        self._folder = folder
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _command(self) -> Sequence[str | Path]:
        """The program and its arguments, with the port."""

    @contextlib.contextmanager
    def _running(self) -> Iterator[Self]:
        """The server on a free port; killed on leaving. Raises DidNotStart with its log."""
        on_free_port(self._launch)
        try:
            yield self
        finally:
            self.kill()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """Crash (SIGKILL); the process is gone on return. Harmless when it does not run."""
        if self._process is None:
            return
        self._process.kill()
        self._process.communicate()
        self._process = None

    def restart(self) -> None:
        """Run again on the same port, after kill() or not."""
        self.kill()
        self._launch(self.port)

    def hang(self) -> None:
        """Let it answer nobody, while its connections stay open (SIGSTOP)."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on after hang()."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _launch(self, port: int) -> None:
        self.port = port
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=self.stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(),
                cwd=self._cwd,
                start_new_session=True,  # an interrupt at the terminal is for the tests alone
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.kill()
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        # Asked is the log and not the port, where somebody else could answer.
        deadline = time.monotonic() + START_SECONDS
        while self.ready not in self._written():
            if process.poll() is not None:
                text = self._written()
                raise (PortTaken if self.taken in text else DidNotStart)(text)
            if time.monotonic() > deadline:
                raise DidNotStart(self._written())
            time.sleep(POLL_SECONDS)

    def _written(self) -> str:
        return (self._folder / "log").read_text(errors="replace")
