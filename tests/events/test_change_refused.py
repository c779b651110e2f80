"""What a change of an event is refused for: what cannot be, and what was changed meanwhile."""

import asyncio
from typing import Any

import httpx2
import pytest
from tests.events import organizing
from tests.events.organizing import BERLIN, Organizing, Written
from tests.factories import in_days
from tests.support import cast
from tests.support.app import RunningApp

AS_MADE = Written(1, 0, ["event.created"], ["event.created"])


@pytest.fixture
async def evening(app: RunningApp, api: httpx2.AsyncClient) -> Organizing:
    """An evening in Berlin with two slots."""
    return await organizing.organizing(app, api, **BERLIN)


@pytest.mark.parametrize(
    "field",
    [
        *("name", "location", "start_time", "end_time", "timezone", "description", "tags"),
        *("slots", "waitlist_enabled", "visibility"),
    ],
)
async def test_null_is_refused_where_an_event_cannot_be_without(
    field: str, evening: Organizing
) -> None:
    assert await evening.refused(**{field: None}) == [(field, "never-null")]
    assert await evening.written() == AS_MADE


OPENS, CLOSES = "registration_opens_at", "registration_closes_at"
OUTSIDE = [
    ("slots.0.end_time", "outside-event"),
    ("slots.1.start_time", "outside-event"),
    ("slots.1.end_time", "outside-event"),
]
ENDLESS = {"title": "T"}
BACKWARDS = {**BERLIN["slots"][0], "end_time": "2030-03-29T19:00:00"}
MISSING = [("slots.0.start_time", "missing"), ("slots.0.end_time", "missing")]


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        ({"surprise": 1}, [("surprise", "unknown-field")]),
        ({"status": "cancelled"}, [("status", "unknown-field")]),
        ({"draft": True}, [("draft", "unknown-field")]),
        ({"slug": "mine"}, [("slug", "unknown-field")]),
        ({"seats_taken": 0}, [("seats_taken", "unknown-field")]),
        ({"name": ""}, [("name", "too-short")]),
        ({"name": "x" * 201}, [("name", "too-long")]),
        ({"name": 5}, [("name", "wrong-type")]),
        ({"max_capacity": 0}, [("max_capacity", "too-small")]),
        ({"max_capacity": 1_000_001}, [("max_capacity", "too-large")]),
        ({"max_capacity": 5.0}, [("max_capacity", "wrong-type")]),
        ({"timezone": "Mars/Olympus"}, [("timezone", "invalid-timezone")]),
        ({"visibility": "secret"}, [("visibility", "not-allowed-value")]),
        ({"waitlist_enabled": "yes"}, [("waitlist_enabled", "wrong-type")]),
        ({"online_url": "javascript:alert(1)"}, [("online_url", "invalid-address")]),
        ({"place": {"latitude": 1}}, [("place", "incomplete-position")]),
        ({"start_time": "tomorrow"}, [("start_time", "invalid-time")]),
        ({"start_time": "2030-03-31T02:30:00"}, [("start_time", "nonexistent-local-time")]),
        ({"end_time": "2030-10-27T02:30:00"}, [("end_time", "ambiguous-local-time")]),
        ({"end_time": "2030-03-29T18:00:00", "slots": []}, [("end_time", "ends-before-start")]),
        ({"end_time": "2032-03-29T18:00:00"}, [("end_time", "event-too-long")]),
        ({"start_time": "2199-12-31T23:00:00"}, [("start_time", "time-out-of-range")]),
        ({"end_time": "2030-03-29T20:00:00"}, OUTSIDE),
        ({"slots": [BACKWARDS]}, [("slots.0.end_time", "ends-before-start")]),
        ({"slots": [ENDLESS]}, MISSING),
        ({CLOSES: "2030-03-30T00:00:00"}, [(CLOSES, "impossible-window")]),
        ({OPENS: "2030-03-29T23:00:00"}, [(OPENS, "impossible-window")]),
        ({OPENS: "2030-03-02T00:00", CLOSES: "2030-03-01T00:00"}, [(OPENS, "impossible-window")]),
    ],
    ids=lambda case: str(case)[:60],
)
async def test_what_an_event_cannot_be_is_refused_by_its_field(
    sent: dict[str, Any], errors: list[tuple[str, str]], evening: Organizing
) -> None:
    assert await evening.refused(**sent) == errors
    assert await evening.read() == evening.event
    assert await evening.written() == AS_MADE


async def test_window_that_a_new_start_leaves_behind_the_end_is_refused(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    closes = {"registration_closes_at": "2030-03-29T17:00:00"}
    event = await organizing.organizing(app, api, **BERLIN, **closes)

    assert await event.refused(start_time="2030-03-20T18:00:00") == [
        ("registration_closes_at", "impossible-window")
    ]
    moved = await event.change(start_time="2030-03-20T18:00:00", registration_closes_at=None)
    assert moved["registration_closes_at"] is None


@pytest.mark.parametrize(
    ("form", "status"),
    [("{}", 200), ("*", 200), ('"other", {}', 200), ('"0-stale"', 412), ("W/{}", 412), ("x", 400)],
)
async def test_if_match_lets_through_only_who_knows_the_event_as_it_is(
    form: str, status: int, evening: Organizing
) -> None:
    etag = (await evening.api.get(evening.path)).headers["etag"]

    answer = await evening.patch({"name": "New"}, **{"If-Match": form.format(etag)})

    codes = {200: None, 400: "precondition-malformed", 412: "precondition-failed"}
    assert (answer.status_code, answer.json().get("code")) == (status, codes[status])
    assert (await evening.read())["name"] == ("New" if status == 200 else evening.event["name"])


async def test_etag_of_a_change_is_that_of_the_event_as_it_is_read(evening: Organizing) -> None:
    first = await evening.patch({"name": "First"})
    read = await evening.api.get(evening.path)
    second = await evening.patch({"name": "Second"}, **{"If-Match": first.headers["etag"]})
    stale = await evening.patch({"name": "Third"}, **{"If-Match": first.headers["etag"]})

    assert read.headers["etag"] == first.headers["etag"]
    assert (second.status_code, stale.status_code) == (200, 412)


async def test_etag_that_another_zone_shows_is_of_the_same_event(evening: Organizing) -> None:
    elsewhere = await evening.api.get(evening.path + "?tz=Asia/Tokyo")

    answer = await evening.patch({"name": "New"}, **{"If-Match": elsewhere.headers["etag"]})

    assert answer.status_code == 200


async def test_seat_that_is_taken_makes_no_etag_stale(evening: Organizing) -> None:
    """Else nobody could change a popular event."""
    etag = (await evening.api.get(evening.path)).headers["etag"]
    await evening.seat(1)

    answer = await evening.patch({"name": "New"}, **{"If-Match": etag})

    assert (answer.status_code, answer.json()["seats_taken"]) == (200, 1)


async def test_two_changes_at_once_of_the_same_state_are_one(evening: Organizing) -> None:
    etag = (await evening.api.get(evening.path)).headers["etag"]

    answers = await asyncio.gather(
        *(evening.patch({"name": name}, **{"If-Match": etag}) for name in ("One", "Two"))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412]
    [taken] = [answer.json()["name"] for answer in answers if answer.status_code == 200]
    assert (await evening.read())["name"] == taken
    assert (await evening.written()).version == 2


NOBODYS = "0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"
TEXT, JSON = {"Content-Type": "text/plain"}, {"Content-Type": "application/json"}
STALE, NO_TAG = {"If-Match": '"0-stale"'}, {"If-Match": "no tag"}
CALLS = [
    ("PATCH", ""), ("DELETE", ""), ("POST", "/publish"), ("POST", "/cancel"), ("POST", "/timezone"),
    ("POST", "/duplicate"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "below"), CALLS)
async def test_refusal_names_the_first_reason_in_the_order_of_the_reference(
    method: str, below: str, closed_app: RunningApp
) -> None:
    """Who may not know learns nothing from a body, an ETag or a query that is wrong as well."""
    event = await organizing.olives(closed_app)
    hidden = await organizing.organizing(closed_app, event.api, draft=True)
    ada, told = await cast.ada(closed_app), list[tuple[int, str]]()

    async def ask(api: httpx2.AsyncClient, path: str, headers: dict[str, str]) -> None:
        answer = await api.request(
            method, f"{path}{below}?tz=Mars", content=b"{", headers=JSON | headers
        )
        told.append((answer.status_code, answer.json()["code"]))

    async with closed_app.client() as nobody, ada.api(closed_app) as stranger:
        await ask(nobody, event.path, STALE)
        await ask(stranger, f"/events/{NOBODYS}", STALE)
        await ask(stranger, hidden.path, STALE)
        await ask(stranger, event.path, STALE)
    if below != "/duplicate":
        await ask(event.api, event.path, NO_TAG)
        await ask(event.api, event.path, STALE)

    assert told[:4] == [
        (401, "unauthenticated"), (404, "not-found"), (404, "not-found"), (403, "not-allowed"),
    ]  # fmt: skip
    assert told[4:] == [(400, "precondition-malformed"), (412, "precondition-failed")] * (
        below != "/duplicate"
    )


@pytest.mark.parametrize(
    ("method", "below", "valid"),
    [
        ("PATCH", "", b'{"name": "New"}'),
        ("POST", "/cancel", b'{"reason": "Rain"}'),
        ("POST", "/timezone", b'{"timezone": "UTC"}'),
        ("POST", "/duplicate", b'{"start_time": "2031-01-01T10:00"}'),
    ],
)
async def test_body_is_refused_for_its_type_before_its_form_before_its_fields(
    method: str, below: str, valid: bytes, evening: Organizing
) -> None:
    requests = [
        (valid, TEXT), (b"{", JSON), (b"", JSON), (b"[]", JSON), (b'{"surprise": 1}', JSON),
        (valid[:-1] + b', "surprise": 1}', JSON),
    ]  # fmt: skip

    answers = [
        await evening.api.request(method, evening.path + below, content=body, headers=headers)
        for body, headers in requests
    ]

    assert [answer.json()["code"] for answer in answers] == [
        "unsupported-media-type", "malformed-json", "malformed-json", *["validation-error"] * 3,
    ]  # fmt: skip
    assert await evening.written() == AS_MADE


async def test_what_is_not_valid_is_told_before_what_the_state_refuses(
    evening: Organizing,
) -> None:
    await evening.seat(2)

    both = await evening.patch({"max_capacity": 1, "end_time": "2030-03-29T10:00:00"})
    alone = await evening.patch({"max_capacity": 1})

    assert [(each.status_code, each.json()["code"]) for each in (both, alone)] == [
        (422, "validation-error"), (409, "capacity-taken"),
    ]  # fmt: skip


async def test_editor_who_may_not_create_does_not_duplicate(closed_app: RunningApp) -> None:
    """An attendee in the team changes the event, but has no events of their own."""
    event, ada = await organizing.olives(closed_app), await cast.ada(closed_app)
    await event.api.post(event.path + "/team", json={"email": ada.email, "role": "editor"})

    async with ada.api(closed_app) as api:
        changed = await api.patch(event.path, json={"name": "By Ada"})
        refused = await api.post(event.path + "/duplicate", json={"start_time": in_days(30)})

    assert (changed.status_code, refused.status_code) == (200, 403)
    assert refused.json()["code"] == "not-allowed"
