"""A server of the benchmark's own, on a database it fills first; measures nothing itself."""

import asyncio
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from turnout.cli.bench import filling, servers
from turnout.cli.bench.bench import UNLIMITED, Bench, new_event
from turnout.cli.bench.calls import Caller

EVENTS = 100_000

# Often a real disk where /tmp is memory, in which a durable commit would cost nothing.
_FOLDER = Path("/var/tmp")  # noqa: S108 - only as the parent of a folder with a name of its own


class NotEmptyError(Exception):
    """The database that was given has events in it, and a load would leave thousands more."""


@contextmanager
def served(database_url: str | None, *, workers: int = 1, events: int = EVENTS) -> Iterator[Bench]:
    """A server on a database with this many events, stopped at the end and then checked.

    The database is a fresh SQLite file, or the given empty one, which keeps what was written.
    Raises NotEmptyError or NotStartedError. What `turnout doctor` finds at the end is noted in
    the bench's `broken`.
    """
    parent = _FOLDER if _FOLDER.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="turnout-bench-", dir=parent) as folder:
        url = database_url or f"sqlite:///{folder}/turnout.db"
        environment = {
            "TURNOUT_DATABASE_URL": url,
            "TURNOUT_DATA_DIR": folder,
            "TURNOUT_RATE_LIMITS": "off",
        }
        asyncio.run(filling.fill(url, _pattern(environment), events))
        with servers.product(environment, workers=workers) as server:
            bench = Bench(server.address, workers=workers, server=server, environment=environment)
            yield bench
        bench.broken += _doctor(environment)


def _pattern(environment: Mapping[str, str]) -> UUID:
    """The event that the others are copies of; a first start also makes the tables."""
    with servers.product(environment) as server, Caller(server.address) as caller:
        if caller.expect(200, "GET", "/events?limit=1").json()["items"]:
            raise NotEmptyError("the database has events in it; give an empty one")
        return UUID(new_event(caller, capacity=UNLIMITED, days=2)["id"])


def _doctor(environment: Mapping[str, str]) -> list[str]:
    """What `turnout doctor` says about the database, unless it finds it in order."""
    done = subprocess.run(  # noqa: S603 - the product's own command, and no shell
        servers.turnout_command("doctor"),
        env={**servers.surroundings(), **environment},
        cwd=environment["TURNOUT_DATA_DIR"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return []
    return [f"turnout doctor ended with {done.returncode}: {done.stdout}{done.stderr}"]
