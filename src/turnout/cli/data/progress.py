"""Shows how far a long piece of work is, on the error stream; it must not know what the work is."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 10.0

Advance = Callable[[int], None]


@contextmanager
def bar(label: str, total: int | None = None) -> Iterator[Advance]:
    """A bar on the error stream, and what to call with how much more is done.

    Where that stream is no terminal, a line every ten seconds instead: a log wants no picture.
    """
    if not sys.stderr.isatty():
        yield _lines(label, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=total)
        yield lambda count: progress.advance(task, count)


def _lines(label: str, total: int | None) -> Advance:
    done, last = 0, time.monotonic()

    def advance(count: int) -> None:
        nonlocal done, last
        done, now = done + count, time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES:
            last = now
            of = "" if total is None else f" of {total:,}"
            print(f"{label}: {done:,}{of}", file=sys.stderr, flush=True)

    return advance
