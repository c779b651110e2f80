"""The work that nobody waits for: several jobs side by side, each again and again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from turnout.notifications.webhook_sending import Calls
from turnout.outbox.models import Lane
from turnout.runtime import Runtime
from turnout.structured import structlog
from turnout.worker import places, timetable
from turnout.worker.dispatching import Dispatcher
from turnout.worker.mailing import MailLane

POLL_SECONDS = 0.25
"""How late work is found at most that another process has left here."""
SLOW_POLL_SECONDS = 1.0
TIDY_SECONDS = 600.0
LONGEST_PAUSE_SECONDS = 30.0
_DOUBLINGS = 10
"""More make no longer pause, and after some hours a number that is none any more."""

log = structlog.get_logger()

Job = Callable[[], Awaitable[bool]]
"""Does some of the work there is; whether there is more."""


@dataclass
class Rhythm:
    """How often one job looks for work, and what wakes it before its time."""

    name: str
    job: Job
    poll_seconds: float
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Work until cancelled; a database that is away comes back."""
        failures = 0
        while True:
            try:
                is_more, failures = await self.job(), 0
                if is_more:
                    continue
            except Exception as error:  # noqa: BLE001 - one failure must not end the others' work
                failures += 1
                wait = min(
                    self.poll_seconds * 2 ** min(failures, _DOUBLINGS), LONGEST_PAUSE_SECONDS
                )
                log.warning(
                    "The background work failed and goes on",
                    job=self.name,
                    reason=type(error).__name__,
                )
                await asyncio.sleep(wait)  # whatever would wake it: it would fail again
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.poll_seconds):
                    await self.wake.wait()
            self.wake.clear()


@contextlib.asynccontextmanager
async def running(runtime: Runtime) -> AsyncIterator[None]:
    """Work for as long as the block lasts; what is in hand at its end is due again by its lease."""
    task = asyncio.create_task(run(runtime))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def run(runtime: Runtime, *, poll_seconds: float = POLL_SECONDS) -> None:
    """Work until cancelled."""
    lanes = [MailLane(runtime, lane) for lane in (Lane.DIRECT, Lane.BULK)]
    calls = Calls(runtime.database, runtime.seals, runtime.outside_of_users)
    mailing = [Rhythm(f"mail {each.lane}", each.work, poll_seconds, each.wake) for each in lanes]
    calling = Rhythm("webhooks", calls.work, poll_seconds)
    dispatcher = Dispatcher(runtime, [each.wake for each in (*mailing, calling)])
    others = [
        Rhythm("dispatch", dispatcher.work, poll_seconds),
        Rhythm("places", lambda: places.look_up_one(runtime), poll_seconds),
        Rhythm("timetable", lambda: timetable.keep(runtime), SLOW_POLL_SECONDS),
        Rhythm("tidying", lambda: timetable.tidy(runtime), TIDY_SECONDS),
    ]
    try:
        async with asyncio.TaskGroup() as group:
            for each in (*mailing, calling, *others):
                group.create_task(each.run())
    finally:
        for lane in lanes:
            await lane.aclose()
        await calls.aclose()
