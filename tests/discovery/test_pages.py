"""Pages of lists: each item once, whatever happens meanwhile; cursors that hold for one query."""

import base64
from typing import Any

import httpx2
import pytest
from sqlalchemy import delete
from tests.db import rows
from tests.factories import a_person, in_days, make_event, register
from tests.support.app import RunningApp

from turnout.events.models import Event
from turnout.registrations.models import Admission

MOST_PAGES = 50


async def page(api: httpx2.AsyncClient, path: str) -> tuple[list[str], str | None]:
    """The names on a page, and the address of the next."""
    answer = await api.get(path)
    assert answer.status_code == 200, answer.text
    body, link = answer.json(), answer.links.get("next")
    assert (link is None) == (body["next_cursor"] is None)
    return [item["name"] for item in body["items"]], None if link is None else link["url"]


async def all_pages(api: httpx2.AsyncClient, path: str) -> list[list[str]]:
    pages: list[list[str]] = []
    following: str | None = path
    while following is not None and len(pages) < MOST_PAGES:
        names, following = await page(api, following)
        pages.append(names)
    return pages


async def some_events(api: httpx2.AsyncClient, count: int, **changes: Any) -> list[str]:
    """Events 0 to count - 1, two at each time."""
    for n in range(count):
        day = in_days(3 + n // 2)
        await make_event(api, name=f"Event {n}", start_time=day, end_time=in_days(60), **changes)
    return [f"Event {n}" for n in range(count)]


@pytest.mark.parametrize(
    ("limit", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (4, [4, 1]), (5, [5]), (100, [5])]
)
async def test_pages_of_events_hold_each_once_in_order(
    api: httpx2.AsyncClient, limit: int, sizes: list[int]
) -> None:
    expected = await some_events(api, 5)

    pages = await all_pages(api, f"/events?limit={limit}&tz=UTC")

    assert [name for names in pages for name in names] == expected
    assert [len(names) for names in pages] == sizes


async def test_pages_without_a_limit_have_twenty(api: httpx2.AsyncClient) -> None:
    expected = await some_events(api, 21)

    pages = await all_pages(api, "/events")

    assert pages == [expected[:20], expected[20:]]


async def test_pages_while_others_insert_and_delete_hold_what_stays_once(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    expected = await some_events(api, 8)
    seen, following = await page(api, "/events?limit=2")

    for turn in range(3):
        # One before the place of reading, one behind it, and one that was read already goes.
        await make_event(api, name="Earlier", start_time=in_days(1), end_time=in_days(2))
        later = in_days(40 + turn)
        await make_event(api, name=f"Later {turn}", start_time=later, end_time=in_days(60))
        await rows.change(app.runtime.database, *gone(seen[-1]))
        names, following = await page(api, following or "")
        seen += names
    rest = [name for names in await all_pages(api, following or "") for name in names]

    assert seen + rest == [*expected, "Later 0", "Later 1", "Later 2"]


def gone(name: str) -> list[Any]:
    """What deletes an event that has no registrations."""
    named = Event.name == name
    of_it = Admission.event_id.in_(
        Event.__table__.select().where(named).with_only_columns(Event.id)
    )
    return [delete(Admission).where(of_it), delete(Event).where(named)]


async def test_pages_of_attendees_while_others_register_hold_each_once(
    api: httpx2.AsyncClient,
) -> None:
    event = await make_event(api)
    for n in range(5):
        await register(api, event["id"], **a_person(n))
    seen, following = await page(api, f"/events/{event['id']}/attendees?limit=2")

    await register(api, event["id"], **a_person(5))
    while following is not None and len(seen) < MOST_PAGES:
        names, following = await page(api, following)
        seen += names

    assert seen == [a_person(n)["name"] for n in range(6)]


async def test_link_keeps_the_other_parameters(api: httpx2.AsyncClient) -> None:
    await some_events(api, 3)

    answer = await api.get("/events?tz=Asia%2FKathmandu&limit=2&x=a%20b")

    cursor = answer.json()["next_cursor"]
    assert answer.headers["link"] == (
        f'</events?tz=Asia%2FKathmandu&limit=2&x=a+b&cursor={cursor}>; rel="next"'
    )


@pytest.mark.parametrize("path", ["/events", "/events/{}/attendees"])
async def test_limit_out_of_bounds_is_refused(api: httpx2.AsyncClient, path: str) -> None:
    path = path.format((await make_event(api))["id"])
    limits = ["0", "-1", "101", "9" * 5_000, "abc", "", "1.5"]

    problems = [(await api.get(path, params={"limit": limit})).json() for limit in limits]

    errors = [[(e["field"], e["code"]) for e in each["errors"]] for each in problems]
    codes = ["too-small"] * 2 + ["too-large"] * 2 + ["wrong-type"] * 3
    assert [(each["status"], each["code"]) for each in problems] == [(422, "validation-error")] * 7
    assert errors == [[("limit", code)] for code in codes]


async def test_parameter_sent_twice_is_refused(api: httpx2.AsyncClient) -> None:
    answer = await api.get("/events?limit=1&limit=2")

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "validation-error")
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [("limit", "sent-twice")]


async def a_cursor(api: httpx2.AsyncClient, path: str) -> str:
    cursor: str = (await api.get(path, params={"limit": 1})).json()["next_cursor"]
    return cursor


def tampered(cursor: str) -> list[str]:
    """The cursor with each kind of change that could slip through."""
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    other = [raw[:-1], raw + b" ", raw[:12] + raw[12:].replace(b"2", b"3"), raw[:12], b"\0" + raw]
    changed = [base64.urlsafe_b64encode(each).decode().rstrip("=") for each in other]
    flipped = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    return [*changed, flipped, cursor + "=", cursor + "\n", f"{cursor}A", "x", "é", "\0", "...."]


async def test_cursor_that_was_changed_is_refused(api: httpx2.AsyncClient) -> None:
    await some_events(api, 3)
    cursor = await a_cursor(api, "/events")
    changed = [each for each in tampered(cursor) if "\0" not in each]

    answers = [await api.get("/events", params={"cursor": each}) for each in changed]

    told = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert told == [(422, "invalid-cursor")] * len(changed)
    assert (await api.get("/events", params={"cursor": cursor})).status_code == 200


async def test_cursor_of_another_query_event_or_caller_is_refused(
    api: httpx2.AsyncClient, closed_api: httpx2.AsyncClient
) -> None:
    await some_events(api, 3)
    one, two = await make_event(api), await make_event(api)
    for n in range(3):
        await register(api, one["id"], **a_person(n))
    attendees = f"/events/{one['id']}/attendees"
    of_events, of_one = await a_cursor(api, "/events"), await a_cursor(api, attendees)

    answers = [
        await api.get(attendees, params={"cursor": of_events}),
        await api.get("/events", params={"cursor": of_one}),
        await api.get(f"/events/{two['id']}/attendees", params={"cursor": of_one}),
        await api.get(attendees, params={"cursor": of_one, "status": "confirmed"}),
        await closed_api.get("/events", params={"cursor": of_events}),
    ]

    told = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert told == [(422, "invalid-cursor")] * 5


async def test_cursor_holds_in_another_zone_and_with_another_limit(
    api: httpx2.AsyncClient,
) -> None:
    expected = await some_events(api, 4)
    cursor = await a_cursor(api, "/events")

    names, _ = await page(api, f"/events?tz=UTC&limit=2&cursor={cursor}")

    assert names == expected[1:3]
