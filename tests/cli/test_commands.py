"""The commands as someone types them: what they print, and how they end."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner, Result

from turnout import settings as settings_
from turnout.cli.main import app
from turnout.db import engines
from turnout.migrations import schema

Turnout = Callable[..., Result]
NEWEST = schema.head()
SECRET = "hunter2-hunter2"


@pytest.fixture
def turnout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Turnout:
    """Runs a command with the settings given, and none of those that are set here."""
    for name in os.environ:
        if name.startswith(settings_.PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **env: str) -> Result:
        # What serve sets for its own processes is undone, as what is None here is put back.
        own = dict.fromkeys(("TURNOUT_OPEN_ACCESS", "TURNOUT_BASE_URL"))
        variables = own | {f"TURNOUT_{name.upper()}": value for name, value in env.items()}
        return CliRunner().invoke(app, list(arguments), env=variables)

    return run


def test_schema_goes_up_is_shown_and_goes_down(turnout: Turnout, tmp_path: Path) -> None:
    where = {"data_dir": str(tmp_path / "var")}

    said = [
        turnout("schema", *command.split(), **where)
        for command in ("current", "upgrade", "current", "upgrade", "downgrade base", "current")
    ]

    assert [result.exit_code for result in said] == [0] * 6
    assert [result.stdout.strip() for result in said] == [
        f"empty (newest: {NEWEST})",
        f"empty -> {NEWEST}",
        f"{NEWEST} (newest: {NEWEST})",
        f"{NEWEST} -> {NEWEST}",
        f"{NEWEST} -> empty",
        f"empty (newest: {NEWEST})",
    ]


def test_schema_current_makes_no_database(turnout: Turnout, tmp_path: Path) -> None:
    turnout("schema", "current", data_dir=str(tmp_path / "var"))

    assert list(tmp_path.iterdir()) == []


def test_schema_sql_is_that_of_the_database(turnout: Turnout) -> None:
    of_sqlite = turnout("schema", "sql")
    of_postgresql = turnout("schema", "sql", database_url="postgresql://u:p@127.0.0.1/x")

    assert of_sqlite.stdout == schema.statements("sqlite")
    assert of_postgresql.stdout == schema.statements("postgresql")
    assert "WITHOUT ROWID" in of_sqlite.stdout
    assert "JSONB" in of_postgresql.stdout


@pytest.mark.parametrize("command", ["upgrade", "downgrade"])
def test_schema_to_a_revision_that_there_is_not_is_one_line(
    turnout: Turnout, command: str, database_url: str
) -> None:
    said = turnout("schema", command, "9999", database_url=database_url)

    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr.startswith("turnout: ")
    assert "9999" in said.stderr
    assert asyncio.run(schema.current(database_url)) == NEWEST


def unreachable(url: str) -> list[str]:
    """Addresses of databases to which there is no way: no server, no such one, no right to."""
    parts = urlsplit(url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = parts._replace(netloc=f"u:{SECRET}@127.0.0.1:{probe.getsockname()[1]}")
    wrong = parts._replace(netloc=f"{parts.username}:{SECRET}@{parts.hostname}:{parts.port}")
    return [nobody.geturl(), wrong.geturl(), parts._replace(path="/no_such").geturl()]


@pytest.mark.parametrize("command", ["doctor", "schema current", "schema upgrade", "serve"])
def test_command_without_its_database_is_one_line_and_exit_status_two(
    turnout: Turnout, command: str, postgresql_url: str
) -> None:
    ended = [turnout(*command.split(), database_url=url) for url in unreachable(postgresql_url)]

    assert [result.exit_code for result in ended] == [2, 2, 2]
    for result in ended:
        assert result.stderr.startswith("turnout: the database cannot be reached: ")
        assert result.stderr.count("\n") == 1
        assert SECRET not in result.stderr


def test_serve_on_a_taken_port_is_one_line_and_touches_nothing(
    turnout: Turnout, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = turnout("serve", "--port", str(port), data_dir=str(tmp_path / "var"))

    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr.startswith(f"turnout: cannot listen on 127.0.0.1:{port}: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_serve_open_to_all_is_refused_unless_told_twice(turnout: Turnout, host: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        once = turnout("serve", "--open", "--host", host, "--port", port)
        by_setting = turnout("serve", "--host", host, "--port", port, open_access="true")
        # On this machine alone it needs no second word: then the taken port is what stops it.
        at_home = turnout("serve", "--open", "--port", port)
        twice = turnout(
            "serve", "--open", "--host", "localhost", "--port", port, open_access_anywhere="true"
        )

    assert [result.exit_code for result in (once, by_setting, at_home, twice)] == [2] * 4
    assert once.stderr == by_setting.stderr
    assert f"open access lets everyone who reaches {host} create events" in once.stderr
    assert [result.stderr.split(" on ")[0] for result in (at_home, twice)] == [
        "turnout: cannot listen"
    ] * 2


def test_serve_open_told_twice_goes_on(turnout: Turnout) -> None:
    """To the next thing that stops it: nothing is ever served on that address here."""
    nowhere = "192.0.2.1"

    said = turnout("serve", "--open", "--host", nowhere, open_access_anywhere="true")

    assert said.exit_code == 2
    assert said.stderr.startswith(f"turnout: cannot listen on {nowhere}:8000: ")


def test_sqlite_path_of_an_address_is_the_file(tmp_path: Path) -> None:
    assert engines.sqlite_path(f"sqlite:///{tmp_path}/a.db?x=1") == f"{tmp_path}/a.db"
