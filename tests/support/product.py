"""The product as people start it: `turnout serve` on a fresh SQLite file."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import Server, free_port

TURNOUT = Path(sys.executable).with_name("turnout")


@contextmanager
def served(
    folder: Path, *options: str, settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A running server whose data are below `folder`; without `options` it is in open mode."""
    port = free_port()
    command: list[str | Path] = [TURNOUT, "serve", "--port", str(port), *(options or ("--open",))]
    env = {"TURNOUT_DATA_DIR": str(folder / "var"), **(settings or {})}
    with Server(command, port=port, path="/health/ready", env=env, cwd=folder) as server:
        yield server
