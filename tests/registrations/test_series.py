"""An event that repeats: the others are like it, each at the same time by the clock on its wall."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from tests.db import plans, rows
from tests.factories import make_event
from tests.registrations.series_calls import CLASS, DAILY, answered, refusal, repeat, starts
from tests.support import cast
from tests.support.app import RunningApp

from turnout import clock
from turnout.accounts.actor import ANONYMOUS
from turnout.discovery import series as discovery
from turnout.events.models import Event, Series, TeamMember

OWN = {
    *("id", "slug", "start_time", "end_time", "slots", "registration_closes_at"),
    *("created_at", "updated_at"),
}


def without_times(event: dict[str, Any]) -> dict[str, Any]:
    """What an event has in common with the others of its series."""
    return {name: value for name, value in event.items() if name not in OWN}


async def test_event_repeats_at_the_same_wall_clock_with_agenda_and_window(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    course = await repeat(app, api)

    first, *others = await course.read()
    assert [without_times(each) for each in others] == [without_times(first)] * 3
    assert [(each["start_time"], each["end_time"]) for each in (first, *others)] == [
        ("2030-03-30T18:00:00+01:00", "2030-03-30T20:00:00+01:00"),
        ("2030-03-31T18:00:00+02:00", "2030-03-31T20:00:00+02:00"),
        ("2030-04-01T18:00:00+02:00", "2030-04-01T20:00:00+02:00"),
        ("2030-04-02T18:00:00+02:00", "2030-04-02T20:00:00+02:00"),
    ]
    assert [each["registration_closes_at"] for each in (first, *others)] == [
        *("2030-03-30T12:00:00+01:00", "2030-03-31T12:00:00+02:00"),
        *("2030-04-01T12:00:00+02:00", "2030-04-02T12:00:00+02:00"),
    ]
    [slot] = others[0]["slots"]
    assert (slot["title"], slot["start_time"], slot["end_time"]) == (
        *("Warm-up", "2030-03-31T18:00:00+02:00", "2030-03-31T18:30:00+02:00"),
    )
    assert len({each["slots"][0]["id"] for each in (first, *others)}) == 4


async def test_answer_lists_the_events_and_says_where_the_series_is(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    first = await make_event(api, **CLASS)

    answer = await api.post(f"/events/{first['id']}/series", json={"rule": "rrule:" + DAILY})

    made = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/series/{made['series_id']}")
    assert {**made, "events": len(made["events"])} == {
        "dry_run": False,
        "series_id": made["series_id"],
        "rule": DAILY,
        "timezone": "Europe/Berlin",
        "events": 4,
        "warnings": [],
    }
    assert made["events"][0] == {
        "id": first["id"],
        "start_time": "2030-03-30T18:00:00+01:00",
        "end_time": "2030-03-30T20:00:00+01:00",
    }
    [(rule, zone, start)] = await rows.read(
        app.runtime.database, select(Series.rule, Series.timezone, Series.start_local)
    )
    assert (rule, zone, f"{start}") == (DAILY, "Europe/Berlin", "2030-03-30 18:00:00")


async def test_each_event_is_recorded_and_told_once(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    course = await repeat(app, api)

    assert await course.messages() == [("event.created", n) for n in range(4)]
    assert await course.audit() == [
        *(("event.created", n) for n in range(4)), ("event.repeated", 0)
    ]  # fmt: skip


async def test_rehearsal_says_the_same_and_writes_nothing(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    first = await make_event(api, **CLASS)
    dump, body = await rows.dump(app.runtime.database), {"rule": DAILY, "dry_run": True}

    rehearsed = await api.post(f"/events/{first['id']}/series", json=body)

    assert await rows.dump(app.runtime.database) == dump
    made = answered(await api.post(f"/events/{first['id']}/series", json={"rule": DAILY}))
    nobody = [{**each, "id": None} for each in made["events"][1:]]
    assert rehearsed.status_code == 200
    assert "location" not in rehearsed.headers
    assert rehearsed.json() == {
        **made, "dry_run": True, "series_id": None, "events": [made["events"][0], *nobody]
    }  # fmt: skip


async def test_drafts_repeat_as_drafts_that_nobody_finds(closed_app: RunningApp) -> None:
    olive, ada = await cast.olive(closed_app), await cast.ada(closed_app)
    async with olive.api(closed_app) as api, ada.api(closed_app) as adas:
        course = await repeat(closed_app, api, draft=True)

        assert {each["status"] for each in await course.read()} == {"draft"}
        assert [(await adas.get(f"/events/{each}")).status_code for each in course.ids] == [404] * 4
        assert (await adas.get(course.path)).status_code == 404
        assert len(answered(await api.get(course.path))["items"]) == 4


async def test_editor_lets_an_event_repeat_for_its_owner_and_the_team_helps_with_all(
    closed_app: RunningApp,
) -> None:
    olive, grace = await cast.olive(closed_app), await cast.mallory(closed_app)
    don = await cast.ada(closed_app)
    async with olive.api(closed_app) as api, grace.api(closed_app) as graces:
        first = await make_event(api, **CLASS)
        for person, role in ((grace, "editor"), (don, "door")):
            body = {"email": person.email, "role": role}
            await api.post(f"/events/{first['id']}/team", json=body)

        made = answered(await graces.post(f"/events/{first['id']}/series", json={"rule": DAILY}))

        told = await graces.patch(
            f"/events/{made['events'][3]['id']}", json={"name": "Other"}, params={}
        )
    assert answered(told)["organizer"] == {"id": str(olive.id), "name": "Olive"}
    team = select(TeamMember.user_id, TeamMember.role).order_by(TeamMember.role)
    found = await rows.read(closed_app.runtime.database, team)
    assert found == [(don.id, "door")] * 4 + [(grace.id, "editor")] * 4


async def test_found_place_is_not_looked_up_again(app: RunningApp, api: httpx2.AsyncClient) -> None:
    first = await make_event(api, **{**CLASS, "place": None})
    found = {"place_source": "geocoder", "place_city": "Bengaluru", "place_lookup_at": None}
    await rows.change_event(app.runtime.database, first["id"], **found)

    answered(await api.post(f"/events/{first['id']}/series", json={"rule": DAILY}))

    columns = Event.place_source, Event.place_city, Event.place_lookup_at
    assert await rows.read(app.runtime.database, select(*columns)) == [
        ("geocoder", "Bengaluru", None)
    ] * 4  # fmt: skip


async def test_hour_that_the_clocks_skip_moves_one_event_forward_with_a_warning(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    night: dict[str, Any] = {
        "start_time": "2030-03-30T02:30:00",
        "end_time": "2030-03-30T02:50:00",
        "registration_closes_at": None,
        "slots": [],
    }

    course = await repeat(app, api, "FREQ=DAILY;COUNT=3", **night)

    assert [(each["start_time"], each["end_time"]) for each in await course.read()] == [
        ("2030-03-30T02:30:00+01:00", "2030-03-30T02:50:00+01:00"),
        ("2030-03-31T03:30:00+02:00", "2030-03-31T03:50:00+02:00"),
        ("2030-04-01T02:30:00+02:00", "2030-04-01T02:50:00+02:00"),
    ]
    assert course.made["warnings"] == [
        {
            "code": "moved-out-of-gap",
            "field": "events.1.start_time",
            "message": "The clocks in Europe/Berlin skip that time; "
            "it becomes 2030-03-31T03:30:00.",
        }
    ]
    assert await course.local() == [
        ("30 02:30", "30 02:30"), ("31 03:30", "31 02:30"), ("01 02:30", "01 02:30")
    ]  # fmt: skip


async def test_agenda_that_the_clocks_would_turn_around_lasts_as_long_by_the_watch(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    """02:00 becomes 03:00 in that night, when the slot that begins then would end as well."""
    slot = {"title": "Talk", "start_time": "2030-03-30T02:00:00", "end_time": "2030-03-30T03:00:00"}
    night: dict[str, Any] = {
        "start_time": "2030-03-30T01:00:00",
        "end_time": "2030-03-30T05:00:00",
        "registration_closes_at": "2030-03-30T05:00:00",
        "slots": [slot],
    }

    course = await repeat(app, api, "FREQ=DAILY;COUNT=2", **night)

    _, there = await course.read()
    spans = [(each["start_time"], each["end_time"]) for each in (there, *there["slots"])]
    assert spans == [
        ("2030-03-31T01:00:00+01:00", "2030-03-31T06:00:00+02:00"),
        ("2030-03-31T03:00:00+02:00", "2030-03-31T04:00:00+02:00"),
    ]
    assert [(each["code"], each["field"]) for each in course.made["warnings"]] == [
        ("kept-length", "events.1.end_time")
    ]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("FREQ=HOURLY;COUNT=3", "FREQ=HOURLY is too often"),
        ("FREQ=WEEKLY", "The rule has no end"),
        ("FREQ=DAILY;COUNT=501", "COUNT is a number from 1 to 500"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2", "No month of BYMONTH has a day"),
    ],
)
async def test_rule_is_refused_with_its_reason_and_nothing_is_written(
    rule: str, message: str, app: RunningApp, api: httpx2.AsyncClient
) -> None:
    first = await make_event(api, **CLASS)
    dump = await rows.dump(app.runtime.database)

    answer = await api.post(f"/events/{first['id']}/series", json={"rule": rule})

    assert refusal(answer) == (422, "invalid-rule")
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("rule", "invalid-rule")
    assert error["message"].startswith(message)
    assert await rows.dump(app.runtime.database) == dump


async def test_rule_that_begins_on_another_day_names_its_first_date(
    api: httpx2.AsyncClient,
) -> None:
    first = await make_event(api, **CLASS)

    answer = await api.post(
        f"/events/{first['id']}/series", json={"rule": "FREQ=WEEKLY;BYDAY=SU;COUNT=3"}
    )

    assert refusal(answer) == (422, "invalid-rule")
    assert answer.json()["first_start"] == "2030-03-31T18:00:00+02:00"


async def test_events_of_a_series_repeat_no_more(app: RunningApp, api: httpx2.AsyncClient) -> None:
    course = await repeat(app, api)

    answers = [
        await api.post(f"/events/{each}/series", json={"rule": DAILY}) for each in course.ids
    ]

    assert [refusal(each) for each in answers] == [(409, "already-in-series")] * 4
    assert await rows.count(course.database, Event) == 4


async def test_cancelled_event_does_not_repeat(api: httpx2.AsyncClient) -> None:
    first = await make_event(api, **CLASS)
    answered(await api.post(f"/events/{first['id']}/cancel", json={"reason": "No power."}))

    answer = await api.post(f"/events/{first['id']}/series", json={"rule": DAILY})

    assert refusal(answer) == (409, "event-cancelled")


async def test_agenda_that_makes_too_many_slots_is_refused(api: httpx2.AsyncClient) -> None:
    slots = CLASS["slots"] * 11
    first = await make_event(api, **{**CLASS, "slots": slots})

    answer = await api.post(f"/events/{first['id']}/series", json={"rule": "FREQ=DAILY;COUNT=500"})

    assert refusal(answer) == (422, "invalid-rule")
    assert answer.json()["detail"] == (
        "500 events with 11 slots each are too many to make at once: all together may have 5,000."
    )


async def test_same_request_again_makes_no_second_series(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    first = await make_event(api, **CLASS)
    path, headers = f"/events/{first['id']}/series", {"Idempotency-Key": "one"}

    answers = [await api.post(path, json={"rule": DAILY}, headers=headers) for _ in range(2)]

    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert await rows.count(app.runtime.database, Event) == 4


async def test_most_events_are_made_at_once(app: RunningApp, api: httpx2.AsyncClient) -> None:
    course = await repeat(app, api, "FREQ=DAILY;COUNT=500")

    found = await rows.read(
        course.database, select(Event.id, Event.start_local).order_by(Event.start_local)
    )
    begin = datetime(2030, 3, 30, 18)  # noqa: DTZ001 - a wall clock
    assert found == [(UUID(each), begin + timedelta(days=n)) for n, each in enumerate(course.ids)]


# ---- reading one


async def test_series_is_read_page_by_page_in_the_order_of_starts(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    course = await repeat(app, api, "FREQ=DAILY;COUNT=5")
    await course.alone(1, start_time="2030-06-01T18:00:00")

    seen: list[str] = []
    path: str | None = f"{course.path}?limit=2"
    while path is not None:
        answer = await api.get(path)
        page = answered(answer)
        assert {**page, "items": 0, "next_cursor": 0} == {
            "series_id": course.made["series_id"],
            "rule": "FREQ=DAILY;COUNT=5",
            "timezone": "Europe/Berlin",
            "items": 0,
            "next_cursor": 0,
        }
        seen += [each["id"] for each in page["items"]]
        path = answer.links["next"]["url"] if page["next_cursor"] else None
    assert seen == [course.ids[n] for n in (0, 2, 3, 4, 1)]


async def test_series_is_shown_in_the_zone_that_is_asked_for(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    course = await repeat(app, api)

    page = answered(await api.get(f"{course.path}?tz=Asia/Kathmandu&limit=2"))

    assert starts(page["items"]) == ["30T22:45:00+05:45", "31T21:45:00+05:45"]
    assert await course.read() == answered(await api.get(course.path))["items"]


async def test_reader_sees_what_is_public_and_what_they_work_on(closed_app: RunningApp) -> None:
    """An unlisted event is not given away by a public one of its series."""
    olive, ada = await cast.olive(closed_app), await cast.ada(closed_app)
    mallory, root = await cast.mallory(closed_app), await cast.root(closed_app)
    async with olive.api(closed_app) as api:
        course = await repeat(closed_app, api)
        await course.alone(0, visibility="unlisted")
        await course.alone(1, visibility="private")
        cancelled = await api.post(f"/events/{course.ids[2]}/cancel", json={"reason": "Ill."})
        assert cancelled.status_code == 200
        body = {"email": ada.email, "role": "door"}
        await api.post(f"/events/{course.ids[1]}/team", json=body)

    seen = {}
    for name, headers in (
        ("nobody", {}), ("ada", ada.bearer), ("mallory", mallory.bearer),
        ("olive", olive.bearer), ("root", root.bearer),
    ):  # fmt: skip
        async with closed_app.client(headers=headers) as reader:
            items = answered(await reader.get(course.path))["items"]
        seen[name] = [course.ids.index(each["id"]) for each in items]

    everything = [0, 1, 2, 3]
    assert seen == {
        "nobody": [2, 3], "mallory": [2, 3], "ada": [1, 2, 3], "olive": everything,
        "root": everything,
    }  # fmt: skip


async def test_series_of_nothing_that_is_to_be_seen_is_as_unknown_as_any(
    closed_app: RunningApp,
) -> None:
    olive = await cast.olive(closed_app)
    async with olive.api(closed_app) as api, closed_app.client() as nobody:
        course = await repeat(closed_app, api, visibility="unlisted")

        answers = [await nobody.get(path) for path in (course.path, f"/series/{course.ids[0]}")]

        for answer in answers:
            assert refusal(answer) == (404, "not-found")
        assert len(answered(await api.get(course.path))["items"]) == 4


async def test_series_is_read_by_its_index(app: RunningApp, api: httpx2.AsyncClient) -> None:
    course = await repeat(app, api, "FREQ=DAILY;COUNT=500")
    for _ in range(3):
        await repeat(app, api, "FREQ=DAILY;COUNT=500", slots=[])
    await plans.gather_statistics(course.database)
    series_id, after = UUID(course.made["series_id"]), (clock.now(), UUID(course.ids[0]))

    found = await plans.of(
        course.database,
        lambda db: discovery.events_of(db, ANONYMOUS, series_id, after=after, limit=21),
    )

    assert [plans.scans(plan, "events") for plan in found] == [[]] * len(found)
    assert "ix_events_series" in found[0]
