"""Fixtures for all: both databases, the product in the test's loop, the clock, the cast."""

import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from tests.support import databases
from tests.support.app import BASE_URL, RunningApp, running
from tests.support.postgres import PostgresServer

from turnout.db.session import Database
from turnout.observability import logs
from turnout.settings import Settings


@pytest.fixture(scope="session", autouse=True)
def _quiet_log() -> None:
    """The product's log goes nowhere, unless a test looks at it."""
    logs.configure(human=False, stream=io.BytesIO(), level="error")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test process's own, with the migrated template."""
    with PostgresServer.start() as server:
        databases.migrate_postgres_template(server)
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy from."""
    return databases.migrated_sqlite(tmp_path_factory.mktemp("template"))


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh, migrated SQLite database."""
    return databases.copied_sqlite(sqlite_template, tmp_path)


@pytest.fixture
def postgresql_url(postgres: PostgresServer) -> Iterator[str]:
    """A fresh, migrated PostgreSQL database."""
    with databases.copied_postgres(postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, migrated database: the test runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The fresh database, open."""
    opened = Database(database_url)
    yield opened
    await opened.aclose()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """The settings of a server in open mode on the fresh database."""
    return Settings(
        _env_file=None,
        data_dir=tmp_path / "data",
        database_url=database_url,
        open_access=True,
        base_url=BASE_URL,
        secret_key="a secret key that only tests have, 32 or more",
    )


@pytest.fixture
def closed_settings(settings: Settings) -> Settings:
    """The same without open mode: a caller without a credential is nobody."""
    return settings.model_copy(update={"open_access": False})


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[RunningApp]:
    """The product in open mode: whoever calls is the built-in organizer."""
    async with running(settings) as started:
        yield started


@pytest.fixture
async def api(app: RunningApp) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the product in open mode."""
    async with app.client() as client:
        yield client


@pytest.fixture
async def closed_api(closed_settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the product without open mode."""
    async with running(closed_settings) as started, started.client() as client:
        yield client


@pytest.fixture
async def closed_app(closed_settings: Settings) -> AsyncIterator[RunningApp]:
    """The product without open mode: who sends no credential is nobody."""
    async with running(closed_settings) as started:
        yield started
