"""A database to migrate."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.postgres import PostgresServer

from turnout.db import engines


@pytest.fixture
def empty_url(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of the same kind as the migrated one, in which nothing is yet."""
    if engines.is_sqlite(database_url):
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"empty_{uuid.uuid4().hex}"
    server.create_database_sync(name)
    yield server.url(name)
    server.drop_database_sync(name)
