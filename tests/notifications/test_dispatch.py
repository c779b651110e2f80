"""What happens reaches everyone it concerns once: whoever joins, waits, is moved or cancelled."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
import time_machine
from tests.factories import a_person, in_days, make_event, register
from tests.notifications import dispatching
from tests.notifications.dispatching import data_of, dispatched, mails
from tests.support import cast
from tests.support.app import RunningApp, running

from turnout import clock
from turnout.accounts import sign_ins
from turnout.accounts.actor import Role
from turnout.accounts.models import SignInKind
from turnout.accounts.sign_ins import Client
from turnout.notifications import dispatch
from turnout.settings import Settings

ADA, BOB = "ada@example.com", "bob@example.com"
CHANGED, CANCELLED = "event-changed", "event-cancelled"


async def joined(api: httpx2.AsyncClient, event_id: str, *emails: str) -> list[dict[str, Any]]:
    made = []
    for email in emails:
        answer = await register(api, event_id, email=email, name=email.partition("@")[0].title())
        assert answer.status_code == 201, answer.text
        made.append(answer.json())
    return made


async def test_whoever_joins_waits_moves_up_and_cancels_has_one_mail_each_time(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api, max_capacity=1, waitlist_enabled=True)
    ada, _ = await joined(api, event["id"], ADA, BOB)
    await dispatched(app)
    headers = {"Authorization": f"Ticket {ada['manage_token']}"}
    answer = await api.post(f"/registrations/{ada['id']}/cancel", headers=headers)
    assert answer.status_code == 200
    await dispatched(app)
    await dispatched(app)

    assert await mails(app) == [
        ("registration-confirmed", ADA),
        ("registration-waitlisted", BOB),
        ("registration-cancelled", ADA),
        ("registration-confirmed", BOB),
    ]
    assert await data_of(app, "registration-confirmed") == [{"moved_up": False}, {"moved_up": True}]
    assert await data_of(app, "registration-cancelled") == [{"by": "attendee"}]


async def test_organizer_hears_of_new_event_and_of_series_once(closed_app: RunningApp) -> None:
    olive = await cast.join(closed_app, "Olive", Role.ORGANIZER)
    async with olive.api(closed_app) as api:
        await make_event(api)
        first = await make_event(api, name="Weekly")
        made = await api.post(f"/events/{first['id']}/series", json={"rule": "FREQ=WEEKLY;COUNT=4"})
    assert made.status_code == 201, made.text
    await dispatched(closed_app)

    told = await data_of(closed_app, "event-created")
    assert [each.get("occurrences") for each in told] == [None, None, 3]
    assert {address for _, address in await mails(closed_app, "event-created")} == {olive.email}


async def test_built_in_organizer_has_no_address_to_write_to(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    await make_event(api)
    await dispatched(app)

    assert await mails(app) == []
    assert [place for _, place in await dispatching.positions(app)] == [1]


async def test_messages_have_places_without_a_gap_in_their_order(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api)
    await joined(api, event["id"], ADA)
    await dispatched(app)
    await joined(api, event["id"], BOB, "eve@example.com")
    await dispatched(app)

    assert [place for _, place in await dispatching.positions(app)] == [1, 2, 3, 4]


async def test_two_who_dispatch_at_once_share_the_places_and_repeat_nothing(
    settings: Settings,
) -> None:
    async with running(settings) as one, running(settings) as other, one.client() as api:
        event = await make_event(api, max_capacity=400)
        emails = [a_person(n)["email"] for n in range(120)]
        await asyncio.gather(*(joined(api, event["id"], email) for email in emails))
        await asyncio.gather(*(dispatched(each) for each in (one, other, one, other)))
        await dispatched(one)

        places = sorted(place or 0 for _, place in await dispatching.positions(one))
        told = [address for _, address in await mails(one)]
    assert places == list(range(1, 122))
    assert sorted(told) == sorted(emails)


async def test_crowd_is_told_in_parts_and_whoever_joins_meanwhile_is_not_behind_it(
    app: RunningApp, api: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "LARGEST_CROWD", 2)
    event, other = await make_event(api), await make_event(api, name="Another")
    crowd = [a_person(n)["email"] for n in range(5)]
    await joined(api, event["id"], *crowd)
    await dispatched(app)
    await api.post(f"/events/{event['id']}/cancel", json={"reason": "Rain"})
    database = app.runtime.database
    async with database.write() as db:
        await dispatch.dispatch(db, clock.now(), timedelta())
    await joined(api, other["id"], BOB)
    await dispatched(app)

    later = (await mails(app))[len(crowd) :]
    assert [address for kind, address in later if kind == CANCELLED] == crowd
    assert later.index(("registration-confirmed", BOB)) < len(crowd)


async def test_several_edits_are_told_once_with_what_was_before_the_first(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api)
    await joined(api, event["id"], ADA)
    settle = timedelta(minutes=3)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for hour in (11, 12, 13):
            start = in_days(10, hour=hour)
            changed = await api.patch(f"/events/{event['id']}", json={"start_time": start})
            assert changed.status_code == 200, changed.text
            await dispatched(app, settle)
            traveller.shift(timedelta(minutes=2))
            await dispatching.by_the_clock(app)
        assert await mails(app, CHANGED) == []
        traveller.shift(timedelta(minutes=1))
        await dispatching.by_the_clock(app)
        traveller.shift(timedelta(minutes=10))
        await dispatching.by_the_clock(app)

    assert await mails(app, CHANGED) == [(CHANGED, ADA)]
    [data] = await data_of(app, CHANGED)
    assert set(data["before"]) == {"start_time", "end_time"}
    assert data["before"]["start_time"].endswith("T04:30:00+00:00")


async def test_edit_that_is_taken_back_is_told_to_nobody(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api)
    await joined(api, event["id"], ADA)
    for place in ("Mysuru", "Bengaluru"):
        await api.patch(f"/events/{event['id']}", json={"location": place})
    await dispatched(app)
    await dispatching.by_the_clock(app)

    assert await mails(app, CHANGED) == []


async def test_cancelling_is_told_instead_of_the_changes_before_it(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api)
    await joined(api, event["id"], ADA)
    await api.patch(f"/events/{event['id']}", json={"location": "Mysuru"})
    await dispatched(app, timedelta(minutes=3))
    await api.post(f"/events/{event['id']}/cancel", json={"reason": "Rain"})
    await dispatched(app, timedelta(minutes=3))
    with time_machine.travel(clock.now() + timedelta(hours=1), tick=False):
        await dispatching.by_the_clock(app)

    assert await mails(app, CHANGED, CANCELLED) == [(CANCELLED, ADA)]


async def test_event_deleted_right_after_it_was_cancelled_still_tells_everyone(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api)
    await joined(api, event["id"], ADA, BOB)
    await api.post(f"/events/{event['id']}/cancel", json={"reason": "Rain"})
    deleted = await api.delete(f"/events/{event['id']}")
    assert deleted.status_code == 204, deleted.text
    await dispatched(app)

    assert await mails(app, CANCELLED) == [(CANCELLED, ADA), (CANCELLED, BOB)]
    names = [each["event"]["name"] for each in await data_of(app, CANCELLED)]
    assert names == ["PyCon India"] * 2


async def test_reminder_reaches_who_had_a_seat_when_it_was_due_and_follows_the_event(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api, max_capacity=2, waitlist_enabled=True)
    await joined(api, event["id"], ADA)
    await dispatched(app)
    start = datetime.fromisoformat(event["start_time"])
    late = timedelta(hours=20)
    with time_machine.travel(start - late, tick=False) as traveller:
        await joined(api, event["id"], BOB, "eve@example.com")
        await dispatching.by_the_clock(app)
        await dispatching.by_the_clock(app)
        first = await mails(app, "event-reminder")
        moved = await api.patch(
            f"/events/{event['id']}", json={"start_time": (start + timedelta(days=5)).isoformat()}
        )
        assert moved.status_code == 200, moved.text
        await dispatched(app)
        traveller.shift(timedelta(days=5))
        await dispatching.by_the_clock(app)

    assert first == [("event-reminder", ADA)]
    assert await mails(app, "event-reminder") == [
        ("event-reminder", ADA),
        ("event-reminder", ADA),
        ("event-reminder", BOB),
    ]


async def test_sign_in_with_a_new_program_is_told_and_one_with_a_known_is_not(
    closed_app: RunningApp,
) -> None:
    ada = await cast.ada(closed_app)
    database = closed_app.runtime.database
    for program in ("Phone", "test", "Phone", "Laptop"):
        async with database.write() as db:
            found = await sign_ins.candidate_by_id(db, ada.id)
            assert found is not None
            where = Client(program, "192.0.2.1")
            await sign_ins.open_(db, found, SignInKind.PAGE, where, cast.CAUSE, clock.now())
    await dispatched(closed_app)

    assert await mails(closed_app, "new-sign-in") == [("new-sign-in", ada.email)] * 2
