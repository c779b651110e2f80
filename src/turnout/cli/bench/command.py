"""`turnout bench`: measures the product against its floors; reads options and prints, no more."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from turnout.cli.bench import own, report, servers
from turnout.cli.bench.bench import Bench
from turnout.cli.bench.calls import (
    CannotMeasureError,
    NotLoopbackError,
    UnexpectedAnswerError,
    loopback,
)
from turnout.cli.bench.figure import Figure
from turnout.cli.bench.report import Report
from turnout.cli.bench.scenarios import SCENARIOS

Url = Annotated[
    str | None,
    typer.Option(help="A running server of this machine, opened with --open. It keeps the events."),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(help="An empty database for a server of the benchmark's own (else SQLite)."),
]
Names = Annotated[
    list[str] | None, typer.Option("--scenario", help=f"One of: {', '.join(SCENARIOS)}.")
]
Seconds = Annotated[float, typer.Option(min=0.1, max=600, help="Length of one round.")]
Rounds = Annotated[int, typer.Option(min=1, max=100, help="Rounds, of floor and product in turns.")]
Connections = Annotated[int, typer.Option(min=1, max=1000, help="Clients at the same time.")]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Processes of product and floor.")]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Where to write every round as JSON.")
]

WIDTH = 110
"""Columns where the output is no terminal, so that a file holds whole rows."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def bench(
    *,
    url: Url = None,
    database_url: DatabaseUrl = None,
    scenario: Names = None,
    seconds: Seconds = 5.0,
    rounds: Rounds = 3,
    connections: Connections = 64,
    workers: Workers = 1,
    json_file: JsonFile = None,
) -> None:
    """Measure reads and registrations as ratios to bare routes, and check every seat afterwards.

    Ends with 1 where a request failed or a promise about the seats was broken. A missed goal is
    shown, and no failure: machines differ.
    """
    console = Console(stderr=True)
    what = "running server" if url else (database_url or "sqlite").partition(":")[0]
    names = chosen(scenario, is_own=url is None, database=what)
    try:
        with servers.stopped_by_sigterm(), _bench(url, database_url, workers) as started:
            ready = replace(started, connections=connections, seconds=seconds, rounds=rounds)
            figures = measure(ready, names, console)
    except (
        NotLoopbackError,
        servers.NotStartedError,
        UnexpectedAnswerError,
        own.NotEmptyError,
    ) as error:
        console.print(str(error), markup=False)
        raise typer.Exit(2) from None
    made = Report(what, workers, connections, seconds, rounds, figures, ready.broken)
    show(made, console)
    if json_file is not None:
        json_file.write_text(report.to_json([made]))
    if not made.is_sound:
        raise typer.Exit(1)


def chosen(names: Sequence[str] | None, *, is_own: bool, database: str) -> list[str]:
    """The scenarios asked for, else all that can run; raises typer.BadParameter."""
    able = [
        name for name, each in SCENARIOS.items() if each.can_run(is_own=is_own, database=database)
    ]
    unknown = [name for name in names or () if name not in able]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: here there are {', '.join(able)}")
    return [name for name in able if not names or name in names]


def measure(ready: Bench, names: Sequence[str], console: Console) -> list[Figure]:
    """Each of these scenarios, one after the other; says which cannot be measured here, and why."""
    figures = []
    for name in names:
        console.print(f"{name}: {SCENARIOS[name].about}", highlight=False)
        try:
            figures.append(SCENARIOS[name].run(ready))
        except CannotMeasureError as error:
            console.print(f"{name} is left out: {error}", markup=False)
    return figures


def show(made: Report, console: Console) -> None:
    """Print the table with its notes, then every broken promise."""
    wide = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    wide.print(report.table(made))
    for note in report.notes(made):
        wide.print(note, highlight=False, markup=False)
    for what in made.broken:
        console.print(what, style="red", markup=False)


@contextmanager
def _bench(url: str | None, database_url: str | None, workers: int) -> Iterator[Bench]:
    if url is not None:
        yield Bench(loopback(url), workers=workers)
        return
    with own.served(database_url, workers=workers) as started:
        yield started
