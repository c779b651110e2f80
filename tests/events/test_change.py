"""What a change of an event changes, field by field, and what it leaves as it was."""

from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.events import organizing
from tests.events.organizing import BERLIN, Organizing, Written, answered, differing, spans
from tests.support.app import RunningApp

from turnout import clock
from turnout.audit.models import AuditEntry
from turnout.events.models import Event, PlaceSource

PLACE = {
    "name": "Town hall", "address": "Platz 1", "city": "Bonn", "country": "Germany",
    "latitude": 50.7, "longitude": 7.1,
}  # fmt: skip
AS_MADE = Written(1, 0, ["event.created"], ["event.created"])


@pytest.fixture
async def evening(app: RunningApp, api: httpx2.AsyncClient) -> Organizing:
    """An evening in Berlin with two slots."""
    return await organizing.organizing(app, api, **BERLIN)


# What is sent, and what it bumps: 1 where readers of the calendar entry must hear of it.
FIELDS: list[tuple[dict[str, Any], int]] = [
    ({"name": "Another name"}, 1),
    ({"location": "Köln"}, 1),
    ({"max_capacity": 7}, 0),
    ({"max_capacity": None}, 0),
    ({"description": "Two *days*.\nBring a hat."}, 1),
    ({"description": ""}, 1),
    ({"place": PLACE}, 1),
    ({"online_url": "https://example.com/x"}, 1),
    ({"online_url": None}, 1),
    ({"tags": ["time", "hats"]}, 0),
    ({"tags": []}, 0),
    ({"waitlist_enabled": True}, 0),
    ({"registration_opens_at": "2030-01-01T00:00:00+01:00"}, 0),
    ({"registration_closes_at": "2030-03-29T12:00:00+01:00"}, 0),
    ({"registration_opens_at": None}, 0),
    ({"registration_closes_at": None}, 0),
    ({"visibility": "unlisted"}, 0),
    ({"visibility": "private"}, 0),
]
TO_TAKE_AWAY = {
    "description": "Words", "online_url": "https://example.com/", "tags": ["old"],
    "registration_opens_at": "2029-01-01T00:00:00", "registration_closes_at": "2030-03-28T00:00:00",
}  # fmt: skip


@pytest.mark.parametrize(("sent", "bump"), FIELDS, ids=lambda case: str(case)[:50])
async def test_field_that_is_sent_changes_and_no_other(
    sent: dict[str, Any], bump: int, app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await organizing.organizing(app, api, **{**BERLIN, **TO_TAKE_AWAY})

    changed = await event.change(**sent)

    derived = {"seats_left": sent["max_capacity"]} if "max_capacity" in sent else {}
    assert differing(event.event, changed) == {**sent, **derived}
    assert await event.read() == changed
    assert await event.written() == Written(
        2, bump, ["event.created", "event.changed"], ["event.created", "event.changed"]
    )


async def test_change_of_many_fields_is_one_change(evening: Organizing) -> None:
    sent = {
        "name": "New", "location": "Bonn", "max_capacity": 9, "description": "D", "place": PLACE,
        "online_url": "https://example.com/", "tags": ["a", "b", "a"], "waitlist_enabled": True,
        "visibility": "unlisted", "registration_closes_at": "2030-03-29T17:00:00",
    }  # fmt: skip

    changed = await evening.change(**sent)

    assert differing(evening.event, changed) == {
        **sent, "tags": ["a", "b"], "seats_left": 9,
        "registration_closes_at": "2030-03-29T17:00:00+01:00",
    }  # fmt: skip
    [told] = await evening.payloads("event.changed")
    assert sorted(told["fields"]) == sorted(sent)
    assert (await evening.written()).version == 2


async def test_change_is_recorded_with_the_names_of_what_differs(evening: Organizing) -> None:
    await evening.change(name="New", start_time="2030-03-29T18:30:00", max_capacity=3)

    changed = AuditEntry.action == "event.changed"
    found = await rows.read(evening.database, select(AuditEntry.changes).where(changed))
    fields = ["name", "start_time", "end_time", "slots", "max_capacity"]
    assert found == [({"fields": fields},)]


async def test_nothing_sent_changes_nothing(evening: Organizing) -> None:
    before = await evening.api.get(evening.path)

    answer = await evening.patch({})

    assert (answer.status_code, answer.content) == (200, before.content)
    assert answer.headers["etag"] == before.headers["etag"]
    assert await evening.written() == AS_MADE


async def test_what_is_sent_as_it_is_changes_nothing(evening: Organizing) -> None:
    """The slots too, in whatever order: each keeps its id, and nobody is told of it."""
    names = (
        *("name", "location", "description", "start_time", "end_time", "timezone", "max_capacity"),
        *("place", "online_url", "tags", "waitlist_enabled", "visibility"),
        *("registration_opens_at", "registration_closes_at"),
    )
    slots = [{k: v for k, v in each.items() if k != "id"} for each in evening.event["slots"]]

    same = await evening.change(**{n: evening.event[n] for n in names}, slots=slots[::-1])

    assert same == evening.event
    assert await evening.written() == AS_MADE


async def test_new_start_takes_the_rest_along_on_the_clock_over_a_change_of_the_clocks(
    evening: Organizing,
) -> None:
    """Two days later the offset is another, and the evening lasts as long on the wall."""
    changed = await evening.change(start_time="2030-03-31T18:30:00")

    assert spans(changed) == [
        ("2030-03-31T18:30:00+02:00", "2030-03-31T23:30:00+02:00"),
        ("2030-03-31T19:30:00+02:00", "2030-03-31T21:00:00+02:00"),
        ("2030-03-31T21:30:00+02:00", "2030-03-31T22:30:00+02:00"),
    ]
    assert [each["id"] for each in changed["slots"]] == [
        each["id"] for each in evening.event["slots"]
    ]
    assert await evening.read() == changed
    [told] = await evening.payloads("event.changed")
    assert told == {
        "event_id": evening.id,
        "fields": ["start_time", "end_time", "slots"],
        "sequence": 1,
        "before": {
            "start_time": "2030-03-29T17:00:00+00:00",
            "end_time": "2030-03-29T22:00:00+00:00",
        },
    }


async def test_new_start_with_an_end_takes_the_slots_along_and_leaves_the_end(
    evening: Organizing,
) -> None:
    changed = await evening.change(start_time="2030-03-31T18:30:00", end_time="2030-03-31T22:30:00")

    assert spans(changed) == [
        ("2030-03-31T18:30:00+02:00", "2030-03-31T22:30:00+02:00"),
        ("2030-03-31T19:30:00+02:00", "2030-03-31T21:00:00+02:00"),
        ("2030-03-31T21:30:00+02:00", "2030-03-31T22:30:00+02:00"),
    ]


async def test_new_start_with_slots_takes_the_end_along_alone(evening: Organizing) -> None:
    slot = {"title": "Only", "start_time": "2030-03-31T18:30:00", "end_time": "2030-03-31T19:00:00"}

    changed = await evening.change(start_time="2030-03-31T18:30:00", slots=[slot])

    assert spans(changed) == [
        ("2030-03-31T18:30:00+02:00", "2030-03-31T23:30:00+02:00"),
        ("2030-03-31T18:30:00+02:00", "2030-03-31T19:00:00+02:00"),
    ]


async def test_new_end_leaves_all_other_times(evening: Organizing) -> None:
    changed = await evening.change(end_time="2030-03-31T03:00:00")

    assert differing(evening.event, changed) == {"end_time": "2030-03-31T03:00:00+02:00"}


async def test_start_that_is_sent_as_another_instants_clock_is_that_instant(
    evening: Organizing,
) -> None:
    changed = await evening.change(start_time="2030-03-29T18:00:00Z")

    assert spans(changed)[0] == ("2030-03-29T19:00:00+01:00", "2030-03-30T00:00:00+01:00")


async def test_times_that_were_sent_are_not_warned_of(evening: Organizing) -> None:
    """In the night in which the clocks go back; what is found by rule alone is to be looked at."""
    sent = {"start_time": "2030-10-27T02:30:00+01:00"}
    by_rule = (await evening.rehearse(**sent))["warnings"]
    times = {"end_time": "2030-10-27T08:00:00", "slots": []}
    all_sent = (await evening.rehearse(**sent, **times))["warnings"]

    assert (by_rule, all_sent) == ([], [])


async def test_slot_that_comes_into_the_skipped_hour_is_moved_and_warned_of(
    evening: Organizing,
) -> None:
    sent = {"start_time": "2030-03-31T01:15:00"}

    rehearsed = await evening.rehearse(**sent)
    changed = await evening.change(**sent)

    assert spans(changed)[1][0] == "2030-03-31T03:15:00+02:00"
    assert [(each["code"], each["field"]) for each in rehearsed["warnings"]] == [
        ("moved-out-of-gap", "slots.0.start_time")
    ]


async def test_agenda_that_is_sent_replaces_the_one_there_is(evening: Organizing) -> None:
    kept = dict(BERLIN["slots"][1])
    new = {"title": "New", "start_time": "2030-03-29T18:00:00", "end_time": "2030-03-29T18:30:00"}

    changed = await evening.change(slots=[kept, new])

    assert organizing.titles(changed["slots"]) == ["New", "Walk"]
    assert changed["slots"][1] == evening.event["slots"][1]
    assert await evening.read() == changed
    assert (await evening.change(slots=[]))["slots"] == []


async def test_new_zone_alone_keeps_every_instant(app: RunningApp, api: httpx2.AsyncClient) -> None:
    window = {"registration_opens_at": "2030-01-01T00:00:00"}
    event = await organizing.organizing(app, api, **BERLIN, **window)

    changed = await event.change(timezone="Asia/Kathmandu")

    assert changed["timezone"] == "Asia/Kathmandu"
    assert spans(changed) == [
        ("2030-03-29T22:45:00+05:45", "2030-03-30T03:45:00+05:45"),
        ("2030-03-29T23:45:00+05:45", "2030-03-30T01:15:00+05:45"),
        ("2030-03-30T01:45:00+05:45", "2030-03-30T02:45:00+05:45"),
    ]
    assert changed["registration_opens_at"] == "2030-01-01T04:45:00+05:45"
    back = await event.change(timezone="Europe/Berlin")
    assert differing(event.event, back) == {}
    assert (await event.written()).sequence == 2


async def test_new_zone_with_a_start_reads_it_by_the_new_clock(evening: Organizing) -> None:
    changed = await evening.change(timezone="Asia/Kathmandu", start_time="2030-03-30T10:00:00")

    assert spans(changed)[0] == ("2030-03-30T10:00:00+05:45", "2030-03-30T15:00:00+05:45")


async def place_of(event: Organizing) -> tuple[Any, ...]:
    columns = (
        Event.place_source, Event.place_city, Event.place_lookups, Event.suggested_timezone,
        Event.place_lookup_at.is_not(None),
    )  # fmt: skip
    [row] = await rows.read(event.database, select(*columns).where(Event.id == UUID(event.id)))
    return row


async def let_be_found(event: Organizing) -> None:
    """The place that a geocoder found from the location."""
    found = {"place_source": PlaceSource.GEOCODER, "place_city": "Berlin", "place_lookups": 2}
    values = {**found, "place_lookup_at": None, "suggested_timezone": "Europe/Paris"}
    await rows.change_event(event.database, event.id, **values)


async def test_place_that_was_found_goes_with_its_location(evening: Organizing) -> None:
    await let_be_found(evening)

    renamed = await evening.change(name="Still there")
    as_it_was = await place_of(evening)
    moved = await evening.change(location="Bonn")

    assert renamed["place"]["city"] == "Berlin"
    assert as_it_was == (PlaceSource.GEOCODER, "Berlin", 2, "Europe/Paris", False)
    assert (moved["place"], moved["suggested_timezone"]) == (None, None)
    assert await place_of(evening) == (None, None, 0, None, True)


async def test_place_that_was_found_gives_way_to_the_organizers(evening: Organizing) -> None:
    await let_be_found(evening)

    changed = await evening.change(place=PLACE, location="Bonn")

    assert changed["place"] == PLACE
    assert await place_of(evening) == (PlaceSource.ORGANIZER, "Bonn", 2, None, False)


async def test_place_of_the_organizer_stays_when_the_location_changes(evening: Organizing) -> None:
    await evening.change(place=PLACE)

    changed = await evening.change(location="Round the corner")

    assert changed["place"] == PLACE
    assert (await place_of(evening))[0] == PlaceSource.ORGANIZER


@pytest.mark.parametrize("nothing", [None, {}])
async def test_place_that_is_taken_away_is_looked_up_again(
    nothing: dict[str, Any] | None, evening: Organizing
) -> None:
    await evening.change(place=PLACE)

    changed = await evening.change(place=nothing)

    assert changed["place"] is None
    assert await place_of(evening) == (None, None, 0, None, True)
    assert [each["fields"] for each in await evening.payloads("event.changed")] == [["place"]] * 2


async def test_place_that_was_not_found_is_sought_again_and_nobody_is_told(
    evening: Organizing,
) -> None:
    given_up = {"place_lookups": 5, "place_lookup_at": None}
    await rows.change_event(evening.database, evening.id, **given_up)

    await evening.change(place=None)

    assert await place_of(evening) == (None, None, 0, None, True)
    assert (await evening.written()).topics == ["event.created"]


async def test_answer_is_shown_in_the_zone_that_is_asked_for(evening: Organizing) -> None:
    answer = await evening.patch({"end_time": "2030-03-29T23:30:00"}, "?tz=Asia/Tokyo")

    shown = answered(answer)
    assert (shown["display_timezone"], shown["timezone"]) == ("Asia/Tokyo", "Europe/Berlin")
    assert shown["end_time"] == "2030-03-30T07:30:00+09:00"


async def test_unlisted_event_is_read_by_its_link_and_not_listed(
    closed_app: RunningApp,
) -> None:
    """And a private one is not there at all, for whoever does not work on it."""
    from_olive = await organizing.olives(closed_app)
    async with closed_app.client() as anyone:
        seen = []
        for visibility in ("unlisted", "private", "public"):
            await from_olive.change(visibility=visibility)
            listed = [each["id"] for each in (await anyone.get("/events")).json()["items"]]
            seen.append(((await anyone.get(from_olive.path)).status_code, from_olive.id in listed))

    assert seen == [(200, False), (404, False), (200, True)]


async def test_change_is_found_in_the_list_at_once(evening: Organizing) -> None:
    """Answers are kept for those who ask often; a change outdates them."""
    first = await evening.api.get("/events")

    await evening.change(name="Renamed")
    second = await evening.api.get("/events", headers={"If-None-Match": first.headers["etag"]})

    assert [each["name"] for each in second.json()["items"]] == ["Renamed"]


async def test_change_moves_when_the_event_was_updated(evening: Organizing) -> None:
    asked = clock.now()

    changed = await evening.change(name="Later")

    assert changed["created_at"] == evening.event["created_at"]
    [(updated,)] = await rows.read(evening.database, select(Event.updated_at))
    assert updated >= asked
