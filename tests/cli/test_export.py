"""Exporting: what is written is read back as the same events, in either form."""

import asyncio
import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from tests.cli.imports import conferences
from tests.cli.typed import on, typed
from tests.db import rows as db_rows
from tests.events.conference_rows import as_json
from tests.factories import make_event
from tests.support.app import running
from tests.support.processes import environment

from turnout import clock
from turnout.cli.data import cells, exporting, files
from turnout.cli.data.files import Form
from turnout.migrations import schema
from turnout.settings import Settings

TURNOUT = Path(sys.executable).with_name("turnout")

EVENT: dict[str, object] = {
    "name": "PyCon India",
    "location": "Bengaluru",
    "timezone": "Asia/Kolkata",
    "startTime": "2031-12-05T10:00:00+05:30",
    "endTime": "2031-12-06T18:00:00+05:30",
}
PAINFUL: list[dict[str, Any]] = [
    {"name": "=1+1", "location": "@home", "description": "-5\n\n'=x", "max_capacity": None},
    {"name": "'=x", "location": "''+1", "tags": ["a;b", "[c]", "d, “e”"], "max_capacity": 1},
    {"name": "Köln, “Ω” 東京", "tags": ["[x"], "waitlist_enabled": True, "visibility": "unlisted"},
    {"name": "Draft", "draft": True, "visibility": "private", "online_url": "https://a.example/?b"},
    {
        "name": "Twice",
        "timezone": "Europe/Berlin",
        # The second of two half past two, when the clocks go back.
        "start_time": "2031-10-26T02:30:00+01:00",
        "end_time": "2031-10-26T02:45:00+01:00",
        "registration_opens_at": "2031-01-01T00:00:00.000001+01:00",
        "registration_closes_at": "2031-10-26T02:30:00+02:00",
    },
    {
        "name": "Place",
        "description": "Website: <https://a.example>\n\nCall for papers: until 2031-01-01",
        "place": {
            "name": "Hall",
            "address": "1, Road",
            "city": "Null Island",
            "country": "Sea",
            "latitude": 0.0,
            "longitude": -0.1,
        },
    },
    {
        "name": "Agenda",
        "timezone": "Asia/Kathmandu",
        "start_time": "2031-03-01T09:00:00+05:45",
        "end_time": "2031-03-01T18:00:00+05:45",
        "slots": [
            {
                "title": "=Talk; 1",
                "start_time": "2031-03-01T09:00:00+05:45",
                "end_time": "2031-03-01T09:30:00+05:45",
                "room": "A",
                "speaker": "Ada",
                "description": "Two\nlines",
            },
            {
                "title": "Talk 2",
                "start_time": "2031-03-01T09:30:00+05:45",
                "end_time": "2031-03-01T10:00:00+05:45",
            },
        ],
    },
]


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No `.env` of a developer decides whether a test passes."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def painful(settings: Settings) -> str:
    """A database with events of every kind, made through the API, and one that was called off."""

    async def fill() -> None:
        async with running(settings) as started, started.client() as api:
            made = [await make_event(api, **changes) for changes in PAINFUL]
            called_off = {"status": "cancelled", "cancelled_at": clock.now()}
            await db_rows.change_event(started.runtime.database, made[0]["id"], **called_off)

    with time_machine.travel(datetime(2030, 1, 1, tzinfo=UTC)):
        asyncio.run(fill())
    return settings.database_url


def exported(url: str, *arguments: str) -> bytes:
    """What the export writes to standard output."""
    said = typed("data", "export", *arguments, database_url=url)
    assert said.exit_code == 0, said.stderr
    return said.stdout_bytes


def imported(data: bytes, folder: Path) -> str:
    """The address of a new database into which all of an export was imported."""
    said = typed("data", "import", "-", "--json", stdin=data, data_dir=folder)
    summary = json.loads(said.stdout)
    assert (said.exit_code, summary["refused"], summary["notes"]) == (0, 0, {})
    return f"sqlite:///{folder}/turnout.db"


def refusals(*given: dict[str, object], url: str) -> list[tuple[int, str, str]]:
    """Row, code and field of each reason for which rows are refused."""
    said = typed("data", "import", "-", "--json", stdin=as_json(*given), database_url=url)
    return [
        (row["row"], each["code"], each["field"])
        for row in json.loads(said.stdout)["rows"]
        for each in row["remarks"]
    ]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_export_is_read_back_as_the_same_events(painful: str, tmp_path: Path, form: str) -> None:
    first = exported(painful, "--format", form)

    second = imported(first, tmp_path / "second")

    assert exported(second, "--format", form) == first
    assert len(json.loads(exported(second))) == len(PAINFUL)
    assert exported(second) == exported(painful)


def test_export_says_all_that_an_event_has(painful: str) -> None:
    found = {row["name"]: row for row in json.loads(exported(painful))}

    keys = {row.pop("importKey") for row in found.values()}
    assert list(found) == [changes["name"] for changes in PAINFUL]
    assert len(keys) == len(PAINFUL)
    assert found["Twice"] == {
        "name": "Twice",
        "startDate": "2031-10-26",
        "endDate": "2031-10-26",
        "timezone": "Europe/Berlin",
        "startTime": "2031-10-26T02:30:00+01:00",
        "endTime": "2031-10-26T02:45:00+01:00",
        "location": "Bengaluru",
        "maxCapacity": 50,
        "registrationOpensAt": "2031-01-01T00:00:00.000001+01:00",
        "registrationClosesAt": "2031-10-26T02:30:00+02:00",
    }
    assert (found["=1+1"]["status"], found["Draft"]["status"]) == ("cancelled", "draft")
    assert (found["Draft"]["online"], found["Draft"]["url"]) == (True, "https://a.example/?b")
    place = found["Place"]
    assert [place[name] for name in ("url", "cfpEndDate", "latitude", "longitude")] == [
        "https://a.example", "2031-01-01", 0.0, -0.1,
    ]  # fmt: skip
    assert [slot["title"] for slot in found["Agenda"]["slots"]] == ["=Talk; 1", "Talk 2"]


def test_export_into_the_database_it_came_from_changes_nothing(painful: str) -> None:
    before = on(painful, db_rows.dump)

    said = typed("data", "import", "-", stdin=exported(painful), database_url=painful)

    assert said.stdout.splitlines()[:2] == ["Taken: 0", f"Already there: {len(PAINFUL)}"]
    assert on(painful, db_rows.dump) == before


@pytest.mark.parametrize("form", ["json", "csv"])
def test_export_of_many_pages_is_read_back_in_order(
    database_url: str, tmp_path: Path, form: str
) -> None:
    count = 2 * exporting.PAGE
    given = as_json(*conferences(count))
    typed("data", "import", "-", stdin=given, database_url=database_url)

    first = exported(database_url, "--format", form)

    second = imported(first, tmp_path / "second")
    names = [row["name"] for row in json.loads(exported(second))]
    assert names == [row["name"] for row in conferences(count)]
    assert exported(second, "--format", form) == first


def test_export_of_no_events_is_an_empty_list(database_url: str) -> None:
    assert json.loads(exported(database_url)) == []
    assert exported(database_url, "--format", "csv") == (
        ",".join(exporting.COLUMNS).encode() + b"\r\n"
    )


def test_export_shows_no_formula_to_a_spreadsheet(painful: str) -> None:
    text = exported(painful, "--format", "csv").decode()

    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {cell[:1] for row in rows for cell in row.values()}.isdisjoint("=+@\t\r\n")
    assert [(row["name"], row["location"]) for row in rows[:2]] == [
        ("'=1+1", "'@home"), ("''=x", "'''+1"),
    ]  # fmt: skip
    assert {row["longitude"] for row in rows} == {"", "-0.1"}
    assert {cell for row in rows for cell in row.values() if cell.startswith("-")} == {"-0.1"}


@pytest.mark.parametrize(
    "cell", ["", "=x", "'=x", "''=x", "'x", "-1", "-1.5e-07", "-x", "+1", "\tx", "＝x", "x=1", "'"]
)
def test_csv_cell_is_read_as_it_was_written(cell: str) -> None:
    data = files.csv_line(["name", "startDate"]) + files.csv_line([cell, "x"])

    (row,) = files.read(data, Form.CSV)

    assert row.content == {"name": cell, "startDate": "x"}


@pytest.mark.parametrize(
    "topics", [["a"], ["a", "b c"], ["a;b"], ["[a]"], ['"'], ["a,b", "c"], ["1"], ["ü"]]
)
def test_topics_in_a_cell_are_read_as_they_were_written(topics: list[object]) -> None:
    assert cells.value("topics", cells.text(topics)) == topics


def test_export_to_a_file_takes_the_place_of_the_old_one(sqlite_url: str, tmp_path: Path) -> None:
    typed("data", "import", "-", stdin=as_json(*conferences(3)), database_url=sqlite_url)
    target = tmp_path / "out" / "events.csv"
    target.parent.mkdir()
    target.write_text("old")

    said = typed("data", "export", target, database_url=sqlite_url)

    assert (said.exit_code, said.stdout, said.stderr) == (0, "", "Events: 3\n")
    assert target.read_bytes() == exported(sqlite_url, "--format", "csv")
    assert list(target.parent.iterdir()) == [target]


def test_export_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "events.json"
    target.write_text("old")

    def fail() -> None:
        with exporting.replacing(target) as file:
            file.write(b"half of it")
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (".", ". is not a file; without a name it goes to standard output"),
        ("missing/events.json", "cannot write missing/events.json: No such file or directory"),
    ],
)
def test_export_to_where_it_cannot_be_written_is_one_line(
    sqlite_url: str, target: str, reason: str
) -> None:
    said = typed("data", "export", target, database_url=sqlite_url)

    assert (said.exit_code, said.stdout, said.stderr) == (2, "", f"turnout: {reason}\n")


def test_export_whose_reader_leaves_ends_quietly(sqlite_url: str, tmp_path: Path) -> None:
    typed("data", "import", "-", stdin=as_json(*conferences(600)), database_url=sqlite_url)
    process = subprocess.Popen(
        [TURNOUT, "data", "export"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({"TURNOUT_DATABASE_URL": sqlite_url}),
        cwd=tmp_path,
    )
    assert process.stdout is not None
    assert process.stderr is not None

    first = process.stdout.read(10)
    process.stdout.close()
    complaint = process.stderr.read()
    process.stderr.close()

    assert (first, process.wait(), complaint) == (b'[\n{"name":', 1, b"")


def test_export_of_an_older_schema_says_what_to_do(database_url: str) -> None:
    typed("schema", "downgrade", "base", database_url=database_url)

    said = typed("data", "export", database_url=database_url)

    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr == (
        f"turnout: the database is empty or not there, and this needs {schema.head()}: "
        "run turnout schema upgrade\n"
    )


def test_export_makes_no_database(tmp_path: Path) -> None:
    said = typed("data", "export", data_dir=tmp_path / "var")

    assert said.exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"startDate": "2031-12-04"}, [("contradiction", "startDate")]),
        ({"endDate": "2031-12-04", "online": True}, [
            ("contradiction", "endDate"), ("contradiction", "online"),
        ]),
        ({"url": "https://a.example"}, [("contradiction", "url")]),
        ({"endTime": "2031-12-04T10:00:00"}, [("ends-before-start", "endTime")]),
        ({"endTime": None}, [("missing", "endTime")]),
        ({"startTime": "5 December"}, [("invalid-time", "startTime")]),
        ({"timezone": "IST"}, [("invalid-timezone", "timezone")]),
        ({"maxCapacity": 0}, [("too-small", "maxCapacity")]),
        ({"status": "gone"}, [("not-allowed-value", "status")]),
        ({"visibility": "secret"}, [("not-allowed-value", "visibility")]),
        ({"importKey": "k" * 65}, [("too-long", "importKey")]),
        ({"countryCode": 7}, [("too-long", "countryCode")]),
        ({"latitude": 91, "longitude": 0}, [("too-large", "latitude")]),
        ({"placeAddress": 5}, [("wrong-type", "placeAddress")]),
        ({"slots": [{"title": "A", "startTime": "x", "endTime": "2031-12-05T10:00:00"}]}, [
            ("invalid-time", "slots.0.startTime"),
        ]),
        ({"slots": "one"}, [("wrong-type", "slots")]),
        ({"registrationClosesAt": "2032-01-01T00:00:00"}, [
            ("impossible-window", "registrationClosesAt"),
        ]),
    ],
)  # fmt: skip
def test_event_in_full_that_cannot_be_is_refused(
    sqlite_url: str, changes: dict[str, object], reasons: list[tuple[str, str]]
) -> None:
    found = refusals(EVENT | {"name": "Good"}, EVENT | changes, url=sqlite_url)

    assert found == [(2, code, field) for code, field in reasons]
    assert [row["name"] for row in json.loads(exported(sqlite_url))] == ["Good"]


def test_contradiction_is_shown_without_what_a_terminal_would_obey(sqlite_url: str) -> None:
    given = as_json(EVENT | {"url": "\x1b[31m" + "x" * 500})

    said = typed("data", "import", "-", stdin=given, database_url=sqlite_url)

    assert said.stdout.splitlines()[0] == (
        f"row 1 (PyCon India), refused contradiction: url: It says “[31m{'x' * 96}”, and the "
        "other fields mean “”: change them alike, or clear this one."
    )


def test_event_in_full_needs_little(sqlite_url: str) -> None:
    given = files.csv_line(["name", "startTime", "endTime", "city", "country", "Motto"])
    given += files.csv_line(
        ["A", "2031-12-05T10:00:00", "2031-12-05T12:00:00", "Pune", "India", "x"]
    )

    said = typed("data", "import", "-", "--details", stdin=given, database_url=sqlite_url)

    (row,) = json.loads(exported(sqlite_url))
    assert [line.partition(", note ")[2] for line in said.stdout.splitlines()[:2]] == [
        "zone-guessed: timezone: No zone is named: Asia/Kolkata was taken.",
        "field-ignored: Motto: This field is not known; it was left out.",
    ]
    assert (row["startTime"], row["location"]) == ("2031-12-05T10:00:00+05:30", "Pune, India")
    again = typed("data", "import", "-", stdin=given, database_url=sqlite_url)
    assert again.stdout.splitlines()[:2] == ["Taken: 0", "Already there: 1"]
