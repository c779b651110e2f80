"""The work that nobody waits for, beside the doors of the same process. Knows no feature."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from turnout import clock
from turnout.places import cache
from turnout.runtime import Runtime
from turnout.structured import structlog
from turnout.worker import places

POLL_SECONDS = 5.0
"""How late work is found that another process has left here."""
TIDY_EVERY = timedelta(hours=1)

log = structlog.get_logger()


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
    """Work until cancelled. `runtime.places_due` wakes it at once."""
    tidied_at = clock.now()
    while True:
        try:
            await places.look_up_all(runtime)
            tidied_at = await _tidy(runtime, tidied_at)
        except Exception as error:  # noqa: BLE001 - a database that is away comes back
            log.warning("The background work failed and goes on", reason=type(error).__name__)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(poll_seconds):
                await runtime.places_due.wait()
        runtime.places_due.clear()


async def _tidy(runtime: Runtime, tidied_at: datetime) -> datetime:
    """Remove, now and then, what has expired; the time it was done last."""
    now = clock.now()
    if now - tidied_at < TIDY_EVERY:
        return tidied_at
    async with runtime.database.write() as db:
        await cache.forget_expired(db, now)
    return now
