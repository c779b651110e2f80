"""The background work finds what there is, outlives failures, and ends when told."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text
from tests.db import rows
from tests.factories import make_event
from tests.support import geocoders
from tests.support.app import running
from tests.support.outside import silence
from tests.worker.scene import LOCATION, Scene, scene

from turnout import clock
from turnout.observability import logs
from turnout.places.models import Geocoding
from turnout.settings import Settings
from turnout.worker import loop, timetable


@pytest.fixture
async def staged(settings: Settings) -> AsyncIterator[Scene]:
    async with scene(settings) as opened:
        geocoders.answers(opened.server, "nominatim")
        yield opened


@pytest.fixture
def log() -> Iterator[io.BytesIO]:
    written = io.BytesIO()
    logs.configure(human=False, stream=written, level="debug")
    yield written
    logs.configure(human=False, stream=io.BytesIO(), level="error")


@asynccontextmanager
async def working(staged: Scene, poll_seconds: float) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(loop.run(staged.app.runtime, poll_seconds=poll_seconds))
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until_placed(staged: Scene, event_id: str) -> None:
    async with asyncio.timeout(rows.LONGEST_WAIT_SECONDS):
        while (await staged.row(event_id)).place_source is None:  # noqa: ASYNC110 - a row has no event
            await asyncio.sleep(0.005)


async def test_event_made_elsewhere_is_found_by_looking_now_and_then(staged: Scene) -> None:
    async with working(staged, 0.01):
        await asyncio.sleep(0.02)
        event_id = await staged.event()

        await until_placed(staged, event_id)

    assert (await staged.row(event_id)).place_city == "Bengaluru"


async def test_database_that_fails_ends_nothing_and_is_logged_without_its_words(
    staged: Scene, log: io.BytesIO
) -> None:
    database = staged.app.runtime.database
    event_id = await staged.event()
    await rows.change(database, text("ALTER TABLE geocodings RENAME TO lost"))
    async with working(staged, 0.01) as task:
        await rows.until(lambda: b"The background work failed" in log.getvalue())
        await rows.change(database, text("ALTER TABLE lost RENAME TO geocodings"))
        await staged.change(event_id, place_lookup_at=clock.now())

        await until_placed(staged, event_id)
        assert not task.done()

    assert LOCATION.encode() not in log.getvalue()


async def test_end_does_not_wait_for_a_geocoder_that_is_silent(staged: Scene) -> None:
    geocoders.answers(staged.server, "nominatim", silence)
    event_id = await staged.event()

    async with loop.running(staged.app.runtime):
        await rows.until(lambda: bool(staged.server.asked))

    event = await staged.row(event_id)
    assert (event.place_source, event.place_lookups) == (None, 1)
    assert event.place_lookup_at is not None


async def test_answers_that_have_expired_are_forgotten_now_and_then(staged: Scene) -> None:
    runtime, now = staged.app.runtime, clock.now()
    await staged.app.runtime.geocoder.search(LOCATION, 10, now)
    counts = []
    for passed in (timedelta(days=89), timedelta(days=91)):
        with time_machine.travel(now + passed, tick=False):
            await timetable.tidy(runtime)
        counts.append(await rows.count(runtime.database, Geocoding))

    assert counts == [1, 0]


async def test_worker_does_what_doors_alone_do_not(settings: Settings) -> None:
    async with running(settings) as app, app.client() as api:
        made = await make_event(api, location="Hall 3, Berlin")
        await rows.change_event(
            app.runtime.database, made["id"], place_lookup_at=clock.now(), place_source=None
        )
        await asyncio.sleep(0.05)
        idle = (await api.get(f"/events/{made['id']}")).json()["place"]

        async with loop.running(app.runtime), asyncio.timeout(rows.LONGEST_WAIT_SECONDS):
            placed = None
            while placed is None:
                await asyncio.sleep(0.005)
                placed = (await api.get(f"/events/{made['id']}")).json()["place"]

    assert idle is None
    assert (placed["city"], placed["country"]) == ("Berlin", "Germany")


async def test_job_that_failed_thousands_of_times_is_still_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As while a database is away for a day."""
    monkeypatch.setattr(loop, "LONGEST_PAUSE_SECONDS", 0.0)
    tries = 0
    done = asyncio.Event()

    async def job() -> bool:
        nonlocal tries
        tries += 1
        if tries <= 2_000:
            raise ConnectionError
        done.set()
        return False

    running = asyncio.create_task(loop.Rhythm("away", job, poll_seconds=0.01).run())
    async with asyncio.timeout(60):
        await asyncio.wait(
            [running, asyncio.create_task(done.wait())], return_when=asyncio.FIRST_COMPLETED
        )
    has_ended = running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert (has_ended, tries) == (False, 2_001)


async def test_job_that_fails_is_not_woken_before_its_pause_is_over() -> None:
    failed = 0

    async def job() -> bool:
        nonlocal failed
        failed += 1
        rhythm.wake.set()
        raise ConnectionError

    rhythm = loop.Rhythm("away", job, poll_seconds=30.0)
    running = asyncio.create_task(rhythm.run())
    for _ in range(100):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert failed == 1
