"""Hands messages on to those they concern, without keeping the database from anyone."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from turnout import clock
from turnout.notifications import dispatch
from turnout.runtime import Runtime

PAUSE_SECONDS = 0.35
"""After a set, while there is more. More than 270 messages a second are more than become mails, and
on SQLite whoever wants a seat waits for each set."""


class Dispatcher:
    """Dispatches sets of messages, and wakes whoever sends."""

    def __init__(self, runtime: Runtime, wakes: Sequence[asyncio.Event]) -> None:
        self._database = runtime.database
        self._settle = timedelta(seconds=runtime.settings.settle_seconds)
        self._wakes = wakes

    async def work(self) -> bool:
        """Dispatch a set; whether there is more."""
        now = clock.now()
        async with self._database.read() as db:
            # Before anything is locked: most often there is nothing.
            is_due = await dispatch.is_any_due(db, now)
        if not is_due:
            return False
        async with self._database.write() as db:
            done = await dispatch.dispatch(db, now, self._settle)
        for each in self._wakes:
            each.set()
        if not done.is_all:
            await asyncio.sleep(PAUSE_SECONDS)
        return not done.is_all
