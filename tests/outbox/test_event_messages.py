"""What is written about events: who hears of what, and once; a draft is nobody's business."""

from collections import Counter
from typing import Any

import httpx2
import pytest
from tests.events import organizing
from tests.events.organizing import BERLIN, Organizing, answered
from tests.support.app import RunningApp

MOVED = "2030-03-30T18:00:00"


@pytest.fixture
async def event(app: RunningApp, api: httpx2.AsyncClient) -> Organizing:
    """An evening in Berlin that two people come to."""
    made = await organizing.organizing(app, api, **BERLIN)
    await made.seat(2)
    return made


async def test_change_tells_what_differs_and_what_was(event: Organizing) -> None:
    sent = {"name": "New", "location": "Bonn", "start_time": MOVED, "max_capacity": 60}

    await event.change(**sent)

    assert await event.payloads("event.changed") == [
        {
            "event_id": event.id,
            "fields": ["name", "location", "start_time", "end_time", "slots", "max_capacity"],
            "sequence": 1,
            "before": {
                "name": "PyCon India",
                "location": "Bengaluru",
                "start_time": "2030-03-29T17:00:00+00:00",
                "end_time": "2030-03-29T22:00:00+00:00",
            },
        }
    ]


async def test_move_to_a_zone_tells_the_zone_it_was_in_once(event: Organizing) -> None:
    body = {"timezone": "Asia/Tokyo"}
    for _ in range(2):
        answered(await event.post("timezone", body))

    [told] = await event.payloads("event.changed")
    assert (told["sequence"], told["before"]["timezone"]) == (1, "Europe/Berlin")
    assert told["fields"] == ["timezone", "start_time", "end_time", "slots"]


async def test_sequence_grows_with_what_calendars_show_alone(event: Organizing) -> None:
    for sent in ({"tags": ["a"]}, {"name": "New"}, {"max_capacity": 9}, {"start_time": MOVED}):
        await event.change(**sent)
    await event.cancel()

    told = await event.payloads("event.changed") + await event.payloads("event.cancelled")
    assert [each["sequence"] for each in told] == [0, 1, 1, 2, 3]


async def test_message_is_about_the_event(event: Organizing) -> None:
    """Its subject is the event, not each of those who come: the one message is for all."""
    await event.change(name="New")
    await event.cancel()

    told = Counter(await event.topics())
    assert told == {
        "event.created": 1, "registration.confirmed": 2, "event.changed": 1, "event.cancelled": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "sent", [{"name": "New"}, {"start_time": MOVED}, {"max_capacity": 3}, {"visibility": "private"}]
)
async def test_draft_is_told_to_nobody_until_it_is_published(
    sent: dict[str, Any], app: RunningApp, api: httpx2.AsyncClient
) -> None:
    draft = await organizing.organizing(app, api, **BERLIN, draft=True)

    await draft.change(**sent)
    before = await draft.topics()
    answered(await draft.post("publish"))
    await draft.change(description="Words")

    assert before == ["event.created"]
    assert await draft.topics() == ["event.created", "event.published", "event.changed"]


async def test_what_is_refused_or_rehearsed_is_told_to_nobody(event: Organizing) -> None:
    before = await event.topics()

    await event.rehearse(name="New", max_capacity=None)
    refused = [
        await event.patch({"max_capacity": 1}),
        await event.patch({"name": "New"}, **{"If-Match": '"0-x"'}),
        await event.api.delete(event.path),
    ]

    assert [each.status_code for each in refused] == [409, 412, 409]
    assert await event.topics() == before
