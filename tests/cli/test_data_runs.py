"""One run of an import after another, beside another, or for nothing: no event is made twice."""

import asyncio
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.cli.imports import conferences, seats, taken
from tests.cli.typed import on, typed
from tests.db import rows as db_rows
from tests.events.conference_rows import ROW, as_json, row_with
from tests.support.processes import environment

from turnout import clock, ids
from turnout.accounts import service as accounts
from turnout.accounts.actor import Role
from turnout.accounts.models import User
from turnout.cli.data import importing
from turnout.db.session import Database
from turnout.events.models import Event
from turnout.migrations import schema

TURNOUT = Path(sys.executable).with_name("turnout")

# A shell that runs the tests in the background has them, and what they start, ignore Ctrl-C.
HEEDING_CTRL_C = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No `.env` of a developer decides whether a test passes."""
    monkeypatch.chdir(tmp_path)


def test_import_after_an_interruption_goes_on(database_url: str) -> None:
    given = as_json(*conferences(600))
    sets = iter([False, True])

    def interrupt(_: int) -> None:
        if next(sets):
            raise KeyboardInterrupt

    async def interrupted(database: Database) -> None:
        with pytest.raises(KeyboardInterrupt):
            await importing.write(
                database, accounts.built_in_organizer, taken(given), on_set=interrupt
            )

    on(database_url, interrupted)
    first = [name for name, _, _ in seats(database_url)]
    said = typed("data", "import", "-", stdin=given, database_url=database_url)

    names = [row["name"] for row in conferences(600)]
    assert first == names[: 2 * importing.LARGEST_SET]
    assert said.stdout.splitlines()[:2] == ["Taken: 100", "Already there: 500"]
    assert [name for name, _, _ in seats(database_url)] == names


def test_import_that_is_interrupted_says_how_to_go_on(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-c", HEEDING_CTRL_C, TURNOUT, "data", "import", pipe],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({"TURNOUT_DATA_DIR": str(tmp_path / "var")}),
    )

    with pipe.open("wb"):  # not before the other side has opened it to read
        process.send_signal(signal.SIGINT)
        said, complaint = process.communicate(timeout=30)

    assert (process.returncode, said) == (130, b"")
    assert complaint == b"turnout: interrupted; the same command goes on where it was\n"


def test_two_imports_at_once_make_each_event_once(database_url: str) -> None:
    given = taken(as_json(*conferences(500)))

    async def both(database: Database) -> list[importing.Outcome]:
        other = Database(database_url)
        try:
            return await asyncio.gather(
                *(
                    importing.write(each, accounts.built_in_organizer, given)
                    for each in (database, other)
                )
            )
        finally:
            await other.aclose()

    async def with_organizer(database: Database) -> list[importing.Outcome]:
        async with database.write() as db:
            await accounts.built_in_organizer(db, clock.now())
        return await both(database)

    outcomes = on(database_url, with_organizer)

    assert sorted(row.row for each in outcomes for row in each.taken) == list(range(1, 501))
    assert sorted(row.row for each in outcomes for row in each.known) == list(range(1, 501))
    assert [name for name, _, _ in sorted(seats(database_url))] == sorted(
        str(row["name"]) for row in conferences(500)
    )


def test_dry_run_finds_what_a_run_would_and_writes_nothing(database_url: str) -> None:
    typed("data", "import", "-", stdin=as_json(ROW), database_url=database_url)
    before = on(database_url, db_rows.dump)
    given = as_json(ROW, row_with(name="New"), row_with(name=""))

    said = typed("data", "import", "-", "--dry-run", stdin=given, database_url=database_url)

    assert said.exit_code == 1
    assert said.stdout.splitlines()[1:4] == ["Would be taken: 1", "Already there: 1", "Refused: 1"]
    assert said.stdout.splitlines()[-1] == "This was a trial: nothing has been written."
    assert on(database_url, db_rows.dump) == before


def test_dry_run_without_a_database_makes_none(tmp_path: Path) -> None:
    said = typed("data", "import", "-", "--dry-run", stdin=as_json(ROW), data_dir=tmp_path / "var")

    assert (said.exit_code, said.stdout.splitlines()[0]) == (0, "Would be taken: 1")
    assert list(tmp_path.iterdir()) == []


def test_dry_run_on_an_empty_database_leaves_it_empty(database_url: str) -> None:
    typed("schema", "downgrade", "base", database_url=database_url)

    said = typed("data", "import", "-", "--dry-run", stdin=as_json(ROW), database_url=database_url)

    assert (said.exit_code, said.stdout.splitlines()[0]) == (0, "Would be taken: 1")
    assert asyncio.run(schema.current(database_url)) is None


def test_import_without_a_database_makes_one(tmp_path: Path) -> None:
    said = typed("data", "import", "-", stdin=as_json(ROW), data_dir=tmp_path / "var")

    assert (said.exit_code, said.stderr) == (0, f"Schema: empty -> {schema.head()}\n")
    assert seats(f"sqlite:///{tmp_path / 'var' / 'turnout.db'}") == [("PyCon DE", None, False)]


async def _add_user(database: Database, email: str, role: Role, *, is_active: bool = True) -> None:
    now = clock.now()
    async with database.write() as db:
        db.add(
            User(
                id=ids.new_id(), email=email, email_canonical=email.lower(), name="Olive",
                search_text="olive", role=role, is_active=is_active, created_at=now, updated_at=now,
            )
        )  # fmt: skip


def test_import_for_an_owner_makes_the_events_theirs(database_url: str) -> None:
    on(database_url, lambda d: _add_user(d, "Olive@example.com", Role.ORGANIZER))

    said = typed(
        *("data", "import", "-", "--owner", "OLIVE@example.com"),
        stdin=as_json(ROW),
        database_url=database_url,
    )

    owners = select(User.email).join(Event, Event.organizer_id == User.id)
    assert said.exit_code == 0
    assert on(database_url, lambda d: db_rows.read(d, owners)) == [("Olive@example.com",)]


@pytest.mark.parametrize(
    ("role", "is_active", "reason"),
    [
        (Role.ATTENDEE, True, "no organizer has the address ada@example.com"),
        (Role.ORGANIZER, False, "there is no account with the address ada@example.com"),
    ],
)
def test_import_for_who_may_not_own_events_is_one_line(
    sqlite_url: str, role: Role, *, is_active: bool, reason: str
) -> None:
    on(sqlite_url, lambda d: _add_user(d, "ada@example.com", role, is_active=is_active))

    said = typed(
        *("data", "import", "-", "--owner", "ada@example.com"),
        stdin=as_json(ROW),
        database_url=sqlite_url,
    )

    assert (said.exit_code, said.stdout, said.stderr) == (2, "", f"turnout: {reason}\n")
    assert seats(sqlite_url) == []


def test_progress_is_shown_on_a_terminal_alone(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(as_json(ROW))
    command = [str(TURNOUT), "data", "import", "a.json"]
    env = environment({"TURNOUT_DATA_DIR": str(tmp_path / "var"), "TERM": "xterm"})
    screen, terminal = pty.openpty()

    seen = subprocess.run(
        command, stderr=terminal, stdout=subprocess.PIPE, env=env, cwd=tmp_path, check=True
    )
    os.close(terminal)
    unseen = subprocess.run(command, capture_output=True, env=env, cwd=tmp_path, check=True)

    shown = os.read(screen, 1_000_000).decode()
    os.close(screen)
    assert "Reading" in shown
    assert "Writing" in shown
    assert seen.stdout.startswith(b"Taken: 1\n")
    assert unseen.stdout.startswith(b"Taken: 0\nAlready there: 1\n")
    assert unseen.stderr == b""
