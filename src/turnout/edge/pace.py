"""Answers at even moments, so that nobody can measure what was done meanwhile. Knows no route."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil
from time import monotonic

STEP_SECONDS = 0.25
"""Longer than the work takes on a quiet machine, so that all answers come after the same time."""


@asynccontextmanager
async def even() -> AsyncIterator[None]:
    """Lasts a whole number of steps, whatever is done inside and however it ends."""
    started = monotonic()
    try:
        yield
    finally:
        spent = monotonic() - started
        await asyncio.sleep(ceil(spent / STEP_SECONDS) * STEP_SECONDS - spent)
