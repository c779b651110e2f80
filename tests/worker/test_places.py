"""Places are looked up once each, by whichever worker, and never over the organizer's word."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete
from tests.db import plans, rows
from tests.support import geocoders
from tests.support.geocoders import GOOGLE_PATH, NOMINATIM, NOMINATIM_PATH, google_refusal
from tests.support.outside import Answer, Request, answer, json_answer, raw, silence
from tests.worker.scene import LOCATION, Scene, scene

from turnout import clock
from turnout.db.session import Database, Db
from turnout.events import placing
from turnout.events.models import Event
from turnout.places.candidates import Candidate
from turnout.registrations.models import Admission
from turnout.runtime import Runtime
from turnout.settings import Settings
from turnout.worker import places

HALL = "Bangalore International Centre"
PLACED = ("geocoder", HALL, "Bengaluru", "India", "IN", 12.9667, 77.6346, None)
NOWHERE = (None, None, None, None, None, None, None, None)


@pytest.fixture
async def staged(settings: Settings) -> AsyncIterator[Scene]:
    async with scene(settings) as opened:
        geocoders.answers(opened.server, "nominatim")
        yield opened


def place_of(event: Event) -> tuple[Any, ...]:
    return (
        *(event.place_source, event.place_name, event.place_city, event.place_country),
        *(event.place_country_code, event.place_latitude, event.place_longitude),
        event.place_lookup_at,
    )


async def test_event_with_a_bare_location_gets_its_place(staged: Scene) -> None:
    event_id = await staged.event(timezone="Europe/Berlin")
    before = await staged.row(event_id)

    looked_up = await places.look_up_all(staged.app.runtime)

    event = await staged.row(event_id)
    assert (looked_up, place_of(event)) == (1, PLACED)
    assert event.place_address == NOMINATIM[0]["display_name"]
    assert event.suggested_timezone == "Asia/Kolkata"
    assert (event.timezone, event.location) == ("Europe/Berlin", LOCATION)
    assert (event.version, event.sequence) == (before.version + 1, before.sequence)
    assert event.updated_at > before.updated_at
    changes = {"source": "nominatim", "suggested_timezone": "Asia/Kolkata"}
    assert await staged.audited(event_id) == [("system", None, "event.placed", changes)]
    assert await staged.messages(event_id) == 1, "nobody hears of it but of its making"


async def test_event_is_found_by_what_was_looked_up(staged: Scene) -> None:
    event_id = await staged.event(location="The hall")

    await places.look_up_all(staged.app.runtime)

    event = await staged.row(event_id)
    assert {"=cbengaluru", "=lin"} <= set(event.facets.split())
    assert {"bengaluru", "domlur"} <= set(event.words.split())
    assert event.place_x is not None
    async with staged.app.client() as api:
        shown = (await api.get(f"/events/{event_id}")).json()
    assert (shown["place"]["name"], shown["place"]["city"]) == (HALL, "Bengaluru")


async def test_event_in_the_zone_of_its_place_is_suggested_none(staged: Scene) -> None:
    event_id = await staged.event(timezone="Asia/Kolkata")

    await places.look_up_all(staged.app.runtime)

    event = await staged.row(event_id)
    assert (event.place_source, event.suggested_timezone) == ("geocoder", None)


async def test_nothing_due_is_nothing_asked_and_nothing_written(staged: Scene) -> None:
    event_id = await staged.event()
    later = clock.now() + timedelta(minutes=1)
    await staged.change(event_id, place_lookup_at=later)

    looked_up = await places.look_up_all(staged.app.runtime)

    event = await staged.row(event_id)
    assert (looked_up, staged.server.asked) == (0, [])
    assert (event.place_lookup_at, event.place_lookups) == (later, 0)


async def test_place_that_is_not_found_leaves_the_event_as_it_was(staged: Scene) -> None:
    geocoders.answers(staged.server, "nominatim", [])
    event_id = await staged.event()

    await places.look_up_all(staged.app.runtime)

    event = await staged.row(event_id)
    assert (place_of(event), event.version) == (NOWHERE, 1)
    assert await staged.audited(event_id) == []


async def test_place_of_an_event_offline_is_the_city_it_names(settings: Settings) -> None:
    async with scene(settings) as staged:
        city, hall = await staged.event(location="Hall 3, Berlin"), await staged.event()
        offline = settings.model_copy(update={"geocoder": "offline"})
        runtime = await Runtime.open(offline)
        await places.look_up_all(runtime)
        await runtime.aclose()

        event, other = await staged.row(city), await staged.row(hall)
        told = ("geocoder", None, "Berlin", "Germany", "DE", 52.524, 13.411, None)
        assert (place_of(event), event.place_address) == (told, None)
        assert event.suggested_timezone == "Europe/Berlin"
        assert (place_of(other), staged.server.asked) == (NOWHERE, [])


FAILING: list[Answer] = [
    json_answer({}, "500 Internal Server Error"),
    json_answer({}, "429 Too Many Requests"),
    answer(b"<html>Log in</html>", content_type="text/html"),
    answer(b"", "302 Found", location="/search?again"),
    raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{"),
    json_answer([NOMINATIM[0] | {"lat": "91"}]),
    answer(b" " * 10_000_000),
]


@pytest.mark.parametrize("told", FAILING)
async def test_geocoder_that_fails_leaves_the_event_to_be_tried_again(
    staged: Scene, told: Answer
) -> None:
    event_id = await staged.event()
    geocoders.answers(staged.server, "nominatim", told)

    await places.look_up_all(staged.app.runtime)
    event = await staged.row(event_id)
    wait = await staged.come_due(event_id)
    geocoders.answers(staged.server, "nominatim")
    await places.look_up_all(staged.app.runtime)

    assert (place_of(event)[:-1], event.version) == (NOWHERE[:-1], 1)
    assert timedelta(seconds=30) < wait < timedelta(seconds=90)
    assert place_of(await staged.row(event_id)) == PLACED
    assert await staged.messages(event_id) == 1


async def test_waits_grow_to_six_hours_and_after_eight_tries_the_gazetteer_decides(
    staged: Scene,
) -> None:
    geocoders.answers(staged.server, "nominatim", json_answer({}, "503 Service Unavailable"))
    event_id = await staged.event(location=f"{LOCATION}, Bengaluru")
    waits = []
    for _ in range(7):
        assert await places.look_up_all(staged.app.runtime) == 1
        waits.append(await staged.come_due(event_id))

    await places.look_up_all(staged.app.runtime)

    event = await staged.row(event_id)
    assert waits == sorted(waits)
    assert max(waits) <= timedelta(hours=6)
    assert staged.server.times_asked(NOMINATIM_PATH) == 8
    assert (event.place_source, event.place_city) == ("geocoder", "Bengaluru")
    assert (event.place_lookup_at, event.place_lookups) == (None, 8)


@pytest.mark.parametrize("tries", range(1, 9))
def test_wait_is_never_longer_than_six_hours_nor_shorter_than_its_share(tries: int) -> None:
    found = [places.wait_after(tries) for _ in range(50)]

    assert max(found) <= timedelta(hours=6)
    assert min(found) >= 0.75 * min(timedelta(minutes=3 ** (tries - 1)), timedelta(hours=6))
    assert len(set(found)) > 1


@pytest.mark.parametrize(
    ("status", "is_permanent"), [("REQUEST_DENIED", True), ("OVER_QUERY_LIMIT", False)]
)
async def test_refusal_of_the_key_is_for_good_and_an_exhausted_quota_is_not(
    settings: Settings, *, status: str, is_permanent: bool
) -> None:
    async with scene(settings, "google") as staged:
        geocoders.answers(staged.server, "google", google_refusal(status))
        event_id = await staged.event()

        await places.look_up_all(staged.app.runtime)

        event = await staged.row(event_id)
        assert (event.place_lookup_at is None, event.place_lookups) == (is_permanent, 1)
        assert (place_of(event)[:-1], event.version) == (NOWHERE[:-1], 1)
        assert staged.server.times_asked(GOOGLE_PATH) == 1


async def test_same_location_of_many_events_is_asked_once(staged: Scene) -> None:
    made = [await staged.event() for _ in range(5)]

    looked_up = await places.look_up_all(staged.app.runtime)

    found = [place_of(await staged.row(event_id)) for event_id in made]
    assert (looked_up, found) == (5, [PLACED] * 5)
    assert staged.server.times_asked(NOMINATIM_PATH) == 1


async def test_two_workers_at_once_ask_for_each_event_once(staged: Scene) -> None:
    made = [await staged.event(location=f"{LOCATION} {n}") for n in range(12)]
    runtime = staged.app.runtime
    other = await Runtime.open(runtime.settings)

    counts = await asyncio.gather(
        *(places.look_up_all(each) for each in (runtime, other, runtime, other))
    )
    await other.aclose()

    assert sum(counts) == 12
    assert sorted(request.asked["q"] for request in staged.server.asked) == sorted(
        f"{LOCATION} {n}" for n in range(12)
    )
    for event_id in made:
        event = await staged.row(event_id)
        assert (place_of(event), event.version, event.place_lookups) == (PLACED, 2, 1)
        assert len(await staged.audited(event_id)) == 1


async def test_worker_that_is_killed_before_it_writes_leaves_the_event_to_another(
    staged: Scene,
) -> None:
    event_id = await staged.event()
    geocoders.answers(staged.server, "nominatim", silence)
    killed = asyncio.create_task(places.look_up_all(staged.app.runtime))
    await rows.until(lambda: bool(staged.server.asked))
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    geocoders.answers(staged.server, "nominatim")

    too_early = await places.look_up_all(staged.app.runtime)
    lease = await staged.come_due(event_id)
    taken_over = await places.look_up_all(staged.app.runtime)

    event = await staged.row(event_id)
    assert (too_early, taken_over, event.place_lookups) == (0, 1, 2)
    assert timedelta(seconds=30) < lease <= placing.LEASE
    assert place_of(event) == PLACED


async def test_event_that_no_worker_survives_is_given_up(staged: Scene) -> None:
    event_id = await staged.event(location=f"{LOCATION}, Bengaluru")
    await staged.change(event_id, place_lookups=places.MOST_TRIES)

    await places.look_up_all(staged.app.runtime)

    event = await staged.row(event_id)
    assert (event.place_lookup_at, event.place_city) == (None, "Bengaluru")
    assert staged.server.asked == []


ORGANIZERS = {"place_source": "organizer", "place_latitude": 1.0, "place_longitude": 2.0}
MEANWHILE: list[dict[str, Any]] = [
    {"location": "Elsewhere", "place_lookups": 0},
    {"location": "Elsewhere"},
    {**ORGANIZERS, "place_lookup_at": None},
    ORGANIZERS,
]


@pytest.mark.parametrize("edit", MEANWHILE)
async def test_edit_that_comes_meanwhile_wins(staged: Scene, edit: dict[str, Any]) -> None:
    event_id = await staged.event()
    if "location" in edit and "place_lookups" in edit:
        edit = {**edit, "place_lookup_at": clock.now() + timedelta(hours=1)}

    async def edited(request: Request, writer: asyncio.StreamWriter) -> None:
        await staged.change(event_id, **edit)
        await geocoders.said("nominatim")(request, writer)

    geocoders.answers(staged.server, "nominatim", edited)
    before = await staged.row(event_id)

    await places.look_up_one(staged.app.runtime)

    event = await staged.row(event_id)
    kept = {name: getattr(event, name) for name in edit}
    assert (kept, event.place_city, event.version) == (edit, None, before.version)
    assert await staged.audited(event_id) == []


async def test_event_that_is_deleted_meanwhile_stays_deleted(staged: Scene) -> None:
    event_id = await staged.event()

    async def deleted(request: Request, writer: asyncio.StreamWriter) -> None:
        await rows.change(
            staged.app.runtime.database,
            delete(Admission).where(Admission.event_id == UUID(event_id)),
            delete(Event).where(Event.id == UUID(event_id)),
        )
        await geocoders.said("nominatim")(request, writer)

    geocoders.answers(staged.server, "nominatim", deleted)

    looked_up = await places.look_up_all(staged.app.runtime)

    assert looked_up == 1
    assert await rows.count(staged.app.runtime.database, Event) == 0
    assert await staged.audited(event_id) == []


async def test_worker_that_comes_too_late_writes_nothing(staged: Scene) -> None:
    """Its lease is over, and another has the event: the other's answer is the one that counts."""
    event_id = await staged.event()
    database, found = staged.app.runtime.database, Candidate(None, None, "X", "X", "IN", 1.0, 2.0)
    async with database.write() as db:
        late = await placing.claim(db, clock.now())
    await staged.change(event_id, place_lookup_at=clock.now())
    async with database.write() as db:
        present = await placing.claim(db, clock.now())
    assert late is not None
    assert present is not None

    async with database.write() as db:
        by_late = await placing.place(db, late, found, clock.now())
        postponed = await placing.look_again(db, late, None)
    async with database.write() as db:
        by_present = await placing.place(db, present, found, clock.now())

    event = await staged.row(event_id)
    assert (by_late, postponed, by_present) == (False, False, True)
    assert (event.place_city, event.version, event.place_lookups) == ("X", 2, 2)


async def test_claim_of_what_another_holds_passes_over_it(
    database: Database, settings: Settings
) -> None:
    """On PostgreSQL, two transactions at once; SQLite has one writer."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time: the second claims when the first is done")
    async with scene(settings) as staged:
        made = {UUID(await staged.event()) for _ in range(2)}
        async with database.write() as one, database.write() as other:
            first = await placing.claim(one, clock.now())
            second = await placing.claim(other, clock.now())
            third = await placing.claim(other, clock.now())

    assert first is not None
    assert second is not None
    assert ({first.event_id, second.event_id}, third) == (made, None)


async def test_look_at_what_is_due_uses_its_index(database: Database, settings: Settings) -> None:
    async with scene(settings) as staged:
        await staged.event()
        await plans.gather_statistics(database)

        async def look(db: Db) -> object:
            return await placing.is_any_due(db, clock.now() - timedelta(days=1))

        async def claim(db: Db) -> object:
            return await placing.claim(db, clock.now() - timedelta(days=1))

        if not database.is_sqlite:
            # So small a table would be read as a whole; it is about which index can be used.
            look, claim = (partial(_without_scans, work) for work in (look, claim))
        found = [await plans.of(database, work) for work in (look, claim)]

    assert ["ix_events_place_lookup" in "\n".join(each) for each in found] == [True, True]


async def _without_scans(work: Any, db: Db) -> object:
    await (await db.connection()).exec_driver_sql("SET LOCAL enable_seqscan = off")
    return await work(db)
