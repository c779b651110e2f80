"""`turnout work`: the background work, in a process of its own."""

import asyncio
import os
import signal
import sys
from typing import Annotated

import typer

from turnout import interpreter, tables
from turnout.cli import user_errors
from turnout.db import revision
from turnout.notifications import letters
from turnout.observability import logs
from turnout.runtime import Runtime
from turnout.settings import Settings
from turnout.worker import loop

NICENESS = 10
"""What nobody waits for gives way to what people wait for."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def work(
    with_parent: Annotated[
        bool, typer.Option("--with-parent", hidden=True, help="End when the input is closed.")
    ] = False,
) -> None:
    """Send mails and call webhooks, remind people, look up places: as many of these as you like.

    `turnout serve` starts one by itself.
    """
    settings = user_errors.settings_or_fail()
    if user_errors.run(lambda: revision.current(settings.database_url)) != tables.REVISION:
        user_errors.fail("the database has another schema; run `turnout schema upgrade` first")
    logs.to_stderr(settings.log_format)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    user_errors.run(lambda: _work(settings, with_parent=with_parent))


def _read(ended: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1):
        ended.set()


async def _work(settings: Settings, *, with_parent: bool) -> None:
    ended = asyncio.Event()
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, ended.set)
    if with_parent:
        # However the parent ended, its end of the pipe is closed.
        running.add_reader(sys.stdin.fileno(), _read, ended)
    runtime = await Runtime.open(settings)
    letters.prepare()
    interpreter.tune()
    try:
        async with loop.running(runtime):
            await ended.wait()
    finally:
        await runtime.aclose()
