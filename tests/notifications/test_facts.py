"""Facts of many mails are found by a few statements, each for the one it is about."""

import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event as listening
from tests.factories import a_person, make_event, register
from tests.notifications import composing
from tests.notifications.composing import a_delivery
from tests.support import cast
from tests.support.app import RunningApp

from turnout import clock, ids
from turnout.events.models import Status
from turnout.notifications import facts, snapshots
from turnout.notifications.kinds import MailKind
from turnout.notifications.news import EventNews

MOST_STATEMENTS = 8


async def a_batch(app: RunningApp, events: int, people: int) -> list[Any]:
    """Deliveries of several kinds to several people of several events."""
    claimed = []
    async with app.client() as api:
        for number in range(events):
            made = await make_event(api, name=f"Event {number}")
            for n in range(people):
                seat = (await register(api, made["id"], **a_person(n))).json()
                kind = MailKind.REGISTRATION_CONFIRMED if n % 2 else MailKind.EVENT_REMINDER
                claimed.append(a_delivery(kind, seat["id"], event_id=made["id"]))
    ada = await cast.ada(app)
    return [
        *claimed,
        a_delivery(MailKind.PASSWORD_CHANGED, ada.id),
        a_delivery(MailKind.ROLE_CHANGED, ada.id, role="attendee"),
    ]


@pytest.mark.parametrize(("events", "people"), [(1, 2), (4, 6)])
async def test_facts_of_a_batch_take_the_same_few_statements(
    app: RunningApp, events: int, people: int
) -> None:
    claimed = await a_batch(app, events, people)
    said: list[str] = []

    async with app.runtime.database.read() as db:
        connection = (await db.connection()).sync_connection
        assert connection is not None
        listening.listen(
            connection, "before_cursor_execute", lambda *given: said.append(str(given[2]))
        )
        found = await facts.load(db, claimed, clock.now())

    assert len(said) <= MOST_STATEMENTS
    told = [
        (each.kind, each.news.event.id if isinstance(each.news, EventNews) else None)
        for each in found
        if each is not None
    ]
    assert told == [(each.kind, each.event_id) for each in claimed]
    addresses = [each.reader.address for each in found if each is not None]
    expected = [f"person{n}@example.com" for _ in range(events) for n in range(people)]
    assert addresses == [*expected, "ada@example.com", "ada@example.com"]


async def test_facts_come_in_the_order_of_the_deliveries_with_gaps(app: RunningApp) -> None:
    first, second, *_ = await a_batch(app, 1, 2)
    nobody = a_delivery(MailKind.EVENT_REMINDER, ids.new_id(), event_id=first.event_id)

    mails = await composing.composed(app, [second, nobody, first])

    assert [each and each.envelope for each in mails] == [
        "person1@example.com",
        None,
        "person0@example.com",
    ]


async def test_snapshot_is_json_that_says_the_event_but_for_its_description(
    app: RunningApp,
) -> None:
    async with app.client() as api:
        made = await make_event(
            api,
            description="Long",
            tags=["a", "b"],
            place={"latitude": 12.5, "longitude": 77.25, "name": "Hall"},
        )
        await api.post(f"/events/{made['id']}/cancel", json={"reason": "The roof leaks."})
    event_id = UUID(made["id"])

    async with app.runtime.database.read() as db:
        taken = await snapshots.take(db, event_id)
        none = await snapshots.take(db, ids.new_id())

    assert none is None
    assert taken is not None
    read = snapshots.read(json.loads(json.dumps(taken)))
    assert (taken["id"], taken["reason"]) == (made["id"], "The roof leaks.")
    assert (read.id, read.slug, read.name) == (event_id, made["slug"], "PyCon India")
    assert (read.tags, read.place_latitude, read.place_name) == (("a", "b"), 12.5, "Hall")
    assert (read.status, read.cancel_reason, read.sequence) == (
        Status.CANCELLED,
        "The roof leaks.",
        1,
    )
    assert (read.description, read.organizer_name) == ("", "Turnout")
    assert read.start_at.isoformat() == made["start_time"].replace(
        "T10:00:00+05:30", "T04:30:00+00:00"
    )
