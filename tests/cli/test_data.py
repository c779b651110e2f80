"""Importing: every row becomes an event once, or is refused with its reasons; nothing is silent."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from tests.cli.imports import seats, taken
from tests.cli.typed import on, typed
from tests.db import rows as db_rows
from tests.events.conference_rows import ROW, as_csv, as_json, row_with, shipped
from tests.support import databases
from tests.support.app import BASE_URL, running
from typer.testing import Result

from turnout.accounts import service as accounts
from turnout.accounts.models import User
from turnout.audit.models import AuditEntry
from turnout.events.models import Event
from turnout.settings import Settings

TODAY = datetime(2026, 8, 6, tzinfo=UTC)
ALL = 6007
SUMMARY = """\
Taken: 6,007
Already there: 0
Refused: 0
Notes, by kind (--details shows each):
  online-in-utc     1,090
  hybrid              738
  city-other-name     275
  city-stand-in        49
  text-tidied          19
  city-in-part         11
  city-unknown         10
  city-ambiguous        7
  link-escaped          3
  topic-repeated        2
  zone-guessed          1
  place-missing         1
"""


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No `.env` of a developer decides whether a test passes."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def imported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path, Result]]:
    """A database with all that is shipped, the file it came from, and what the import said."""
    folder = tmp_path_factory.mktemp("imported")
    file = folder / "conferences.json"
    file.write_bytes(shipped())
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        url = databases.copied_sqlite(template, folder)
        yield url, file, typed("data", "import", file, database_url=url)
    else:
        with databases.copied_postgres(request.getfixturevalue("postgres")) as url:
            yield url, file, typed("data", "import", file, database_url=url)


def test_import_of_what_is_shipped_takes_every_row(imported: tuple[str, Path, Result]) -> None:
    url, _, said = imported

    counted = on(url, db_rows.counts)

    assert (said.exit_code, said.stdout, said.stderr) == (0, SUMMARY, "")
    assert (counted["events"], counted["admissions"], counted["users"]) == (ALL, ALL, 1)
    assert counted["outbox_messages"] == ALL


def test_import_once_more_changes_nothing(imported: tuple[str, Path, Result]) -> None:
    url, file, _ = imported
    before = on(url, db_rows.counts)

    said = typed("data", "import", file, "--json", database_url=url)

    summary = json.loads(said.stdout)
    found = {name: summary[name] for name in ("taken", "already_there", "refused", "rows")}
    assert (said.exit_code, found) == (
        0,
        {"taken": 0, "already_there": ALL, "refused": 0, "rows": []},
    )
    assert on(url, db_rows.counts) == before


def test_imported_conferences_to_come_are_listed_soonest_first(
    imported: tuple[str, Path, Result], tmp_path: Path
) -> None:
    url, _, _ = imported
    settings = Settings(
        _env_file=None, data_dir=tmp_path, database_url=url, open_access=True, base_url=BASE_URL
    )
    ahead = [row for row in taken(shipped()) if row.event.end.instant > TODAY]
    ahead.sort(key=lambda row: row.event.start.instant)

    listed = asyncio.run(listing(settings))

    assert len(ahead) > 100
    assert list(map(itemgetter("name"), listed)) == [row.name for row in ahead]
    assert [datetime.fromisoformat(event["start_time"]) for event in listed] == [
        row.event.start.instant for row in ahead
    ]
    assert {event["max_capacity"] for event in listed} == {None}


async def listing(settings: Settings) -> list[dict[str, Any]]:
    """All pages of what is to come on TODAY."""
    items: list[dict[str, Any]] = []
    query = "limit=100"
    with time_machine.travel(TODAY, tick=False):
        async with running(settings) as started, started.client() as api:
            for _ in range(20):
                page = (await api.get(f"/events?{query}")).json()
                assert "items" in page, page
                items += page["items"]
                if page["next_cursor"] is None:
                    break
                query = f"limit=100&cursor={page['next_cursor']}"
    return items


def test_import_says_who_did_it_and_who_owns_it(database_url: str) -> None:
    said = typed("data", "import", "-", stdin=as_json(ROW), database_url=database_url)

    entries = on(
        database_url,
        lambda d: db_rows.read(
            d, select(AuditEntry.action, AuditEntry.standing).order_by(AuditEntry.id)
        ),
    )
    owners = on(
        database_url,
        lambda d: db_rows.read(
            d, select(User.email_canonical).join(Event, Event.organizer_id == User.id)
        ),
    )
    assert said.exit_code == 0
    assert entries == [("user.created", "system"), ("event.created", "system")]
    assert owners == [(accounts.BUILT_IN_ORGANIZER,)]


def test_import_with_bad_rows_takes_the_others_and_says_why(database_url: str) -> None:
    given = [
        ROW,
        row_with(name="No day", startDate=None),
        row_with(url="http://pycon.de"),
        "a text",
        row_with(name="Late", country=None, city=None, maxCapacity=0),
    ]

    said = typed("data", "import", "-", stdin=as_json(*given), database_url=database_url)

    assert said.exit_code == 1
    assert said.stdout.splitlines() == [
        "row 2 (No day), refused date-missing: startDate: A conference needs a start date.",
        "row 3 (PyCon DE), refused duplicate: name: This is the same event as row 1.",
        "row 4, refused not-an-object: This is not an object with fields.",
        "row 5 (Late), refused too-small: maxCapacity: Must be 1 or more.",
        "Taken: 1",
        "Already there: 0",
        "Refused: 4",
        "Reasons of refusals:",
        "  date-missing        1",
        "  duplicate           1",
        "  not-an-object       1",
        "  too-small           1",
    ]
    assert seats(database_url) == [("PyCon DE", None, False)]


def test_import_with_details_shows_each_remark(sqlite_url: str) -> None:
    given = as_json(row_with(city="Nowhere at all", motto="Hi"), row_with(name=""))
    expected = [
        ("row 1 (PyCon DE)", "note field-ignored: motto"),
        ("row 1 (PyCon DE)", "note city-unknown: city"),
        ("row 2", "refused name-missing: name"),
    ]

    said = typed("data", "import", "-", "--details", stdin=given, database_url=sqlite_url)
    as_object = typed(
        *("data", "import", "-", "--details", "--json"), stdin=given, database_url=sqlite_url
    )

    found = [tuple(line.split(": ")[0:2]) for line in said.stdout.splitlines()[:3]]
    assert [": ".join(each) for each in found] == [", ".join(each) for each in expected]
    remarks = [
        (row["row"], row["refused"], each["code"], each["field"])
        for row in json.loads(as_object.stdout)["rows"]
        for each in row["remarks"]
    ]
    assert remarks == [
        (1, False, "field-ignored", "motto"),
        (1, False, "city-unknown", "city"),
        (2, True, "name-missing", "name"),
    ]


def test_import_with_many_bad_rows_shows_some_and_counts_the_rest(sqlite_url: str) -> None:
    given = as_json(*(row_with(name="") for _ in range(25)))

    said = typed("data", "import", "-", stdin=given, database_url=sqlite_url)

    lines = said.stdout.splitlines()
    assert [line.split(",")[0] for line in lines[:20]] == [f"row {n}" for n in range(1, 21)]
    assert lines[20] == "... and 5 more rows refused; --details shows all"


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.json", b"{", "it is not JSON: "),
        ("a.json", b'{"name": "x"}', "it must hold one JSON list of events"),
        ("a.json", b"[" * 100_000, "it is JSON that cannot be read"),
        ("a.json", b'["\xff"]', "it is not in UTF-8; "),
        ("a.csv", b"", "the first line must name the columns; missing: name, startDate (or"),
        ("a.csv", b"name,city\nA,B\n", "the first line must name the columns; missing: startDate"),
        ("a.csv", b"name;startDate\nA;2031-01-01\n", "the first line must name the columns; they "),
        ("a.csv", b"name\tstartDate\n", "the first line must name the columns; they have tabs"),
        ("a.csv", b"name,startDate,name\n", "the first line names a column twice"),
        ("a.csv", b'name,startDate\n"A,2031-01-01\n', "it is not CSV: line 2 cannot be read ("),
        ("a.csv", "name,startDate\nKöln,\n".encode("utf-16"), "it is not in UTF-8; "),
    ],
)
def test_import_of_an_unusable_file_is_one_line_and_touches_nothing(
    tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(data)

    said = typed("data", "import", name, data_dir=tmp_path / "var")

    assert (said.exit_code, said.stdout, said.stderr.count("\n")) == (2, "", 1)
    assert said.stderr.startswith(f"turnout: cannot use {name}: {reason}")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_import_of_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, name: str) -> None:
    said = typed("data", "import", name, data_dir=tmp_path / "var")

    assert (said.exit_code, said.stderr.count("\n")) == (2, 1)
    assert said.stderr.startswith(f"turnout: cannot read {name}: ")


@pytest.mark.parametrize("options", [[], ["--format", "csv"]])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_import_of_csv_on_standard_input_is_recognised(
    sqlite_url: str, options: list[str], mark: bytes
) -> None:
    given = mark + as_csv([ROW, row_with(name="Two, or more")])

    said = typed("data", "import", "-", *options, stdin=given, database_url=sqlite_url)

    assert said.exit_code == 0
    assert seats(sqlite_url) == [("PyCon DE", None, False), ("Two, or more", None, False)]


def test_import_of_csv_refuses_rows_with_surplus_cells_and_skips_blank_ones(
    sqlite_url: str,
) -> None:
    given = b"name,startDate\nA,2031-01-01\n,\nB,2031-01-01,Rome\n"

    said = typed("data", "import", "-", stdin=given, database_url=sqlite_url)

    assert said.exit_code == 1
    assert said.stdout.splitlines()[0] == (
        "row 4 (B), refused too-many-cells: The row has more cells than there are named columns."
    )
    assert seats(sqlite_url) == [("A", None, False)]


def test_import_takes_seats_under_either_name(sqlite_url: str) -> None:
    given = as_json(
        row_with(name="A", maxCapacity=50),
        row_with(name="B", max_capacity=60, waitlist_enabled=True),
        row_with(name="C", maxCapacity="70", waitlistEnabled="yes"),
        row_with(name="D", maxCapacity="many"),
        row_with(name="E", maxCapacity=True),
        row_with(name="F", max_capacity=1_000_001),
        row_with(name="G", maxCapacity=5, waitlistEnabled="perhaps"),
    )

    said = typed("data", "import", "-", "--json", stdin=given, database_url=sqlite_url)

    refused = [
        (row["name"], each["code"], each["field"])
        for row in json.loads(said.stdout)["rows"]
        for each in row["remarks"]
    ]
    assert seats(sqlite_url) == [("A", 50, False), ("B", 60, True), ("C", 70, True)]
    assert refused == [
        ("D", "wrong-type", "maxCapacity"),
        ("E", "wrong-type", "maxCapacity"),
        ("F", "too-large", "maxCapacity"),
        ("G", "wrong-type", "waitlistEnabled"),
    ]
