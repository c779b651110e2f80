"""An event is published and called off, each once, and everyone sees and hears of it."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from tests.db import rows
from tests.events import organizing
from tests.events.organizing import Organizing, Written, answered, differing
from tests.factories import in_days, register
from tests.support import cast
from tests.support.app import RunningApp

from turnout.accounts.actor import Role
from turnout.events.models import Event

CREATED = "event.created"
REASON = "The hall has no power."


@pytest.fixture
async def draft(closed_app: RunningApp) -> Organizing:
    """A draft of Olive's, on a server that knows who calls."""
    return await organizing.olives(closed_app, draft=True, waitlist_enabled=True, max_capacity=2)


@pytest.fixture
async def event(closed_app: RunningApp) -> Organizing:
    """Her event that is published, with one seat that two people want."""
    made = await organizing.olives(closed_app, waitlist_enabled=True, max_capacity=1)
    async with closed_app.client() as guest:
        for name in ("ada", "bob"):
            answered(await register(guest, made.id, email=f"{name}@example.com"))
    return made


async def seen_by_anyone(event: Organizing) -> tuple[int, list[str]]:
    """The status by which anyone reads the event, and the ids that anyone finds."""
    async with event.app.client() as anyone:
        listed = (await anyone.get("/events")).json()["items"]
        return (await anyone.get(event.path)).status_code, [each["id"] for each in listed]


async def test_draft_that_is_published_is_seen_by_all(draft: Organizing) -> None:
    before = await seen_by_anyone(draft)

    published = answered(await draft.post("publish"))

    assert before == (404, [])
    assert differing(draft.event, published) == {"status": "published"}
    assert await seen_by_anyone(draft) == (200, [draft.id])
    assert await draft.written() == Written(
        2, 1, [CREATED, "event.published"], [CREATED, "event.published"]
    )
    assert await draft.payloads("event.published") == [
        {"event_id": draft.id, "fields": ["status"], "sequence": 1, "before": {}}
    ]


async def test_event_that_is_published_already_stays_as_it_is(draft: Organizing) -> None:
    first = await draft.post("publish")
    written = await draft.written()

    second = await draft.post("publish", **{"If-Match": first.headers["etag"]})

    assert (second.status_code, second.content) == (200, first.content)
    assert second.headers["etag"] == first.headers["etag"]
    assert await draft.written() == written


async def test_draft_that_would_be_over_is_not_published(draft: Organizing) -> None:
    await draft.end()

    refused = await draft.post("publish")

    assert (refused.status_code, refused.json()["code"]) == (409, "event-over")
    assert (await draft.read())["status"] == "draft"


async def test_event_that_was_cancelled_is_not_published_again(event: Organizing) -> None:
    await event.cancel()
    written = await event.written()

    refused = await event.post("publish")

    assert (refused.status_code, refused.json()["code"]) == (409, "event-cancelled")
    assert await event.written() == written


async def test_changes_of_a_draft_tell_nobody(draft: Organizing) -> None:
    await draft.change(name="Working title", start_time=in_days(9), max_capacity=5)
    answered(await draft.post("timezone", {"timezone": "Europe/Berlin"}))

    written = await draft.written()

    assert (written.version, written.sequence) == (3, 2)
    assert written.audit == [CREATED, "event.changed", "event.changed"]
    assert written.topics == [CREATED]


async def test_event_that_is_called_off_says_why_and_is_not_listed(event: Organizing) -> None:
    before = await event.read()

    cancelled = await event.cancel(REASON)

    assert differing(before, cancelled) == {"status": "cancelled", "cancel_reason": REASON}
    assert await seen_by_anyone(event) == (200, [])
    async with event.app.client() as anyone:
        assert (await anyone.get(event.path)).json()["cancel_reason"] == REASON
    [(at, updated)] = await rows.read(event.database, select(Event.cancelled_at, Event.updated_at))
    assert at == updated


async def test_draft_is_deleted_and_not_called_off(draft: Organizing) -> None:
    """A cancelled event can be seen by who has its link; of a draft nobody knows."""
    written = await draft.written()

    refused = await draft.post("cancel", {"reason": REASON})

    assert (refused.status_code, refused.json()["code"]) == (409, "event-not-published")
    assert await draft.written() == written
    assert await seen_by_anyone(draft) == (404, [])


async def test_everyone_registered_is_told_once_that_it_is_off(event: Organizing) -> None:
    """By one message of the event; the registrations stay, so that they can be told."""
    before = await event.topics()
    async with event.app.client() as anyone:
        people = (await event.api.get(event.path + "/attendees")).json()["items"]

        await event.cancel(REASON)
        await event.cancel("Another reason.")

        assert (await event.api.get(event.path + "/attendees")).json()["items"] == people
        refused = await register(anyone, event.id, email="late@example.com")
    assert [each["status"] for each in people] == ["confirmed", "waitlisted"]
    assert (await event.topics())[len(before) :] == ["event.cancelled"]
    assert await event.payloads("event.cancelled") == [
        {"event_id": event.id, "fields": ["status", "cancel_reason"], "sequence": 1, "before": {}}
    ]
    told = refused.json()
    assert (refused.status_code, told["code"], told["reason"]) == (
        409, "registration-closed", "cancelled",
    )  # fmt: skip
    assert await rows.drifts(event.database) == []


async def test_second_cancel_changes_nothing_and_keeps_the_first_reason(event: Organizing) -> None:
    first = await event.post("cancel", {"reason": REASON})
    written = await event.written()

    second = await event.post(
        "cancel", {"reason": "Another."}, **{"If-Match": first.headers["etag"]}
    )

    assert (second.status_code, second.content) == (200, first.content)
    assert await event.written() == written


async def test_seat_that_comes_free_at_a_cancelled_event_is_for_nobody(event: Organizing) -> None:
    people = (await event.api.get(event.path + "/attendees")).json()["items"]
    await event.cancel()

    answered(await event.api.post(f"/registrations/{people[0]['id']}/cancel"))

    left = (await event.api.get(event.path + "/attendees")).json()["items"]
    assert [(each["status"], each["waitlist_position"]) for each in left] == [("waitlisted", 1)]
    assert await rows.drifts(event.database) == []


async def test_event_that_is_over_is_not_called_off(event: Organizing) -> None:
    await event.end()
    written = await event.written()

    refused = await event.post("cancel", {"reason": REASON})

    assert (refused.status_code, refused.json()["code"]) == (409, "event-over")
    assert await event.written() == written


async def test_event_that_was_called_off_and_is_over_stays_as_it_is(event: Organizing) -> None:
    """The second of two who say it again may come late; nothing is wrong with that."""
    await event.cancel(REASON)
    await event.end()

    assert (await event.cancel("Another."))["cancel_reason"] == REASON


@pytest.mark.parametrize(
    ("reason", "code"),
    [(None, "wrong-type"), ("", "too-short"), ("   ", "too-short"), ("x" * 1001, "too-long")],
)
async def test_reason_is_words(reason: Any, code: str, event: Organizing) -> None:
    refused = await event.post("cancel", {"reason": reason})

    errors = [(each["field"], each["code"]) for each in refused.json()["errors"]]
    assert (refused.status_code, errors) == (422, [("reason", code)])
    assert (await event.read())["status"] == "published"


async def test_reason_may_have_a_thousand_characters_in_lines(event: Organizing) -> None:
    reason = "Sorry.\n" + "x" * 993

    assert (await event.cancel(reason))["cancel_reason"] == reason


async def test_editor_changes_and_publishes_but_neither_cancels_nor_deletes(
    draft: Organizing,
) -> None:
    grace = await cast.join(draft.app, "Grace", Role.ORGANIZER)
    await draft.api.post(draft.path + "/team", json={"email": grace.email, "role": "editor"})
    as_grace = Organizing(draft.app, grace.api(draft.app), draft.event)

    changed = await as_grace.change(name="By Grace")
    published = await as_grace.post("publish")
    copied = answered(await as_grace.post("duplicate", {"start_time": in_days(40)}))
    before = await draft.written()
    refused = [
        await as_grace.post("cancel", {"reason": REASON}),
        await as_grace.api.post(f"{draft.path}/cancel?dry_run=true", json={"reason": REASON}),
        await as_grace.api.delete(draft.path),
    ]

    assert (changed["name"], published.status_code) == ("By Grace", 200)
    assert (copied["organizer"]["name"], changed["organizer"]["name"]) == ("Grace", "Olive")
    assert [(each.status_code, each.json()["code"]) for each in refused] == [
        (403, "not-allowed")
    ] * 3
    assert await draft.written() == before


async def test_administrator_runs_everyones_events(draft: Organizing) -> None:
    root = await cast.root(draft.app)
    as_root = Organizing(draft.app, root.api(draft.app), draft.event)

    answered(await as_root.post("publish"))
    cancelled = await as_root.cancel()
    deleted = await as_root.api.delete(draft.path)

    assert (cancelled["organizer"]["name"], deleted.status_code) == ("Olive", 204)


@pytest.mark.parametrize("what", ["publish", "cancel"])
async def test_if_match_counts_for_the_life_too(what: str, event: Organizing) -> None:
    body = {"reason": REASON} if what == "cancel" else None
    etag = (await event.api.get(event.path)).headers["etag"]
    await event.change(name="Changed meanwhile")

    refused = await event.post(what, body, **{"If-Match": etag})

    assert (refused.status_code, refused.json()["code"]) == (412, "precondition-failed")
    assert (await event.read())["status"] == "published"


async def test_kept_clock_that_would_end_an_event_before_its_start_is_refused(
    closed_app: RunningApp,
) -> None:
    """02:30 is skipped there, so it is later than 03:15, which is not."""
    times = {"start_time": "2030-03-31T02:30:00", "end_time": "2030-03-31T03:15:00"}
    event = await organizing.olives(closed_app, timezone="UTC", **times)

    refused = await event.post("timezone", {"timezone": "Europe/Berlin", "keep": "wall_clock"})

    errors = [(each["field"], each["code"]) for each in refused.json()["errors"]]
    assert (refused.status_code, errors) == (422, [("end_time", "ends-before-start")])
    assert await event.read() == event.event


async def test_cause_of_each_step_of_a_life_is_its_request(draft: Organizing) -> None:
    told = []
    for n, (what, body) in enumerate({"publish": None, "cancel": {"reason": REASON}}.items()):
        answer = await draft.post(what, body, **{"X-Request-Id": f"step-{n:06}"})
        told.append(answer.headers["x-request-id"])

    async with (await cast.root(draft.app)).api(draft.app) as root:
        found = (await root.get(f"/admin/audit?event={draft.id}")).json()["items"]
    recorded = [(each["action"], each["request_id"], UUID(each["actor_id"])) for each in found]
    olive = UUID(draft.event["organizer"]["id"])
    assert told == ["step-000000", "step-000001"]
    assert recorded[:2] == [
        ("event.cancelled", told[1], olive), ("event.published", told[0], olive),
    ]  # fmt: skip
