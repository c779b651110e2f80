"""Temp folders that do not outlive the test run, however it ends; what is in them is no matter."""

import os
import subprocess
import tempfile
from pathlib import Path

# Waits until the test process is gone: `cat` then reads the end of a pipe which that process
# alone holds open, so a SIGKILL is noticed as well. A PostgreSQL that still runs on a data folder
# inside is ended first, else it would go on without files. Its pid file may be a stale one of a
# killed server, hence the look at what the process with that number really works on.
_WATCH = """
trap '' HUP INT TERM
cat >/dev/null
for file in "$1"/*/postmaster.pid; do
    [ -r "$file" ] || continue
    pid=$(head -n 1 "$file")
    tries=0
    while [ "$(readlink "/proc/$pid/cwd")" = "$(dirname "$file")" ] && [ $tries -lt 100 ]; do
        kill -QUIT "$pid"
        tries=$((tries + 1))
        sleep 0.1
    done
done
rm -rf "$1"
"""


class GuardedFolder:
    """A new, empty folder at `path`, of the given owner; gone after remove() or with the process.

    `owner` is a user and group id, for programs that refuse to run as root.
    """

    def __init__(self, prefix: str, owner: tuple[int, int] | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
        if owner is not None:
            os.chown(self.path, *owner)
        self._watch = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "sh", str(self.path)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # an interrupt at the terminal must not take the watcher too
        )

    def remove(self) -> None:
        """End what still serves from the folder and remove it; harmless when done before."""
        self._watch.communicate()
