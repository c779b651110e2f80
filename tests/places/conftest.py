"""A server that speaks as a geocoder does, and a client with little patience."""

from collections.abc import AsyncIterator

import pytest
from tests.support.outside import SmallServer, small_server

from turnout.outside import Outside


@pytest.fixture
async def server() -> AsyncIterator[SmallServer]:
    """The server; a test says what it answers."""
    async with small_server() as started:
        yield started


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    """The client."""
    opened = Outside(read_seconds=0.3, total_seconds=0.5)
    yield opened
    await opened.aclose()
