"""Server processes of the product that share one database; knows nothing of what they are asked."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep

from tests.support.processes import POLL_SECONDS, DidNotStart, Server, environment, free_port
from tests.support.product import TURNOUT

ROOT = Path(__file__).parents[2]
SERVE: Sequence[str | Path] = (TURNOUT, "serve", "--open")
UNLOCKED: Sequence[str | Path] = (sys.executable, "-m", "tests.races.unlocked")
WORKERS = 2
STARTED = "Application startup complete"
START_SECONDS = 120.0


def variables(folder: Path, database_url: str) -> dict[str, str]:
    """What every process on one database has to be told alike."""
    return {
        "TURNOUT_DATA_DIR": str(folder / "data"),
        "TURNOUT_DATABASE_URL": database_url,
        "TURNOUT_SECRET_KEY": "a secret key that only tests have, 32 or more",
        # All that is asked comes from one address, and faster than any limit lets it.
        "TURNOUT_RATE_LIMITS": "off",
    }


def server(
    folder: Path,
    database_url: str,
    *,
    workers: int = 1,
    program: Sequence[str | Path] = SERVE,
    port: int | None = None,
) -> Server:
    """One server that is not yet started."""
    port = port or free_port()
    return Server(
        [*program, "--port", str(port), *([] if workers == 1 else ["--workers", str(workers)])],
        port=port,
        path="/health/ready",
        env=variables(folder, database_url),
        cwd=ROOT,
        timeout_seconds=START_SECONDS,
    )


@contextmanager
def running(
    folder: Path, database_url: str, *, workers: int = 1, port: int | None = None
) -> Iterator[Server]:
    """A server all of whose workers are there; one of them is enough for it to be ready."""
    with server(folder, database_url, workers=workers, port=port) as started:
        deadline = monotonic() + START_SECONDS
        while started.output().count(STARTED) < workers:
            if monotonic() > deadline:
                raise DidNotStart(started.output())
            sleep(POLL_SECONDS)
        yield started


@contextmanager
def fleet(folder: Path, database_url: str) -> Iterator[list[int]]:
    """The ports of four processes at once on one database: two servers, and one of two workers.

    A port is listed once for each process behind it.
    """
    both = running(folder, database_url, workers=WORKERS)
    with _all([server(folder, database_url), server(folder, database_url), both]) as servers:
        ports = [each.port for each in servers]
        yield [*ports, ports[-1]]


@contextmanager
def unlocked(folder: Path, database_url: str) -> Iterator[list[int]]:
    """The ports of two servers that run without the lock.

    They start one after the other: without it, what both write at their start would collide.
    """
    with (
        server(folder, database_url, program=UNLOCKED) as one,
        server(folder, database_url, program=UNLOCKED) as two,
    ):
        yield [one.port, two.port]


@contextmanager
def _all(servers: Sequence[AbstractContextManager[Server]]) -> Iterator[list[Server]]:
    """All of them, started side by side."""
    # The pool ends first: all have come up or failed when the stack takes them down.
    with ExitStack() as stack, ThreadPoolExecutor(len(servers)) as pool:
        yield list(pool.map(stack.enter_context, servers))


def doctor(folder: Path, database_url: str) -> list[str]:
    """What `turnout doctor` finds wrong; empty when all is well and it says so by its status."""
    ran = subprocess.run(
        [str(TURNOUT), "doctor", "--json"],
        env=environment(variables(folder, database_url)),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found = json.loads(ran.stdout)
    except ValueError:
        return [f"doctor said {ran.stdout}{ran.stderr}"]
    wrong = [f"{each['what']}: {each['detail']}" for each in found if not each["ok"]]
    if "seats" not in {each["what"] for each in found} or (ran.returncode != 0) != bool(wrong):
        wrong.append(f"doctor ended with {ran.returncode} and said {ran.stdout}")
    return wrong
