"""A product whose events many tests ask for and none changes: filled once, asked without a loop."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
from tests.discovery import asking
from tests.support import databases
from tests.support.app import BASE_URL, RunningApp, running

from turnout.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Standing:
    """The product in open mode, in a loop of its own that runs while something is asked."""

    runner: asyncio.Runner
    app: RunningApp
    api: httpx2.AsyncClient

    def run(self, work: Callable[[RunningApp], Awaitable[T]]) -> T:
        """What `work` comes to."""

        async def working() -> T:
            return await work(self.app)

        return self.runner.run(working())

    def ids(self, query: str) -> list[str]:
        """The ids of all events that are found, page by page."""
        return self.runner.run(asking.ids(self.api, query))

    def items(self, query: str) -> list[dict[str, Any]]:
        """The events of the first page."""
        return self.runner.run(asking.items(self.api, query))


@contextmanager
def on(request: pytest.FixtureRequest, kind: str, folder: Path) -> Iterator[Standing]:
    """The product on a fresh database of that kind."""
    if kind == "sqlite":
        url = databases.copied_sqlite(request.getfixturevalue("sqlite_template"), folder)
        with _started(url, folder) as standing:
            yield standing
        return
    server = request.getfixturevalue("postgres")
    with databases.copied_postgres(server) as url, _started(url, folder) as standing:
        yield standing


@contextmanager
def _started(url: str, folder: Path) -> Iterator[Standing]:
    settings = Settings(
        _env_file=None,
        data_dir=folder / "data",
        database_url=url,
        open_access=True,
        base_url=BASE_URL,
        secret_key="a secret key that only tests have, 32 or more",
        rate_limits="off",
    )
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        app = runner.run(stack.enter_async_context(running(settings)))
        api = runner.run(stack.enter_async_context(app.client()))
        try:
            yield Standing(runner, app, api)
        finally:
            runner.run(stack.aclose())
