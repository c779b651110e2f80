"""A server loads what it works with, and nothing that is heavy and for others: see each reason."""

import subprocess
import sys

import pytest

HEAVY = {
    "PIL": "pictures",
    "alembic": "migrating, in a process of its own",
    "asyncpg": "PostgreSQL",
    "authlib": "servers with a sign-in provider",
    "dateutil": "series",
    "httpx2": "asking other servers",
    "icalendar": "calendars",
    "markdown_it": "pages with descriptions",
    "pydantic.v1": "parameters of handlers, which FastAPI reads: ours read the request",
    "redis": "limits in Redis",
    "rich": "terminals; see `structured`",
}
"""Modules by what needs them; a worker is to have no more than 120 MiB."""

SERVER = """
import sys
from turnout.cli import main, serve
from turnout.main import create_app
from turnout.settings import Settings
create_app(Settings(_env_file=None))
print(*sys.modules, sep="\\n")
"""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules of a process that has put a server on SQLite together."""
    done = subprocess.run(
        [sys.executable, "-c", SERVER], check=True, capture_output=True, text=True
    )
    return set(done.stdout.splitlines())


def test_server_on_sqlite_has_loaded_nothing_heavy(loaded: set[str]) -> None:
    assert "sqlalchemy" in loaded
    assert sorted(loaded & set(HEAVY)) == []
