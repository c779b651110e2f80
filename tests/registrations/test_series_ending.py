"""Those that follow in a series called off or taken away, and by whom."""

from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.factories import make_event
from tests.registrations.series_calls import CLASS, Course, answered, refusal, repeat
from tests.support import cast
from tests.support.app import RunningApp

from turnout.events.models import Event, Series
from turnout.registrations.models import Admission


@pytest.fixture
async def course(app: RunningApp, api: httpx2.AsyncClient) -> Course:
    """Four evenings, over a change of the clocks."""
    return await repeat(app, api)


# ---- calling off


async def test_cancel_of_following_calls_off_each_that_is_to_come(course: Course) -> None:
    await course.seat(2, 2)
    said = len(await course.messages())

    found = answered(await course.cancel(1))

    assert [each["status"] for each in await course.read()] == ["published", *["cancelled"] * 3]
    assert {each["cancel_reason"] for each in (await course.read())[1:]} == {"No heating."}
    assert (await course.messages())[said:] == [("event.cancelled", n) for n in (1, 2, 3)]
    assert found["messages"] == [{"topic": "event.cancelled", "recipients": 2}]
    again = answered(await course.cancel(1))
    assert again["messages"] == []
    assert [each["id"] for each in again["events"]] == [course.ids[1]]


async def test_drafts_among_those_that_follow_stay_when_the_others_are_called_off(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    course = await repeat(app, api, draft=True)
    for n in (0, 2):
        answered(await api.post(f"/events/{course.ids[n]}/publish"))

    found = answered(await course.cancel(0))

    assert [each["id"] for each in found["events"]] == [course.ids[0], course.ids[2]]
    assert [each["status"] for each in await course.read()] == ["cancelled", "draft"] * 2
    assert refusal(await course.cancel(1)) == (409, "event-not-published")


async def test_cancel_rehearsed_calls_off_nothing(course: Course) -> None:
    rehearsed = answered(await course.cancel(0, dry_run="true"))

    assert [each["status"] for each in rehearsed["events"]] == ["cancelled"] * 4
    assert {each["status"] for each in await course.read()} == {"published"}


async def test_cancel_from_an_event_that_is_over_is_refused(course: Course) -> None:
    await course.end(0)

    assert refusal(await course.cancel(0)) == (409, "event-over")
    assert {each["status"] for each in await course.read()} == {"published"}


# ---- taking away


async def test_delete_of_following_takes_them_away_and_at_last_the_series(course: Course) -> None:
    assert (await course.delete(2)).status_code == 204
    assert [(await course.api.get(f"/events/{each}")).status_code for each in course.ids] == [
        *(200, 200, 404, 404)
    ]
    assert await rows.count(course.database, Series) == 1

    assert (await course.delete(0)).status_code == 204
    assert await rows.count(course.database, Series) == 0
    assert await rows.count(course.database, Event) == 0
    assert await rows.count(course.database, Admission) == 0


async def test_delete_names_the_events_that_people_are_registered_for(course: Course) -> None:
    await course.seat(1, 1)
    await course.seat(3, 4)
    dump = await rows.dump(course.database)

    answer = await course.delete(0)

    assert refusal(answer) == (409, "event-has-registrations")
    problem = answer.json()
    assert problem["event_ids"] == f"{course.ids[1]}, {course.ids[3]}"
    assert problem["detail"] == (
        "People are registered for the events at 2030-03-31T18:00:00+02:00, "
        "2030-04-02T18:00:00+02:00; cancel them first."
    )
    assert await rows.dump(course.database) == dump


async def test_delete_takes_cancelled_events_along_and_leaves_past_ones(course: Course) -> None:
    await course.seat(1, 1)
    answered(await course.cancel(1))
    await course.end(2)

    assert (await course.delete(0)).status_code == 204

    left = await rows.read(course.database, select(Event.id))
    assert left == [(UUID(course.ids[2]),)]


# ---- who, and of what


async def test_event_in_no_series_has_nothing_that_follows(api: httpx2.AsyncClient) -> None:
    event = await make_event(api, **CLASS)
    path = f"/events/{event['id']}"

    answers = [
        await api.patch(f"{path}?scope=following", json={"name": "No"}),
        await api.post(f"{path}/cancel?scope=following", json={"reason": "No"}),
        await api.delete(f"{path}?scope=following"),
    ]

    assert [refusal(each) for each in answers] == [(409, "not-in-series")] * 3
    assert answered(await api.patch(f"{path}?scope=this", json={"name": "Yes"}))["name"] == "Yes"


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_scope_is_one_of_two(method: str, course: Course) -> None:
    body = {"name": "No"} if method == "PATCH" else None

    answer = await course.api.request(method, f"/events/{course.ids[0]}?scope=all", json=body)

    assert refusal(answer) == (422, "validation-error")
    assert answer.json()["errors"][0]["field"] == "scope"
    assert await course.names() == ["Yoga"] * 4


async def test_editor_of_one_alone_changes_none_of_those_that_follow(
    closed_app: RunningApp,
) -> None:
    """Nor learns which of them are hidden."""
    olive, grace = await cast.olive(closed_app), await cast.join(closed_app, "Grace")
    async with olive.api(closed_app) as api, grace.api(closed_app) as graces:
        course = await repeat(closed_app, api)
        await course.alone(3, visibility="private")
        for n in (0, 1, 2):
            body = {"email": grace.email, "role": "editor"}
            await api.post(f"/events/{course.ids[n]}/team", json=body)
        hers = Course(closed_app, graces, course.made)
        dump = await rows.dump(course.database)

        answers = [await hers.patch(0, {"name": "No"}), await hers.cancel(0), await hers.delete(0)]

        assert [refusal(each) for each in answers] == [(403, "not-allowed")] * 3
        assert course.ids[3] not in answers[0].text
        assert await rows.dump(course.database) == dump
        assert answered(await graces.patch(f"/events/{course.ids[2]}", json={"name": "Yes"}))


async def test_stranger_and_attendee_change_nothing(closed_app: RunningApp) -> None:
    olive, mallory = await cast.olive(closed_app), await cast.mallory(closed_app)
    async with olive.api(closed_app) as api:
        course = await repeat(closed_app, api)
    for headers, status in (({}, 401), (mallory.bearer, 403)):
        async with closed_app.client(headers=headers) as other:
            theirs = Course(closed_app, other, course.made)
            answers = [
                await theirs.patch(0, {"name": "No"}),
                await theirs.cancel(0),
                await theirs.delete(0),
            ]
            assert [each.status_code for each in answers] == [status] * 3
