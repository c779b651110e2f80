"""When people are reminded: set by organizers, and kept in step with the start of the event."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from tests.db import rows
from tests.factories import make_event
from tests.registrations.scene import code
from tests.support import cast
from tests.support.app import RunningApp

from turnout import clock
from turnout.audit.models import AuditEntry
from turnout.db.session import Database
from turnout.events.models import Event
from turnout.notifications import reminders
from turnout.notifications.models import Reminder

DAY = timedelta(days=1)


async def an_event(app: RunningApp, **changes: Any) -> dict[str, Any]:
    """An event of Olive's."""
    olive = await cast.olive(app)
    async with olive.api(app) as api:
        return await make_event(api, **changes)


async def follow(database: Database, *events: dict[str, Any], now: datetime | None = None) -> None:
    async with database.write() as db:
        await reminders.follow(db, [UUID(each["id"]) for each in events], now or clock.now())


async def planned(database: Database) -> list[tuple[Any, ...]]:
    """Minutes and due time of every reminder there is."""
    return await rows.read(database, select(Reminder.minutes_before, Reminder.due_at))


def start_of(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["start_time"])


async def test_event_that_nobody_has_said_anything_of_is_reminded_of_a_day_before(
    closed_app: RunningApp,
) -> None:
    event, database = await an_event(closed_app), closed_app.runtime.database

    await follow(database, event)
    await follow(database, event)

    assert await planned(database) == [(1440, start_of(event) - DAY)]


@pytest.mark.parametrize(
    ("changes", "columns"),
    [({"draft": True}, {}), ({}, {"status": "cancelled"}), ({}, {"start_at": "now"})],
    ids=["draft", "cancelled", "begun"],
)
async def test_event_that_is_not_to_come_is_not_reminded_of(
    closed_app: RunningApp, changes: dict[str, Any], columns: dict[str, Any]
) -> None:
    event, database = await an_event(closed_app, **changes), closed_app.runtime.database
    if not changes:
        await follow(database, event)
    if columns.get("start_at"):
        columns = {"start_at": clock.now() - timedelta(seconds=1)}
    if columns:
        await rows.change_event(database, event["id"], **columns)

    await follow(database, event)

    assert [due for _, due in await planned(database)] == ([None] if columns else [])


async def test_event_that_moved_is_reminded_of_before_its_new_start(
    closed_app: RunningApp,
) -> None:
    event, database = await an_event(closed_app), closed_app.runtime.database
    await follow(database, event)
    moved = start_of(event) + 3 * DAY
    later = {"start_at": moved, "end_at": moved + DAY}
    await rows.change_event(database, event["id"], **later)

    await follow(database, event)

    assert await planned(database) == [(1440, moved - DAY)]


async def test_event_that_moved_too_near_is_not_reminded_of_and_one_that_is_late_stays_due(
    closed_app: RunningApp,
) -> None:
    event, database = await an_event(closed_app), closed_app.runtime.database
    await follow(database, event)
    due = start_of(event) - DAY

    # Whoever sends them was away, and someone edits the event meanwhile.
    await follow(database, event, now=due + timedelta(minutes=10))
    late = await planned(database)
    await rows.change_event(database, event["id"], start_at=start_of(event) - timedelta(hours=2))
    await follow(database, event, now=due + timedelta(minutes=10))

    assert late == [(1440, due)]
    assert await planned(database) == [(1440, None)]


async def test_event_is_not_reminded_of_twice_for_the_same_start(closed_app: RunningApp) -> None:
    event, database = await an_event(closed_app), closed_app.runtime.database
    await follow(database, event)
    sent = update(Reminder).values(due_at=None, sent_for=start_of(event))
    await rows.change(database, sent)

    await follow(database, event)
    same = await planned(database)
    moved = start_of(event) + DAY
    await rows.change_event(database, event["id"], start_at=moved, end_at=moved + DAY)
    await follow(database, event)

    assert same == [(1440, None)]
    assert await planned(database) == [(1440, moved - DAY)]


async def test_organizer_sets_when_people_are_reminded(closed_app: RunningApp) -> None:
    olive = await cast.olive(closed_app)
    database = closed_app.runtime.database
    async with olive.api(closed_app) as api:
        event = await make_event(api)
        path = f"/events/{event['id']}/reminder"
        answers = [
            await api.put(path, json={"minutes_before": minutes}) for minutes in (60, 60, None)
        ]
        off = await planned(database)
        on = await api.put(path, json={"minutes_before": 43_200})

    hour = start_of(event) - timedelta(hours=1)
    shown = [(each.status_code, each.json()["minutes_before"]) for each in answers]
    assert shown == [(200, 60), (200, 60), (200, None)]
    assert datetime.fromisoformat(answers[0].json()["due_at"]) == hour
    assert off == [(None, None)]
    # Thirty days before an event in ten days is over.
    assert on.json() == {"minutes_before": 43_200, "due_at": None}
    changes = select(AuditEntry.changes).where(AuditEntry.action == "event.reminder-set")
    recorded = await rows.read(database, changes.order_by(AuditEntry.id))
    assert recorded == [({"minutes_before": each},) for each in (60, None, 43_200)]


@pytest.mark.parametrize("minutes", [4, 43_201, -5, 60.5, "60", True])
async def test_reminder_at_an_impossible_time_is_refused(
    closed_app: RunningApp, minutes: object
) -> None:
    olive = await cast.olive(closed_app)
    async with olive.api(closed_app) as api:
        event = await make_event(api)
        path = f"/events/{event['id']}/reminder"
        refused = await api.put(path, json={"minutes_before": minutes})
        missing = await api.put(path, json={})

    assert code(refused) == code(missing) == (422, "validation-error")
    assert await planned(closed_app.runtime.database) == []


async def test_events_of_a_set_are_followed_together(closed_app: RunningApp) -> None:
    olive = await cast.olive(closed_app)
    database = closed_app.runtime.database
    async with olive.api(closed_app) as api:
        events = [await make_event(api) for _ in range(5)]
    gone = {"id": "0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"}

    await follow(database, *events, gone)

    known = await rows.read(database, select(Event.id).order_by(Event.id))
    reminded = await rows.read(database, select(Reminder.event_id).order_by(Reminder.event_id))
    assert reminded == known
    assert len(reminded) == 5
