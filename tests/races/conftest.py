"""The servers that race, on either kind of database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.races import fleet
from tests.support.postgres import PostgresServer


@dataclass(frozen=True, slots=True)
class Field:
    """Where a race takes place: a database, a folder, and the ports of its servers."""

    database_url: str
    folder: Path
    ports: list[int]


@pytest.fixture(scope="session")
def seeds() -> int:
    """How many seeds each race runs with; TURNOUT_TEST_RACE_SEEDS=20 is the full proof."""
    return int(os.environ.get("TURNOUT_TEST_RACE_SEEDS", "2"))


@contextmanager
def empty_database(request: pytest.FixtureRequest, kind: str, folder: Path) -> Iterator[str]:
    """The URL of a database of that kind without any table."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'turnout.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    server.create_database_sync("racing")
    yield server.url("racing")
    server.drop_database_sync("racing")


@pytest.fixture(params=["sqlite", "postgresql"])
def racing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Field]:
    """Four server processes, all started at once on one database that was empty."""
    with (
        empty_database(request, request.param, tmp_path) as url,
        fleet.fleet(tmp_path, url) as ports,
    ):
        yield Field(url, tmp_path, ports)
