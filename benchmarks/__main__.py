"""`python -m benchmarks`: the whole table of figures, on SQLite and on a PostgreSQL of its own.

It knows which databases and how many workers; what is measured is in `turnout.cli.bench`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from tests.support.postgres import PostgresServer

from turnout.cli.bench import command, own, report, servers
from turnout.cli.bench.report import Report

RESULTS = Path(__file__).parents[1] / "var" / "benchmarks.json"
DATABASE = "bench"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured; no names means every scenario."""

    seconds: float
    rounds: int
    events: int
    names: Sequence[str] = ()


FULL = Extent(seconds=5, rounds=3, events=own.EVENTS)
QUICK = Extent(
    seconds=0.5,
    rounds=3,
    events=10_000,
    names=("list", "list-busy", "register-above", "register-below", "start", "memory"),
)
"""Everything once over in less than two minutes: to see that all works, not to quote."""


def main(
    *,
    quick: Annotated[bool, typer.Option(help="Less than two minutes, rougher figures.")] = False,
    markdown: Annotated[bool, typer.Option(help="Also print the tables in Markdown.")] = False,
    json_file: Annotated[Path, typer.Option("--json", help="Where every round goes.")] = RESULTS,
) -> None:
    """Measure everything; ends with 1 where a request failed or a promise was broken."""
    console = Console(stderr=True)
    reports = []
    for name in ("sqlite", "postgresql"):
        with servers.stopped_by_sigterm(), database(name) as url:
            reports.append(measured(name, url, QUICK if quick else FULL, console))
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(report.to_json(reports))
    if markdown:
        print("\n".join(report.markdown(made) for made in reports))
    if not all(made.is_sound for made in reports):
        raise typer.Exit(1)


@contextmanager
def database(name: str) -> Iterator[str | None]:
    """The address of an empty database; None for the SQLite file that the benchmark makes."""
    if name == "sqlite":
        yield None
        return
    with PostgresServer.start() as server:
        server.create_database_sync(DATABASE)
        yield server.url(DATABASE)


def measured(name: str, url: str | None, extent: Extent, console: Console) -> Report:
    """All figures on one database, printed as they are ready."""
    names = command.chosen(extent.names, is_own=True, database=name)
    with own.served(url, events=extent.events) as started:
        ready = replace(started, seconds=extent.seconds, rounds=extent.rounds)
        figures = command.measure(ready, names, console)
    made = Report(
        name, ready.workers, ready.connections, extent.seconds, extent.rounds, figures, ready.broken
    )
    command.show(made, console)
    return made


if __name__ == "__main__":
    typer.run(main)
