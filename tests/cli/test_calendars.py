"""Calendars over the command line: read as any list of events, and written for other programs."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from tests.cli.typed import on, typed
from tests.db import rows as db_rows
from tests.discovery import calendar_readers
from tests.events.calendar_entries import CALENDARS
from tests.events.conference_rows import as_json, row_with

from turnout.cli.data import progress
from turnout.events.models import Event, Status

TODAY = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOOGLE = CALENDARS / "google.ics"
GOOGLE_SAID = """\
Taken: 5
Already there: 0
Refused: 0
Passed over: 1
Notes, by kind (--details shows each):
  place-missing         2
  people-left-out       1
  tentative             1
Why others were passed over:
  cancelled       1
"""


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No `.env` of a developer decides whether a test passes."""
    monkeypatch.chdir(tmp_path)


def events_in(url: str) -> list[tuple[Any, ...]]:
    query = select(Event.name, Event.start_local, Event.timezone, Event.status).order_by(Event.id)
    return on(url, lambda database: db_rows.read(database, query))


@time_machine.travel(TODAY)
def test_import_of_a_calendar_makes_its_events_and_says_what_was_left(database_url: str) -> None:
    said = typed("data", "import", GOOGLE, database_url=database_url)

    assert (said.exit_code, said.stdout, said.stderr) == (0, GOOGLE_SAID, "")
    made = events_in(database_url)
    assert [(name, start.hour) for name, start, _, _ in made] == [
        (
            "Opening night of the new workshop, with a tour of all the machines and soup",
            19,
        ),
        ("Solder evening", 18),
        ("Solder evening", 18),
        ("Solder evening (moved to Wednesday)", 18),
        ("Tool fair", 0),
    ]
    assert {zone for _, _, zone, _ in made} == {"Europe/Lisbon"}
    assert [name for name, _, _, status in made if status == Status.DRAFT] == ["Tool fair"]


@time_machine.travel(TODAY)
def test_import_of_a_calendar_once_more_changes_nothing(database_url: str) -> None:
    typed("data", "import", GOOGLE, database_url=database_url)
    before = on(database_url, db_rows.counts)

    said = typed("data", "import", GOOGLE, "--json", database_url=database_url)

    summary = json.loads(said.stdout)
    told = [summary[name] for name in ("taken", "already_there", "refused", "passed_over")]
    assert (said.exit_code, told) == (0, [0, 5, 0, 1])
    assert on(database_url, db_rows.counts) == before


@time_machine.travel(TODAY)
def test_trial_of_a_calendar_says_what_would_be_made_and_makes_nothing(database_url: str) -> None:
    file = CALENDARS / "meetup.ics"

    said = typed("data", "import", file, "--dry-run", "--details", database_url=database_url)

    assert said.stdout.splitlines()[:3] == [
        "line 25 (Data Night #31: graphs): 2026-12-10T18:30:00-05:00 to 2026-12-10T21:00:00-05:00 "
        "in America/New_York",
        "line 40 (Data Night #32: online): 2027-01-14T18:30:00-05:00 to 2027-01-14T21:00:00-05:00 "
        "in America/New_York",
        "line 40 (Data Night #32: online), note place-missing: LOCATION: There is no place; "
        "“Online” was taken.",
    ]
    assert said.stdout.splitlines()[-1] == "This was a trial: nothing has been written."
    assert events_in(database_url) == []


@time_machine.travel(TODAY)
def test_import_of_a_calendar_with_a_bad_entry_names_its_line(database_url: str) -> None:
    said = typed("data", "import", CALENDARS / "indico.ics", database_url=database_url)

    assert said.exit_code == 1
    assert said.stdout.splitlines()[:4] == [
        "line 15 (Session without an end), refused time-invalid: DTSTART: This is not a time such "
        "as 20261205T100000.",
        "Taken: 1",
        "Already there: 0",
        "Refused: 1",
    ]


@time_machine.travel(TODAY)
def test_import_of_a_calendar_from_standard_input_knows_what_it_is(database_url: str) -> None:
    data = (CALENDARS / "outlook.ics").read_bytes()

    said = typed("data", "import", "-", stdin=data, database_url=database_url)

    assert (said.exit_code, said.stdout.splitlines()[0]) == (0, "Taken: 5")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            b"BEGIN:VCALENDAR\nSUMMARY:Caf\xe9\n",
            "line 2 is not in UTF-8; save the calendar as UTF-8",
        ),
        (b"hello", "it holds no calendar: no line says BEGIN:VCALENDAR"),
    ],
)
def test_import_of_what_is_no_calendar_is_one_line(
    data: bytes, why: str, sqlite_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.ics"
    file.write_bytes(data)

    said = typed("data", "import", file, database_url=sqlite_url)

    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr == f"turnout: cannot use {file}: {why}\n"


@time_machine.travel(TODAY)
def test_exported_calendar_is_read_by_others_and_known_again(
    database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "events.ics"
    typed("data", "import", GOOGLE, database_url=database_url)

    said = typed("data", "export", file, database_url=database_url)
    again = typed("data", "import", file, database_url=database_url)

    body = file.read_bytes()
    seen = calendar_readers.read(body)
    assert (said.exit_code, said.stderr) == (0, "Events: 5\n")
    query = select(Event.name, Event.start_at, Event.end_at).order_by(Event.id)
    made = on(database_url, lambda database: db_rows.read(database, query))
    assert [(each.summary, each.start, each.end) for each in seen] == [tuple(row) for row in made]
    assert body.count(b"BEGIN:VTIMEZONE") == 1
    assert again.stdout.splitlines()[:2] == ["Taken: 0", "Already there: 5"]


def test_export_of_a_calendar_of_nothing_is_a_calendar(sqlite_url: str) -> None:
    said = typed("data", "export", "-", "--format", "ics", database_url=sqlite_url)

    assert said.exit_code == 0
    assert calendar_readers.read(said.stdout_bytes) == []


def test_long_import_writes_lines_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    given = as_json(row_with(name="One"), row_with(name="Two"))

    said = typed("data", "import", "-", stdin=given, database_url=sqlite_url)

    assert said.stderr == "Reading: 1 of 2\nReading: 2 of 2\nWriting: 2 of 2\n"
