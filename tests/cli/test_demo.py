"""The demo: real conferences, hundreds of them ahead on whatever day it is, made once."""

import asyncio
import shutil
import socket
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import time_machine
from sqlalchemy import delete, func, select, update
from tests.cli.typed import on, typed
from tests.db import rows as db_rows
from tests.support.processes import LOOPBACK, Server, free_port

from turnout.cli.data.records import Taken
from turnout.cli.demo import crowd, filling, moving
from turnout.cli.demo.filling import Made
from turnout.db.facts import Fact
from turnout.events.models import Event
from turnout.registrations.models import Admission, Registration

TURNOUT = Path(sys.executable).with_name("turnout")
TODAY = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def conferences() -> list[Taken]:
    return filling.shipped()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made, list[str]]:
    """The data folder of a demo that was made on TODAY, and what was said."""
    path = tmp_path_factory.mktemp("demo") / "demo" / "turnout.db"
    said: list[str] = []
    with time_machine.travel(TODAY):
        made = prepared(path, said)
    return path, made, said


def prepared(path: Path, said: list[str]) -> Made:
    return asyncio.run(filling.prepare(path, said.append))


def seats(path: Path) -> list[tuple[Any, ...]]:
    """Capacity, taken, waiting and waitlist of the soonest events, as on TODAY."""
    query = (
        select(
            *(Admission.capacity, Admission.taken, Admission.waiting, Admission.waitlist_enabled)
        )
        .join(Event, Event.id == Admission.event_id)
        .where(Event.end_at > TODAY)
        .order_by(Event.start_at, Event.id)
        .limit(crowd.BUSY_EVENTS + 1)
    )
    return on(f"sqlite:///{path}", lambda database: db_rows.read(database, query))


@pytest.mark.parametrize(
    "today",
    [
        date(1999, 12, 31),
        date(2024, 2, 29),
        date(2026, 8, 6),
        date(2026, 11, 22),
        date(2027, 1, 1),
        date(2031, 7, 13),
        date(2100, 3, 1),
    ],
)
def test_moved_conferences_lie_ahead_whatever_the_day(
    conferences: list[Taken], today: date
) -> None:
    starts = [row.event.start.local.date() for row in conferences]

    by_weeks = moving.weeks(starts, today)

    ahead = sorted(day + timedelta(weeks=by_weeks) for day in starts)[-moving.AHEAD :]
    over = len(starts) - len(ahead)
    first = ahead[0] - today
    assert timedelta(days=2) <= first < timedelta(days=9)
    assert (len(ahead), over) == (600, 5407)


def test_weeks_for_few_conferences_brings_all_of_them_ahead() -> None:
    starts = [date(2020, 1, 6), date(2020, 1, 1)]

    assert moving.weeks(starts, date(2020, 1, 1)) == 1
    assert moving.weeks(starts, date(2019, 12, 30)) == 0
    assert moving.weeks(starts, date(2019, 12, 22)) == -1


@pytest.mark.parametrize("by_weeks", [-53, 0, 69, 3000])
def test_moved_conference_keeps_its_weekday_and_wall_clock(
    conferences: list[Taken], by_weeks: int
) -> None:
    for row in conferences[::50]:
        moved = moving.moved(row, by_weeks)

        old, new = row.event, moved.event
        assert new.start.local - old.start.local == timedelta(weeks=by_weeks)
        assert new.end.local - old.end.local == timedelta(weeks=by_weeks)
        assert (new.timezone, moved.key) == (old.timezone, row.key)
        assert new.description.endswith(f"were moved by {by_weeks} weeks.)")


def test_moved_conferences_have_seats_of_every_size(conferences: list[Taken]) -> None:
    moved = [moving.moved(row, 1).admission for row in conferences]

    capacities = {admission.capacity for admission in moved}
    with_waitlist = sum(admission.waitlist_enabled for admission in moved)
    assert capacities == set(range(30, 501, 10))
    assert 2700 < with_waitlist < 3300
    assert [moving.moved(row, 9).admission for row in conferences] == moved


def test_demo_says_how_long_it_takes_and_what_lies_ahead(
    demo: tuple[Path, Made, list[str]],
) -> None:
    _, made, said = demo

    assert (made.is_new, made.ahead >= moving.AHEAD) == (True, True)
    assert said == ["Making the demo's database; this takes some seconds, once."]


def test_demo_has_events_that_are_full_or_filling(demo: tuple[Path, Made, list[str]]) -> None:
    path, _, _ = demo

    found = seats(path)

    busy, next_one = found[:-1], found[-1]
    full = [row for row in busy if row[0] == row[1]]
    waiting = {row[2] for row in full if row[3]}
    assert (next_one[1], len(busy)) == (0, crowd.BUSY_EVENTS)
    assert all(0 < taken <= capacity for capacity, taken, _, _ in busy)
    assert len(full) >= len(busy) // len(crowd.SHARES)
    assert {row[3] for row in full} == {True, False}
    assert waiting == {crowd.TOO_MANY}
    assert {row[2] for row in busy if not row[3] or row[0] != row[1]} == {0}
    assert on(f"sqlite:///{path}", db_rows.drifts) == []


def test_demo_people_are_all_different(demo: tuple[Path, Made, list[str]]) -> None:
    path, _, _ = demo
    query = select(func.count(), func.count(func.distinct(Registration.name))).group_by(
        Registration.event_id
    )

    found = on(f"sqlite:///{path}", lambda database: db_rows.read(database, query))

    assert len(found) == crowd.BUSY_EVENTS
    assert [people for people, _ in found] == [names for _, names in found]


def test_second_start_of_the_demo_changes_nothing(demo: tuple[Path, Made, list[str]]) -> None:
    path, _, _ = demo
    later = TODAY + timedelta(days=90)
    url = f"sqlite:///{path}"
    before = on(url, db_rows.counts)
    ahead = on(url, lambda database: db_rows.count(database, Event, Event.end_at > later))
    said: list[str] = []

    with time_machine.travel(later):
        again = prepared(path, said)

    assert filling.FEWEST_AHEAD < ahead < moving.AHEAD
    assert (again, said) == (Made(ahead, is_new=False), [])
    assert on(f"sqlite:///{path}", db_rows.counts) == before


def test_demo_that_was_interrupted_is_gone_on_with(
    demo: tuple[Path, Made, list[str]], tmp_path: Path
) -> None:
    """As it was left before the people of the first event came, and before it was finished."""
    path = Path(shutil.copy(demo[0], tmp_path / "turnout.db"))
    url = f"sqlite:///{path}"
    counted, whole = on(url, db_rows.counts), seats(path)
    first = select(Event.id).where(Event.end_at > TODAY).order_by(Event.start_at, Event.id).limit(1)
    event_id = on(url, lambda database: db_rows.read(database, first))[0][0]
    undone = (
        delete(Fact).where(Fact.name == filling.FACT),
        delete(Registration).where(Registration.event_id == event_id),
        update(Admission).where(Admission.event_id == event_id).values(taken=0, waiting=0),
    )
    on(url, lambda database: db_rows.change(database, *undone))
    said: list[str] = []

    with time_machine.travel(TODAY):
        made = prepared(path, said)

    again = on(url, db_rows.counts)
    assert (made, said) == (demo[1], demo[2])
    assert seats(path) == whole
    assert [again[name] for name in ("events", "registrations", "facts")] == [
        counted[name] for name in ("events", "registrations", "facts")
    ]


def test_demo_that_is_over_is_made_anew(demo: tuple[Path, Made, list[str]], tmp_path: Path) -> None:
    path = Path(shutil.copy(demo[0], tmp_path / "turnout.db"))
    said: list[str] = []

    with time_machine.travel(TODAY + timedelta(days=550)):
        made = prepared(path, said)

    assert made.is_new
    assert made.ahead >= moving.AHEAD
    assert said[0].startswith("Only ")
    assert said[0].endswith(" of the demo's events lie ahead: it is made anew.")


def test_demo_is_served_from_a_database_of_its_own(
    demo: tuple[Path, Made, list[str]], sqlite_url: str, tmp_path: Path
) -> None:
    path, _, _ = demo
    port = free_port()
    env = {"TURNOUT_DATA_DIR": str(path.parents[1]), "TURNOUT_DATABASE_URL": sqlite_url}
    command = [str(TURNOUT), "demo", "--port", str(port)]

    with Server(command, port=port, path="/health/ready", env=env, cwd=tmp_path) as server:
        listed = httpx2.get(f"{server.url}/events?limit=100").json()["items"]
        status = server.stop()
        said = server.output()

    assert (len(listed), status) == (100, 0)
    assert f"Look at {server.url}/events?limit=3 and {server.url}/docs" in said
    assert f"Database: sqlite:///{path}" in said
    assert on(sqlite_url, db_rows.counts)["events"] == 0


def test_demo_on_a_taken_port_is_one_line_and_makes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # away from a developer's `.env`

    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = typed("demo", "--port", str(port), data_dir=tmp_path / "var")

    assert (said.exit_code, said.stdout, said.stderr.count("\n")) == (2, "", 1)
    assert said.stderr.startswith(f"turnout: cannot listen on {LOOPBACK}:{port}: ")
    assert list(tmp_path.iterdir()) == []
