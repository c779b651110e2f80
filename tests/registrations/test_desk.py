"""Many at once: sets, order, who gives up, who has to wait, and what becomes of a bad row."""

import asyncio
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select, text
from tests.db import rows
from tests.factories import a_person, make_event, register
from tests.registrations.calls import Call
from tests.support.app import RunningApp, running

from turnout import clock, ids
from turnout.accounts.actor import ANONYMOUS
from turnout.audit.audit import Cause
from turnout.db import sets
from turnout.db.session import Database
from turnout.idempotency.idempotency import Answer
from turnout.registrations import desk, statements
from turnout.registrations.models import Admission, Registration, Status
from turnout.registrations.records import Registered, Seated, Wish
from turnout.settings import Settings

ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def waiting(app: RunningApp) -> int:
    """How many have asked and are not answered yet."""
    return app.runtime.desk._waiting


def queued(app: RunningApp) -> int:
    """How many of them are in no transaction yet."""
    at = app.runtime.desk
    return sum(len(lane.queue) for lane in (at._main, *at._lanes.values()))


def is_in_flight(app: RunningApp) -> bool:
    """Whether the one who asked is in a transaction, which the lock of the event holds up."""
    has_lane = app.runtime.database.is_sqlite or bool(app.runtime.desk._lanes)
    return has_lane and waiting(app) == 1 and queued(app) == 0


async def people(app: RunningApp, event_id: str) -> list[str]:
    """The addresses that hold a seat, in the order in which they got it."""
    query = select(Registration.email_canonical).where(Registration.event_id == UUID(event_id))
    found = await rows.read(app.runtime.database, query.order_by(Registration.id))
    return [row[0] for row in found]


async def test_register_many_at_once_is_decided_in_order_of_arrival(
    app: RunningApp, api: httpx2.AsyncClient, settings: Settings
) -> None:
    event = await make_event(api, max_capacity=40)
    first = Call(app, event["id"], a_person(0))

    async with rows.held(settings.database_url, event["id"]):
        calls = [Call(app, event["id"], a_person(n)) for n in range(1, 60)]
        await rows.until(lambda: waiting(app) + first.task.done() == 60)
    statuses = [await call.status() for call in (first, *calls)]

    assert statuses == [201] * 40 + [409] * 20
    assert await people(app, event["id"]) == [a_person(n)["email"] for n in range(40)]
    assert await rows.drifts(app.runtime.database) == []


@pytest.mark.parametrize("capacity", [1, 7])
async def test_register_from_two_processes_never_oversells(
    app: RunningApp, api: httpx2.AsyncClient, settings: Settings, capacity: int
) -> None:
    event = await make_event(api, max_capacity=capacity)
    async with running(settings) as other, other.client() as other_api:
        answers = await asyncio.gather(
            *(register((api, other_api)[n % 2], event["id"], **a_person(n // 2)) for n in range(80))
        )

    codes = sorted(answer.json().get("code", answer.json()["status"]) for answer in answers)
    won = [answer.json()["email"] for answer in answers if answer.status_code == 201]
    assert codes.count("confirmed") == capacity
    assert set(codes) <= {"confirmed", "event-full", "already-registered"}
    assert sorted(await people(app, event["id"])) == sorted(won)
    assert await rows.drifts(app.runtime.database) == []


async def test_register_the_same_person_fifty_times_at_once_gives_one_seat(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api)
    forms = ["ada@example.com", "ADA@example.com", "Ada@Example.Com", "aDa@EXAMPLE.COM"]

    answers = await asyncio.gather(
        *(register(api, event["id"], email=forms[n % 4]) for n in range(50))
    )

    statuses = [answer.status_code for answer in answers]
    assert statuses == [201] + [409] * 49
    assert {answer.json()["code"] for answer in answers[1:]} == {"already-registered"}
    assert await people(app, event["id"]) == ["ada@example.com"]


async def test_register_beyond_the_queue_is_told_to_come_back(
    app: RunningApp,
    api: httpx2.AsyncClient,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    event = await make_event(api)
    monkeypatch.setattr(desk, "MOST_WAITING", 2)

    async with rows.held(settings.database_url, event["id"]):
        calls = [Call(app, event["id"], a_person(n)) for n in range(2)]
        await rows.until(lambda: waiting(app) == 2)
        refused = await register(api, event["id"], **a_person(2))
    statuses = [await call.status() for call in calls]
    later = await register(api, event["id"], **a_person(2))

    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert refused.headers["retry-after"] == "1"
    assert statuses == [201, 201]
    assert later.status_code == 201


async def test_register_for_one_who_gives_up_before_the_set_begins_takes_no_seat(
    app: RunningApp,
    api: httpx2.AsyncClient,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    event = await make_event(api, max_capacity=2)
    monkeypatch.setattr(desk, "PATIENCE_SECONDS", 0.0)

    async with rows.held(settings.database_url, event["id"]):
        in_flight = Call(app, event["id"], a_person(0))
        await rows.until(lambda: is_in_flight(app))
        gone, behind = (Call(app, event["id"], a_person(n)) for n in (1, 2))
        await rows.until(lambda: queued(app) == 2)
        gone.hang_up()
    statuses = [await call.status() for call in (in_flight, gone, behind)]

    assert [statuses[0], statuses[2]] == [201, 201]
    assert await people(app, event["id"]) == [a_person(0)["email"], a_person(2)["email"]]
    assert waiting(app) == 0
    assert await rows.drifts(app.runtime.database) == []


async def test_register_for_one_who_gives_up_after_the_set_began_keeps_the_seat(
    app: RunningApp, api: httpx2.AsyncClient, settings: Settings
) -> None:
    event = await make_event(api)

    async with rows.held(settings.database_url, event["id"]):
        call = Call(app, event["id"], a_person(0))
        await rows.until(lambda: is_in_flight(app))
        call.task.cancel()
        await asyncio.wait([call.task])
    again = await register(api, event["id"], **a_person(0))

    assert call.messages == []
    assert (again.status_code, again.json()["code"]) == (409, "already-registered")
    assert await rows.drifts(app.runtime.database) == []


@ON_POSTGRESQL
async def test_register_waits_for_no_other_event(
    app: RunningApp, api: httpx2.AsyncClient, settings: Settings
) -> None:
    busy, free = await make_event(api), await make_event(api)

    async with rows.held(settings.database_url, busy["id"]):
        stuck = Call(app, busy["id"], a_person(0))
        together = await asyncio.gather(*(register(api, free["id"], **a_person(n)) for n in (0, 1)))
        was_stuck = not stuck.task.done()
        after = await register(api, free["id"], **a_person(2))
    released = await stuck.status()

    assert [answer.status_code for answer in (*together, after)] == [201] * 3
    assert (was_stuck, released) == (True, 201)
    assert app.runtime.desk._lanes == {}


@ON_POSTGRESQL
async def test_register_keeps_the_order_when_some_were_in_the_main_lane(
    app: RunningApp, api: httpx2.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With sets of one, the second is still in the main lane when the first is sent to wait."""
    event = await make_event(api, max_capacity=2)
    monkeypatch.setattr(desk, "LARGEST_SET", 1)

    async with rows.held(settings.database_url, event["id"]):
        calls = [Call(app, event["id"], a_person(n)) for n in range(3)]
        await rows.until(lambda: bool(app.runtime.desk._lanes))
        calls += [Call(app, event["id"], a_person(n)) for n in range(3, 5)]
        await rows.until(lambda: waiting(app) == 5)
    statuses = [await call.status() for call in calls]

    assert statuses == [201, 201, 409, 409, 409]
    assert await people(app, event["id"]) == [a_person(n)["email"] for n in range(2)]


BAD = a_person(3)["email"]
REFUSE_IN_SQLITE = (
    "CREATE TRIGGER spoil BEFORE INSERT ON registrations WHEN NEW.email_canonical = '{}' "
    "BEGIN SELECT RAISE({}); END"
)
REFUSE_IN_POSTGRESQL = (
    "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "IF NEW.email_canonical = '{}' THEN {} END IF; RETURN NEW; END $$",
    "CREATE TRIGGER spoil BEFORE INSERT ON registrations FOR EACH ROW EXECUTE FUNCTION spoil()",
)
SECOND_SEAT = (
    "ABORT, 'UNIQUE constraint failed: registrations.event_id, registrations.email_canonical'",
    "RAISE EXCEPTION 'unique constraint \"uq_registrations_person\"' USING ERRCODE = '23505';",
)
BAD_ROW = ("ABORT, 'bad row'", "RAISE EXCEPTION 'bad row' USING ERRCODE = '23514';")


async def spoil(app: RunningApp, in_sqlite: str, in_postgresql: str) -> None:
    """Let the database treat the row of one person in a way that the gate did not foresee."""
    if app.runtime.database.is_sqlite:
        statements = [REFUSE_IN_SQLITE.format(BAD, in_sqlite)]
    else:
        create, attach = REFUSE_IN_POSTGRESQL
        statements = [create.format(BAD, in_postgresql), attach]
    await rows.change(app.runtime.database, *(text(each) for each in statements))


@pytest.mark.parametrize(
    ("trigger", "status", "code"),
    [
        # As if another had inserted the same person since the gate looked.
        (SECOND_SEAT, 409, "already-registered"),
        (BAD_ROW, 500, "internal-error"),
    ],
)
async def test_register_in_a_set_with_one_bad_row_seats_all_others(
    app: RunningApp,
    api: httpx2.AsyncClient,
    settings: Settings,
    trigger: tuple[str, str],
    status: int,
    code: str,
) -> None:
    event = await make_event(api, max_capacity=9)
    await spoil(app, *trigger)

    async with rows.held(settings.database_url, event["id"]):
        tasks = [asyncio.create_task(register(api, event["id"], **a_person(n))) for n in range(10)]
        await rows.until(lambda: waiting(app) == 10)
    answers = await asyncio.gather(*tasks)

    statuses = [answer.status_code for answer in answers]
    assert statuses == [201] * 3 + [status] + [201] * 6
    assert answers[3].json()["code"] == code
    assert len(await people(app, event["id"])) == 9
    assert await rows.drifts(app.runtime.database) == []


async def test_desk_that_closes_answers_everyone_first(
    app: RunningApp, api: httpx2.AsyncClient, settings: Settings
) -> None:
    event = await make_event(api)

    async with rows.held(settings.database_url, event["id"]):
        calls = [Call(app, event["id"], a_person(n)) for n in range(5)]
        await rows.until(lambda: waiting(app) == 5)
        closing = asyncio.create_task(app.runtime.desk.aclose())
        await asyncio.sleep(0)
        was_open = not closing.done()
    await closing
    queue = (waiting(app), queued(app))

    assert was_open
    assert queue[1] == 0
    assert [await call.status() for call in calls] == [201] * 5


@ON_POSTGRESQL
async def test_register_in_a_set_with_one_who_was_inserted_meanwhile_seats_all_others(
    app: RunningApp, api: httpx2.AsyncClient, settings: Settings
) -> None:
    """Behind the gate's back, without its lock: then the index is what stops a second seat."""
    event = await make_event(api)
    row = statements.row_of(a_wish(event["id"]), a_seat(event["id"]))
    other = Database(settings.database_url)

    async with other.write() as db:
        # As a replica it does not look at foreign keys, which would wait for the gate's lock.
        await db.execute(text("SET LOCAL session_replication_role = replica"))
        statements.insert(db, [row])
        await sets.flush(db)
        tasks = [asyncio.create_task(register(api, event["id"], **a_person(n))) for n in range(6)]
        await rows.until(
            lambda: queued(app) == 0 and waiting(app) + sum(task.done() for task in tasks) == 6
        )
    await other.aclose()
    answers = await asyncio.gather(*tasks)

    seats = await rows.read(app.runtime.database, select(Admission.taken))
    assert [answer.status_code for answer in answers] == [201, 201, 201, 409, 201, 201]
    assert answers[3].json()["code"] == "already-registered"
    assert seats == [(5,)]


def a_wish(event_id: str) -> Wish:
    """What the person with the bad row would have asked for."""
    return Wish(UUID(event_id), "Bad", BAD, BAD, ANONYMOUS, Cause("anonymous"), never_shown)


def never_shown(_: Seated) -> Answer:
    return Answer(201, {}, b"")


def a_seat(event_id: str) -> Seated:
    now = clock.now()
    taken = Registered(
        ids.new_id(), UUID(event_id), "Bad", BAD, Status.CONFIRMED, None, None, now, now, {}
    )
    return Seated(taken, None, "UTC")
