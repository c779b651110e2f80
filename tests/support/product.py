"""The product as people start it: `turnout serve` in open mode on a fresh SQLite file."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import Server, free_port

TURNOUT = Path(sys.executable).with_name("turnout")


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """A running server whose data are below `folder`."""
    port = free_port()
    command: list[str | Path] = [TURNOUT, "serve", "--open", "--port", str(port)]
    env = {"TURNOUT_DATA_DIR": str(folder / "var")}
    with Server(command, port=port, path="/health/ready", env=env, cwd=folder) as server:
        yield server
