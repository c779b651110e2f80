"""The world of the matrix, made once on each kind of database and copied for each caller."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.authorization import world
from tests.authorization.walk import Step, Way, makes_a_difference, walk, ways
from tests.authorization.world import World
from tests.support import databases
from tests.support.app import BASE_URL, RunningApp, running
from tests.support.postgres import PostgresServer

from turnout.settings import Settings

HERE = Path(__file__).parent
AT_ONCE = 4
"""Copies that are walked side by side: some calls wait on purpose."""
Copies = Callable[[], AbstractContextManager[str]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A world, and fresh databases with all of it."""

    world: World
    copy: Copies
    folder: Path

    @asynccontextmanager
    async def app(self, **changes: Any) -> AsyncIterator[RunningApp]:
        """The product on such a database; `changes` are of its settings."""
        copy = self.copy()
        url = await asyncio.to_thread(copy.__enter__)
        try:
            settings = settings_of(self.folder, url).model_copy(update=changes)
            async with running(settings) as app:
                yield app
        finally:
            await asyncio.to_thread(copy.__exit__, None, None, None)


def settings_of(folder: Path, url: str) -> Settings:
    return Settings(
        _env_file=None,
        data_dir=folder,
        database_url=url,
        base_url=BASE_URL,
        secret_key="a secret key that only tests have, 32 or more",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one test process walk the world of a database: each that does makes the walk anew."""
    for item in items:
        if item.path.is_relative_to(HERE):
            kind = "postgresql" if "postgresql" in item.nodeid else "sqlite"
            item.add_marker(pytest.mark.xdist_group(f"the matrix on {kind}"))


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def prepared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prepared]:
    """The world on one kind of database."""
    folder = tmp_path_factory.mktemp("world")
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        url = databases.copied_sqlite(template, folder)
        built = asyncio.run(_built(settings_of(folder, url)))
        yield Prepared(built, _sqlite_copies(folder), folder)
    else:
        server = request.getfixturevalue("postgres")
        with databases.copied_postgres(server) as url:
            built = asyncio.run(_built(settings_of(folder, url)))
            yield Prepared(built, _postgres_copies(server, url), folder)


async def _built(settings: Settings) -> World:
    async with running(settings) as app:
        return await world.build(app)


def _sqlite_copies(folder: Path) -> Copies:
    numbers = iter(range(1_000))

    @contextmanager
    def copy() -> Iterator[str]:
        own = folder / f"copy{next(numbers)}"
        own.mkdir()
        yield databases.copied_sqlite(folder / "turnout.db", own)
        shutil.rmtree(own)

    return copy


def _postgres_copies(server: PostgresServer, url: str) -> Copies:
    template, numbers = url.rpartition("/")[2], iter(range(1_000))

    @contextmanager
    def copy() -> Iterator[str]:
        name = f"{template}_{next(numbers)}"
        server.create_database_sync(name, template=template)
        try:
            yield server.url(name)
        finally:
            server.drop_database_sync(name)

    return copy


@pytest.fixture(scope="session")
def steps(prepared: Prepared) -> list[Step]:
    """Every step of the walk, each caller's on a copy of its own."""
    return asyncio.run(_walked(prepared))


async def _walked(prepared: Prepared) -> list[Step]:
    lanes = asyncio.Semaphore(AT_ONCE)

    async def one(way: Way) -> list[Step]:
        async with lanes, prepared.app() as app:
            return await walk(app, prepared.world, way, makes_a_difference)

    walked = await asyncio.gather(*(one(way) for way in ways(prepared.world)))
    return [step for found in walked for step in found]
