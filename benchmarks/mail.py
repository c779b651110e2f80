"""`python -m benchmarks.mail`: how fast mails leave, and what that takes from who registers.

A real mail server on this machine takes the mails and notes when. One worker sends.
"""

import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from tests.support.postgres import PostgresServer
from tests.support.smtp import SmtpServer

from turnout import clock
from turnout.cli.bench import load, servers
from turnout.cli.bench.bench import UNLIMITED, Bench, new_event, registration
from turnout.cli.bench.measured import Measured, percentile

QUEUED = 10_000
GOAL_PER_SECOND, GOAL_RATIO, GOAL_SECONDS = 200.0, 0.9, 1.0
SINGLE = 20
DATABASE = "mail"
_FOLDER = Path("/var/tmp")  # noqa: S108 - only as the parent of a folder with a name of its own

console = Console(width=110)


def main(
    *,
    database: Annotated[str, typer.Option(help="sqlite or postgresql.")] = "sqlite",
    queued: Annotated[int, typer.Option(help="Mails in the queue at the start.")] = QUEUED,
    seconds: Annotated[float, typer.Option(help="Length of one load.")] = 5.0,
    rounds: Annotated[int, typer.Option(help="Loads without and with a worker, in turns.")] = 3,
) -> None:
    """Print one table for a database."""
    table = Table("what", "found", "goal", title=f"Mail, {database}, 1 worker")
    with (
        SmtpServer.start() as smtp,
        _environment(database, smtp) as environment,
        servers.product(environment, "--no-worker") as server,
    ):
        bench = Bench(server.address, seconds=seconds, rounds=rounds, server=server)
        _queue(bench, queued)
        for row in _drained(environment, smtp, queued):
            table.add_row(*row)
        _queue(bench, queued)
        for row in _beside(bench, environment, smtp):
            table.add_row(*row)
    # On another database: nothing of the queue above is left in it.
    with (
        SmtpServer.start() as smtp,
        _environment(database, smtp) as environment,
        servers.product(environment) as server,
    ):
        bench = Bench(server.address, seconds=seconds)
        table.add_row(*_alone(bench, smtp))
        for row in _away(bench, smtp):
            table.add_row(*row)
    console.print(table)


@contextmanager
def _environment(database: str, smtp: SmtpServer) -> Iterator[dict[str, str]]:
    """The settings of a fresh database whose mails go to that server."""
    parent = _FOLDER if _FOLDER.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="turnout-bench-", dir=parent) as folder:
        known = {
            "TURNOUT_DATA_DIR": folder,
            "TURNOUT_RATE_LIMITS": "off",
            "TURNOUT_SMTP_URL": smtp.url,
        }
        if database == "sqlite":
            yield {**known, "TURNOUT_DATABASE_URL": f"sqlite:///{folder}/turnout.db"}
            return
        with PostgresServer.start() as postgres:
            postgres.create_database_sync(DATABASE)
            yield {**known, "TURNOUT_DATABASE_URL": postgres.url(DATABASE)}


def _queue(bench: Bench, count: int) -> None:
    """Let at least so many people register while nobody sends their mails."""
    with bench.calls() as caller:
        event_id = new_event(caller, capacity=UNLIMITED)["id"]
    done = 0
    while done < count:
        crowd = bench.load(registration(event_id, f"q{done}"), expected=(201,))
        done += load.do(replace(crowd, seconds=1.0)).answered(201)


@contextmanager
def _worker(environment: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        servers.turnout_command("work"),
        env={**servers.surroundings(), **environment},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _drained(
    environment: Mapping[str, str], smtp: SmtpServer, queued: int
) -> Iterator[tuple[str, str, str]]:
    """How fast the queue gets shorter while nobody registers."""
    before = len(smtp.accepted())
    with _worker(environment):
        while len(smtp.accepted()) - before < queued:
            time.sleep(0.2)
    taken = smtp.accepted()[before : before + queued]
    rate = len(taken) / (taken[-1].at - taken[0].at)
    yield f"{queued:,} mails, nobody registers", f"{rate:.0f}/s", f"{GOAL_PER_SECOND:.0f}/s"


def _beside(
    bench: Bench, environment: Mapping[str, str], smtp: SmtpServer
) -> Iterator[tuple[str, str, str]]:
    """Registrations without and with a worker that drains the queue, in turns."""
    quiet, busy, rates = list[Measured](), list[Measured](), list[float]()
    for number in range(bench.rounds):
        quiet.append(_registered(bench, f"w{number}"))
        with _worker(environment):
            begun = len(smtp.accepted())
            while len(smtp.accepted()) == begun:
                time.sleep(0.05)
            first, since = len(smtp.accepted()), time.monotonic()
            busy.append(_registered(bench, f"b{number}"))
            rates.append((len(smtp.accepted()) - first) / (time.monotonic() - since))
    ratios = [b.per_second / q.per_second for b, q in zip(busy, quiet, strict=True)]
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f})"
    absolute = statistics.median(each.per_second for each in quiet)
    yield f"registering beside it, to {absolute:.0f}/s without", spread, f"{GOAL_RATIO}"
    p99s = [f"{statistics.median(each.p99_ms for each in s):.0f}" for s in (quiet, busy)]
    yield "p99 of registering, without and with", " and ".join(p99s) + " ms", ""
    found = f"{statistics.median(rates):.0f}/s ({min(rates):.0f}..{max(rates):.0f})"
    yield "mails meanwhile", found, f"{GOAL_PER_SECOND:.0f}/s"


def _registered(bench: Bench, batch: str) -> Measured:
    with bench.calls() as caller:
        event_id = new_event(caller, capacity=UNLIMITED)["id"]
    return load.do(bench.load(registration(event_id, batch), expected=(201,)))


def _alone(bench: Bench, smtp: SmtpServer) -> tuple[str, str, str]:
    """From the answer to one registration until its mail was taken, nothing else going on."""
    waits = []
    with bench.calls() as caller:
        path = f"/events/{new_event(caller, capacity=UNLIMITED)['id']}/register"
        for n in range(SINGLE + 1):
            email = f"single.{n}.{os.getpid()}@example.org"
            caller.expect(201, "POST", path, {"name": "Ada", "email": email})
            answered = clock.now().timestamp()
            while (
                found := [each for each in smtp.accepted()[-5:] if each.recipient == email]
            ) == []:
                time.sleep(0.01)
            waits.append(found[0].at - answered)
            time.sleep(0.37)
    # At the first one the worker, which the server starts beside itself, has only just begun.
    waits = sorted(waits[1:])
    found_ = f"{percentile(waits, 50):.2f} s, at most {waits[-1]:.2f} s"
    return "one registration to its mail", found_, f"{GOAL_SECONDS:.0f} s"


def _away(bench: Bench, smtp: SmtpServer) -> Iterator[tuple[str, str, str]]:
    """How long few at once take to register, with a mail server that is well, silent, and gone."""
    few = replace(bench, connections=4)
    for name in ("well", "silent", "gone"):
        if name != "well":
            (smtp.hang if name == "silent" else smtp.kill)()
        found = _registered(few, f"s{name}")
        row = f"{found.p50_ms:.1f} / {found.p99_ms:.1f} ms"
        yield f"registering, 4 at once, mail server {name}: p50 / p99", row, "the same"


if __name__ == "__main__":
    typer.run(main)
