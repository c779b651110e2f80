"""After a release of the tz database events keep their wall clocks, in a process of its own."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.factories import make_event, register
from tests.support import tz_database
from tests.support.app import RunningApp, running
from tests.support.processes import environment
from tests.support.product import TURNOUT, served

from turnout import clock, ids
from turnout.audit.models import AuditEntry
from turnout.cli.data import retiming
from turnout.db import facts
from turnout.db.session import Database
from turnout.events import times
from turnout.events.models import Event
from turnout.outbox.models import OutboxMessage
from turnout.registrations import retiming as events_retiming
from turnout.settings import Settings

BERLIN, KOLKATA = "Europe/Berlin", "Asia/Kolkata"
RULES = {BERLIN: "CET-1", KOLKATA: "IST-5:30IDT,M3.5.0/2,M10.5.0/3"}
"""Europe keeps its winter time, and India gets a summer time."""
YEAR = clock.now().year + 1


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that has the tz database of a later day."""
    return tz_database.later(tmp_path_factory.mktemp("tz"), RULES)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[RunningApp]:
    """The product by the tz database of today."""
    async with running(settings) as started:
        yield started


def last_sunday(month: int) -> str:
    day = date(YEAR, month, 31)
    return (day - timedelta(days=(day.weekday() + 1) % 7)).isoformat()


async def said(app: RunningApp, env: dict[str, str], *options: str) -> tuple[int, list[str]]:
    """How `turnout data retime` ended, and the lines it printed."""
    url = app.runtime.settings.database_url
    process = await asyncio.create_subprocess_exec(
        TURNOUT,
        *("data", "retime", *options),
        env=environment({**env, "TURNOUT_DATABASE_URL": url}),
        cwd=app.runtime.settings.data_dir.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    printed, complaint = await process.communicate()
    assert complaint == b""
    return process.returncode or 0, printed.decode().splitlines()


async def a_summer(api: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    """An event of a day in Berlin's summer, with a slot, and a window that opens in winter."""
    return await make_event(
        api,
        **{
            "timezone": BERLIN,
            "start_time": f"{YEAR}-07-10T10:00:00",
            "end_time": f"{YEAR}-07-10T18:00:00",
            "slots": [
                {
                    "title": "Talk",
                    "start_time": f"{YEAR}-07-10T10:00:00",
                    "end_time": f"{YEAR}-07-10T11:00:00",
                }
            ],
            "registration_closes_at": f"{YEAR}-07-09T12:00:00",
            **changes,
        },
    )


async def instants(app: RunningApp, event_id: str) -> tuple[datetime, datetime]:
    query = select(Event.start_at, Event.end_at).where(Event.id == UUID(event_id))
    [(start, end)] = await rows.read(app.runtime.database, query)
    return start, end


async def versions(app: RunningApp, event_id: str) -> tuple[int, int]:
    query = select(Event.version, Event.sequence).where(Event.id == UUID(event_id))
    [(version, sequence)] = await rows.read(app.runtime.database, query)
    return version, sequence


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


async def fact(app: RunningApp) -> str | None:
    async with app.runtime.database.read() as db:
        return await facts.read(db, retiming.FACT)


async def test_event_keeps_its_wall_clock_and_everyone_hears_of_it(
    app: RunningApp, api: httpx2.AsyncClient, later: dict[str, str]
) -> None:
    made = await a_summer(api)
    winter = await a_summer(
        api, start_time=f"{YEAR}-01-10T10:00", end_time=f"{YEAR}-01-10T18:00",
        slots=[], registration_closes_at=None,
    )  # fmt: skip
    await register(api, made["id"])
    start = utc(f"{YEAR}-07-10T08:00:00")

    status, lines = await said(app, later)
    again = await said(app, later)

    hour = timedelta(hours=1)
    assert await instants(app, made["id"]) == (start + hour, start + 9 * hour)
    moved = [
        ("start_time", "10T10", 10, 8),
        ("end_time", "10T18", 10, 16),
        ("slots.0.start_time", "10T10", 10, 8),
        ("slots.0.end_time", "10T11", 10, 9),
        ("registration_closes_at", "09T12", 9, 10),
    ]
    assert (status, lines) == (
        0,
        [
            f"{made['id']}  PyCon India (Europe/Berlin)",
            *(
                f"  {field}: {YEAR}-07-{local}:00:00 ({YEAR}-07-{day:02}T{old:02}:00:00+00:00) -> "
                f"{YEAR}-07-{local}:00:00 ({YEAR}-07-{day:02}T{old + 1:02}:00:00+00:00)"
                for field, local, day, old in moved
            ),
            "Checked: 2, Moved: 1, Left alone: 0",
        ],
    )
    assert again == (0, ["Checked: 2, Moved: 0, Left alone: 0"])
    assert await versions(app, made["id"]) == (2, 1)
    assert await versions(app, winter["id"]) == (1, 0)
    assert await fact(app) == tz_database.VERSION
    await assert_it_is_known(app, UUID(made["id"]), start)


async def assert_it_is_known(app: RunningApp, event_id: UUID, start: datetime) -> None:
    """One row of the audit and one message, with what it was before."""
    database = app.runtime.database
    audit = select(AuditEntry.standing, AuditEntry.actor_id, AuditEntry.event_id)
    found = await rows.read(database, audit.where(AuditEntry.action == "event.retimed"))
    assert found == [("system", None, event_id)]
    told = select(OutboxMessage.payload).where(OutboxMessage.topic == "event.changed")
    [(payload,)] = await rows.read(database, told)
    assert payload == {
        "event_id": str(event_id),
        "fields": ["start_time", "end_time", "slots", "registration_closes_at"],
        "sequence": 1,
        "before": {
            "start_time": start.isoformat(),
            "end_time": (start + timedelta(hours=8)).isoformat(),
        },
    }


async def test_dry_run_says_the_same_and_writes_nothing(
    app: RunningApp, api: httpx2.AsyncClient, later: dict[str, str]
) -> None:
    await a_summer(api)
    before = await rows.dump(app.runtime.database)

    tried = await said(app, later, "--dry-run")
    after = await rows.dump(app.runtime.database)
    done = await said(app, later)

    assert after == before
    assert tried == done
    assert done[1][-1] == "Checked: 1, Moved: 1, Left alone: 0"


async def test_by_the_same_tz_database_nothing_moves(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    await a_summer(api)
    night = last_sunday(10)
    for start, end in (("02:30:00+02:00", "02:15:00+01:00"), ("02:30:00+01:00", "02:45:00+01:00")):
        await a_summer(
            api, start_time=f"{night}T{start}", end_time=f"{night}T{end}", slots=[],
            registration_closes_at=None,
        )  # fmt: skip

    status, lines = await said(app, {})

    assert (status, lines) == (0, ["Checked: 3, Moved: 0, Left alone: 0"])
    assert await fact(app) == times.tzdata_version()


async def test_what_has_happened_keeps_its_instant(
    app: RunningApp, api: httpx2.AsyncClient, later: dict[str, str]
) -> None:
    """Of a running event the end alone moves; one that is over, or called off, stays."""
    now = clock.now().replace(microsecond=0)
    summer = date(YEAR, 7, 10)
    if summer - now.date() > timedelta(days=395):
        summer = date(YEAR - 1, 7, 10)
    hours = timedelta(hours=1)
    running_one = await make_event(
        api, timezone=KOLKATA, start_time=(now - hours).isoformat(), end_time=f"{summer}T10:00",
    )  # fmt: skip
    over = await make_event(
        api, timezone=KOLKATA, start_time="2024-07-10T10:00", end_time="2024-07-10T12:00"
    )
    off = await a_summer(api)
    await api.post(f"/events/{off['id']}/cancel", json={"reason": "Rain"})
    before = [await instants(app, each["id"]) for each in (running_one, over, off)]

    await said(app, later)

    after = [await instants(app, each["id"]) for each in (running_one, over, off)]
    assert before[0] == (now - hours, utc(f"{summer}T04:30:00"))
    assert after == [(now - hours, utc(f"{summer}T03:30:00")), *before[1:]]


async def test_wall_clock_that_is_skipped_by_now_goes_forward(
    app: RunningApp, api: httpx2.AsyncClient, later: dict[str, str]
) -> None:
    night = last_sunday(3)
    made = await make_event(
        api, timezone=KOLKATA, start_time=f"{night}T02:30", end_time=f"{night}T05:00"
    )
    before = await instants(app, made["id"])

    _, lines = await said(app, later)

    after = await instants(app, made["id"])
    assert after == (before[0], before[1] - timedelta(hours=1))
    start = before[0].isoformat()
    assert lines[1] == f"  start_time: {night}T02:30:00 ({start}) -> {night}T03:30:00 ({start})"


async def test_event_that_would_contradict_itself_is_left_alone(
    app: RunningApp, api: httpx2.AsyncClient, later: dict[str, str]
) -> None:
    night = last_sunday(10)
    made = await make_event(
        api,
        timezone=BERLIN,
        start_time=f"{night}T02:45:00+02:00",
        end_time=f"{night}T02:15:00+01:00",
    )
    other = await a_summer(api)
    before = await instants(app, made["id"])

    tried = await said(app, later, "--dry-run")
    status, lines = await said(app, later)

    assert (status, lines[:2]) == (
        1,
        [
            f"{made['id']}  PyCon India (Europe/Berlin)",
            "  left alone: The end must be after the start.",
        ],
    )
    assert lines[-1] == "Checked: 2, Moved: 1, Left alone: 1"
    assert tried == (status, lines)
    assert await instants(app, made["id"]) == before
    assert await versions(app, made["id"]) == (1, 0)
    assert await versions(app, other["id"]) == (2, 1)


async def test_two_at_once_move_each_event_once(
    app: RunningApp, api: httpx2.AsyncClient, later: dict[str, str]
) -> None:
    made = [await a_summer(api, slots=[]) for _ in range(30)]

    both = await asyncio.gather(said(app, later), said(app, later))

    assert [status for status, _ in both] == [0, 0]
    assert {await versions(app, each["id"]) for each in made} == {(2, 1)}
    assert await rows.count(
        app.runtime.database, AuditEntry, AuditEntry.action == "event.retimed"
    ) == len(made)


async def test_every_event_is_looked_at_whatever_the_pages(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    made = [(await a_summer(api, slots=[]))["id"] for _ in range(7)]
    after: UUID | None = None
    pages: list[int] = []
    for _ in range(4):
        async with app.runtime.database.read() as db:
            page = await events_retiming.page(db, clock.now(), after=after, limit=2)
        pages.append(page.checked)
        after = page.last

    assert pages == [2, 2, 2, 1]
    assert str(after) == max(made)


async def test_fact_goes_forward_only(database: Database) -> None:
    found: list[str | None] = []
    for value in ("2026b", "2026a", "2027a"):
        async with database.write() as db:
            await facts.advance(db, "tzdata", value)
            found.append(await facts.read(db, "tzdata"))
            db.expire_all()

    assert found == ["2026b", "2026b", "2027a"]


def event_of(api: httpx2.Client) -> dict[str, Any]:
    [event] = api.get("/events", params={"tz": BERLIN}).json()["items"]
    found: dict[str, Any] = event
    return found


def test_server_finds_instants_anew_once_when_it_has_a_later_tz_database(
    tmp_path: Path, later: dict[str, str]
) -> None:
    body = {
        "name": "Summer", "location": "Berlin", "max_capacity": 5, "timezone": BERLIN,
        "start_time": f"{YEAR}-07-10T10:00:00", "end_time": f"{YEAR}-07-10T18:00:00",
    }  # fmt: skip
    present = times.tzdata_version()
    with served(tmp_path) as server, httpx2.Client(base_url=server.url) as api:
        key = {"Idempotency-Key": str(ids.new_id())}
        made = api.post("/events", json=body, headers=key).json()
        first = server.output()
        server.stop()
    with served(tmp_path, settings=later) as server, httpx2.Client(base_url=server.url) as api:
        ready, moved = api.get("/health/ready").json(), event_of(api)
        second = server.output()
        server.stop()
    with served(tmp_path, settings=later) as server, httpx2.Client(base_url=server.url) as api:
        stays = event_of(api)
        third = server.output()
        server.stop()
    with served(tmp_path) as server:
        fourth = server.output()

    assert "retime" not in first
    assert "Times" not in first
    assert made["start_time"] == f"{YEAR}-07-10T10:00:00+02:00"
    assert ready["tzdata"] == tz_database.VERSION
    assert moved["start_time"] == f"{YEAR}-07-10T10:00:00+01:00"
    assert f"{made['id']}  Summer (Europe/Berlin)" in second
    summary = "Checked: 1, Moved: 1, Left alone: 0"
    assert f"Times: tz database {present} -> {tz_database.VERSION}. {summary}" in second
    assert stays["start_time"] == moved["start_time"]
    assert "Times" not in third
    assert f"Times are by tz database {tz_database.VERSION}, and this server has" in fourth
