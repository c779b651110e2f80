"""Shows figures: a table for a terminal, the same in Markdown, and JSON; measures nothing."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version

from rich.table import Table

from turnout.cli.bench.figure import Figure

COLUMNS = (
    "measured",
    "goal",
    "figure",
    "met",
    "spread",
    "a second",
    "floor",
    "p50 ms",
    "p99 ms",
    "errors",
)

_PROGRAMS = ("turnout", "fastapi", "uvicorn", "uvloop", "pydantic", "sqlalchemy", "asyncpg")


def this_machine() -> dict[str, str]:
    """What the figures depend on: cores, system and versions."""
    told = {name: version(name) for name in _PROGRAMS}
    return {
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **told,
    }


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one run, with what it ran on. `broken` names each promise that was broken."""

    database: str
    workers: int
    connections: int
    seconds: float
    rounds: int
    figures: Sequence[Figure]
    broken: Sequence[str] = ()
    machine: dict[str, str] = field(default_factory=this_machine)

    @property
    def is_sound(self) -> bool:
        """Whether no load met an error and no promise was broken; goals may still be missed."""
        return not self.broken and not any(each.errors for each in self.figures)

    @property
    def title(self) -> str:
        """What was run, in one line."""
        return (
            f"{self.database}, {self.workers} worker{'s' if self.workers > 1 else ''}, "
            f"{self.connections} connections, {self.rounds} rounds of {self.seconds:g} s"
        )


def cells(figure: Figure) -> tuple[str, ...]:
    """One row as text, in the order of `COLUMNS`."""
    spread = figure.spread
    return (
        figure.name,
        figure.goal,
        f"{spread.median:.2f}",
        "yes" if figure.met else "no",
        f"{spread.low:.2f}..{spread.high:.2f}",
        _number(figure.per_second, 0),
        _number(figure.floor_per_second, 0),
        _number(figure.p50_ms, 1),
        _number(figure.p99_ms, 1),
        str(figure.errors),
    )


def notes(report: Report) -> list[str]:
    """What else there is to say about the figures, with the names of those it is said about."""
    said: dict[str, list[str]] = {}
    for figure in report.figures:
        said.setdefault(figure.note, []).append(figure.name)
    return [f"{note}: {', '.join(names)}" for note, names in said.items() if note]


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:,.{decimals}f}"


def table(report: Report) -> Table:
    """The report for a terminal; missed goals stand out."""
    drawn = Table(title=report.title)
    for number, name in enumerate(COLUMNS):
        drawn.add_column(name, justify="left" if number < 2 else "right", no_wrap=number != 1)
    for figure in report.figures:
        drawn.add_row(*cells(figure), style=None if figure.met else "yellow")
    return drawn


def markdown(report: Report) -> str:
    """The report as a Markdown table under its title, ready for the documentation."""
    lines = [f"### {report.title}", ""]
    lines += [_row(COLUMNS), _row(["---"] * len(COLUMNS))]
    lines += [_row(cells(figure)) for figure in report.figures]
    lines += ["", *(f"- broken: {what}" for what in report.broken)]
    lines += [f"- {note}" for note in notes(report)]
    lines += ["- " + ", ".join(f"{name} {value}" for name, value in report.machine.items()), ""]
    return "\n".join(lines)


def _row(values: Sequence[str]) -> str:
    return f"| {' | '.join(values)} |"


def to_json(reports: Sequence[Report]) -> str:
    """Every round of every figure, for programs."""
    return json.dumps([asdict(report) for report in reports], indent=2) + "\n"
