"""Keeps one `turnout work` running beside the server, and ends it with it."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

COMMAND = (sys.executable, "-m", "turnout.cli.main", "work", "--with-parent")
GRACE_SECONDS = 15
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
LIVED_WELL_SECONDS = 60.0
"""Whoever lived for so long did not die of starting."""


class _Keeper:
    """Starts the worker anew whenever it dies, at first soon and then ever later."""

    def __init__(self) -> None:
        self._is_over = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let the worker finish what it has in hand; it is killed if it does not."""
        with self._lock:
            self._is_over.set()
            process = self._process
        if process is not None:
            _end(process)
        self._thread.join(GRACE_SECONDS)

    def _keep(self) -> None:
        pause = SHORTEST_PAUSE
        while not self._is_over.is_set():
            begun = time.monotonic()
            with self._lock:
                if self._is_over.is_set():
                    return
                # The pipe is never written to: it is closed when this process is no more. A session
                # of its own, so that Ctrl-C asks the server, which then asks the worker.
                self._process = subprocess.Popen(  # noqa: S603 - our own command, and no shell
                    COMMAND, stdin=subprocess.PIPE, start_new_session=True
                )
            self._process.wait()
            if time.monotonic() - begun > LIVED_WELL_SECONDS:
                pause = SHORTEST_PAUSE
            if self._is_over.wait(pause):
                return
            print("turnout: the worker has ended; starting it again", file=sys.stderr)
            pause = min(pause * 2, LONGEST_PAUSE)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


@contextlib.contextmanager
def beside() -> Iterator[None]:
    """A worker for as long as the block lasts."""
    keeper = _Keeper()
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()
