"""Giving a seat back: it is free, or the next one's, in the same transaction; twice is once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, event, select, text, update
from tests.db import plans, rows, test_plans
from tests.factories import a_person
from tests.registrations import crowd, scene
from tests.registrations.scene import Credential, code, plain
from tests.support import cast
from tests.support.app import RunningApp

from turnout import clock
from turnout.audit.models import AuditEntry
from turnout.db.session import Database
from turnout.events.models import TeamRole
from turnout.registrations.models import Registration

FREE = "a seat is free while someone waits"
CANCELLED = "registration.cancelled"


def email(n: int) -> str:
    """The address of one of the guests."""
    return a_person(n)["email"]


async def test_cancel_frees_the_seat_and_says_so_once(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app, max_capacity=2)
    ada, bob = await stage.guests(2)
    said, recorded = len(await stage.messages()), len(await stage.audit())

    cancelled = await stage.cancel(ada)

    async with closed_app.client() as api:
        shown = (await api.get(f"/events/{stage.event_id}")).json()
    assert cancelled == {
        **plain(ada), "status": "cancelled", "updated_at": cancelled["updated_at"]
    }  # fmt: skip
    assert cancelled["updated_at"] > ada["updated_at"]
    assert (shown["seats_taken"], shown["seats_left"]) == (1, 1)
    assert await stage.counters() == (1, 0)
    assert await stage.messages(after=said) == [(CANCELLED, ada["id"])]
    assert await stage.audit(after=recorded) == [(CANCELLED, ada["id"])]
    assert (await stage.call("read", bob["id"], bob)).json() == plain(bob)
    assert await rows.drifts(stage.database) == []


async def test_cancel_twice_is_once(closed_app: RunningApp) -> None:
    """A second one would free a second seat: here to whoever waits next."""
    stage = await scene.stage(closed_app, max_capacity=2, waitlist_enabled=True)
    made = await stage.guests(4)
    first = await stage.call("cancel", made[0]["id"], made[0])
    before = await rows.dump(stage.database)

    again = [await stage.call("cancel", made[0]["id"], by) for by in (made[0], stage.olive)]

    assert [answer.status_code for answer in again] == [200, 200]
    assert [answer.json() for answer in again] == [first.json()] * 2
    assert {answer.headers["etag"] for answer in again} == {first.headers["etag"]}
    assert await rows.dump(stage.database) == before
    assert await stage.counters() == (2, 1)


async def test_cancel_by_who_edits_the_event_names_them_in_the_audit(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    ada, root = await cast.ada(closed_app), await cast.root(closed_app)
    editor = await stage.helper("Eddie", TeamRole.EDITOR)
    made = [*await stage.guests(4), await stage.seat(ada)]
    by: list[Credential] = [stage.olive, editor, root, made[3], ada]

    for each, who in zip(made, by, strict=True):
        await stage.cancel(each, who)

    columns = AuditEntry.standing, AuditEntry.actor_id, AuditEntry.changes
    query = select(*columns).where(AuditEntry.action == CANCELLED).order_by(AuditEntry.id)
    changes = {"status": "cancelled"}
    assert await rows.read(stage.database, query) == [
        ("account", stage.olive.id, changes),
        ("account", editor.id, changes),
        ("account", root.id, changes),
        ("guest", None, changes),
        ("account", ada.id, changes),
    ]
    assert await stage.counters() == (0, 0)


async def test_cancel_gives_the_seat_to_the_head_of_the_waitlist(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app, max_capacity=2, waitlist_enabled=True)
    made = await stage.guests(5)
    said, recorded = len(await stage.messages()), len(await stage.audit())

    await stage.cancel(made[1])

    assert await stage.people() == [
        (email(0), "confirmed", None),
        (email(1), "cancelled", None),
        (email(2), "confirmed", None),
        (email(3), "waitlisted", 1),
        (email(4), "waitlisted", 2),
    ]
    assert await stage.counters() == (2, 2)
    assert await stage.messages(after=said) == [
        (CANCELLED, made[1]["id"]), ("registration.confirmed", made[2]["id"])
    ]  # fmt: skip
    assert await stage.audit(after=recorded) == [
        (CANCELLED, made[1]["id"]), ("registration.promoted", made[2]["id"])
    ]  # fmt: skip
    assert await rows.drifts(stage.database) == []


async def test_cancel_moves_the_head_up_in_the_same_transaction(closed_app: RunningApp) -> None:
    """Where the next one cannot be seated, nothing has been cancelled."""
    stage = await scene.stage(closed_app, max_capacity=1, waitlist_enabled=True)
    made = await stage.guests(2)
    before = await rows.dump(stage.database)
    await rows.change(stage.database, *(text(each) for each in refusals(stage.database)))

    failed = await stage.call("cancel", made[0]["id"], made[0])

    assert code(failed) == (500, "internal-error")
    assert await rows.dump(stage.database) == before


def refusals(database: Database) -> list[str]:
    """What lets the database refuse to confirm anybody."""
    when = "BEFORE UPDATE ON registrations"
    if database.is_sqlite:
        return [
            f"CREATE TRIGGER refuse {when} WHEN NEW.status = 'confirmed' "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        ]
    return [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.status = 'confirmed' THEN RAISE EXCEPTION 'refused' USING ERRCODE = '23514'; "
        "END IF; RETURN NEW; END $$",
        f"CREATE TRIGGER refuse {when} FOR EACH ROW EXECUTE FUNCTION refuse()",
    ]


@pytest.mark.parametrize("which", [1, 2, 3])
async def test_cancel_on_the_waitlist_lets_those_behind_step_forward(
    closed_app: RunningApp, which: int
) -> None:
    stage = await scene.stage(closed_app, max_capacity=1, waitlist_enabled=True)
    made = await stage.guests(4)
    said, recorded = len(await stage.messages()), len(await stage.audit())

    cancelled = await stage.cancel(made[which])

    left = [n for n in (1, 2, 3) if n != which]
    waiting = [each for each in await stage.people() if each[1] == "waitlisted"]
    assert (cancelled["status"], cancelled["waitlist_position"]) == ("cancelled", None)
    assert waiting == [(email(left[0]), "waitlisted", 1), (email(left[1]), "waitlisted", 2)]
    assert await stage.counters() == (1, 2)
    assert await stage.messages(after=said) == [(CANCELLED, made[which]["id"])]
    assert await stage.audit(after=recorded) == [(CANCELLED, made[which]["id"])]
    assert await rows.drifts(stage.database) == []


async def test_cancel_of_a_held_seat_frees_it(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app, max_capacity=2)
    offered, pending = await stage.guests(2)
    for made, status in ((offered, "offered"), (pending, "pending")):
        this = update(Registration).where(Registration.id == UUID(made["id"]))
        await rows.change(stage.database, this.values(status=status, held_until=clock.now()))

    for made in (offered, pending):
        await stage.cancel(made)

    held = await rows.read(stage.database, select(Registration.held_until))
    assert await stage.counters() == (0, 0)
    assert held == [(None,), (None,)]
    assert await rows.drifts(stage.database) == []


HOUR = timedelta(hours=1)
AT_REST: list[dict[str, Any]] = [
    {"status": "cancelled"},
    {"start_at": -2 * HOUR, "end_at": -HOUR},
    {"status": "draft"},
]


@pytest.mark.parametrize("change", AT_REST)
async def test_cancel_at_an_event_that_takes_nobody_moves_nobody_up(
    closed_app: RunningApp, change: dict[str, Any]
) -> None:
    stage = await scene.stage(closed_app, max_capacity=1, waitlist_enabled=True)
    made = await stage.guests(3)
    now, said = clock.now(), len(await stage.messages())
    at = {k: now + v if isinstance(v, timedelta) else v for k, v in change.items()}
    await rows.change_event(stage.database, stage.event_id, **at)

    await stage.cancel(made[0], stage.olive)
    seat_free, resting = await stage.counters(), await rows.drifts(stage.database)
    await stage.cancel(made[1], stage.olive)

    assert (seat_free, resting) == ((0, 2), [])
    assert await stage.people() == [
        (email(0), "cancelled", None),
        (email(1), "cancelled", None),
        (email(2), "waitlisted", 1),
    ]
    assert await stage.messages(after=said) == [(CANCELLED, each["id"]) for each in made[:2]]
    assert await stage.counters() == (0, 1)
    assert await rows.drifts(stage.database) == []


async def test_free_seat_of_an_event_to_come_is_noticed_while_someone_waits(
    closed_app: RunningApp,
) -> None:
    """The same state in which the waitlist of an event that is over may rest."""
    stage = await scene.stage(closed_app, max_capacity=1, waitlist_enabled=True)
    made = await stage.guests(2)
    now = clock.now()
    over = {"start_at": now - 2 * HOUR, "end_at": now - HOUR}
    await rows.change_event(stage.database, stage.event_id, **over)
    await stage.cancel(made[0])

    resting = await rows.drifts(stage.database)
    await rows.change_event(stage.database, stage.event_id, end_at=now + HOUR)
    waiting = await rows.drifts(stage.database)

    assert (resting, waiting) == ([], [FREE])


async def test_cancel_after_registration_has_closed_still_moves_the_head_up(
    closed_app: RunningApp,
) -> None:
    """Whoever waits has registered in time."""
    stage = await scene.stage(closed_app, max_capacity=1, waitlist_enabled=True)
    made = await stage.guests(2)
    await rows.change_seats(stage.database, stage.event_id, closes_at=clock.now() - HOUR)

    await stage.cancel(made[0])

    read = await stage.call("read", made[1]["id"], made[1])
    assert (read.json()["status"], await stage.counters()) == ("confirmed", (1, 0))
    assert await rows.drifts(stage.database) == []


async def test_cancelled_registration_is_read_but_not_renamed(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    ada = await cast.ada(closed_app)
    made = await stage.seat(ada)
    cancelled = await stage.cancel(made, ada)
    before = await rows.counts(stage.database)

    refused = [await stage.call("rename", made["id"], by) for by in (ada, stage.olive)]

    read = await stage.call("read", made["id"], ada)
    assert [code(answer) for answer in refused] == [(409, "registration-cancelled")] * 2
    assert (read.status_code, read.json()) == (200, cancelled)
    assert await rows.counts(stage.database) == before


async def test_cancelled_address_may_register_anew(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app, max_capacity=2)
    ada = await cast.ada(closed_app)
    first = [await stage.seat(**a_person(0)), await stage.seat(ada)]
    await stage.cancel(first[0])
    await stage.cancel(first[1], ada)

    second = [await stage.seat(**a_person(0)), await stage.seat(ada)]

    old = await stage.call("read", first[0]["id"], first[0])
    mixed = await stage.call("read", second[0]["id"], first[0])
    assert [each["status"] for each in second] == ["confirmed"] * 2
    assert len({each["id"] for each in (*first, *second)}) == 4
    assert (old.json()["status"], code(mixed)) == ("cancelled", (404, "not-found"))
    assert await stage.counters() == (2, 0)
    assert await rows.drifts(stage.database) == []


async def test_cancelled_address_that_registers_anew_goes_to_the_end_of_the_waitlist(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app, max_capacity=1, waitlist_enabled=True)
    made = await stage.guests(3)
    await stage.cancel(made[0])

    again = await stage.seat(**a_person(0))

    assert (again["status"], again["waitlist_position"]) == ("waitlisted", 2)
    assert await stage.counters() == (1, 2)
    assert await rows.drifts(stage.database) == []


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that the block lets the database run."""
    ran: list[str] = []

    def note(_: Connection, __: object, statement: str, *___: object) -> None:
        ran.append(statement)

    event.listen(database.writer.sync_engine, "before_cursor_execute", note)
    yield ran
    event.remove(database.writer.sync_engine, "before_cursor_execute", note)


@pytest.mark.parametrize("first", ["seat", "place"])
async def test_cancel_takes_as_many_statements_however_many_wait(
    database: Database, first: str
) -> None:
    short, long = await crowd.make_events(database, [2, 2])
    ran: list[list[str]] = []
    for event_id, count in ((short, 5), (long, 5_002)):
        await crowd.fill(database, event_id, count)
        everyone = await crowd.everyone(database, event_id)
        with counted(database) as statements:
            async with database.write() as db:
                await crowd.cancel_in(db, everyone[0 if first == "seat" else 2].id)
        ran.append(statements)

    left = [each.waitlist_position for each in await crowd.everyone(database, long)]
    assert 0 < len(ran[0]) <= 15
    assert ran[1] == ran[0]
    assert left[3:] == list(range(1, 5_000))
    assert await rows.drifts(database) == []


async def test_cancel_among_many_events_reads_its_own_alone(database: Database) -> None:
    _, event_ids = await test_plans.fill(database)
    crowded = event_ids[1_100]
    await rows.change_seats(database, str(crowded), capacity=2, taken=2, waitlist_enabled=True)
    everyone = await crowd.everyone(database, crowded)
    for n, each in enumerate(everyone[2:], 1):
        this = update(Registration).where(
            Registration.event_id == crowded, Registration.id == each.id
        )
        await rows.change(database, this.values(status="waitlisted", waitlist_position=n))
    await rows.change_seats(database, str(crowded), waiting=len(everyone) - 2)

    cancel = partial(crowd.cancel_in, registration_id=everyone[0].id)
    found = "\n".join(await plans.of(database, cancel))

    after = await crowd.everyone(database, crowded)
    assert [line for table in test_plans.LARGE for line in plans.scans(found, table)] == [], found
    assert (after[0].status, after[2].status) == ("cancelled", "confirmed")
