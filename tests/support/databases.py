"""Databases for tests: migrated once, then copied for each test."""

import asyncio
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.postgres import PostgresServer

from turnout.migrations import schema

TEMPLATE = "turnout_template"


def migrated_sqlite(folder: Path) -> Path:
    """A migrated SQLite file to copy from."""
    path = folder / "template.db"
    asyncio.run(schema.upgrade(f"sqlite:///{path}"))
    assert not path.with_name("template.db-wal").exists(), "the copy would lack what is in the log"
    return path


def copied_sqlite(template: Path, folder: Path) -> str:
    """The URL of a fresh copy of `template`."""
    path = folder / "turnout.db"
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


def migrate_postgres_template(server: PostgresServer) -> None:
    """Make the database that others are copied from."""
    server.create_database_sync(TEMPLATE)
    asyncio.run(schema.upgrade(server.url(TEMPLATE)))


@contextmanager
def copied_postgres(server: PostgresServer) -> Iterator[str]:
    """The URL of a fresh copy of the template, dropped at the end."""
    name = f"test_{uuid.uuid4().hex}"
    server.create_database_sync(name, template=TEMPLATE)
    try:
        yield server.url(name)
    finally:
        server.drop_database_sync(name)
