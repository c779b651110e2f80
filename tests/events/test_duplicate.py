"""The same event once more: a draft at another time, with all that is not its people's."""

from typing import Any

import httpx2
import pytest
from tests.db import rows
from tests.events import organizing
from tests.events.organizing import BERLIN, Organizing, answered, differing, spans
from tests.support import cast
from tests.support.app import RunningApp

from turnout.events.models import Event

AUTUMN = {"start_time": "2030-10-27T18:00:00"}
"""The day on which the clocks go back; the event was before they went forward."""


@pytest.fixture
async def event(app: RunningApp, api: httpx2.AsyncClient) -> Organizing:
    """An evening in Berlin with everything that an event may have."""
    return await organizing.organizing(
        app, api, **BERLIN,
        description="Words", online_url="https://example.com/", tags=["time"],
        place={"name": "Hall", "city": "Berlin"}, max_capacity=20, waitlist_enabled=True,
        visibility="unlisted", registration_opens_at="2026-01-05T09:00:00",
        registration_closes_at="2030-03-29T12:00:00",
    )  # fmt: skip


async def test_copy_is_a_draft_of_the_same_event_at_the_other_time(event: Organizing) -> None:
    await event.seat(2)

    answer = await event.post("duplicate", AUTUMN)

    copy = answered(answer)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/events/{copy['id']}"
    assert answer.headers["etag"] == (await event.api.get(f"/events/{copy['id']}")).headers["etag"]
    assert {**differing(event.event, copy), "slots": 0} == {
        "id": copy["id"],
        "slug": f"pycon-india-{copy['id'].replace('-', '')[-12:]}",
        "status": "draft",
        "start_time": "2030-10-27T18:00:00+01:00",
        "end_time": "2030-10-27T23:00:00+01:00",
        "slots": 0,
        "registration_opens_at": "2026-08-05T09:00:00+02:00",
        "registration_closes_at": "2030-10-27T12:00:00+01:00",
        "created_at": copy["created_at"],
    }
    assert spans(copy)[1:] == [
        ("2030-10-27T19:00:00+01:00", "2030-10-27T20:30:00+01:00"),
        ("2030-10-27T21:00:00+01:00", "2030-10-27T22:00:00+01:00"),
    ]
    ids = [each["id"] for each in (*copy["slots"], *event.event["slots"])]
    texts = [{k: v for k, v in each.items() if not k.endswith("time")} for each in copy["slots"]]
    assert len(set(ids)) == 4
    assert [each | {"id": ""} for each in texts] == [
        {k: v for k, v in each.items() if not k.endswith("time")} | {"id": ""}
        for each in event.event["slots"]
    ]


async def test_copy_is_an_event_of_its_own(event: Organizing) -> None:
    copy = answered(await event.post("duplicate", AUTUMN))
    as_made = await event.written()
    own = Organizing(event.app, event.api, copy)

    await own.change(name="Another")
    answered(await own.post("publish"))

    assert (await event.read())["name"] == "PyCon India"
    assert await event.written() == as_made
    assert await own.audit() == ["event.created", "event.changed", "event.published"]
    assert await own.topics() == ["event.created", "event.published"]
    assert await rows.drifts(event.database) == []


async def test_copy_belongs_to_who_asked_and_has_no_team(closed_app: RunningApp) -> None:
    event, root = await organizing.olives(closed_app), await cast.root(closed_app)
    grace = await cast.join(closed_app, "Grace")
    await event.api.post(event.path + "/team", json={"email": grace.email, "role": "editor"})

    async with root.api(closed_app) as api:
        copy = answered(await api.post(event.path + "/duplicate", json=AUTUMN))
        team = (await api.get(f"/events/{copy['id']}/team")).json()["items"]

    assert (copy["organizer"]["name"], team) == ("Root", [])
    assert (await event.api.get(f"/events/{copy['id']}")).status_code == 404


async def test_cancelled_event_is_held_again_by_its_copy(event: Organizing) -> None:
    await event.cancel()

    copy = answered(await event.post("duplicate", AUTUMN))

    assert (copy["status"], copy["cancel_reason"], copy["seats_taken"]) == ("draft", None, 0)


async def test_place_that_was_found_is_looked_up_anew(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await organizing.organizing(app, api)
    found = {"place_source": "geocoder", "place_city": "Bengaluru", "place_lookup_at": None}
    await rows.change_event(event.database, event.id, **found)

    copy = answered(await event.post("duplicate", AUTUMN))

    sought = await rows.count(event.database, Event, Event.place_lookup_at.is_not(None))
    assert (copy["place"], sought) == (None, 1)


async def test_key_that_is_sent_again_gets_the_first_copy(event: Organizing) -> None:
    key = {"Idempotency-Key": "once-more"}

    first = await event.post("duplicate", AUTUMN, **key)
    again = await event.post("duplicate", AUTUMN, **key)
    other = await event.post("duplicate", {"start_time": "2031-01-01T10:00"}, **key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")
    assert await rows.count(event.database, Event) == 2


async def test_same_key_for_two_events_is_two_copies(event: Organizing) -> None:
    other = await organizing.organizing(event.app, event.api, **BERLIN, name="Other")
    key = {"Idempotency-Key": "once-more"}

    names = [
        answered(await each.post("duplicate", AUTUMN, **key))["name"] for each in (event, other)
    ]

    assert names == ["PyCon India", "Other"]


@pytest.mark.parametrize(
    ("start", "errors"),
    [
        ("2030-03-31T02:30:00", [("start_time", "nonexistent-local-time")]),
        ("2030-10-27T02:30:00", [("start_time", "ambiguous-local-time")]),
        ("soon", [("start_time", "invalid-time")]),
        ("2199-12-31T23:00:00", [("start_time", "time-out-of-range")]),
        (None, [("start_time", "wrong-type")]),
    ],
)
async def test_copy_at_a_time_that_cannot_be_is_refused(
    start: Any, errors: list[tuple[str, str]], event: Organizing
) -> None:
    before = await rows.counts(event.database)

    refused = await event.post("duplicate", {"start_time": start})

    found = [(each["field"], each["code"]) for each in refused.json()["errors"]]
    assert (refused.status_code, found) == (422, errors)
    assert await rows.counts(event.database) == before
