"""Series that several want something of at once, at two servers: nobody waits in a circle."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.factories import a_person, make_event, register
from tests.registrations.series_calls import CLASS, DAILY, Course, answered, refusal, repeat
from tests.support.app import RunningApp, running

from turnout import clock
from turnout.events.models import Event, Series
from turnout.registrations import integrity
from turnout.registrations.models import Admission
from turnout.settings import Settings

COUNT = 12


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of another process on the same database."""
    async with running(settings) as app, app.client() as client:
        yield client


@pytest.fixture
async def course(app: RunningApp, api: httpx2.AsyncClient) -> Course:
    """Evenings with three seats each and a waitlist."""
    return await repeat(app, api, f"FREQ=DAILY;COUNT={COUNT}")


async def counters(course: Course) -> list[tuple[int | None, int, int]]:
    """Capacity, taken and waiting of each event, in the order of the rule."""
    query = select(Admission.capacity, Admission.taken, Admission.waiting)
    joined = query.join(Event, Event.id == Admission.event_id).order_by(Event.series_local)
    return [(row[0], row[1], row[2]) for row in await rows.read(course.database, joined)]


async def require_right(course: Course) -> None:
    """No counter differs from what is there to count."""
    async with course.database.read() as db:
        assert await integrity.drifts(db, clock.now()) == []


async def test_who_registers_while_following_are_moved_has_a_seat_and_hears_of_all_moves(
    course: Course, other: httpx2.AsyncClient
) -> None:
    theirs = Course(course.app, other, course.made)
    seats = [
        register((course.api, other)[n % 2], each, **a_person(n))
        for n in range(3)
        for each in reversed(course.ids)
    ]
    moves = [
        course.patch(0, {"start_time": "2030-03-30T18:10:00"}),
        theirs.patch(COUNT // 2, {"max_capacity": 8}),
        theirs.patch(3, {"name": "Changed"}),
    ]

    answers = await asyncio.gather(*seats[:12], *moves, *seats[12:])

    assert Counter(each.status_code for each in answers) == {201: 3 * COUNT, 200: 3}
    half = COUNT // 2
    assert await counters(course) == [(3, 3, 0)] * half + [(8, 3, 0)] * half
    found = await course.read()
    assert {each["start_time"][11:16] for each in found} == {"18:10"}
    assert [each["name"] for each in found] == ["Yoga"] * 3 + ["Changed"] * (COUNT - 3)
    said = Counter(await course.messages())
    assert [said["event.changed", n] for n in range(COUNT)] == [1] * 3 + [2] * 3 + [3] * half
    await require_right(course)


async def test_capacity_that_falls_while_people_register_never_oversells(
    course: Course, other: httpx2.AsyncClient
) -> None:
    theirs = Course(course.app, other, course.made)
    seats = [
        register((course.api, other)[n % 2], each, **a_person(n))
        for n in range(4)
        for each in course.ids
    ]

    answers = await asyncio.gather(
        *seats[:8], theirs.patch(0, {"max_capacity": 1}), *seats[8:],
        course.patch(6, {"max_capacity": 2}),
    )  # fmt: skip

    for capacity, taken, waiting in await counters(course):
        assert capacity is not None
        assert taken <= capacity
        assert taken + waiting == 4
    kinds = Counter(each.status_code for each in answers)
    assert kinds[201] == 4 * COUNT
    assert kinds[200] + kinds[409] == 2
    await require_right(course)


async def test_changes_from_both_ends_at_once_all_go_through(
    course: Course, other: httpx2.AsyncClient
) -> None:
    """Each takes its locks in the order of ids, not in that of the series."""
    theirs = Course(course.app, other, course.made)

    answers = await asyncio.gather(
        *((course, theirs)[n % 2].patch(n % COUNT, {"tags": [f"t{n}"]}) for n in range(30))
    )

    assert [each.status_code for each in answers] == [200] * 30
    said = Counter(await course.messages())
    starts = Counter(n % COUNT for n in range(30))
    expected = [sum(starts[k] for k in range(n + 1)) for n in range(COUNT)]
    assert [said["event.changed", n] for n in range(COUNT)] == expected


async def test_two_who_let_the_same_event_repeat_make_one_series(
    app: RunningApp, api: httpx2.AsyncClient, other: httpx2.AsyncClient
) -> None:
    first = await make_event(api, **CLASS)
    path = f"/events/{first['id']}/series"

    answers = await asyncio.gather(
        *((api, other)[n % 2].post(path, json={"rule": DAILY}) for n in range(6))
    )

    assert Counter(each.status_code for each in answers) == {201: 1, 409: 5}
    assert await rows.count(app.runtime.database, Series) == 1
    assert await rows.count(app.runtime.database, Event) == 4


async def test_delete_and_register_at_once_lose_nobody(
    course: Course, other: httpx2.AsyncClient
) -> None:
    """Either all are gone, and nobody has a seat, or all are there."""
    seats = [register(other, each, **a_person(n)) for n, each in enumerate(course.ids)]

    deleted, *answers = await asyncio.gather(course.delete(0), *seats)

    seated = [each for each in answers if each.status_code == 201]
    if deleted.status_code == 204:
        assert {refusal(each) for each in answers} == {(404, "not-found")}
        assert await rows.count(course.database, Event) == 0
    else:
        assert refusal(deleted) == (409, "event-has-registrations")
        assert len(seated) == COUNT
        assert await rows.count(course.database, Event) == COUNT
    await require_right(course)


async def test_change_and_delete_at_once_answer_both(
    course: Course, other: httpx2.AsyncClient
) -> None:
    theirs = Course(course.app, other, course.made)

    changed, deleted = await asyncio.gather(course.patch(0, {"name": "Changed"}), theirs.delete(6))

    assert deleted.status_code == 204
    assert len(answered(changed)["events"]) in {6, COUNT}
    assert await rows.count(course.database, Event) == 6
