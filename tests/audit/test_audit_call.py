"""Administrators look at who did what: each filter alone and with others, in pages, in any zone."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest
from tests.accounts.calls import bearer, told
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import Person

from turnout.audit.models import AuditEntry

OLIVE, ROOT, ADA = (UUID(int=n) for n in (1, 2, 3))
PYCON, DJANGO, SEAT = (UUID(int=n) for n in (4, 5, 6))
DAY = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"}
"""The day of the entries below; what the tests themselves do is much later."""
FIELDS = (
    "id", "at", "standing", "actor_id", "request_id", "action",
    "event_id", "subject_id", "changes",
)  # fmt: skip
A, B, C, D, E, F = range(6)
WRITTEN = [
    ("2026-03-01T10:00:00", "anonymous", None, "user.created", None, ADA, {"role": "attendee"}),
    ("2026-03-01T10:00:01", "account", OLIVE, "event.created", PYCON, PYCON, None),
    ("2026-03-01T11:00:00", "account", ADA, "registration.created", PYCON, SEAT, None),
    ("2026-03-01T11:30:00", "account", OLIVE, "registration.cancelled", PYCON, SEAT, None),
    ("2026-03-01T12:00:00", "account", ROOT, "user.changed", None, ADA, {"role": "organizer"}),
    ("2026-03-01T12:00:01", "account", OLIVE, "event.created", DJANGO, DJANGO, None),
]  # fmt: skip


def entry(n: int) -> AuditEntry:
    """The row of that number, with an id of its time, as ids are."""
    time, standing, actor, action, event, subject, changes = WRITTEN[n]
    at = datetime.fromisoformat(time).replace(tzinfo=UTC)
    return AuditEntry(
        id=id_of(at, n), at=at, standing=standing, actor_id=actor, request_id=f"request-{n:04}",
        action=action, event_id=event, subject_id=subject, changes=changes,
    )  # fmt: skip


def id_of(at: datetime, n: int) -> UUID:
    return UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | n)


async def written(app: RunningApp) -> Person:
    """Root, and the entries."""
    root = await cast.root(app)
    async with app.runtime.database.write() as db:
        db.add_all([entry(n) for n in range(len(WRITTEN))])
        await db.flush()
    return root


async def found(api: httpx2.AsyncClient, **query: object) -> list[int]:
    """The numbers of the entries that a query finds on that day, in order."""
    answer = await api.get("/admin/audit", params={**DAY, **{k: str(v) for k, v in query.items()}})
    assert answer.status_code == 200, answer.text
    return numbers(answer)


def numbers(answer: httpx2.Response) -> list[int]:
    return [int(each["request_id"].rpartition("-")[2]) for each in answer.json()["items"]]


FOUND: list[tuple[dict[str, object], list[int]]] = [
    ({}, [F, E, D, C, B, A]),
    ({"actor": OLIVE}, [F, D, B]),
    ({"event": PYCON}, [D, C, B]),
    ({"subject": ADA}, [E, A]),
    ({"action": "event.created"}, [F, B]),
    ({"from": "2026-03-01T11:30:00Z"}, [F, E, D]),
    ({"to": "2026-03-01T11:30:00Z"}, [C, B, A]),
    ({"from": "2026-03-01T11:00:00Z", "to": "2026-03-01T12:00:00Z"}, [D, C]),
    # What belongs to an event is looked for there.
    ({"subject": SEAT}, []),
    ({"subject": SEAT, "event": PYCON}, [D, C]),
    ({"subject": SEAT, "event": DJANGO}, []),
    ({"subject": SEAT, "event": PYCON, "actor": OLIVE}, [D]),
    ({"actor": OLIVE, "action": "event.created"}, [F, B]),
    ({"actor": OLIVE, "action": "event.created", "to": "2026-03-01T12:00:00Z"}, [B]),
    ({"actor": ROOT, "subject": ADA, "action": "user.changed"}, [E]),
    ({"actor": ADA, "event": PYCON, "action": "registration.cancelled"}, []),
    ({"action": "event"}, []),
    ({"action": "%"}, []),
    ({"from": "2026-03-01T13:00:00Z", "to": "2026-03-01T10:00:00Z"}, []),
]


async def test_filters_find_what_is_asked_for_alone_and_together(closed_app: RunningApp) -> None:
    root = await written(closed_app)

    async with root.api(closed_app) as api:
        answers = [await found(api, **query) for query, _ in FOUND]

    assert answers == [expected for _, expected in FOUND]


async def test_entry_says_who_did_what_by_which_request(closed_app: RunningApp) -> None:
    root = await written(closed_app)

    async with root.api(closed_app) as api:
        answer = await api.get("/admin/audit", params={**DAY, "subject": str(ADA), "limit": 1})

    [shown] = answer.json()["items"]
    assert tuple(shown) == FIELDS
    assert shown == {
        "id": str(entry(E).id), "at": "2026-03-01T12:00:00+00:00", "standing": "account",
        "actor_id": str(ROOT), "request_id": "request-0004", "action": "user.changed",
        "event_id": None, "subject_id": str(ADA), "changes": {"role": "organizer"},
    }  # fmt: skip


async def test_audit_without_filters_begins_with_what_was_last(closed_app: RunningApp) -> None:
    root = await written(closed_app)
    async with root.api(closed_app) as api:
        await api.patch("/users/me", json={"name": "R"}, headers={"X-Request-Id": "request-9999"})

        answer = await api.get("/admin/audit")

    items = answer.json()["items"]
    assert (items[0]["action"], items[0]["request_id"]) == ("user.changed", "request-9999")
    assert [each["request_id"] for each in items[-6:]] == [
        f"request-{n:04}" for n in range(5, -1, -1)
    ]


async def test_pages_lose_and_repeat_nothing_while_more_is_written(closed_app: RunningApp) -> None:
    root = await written(closed_app)
    async with root.api(closed_app) as api:
        # Without an end, so that what is written meanwhile would be in it.
        pages = [await api.get("/admin/audit", params={"action": "event.created", "limit": 1})]
        async with closed_app.runtime.database.write() as db:
            late = entry(F)
            late.id, late.request_id = id_of(late.at, 99), "request-0099"
            db.add(late)
            await db.flush()
        pages.append(await api.get(pages[0].links["next"]["url"]))

    assert [numbers(page) for page in pages] == [[F], [B]]
    assert (pages[1].json()["next_cursor"], "link" in pages[1].headers) == (None, False)


async def test_pages_of_one_walk_through_all(closed_app: RunningApp) -> None:
    root = await written(closed_app)
    walked, cursor = list[int](), dict[str, Any]()
    async with root.api(closed_app) as api:
        for _ in WRITTEN:
            page = await api.get("/admin/audit", params={**DAY, "limit": 1, **cursor})
            walked += numbers(page)
            cursor = {"cursor": page.json()["next_cursor"]}

    assert (walked, cursor) == ([F, E, D, C, B, A], {"cursor": None})


async def test_cursor_of_another_query_is_refused(closed_app: RunningApp) -> None:
    root = await written(closed_app)
    async with root.api(closed_app) as api:
        page = await api.get("/admin/audit", params={**DAY, "limit": 1})
        cursor = page.json()["next_cursor"]

        answers = [
            await api.get("/admin/audit", params={**DAY, "cursor": cursor, "actor": str(OLIVE)}),
            await api.get("/admin/audit", params={"cursor": cursor}),
            await api.get("/users", params={"cursor": cursor}),
        ]

    assert [told(answer) for answer in answers] == [(422, "invalid-cursor")] * 3


async def test_times_are_shown_and_read_in_the_zone_that_is_asked_for(
    closed_app: RunningApp,
) -> None:
    root = await written(closed_app)
    wall = {"from": "2026-03-01T17:00:00", "to": "2026-03-01T17:30:00"}
    async with root.api(closed_app) as api:
        in_delhi = await api.get("/admin/audit", params={**wall, "tz": "Asia/Kolkata"})
        in_utc = await api.get("/admin/audit", params=wall)
        await api.patch("/users/me", json={"timezone": "Asia/Kathmandu"})
        by_profile = await api.get("/admin/audit", params={**wall, "from": "2026-03-01T16:45:00"})

    assert [numbers(each) for each in (in_delhi, in_utc, by_profile)] == [[D], [], [D, C]]
    assert in_delhi.json()["items"][0]["at"] == "2026-03-01T17:00:00+05:30"
    assert by_profile.json()["items"][0]["at"] == "2026-03-01T17:15:00+05:45"


async def test_audit_that_has_not_changed_is_not_sent_again(closed_app: RunningApp) -> None:
    root = await written(closed_app)
    async with root.api(closed_app) as api:
        first = await api.get("/admin/audit", params=DAY)

        again = await api.get(
            "/admin/audit", params=DAY, headers={"If-None-Match": first.headers["etag"]}
        )

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


WRONG = [
    ("actor=olive", "validation-error"), ("event=1", "validation-error"),
    ("subject=", "validation-error"), ("from=yesterday", "validation-error"),
    ("to=2026-02-30T00:00:00Z", "validation-error"), ("action=" + "x" * 65, "validation-error"),
    ("from=1969-12-31T00:00:00Z", "validation-error"), ("tz=Mars/X", "invalid-timezone"),
    ("to=1970-01-01T00:00:00%2B14:00", "validation-error"), ("limit=101", "validation-error"),
    ("from=2027-03-28T02:30:00&tz=Europe/Berlin", "nonexistent-local-time"),
    ("from=2026-10-25T02:30:00&tz=Europe/Berlin", "ambiguous-local-time"),
    ("from=2026-03-01T00:00:00Z&from=2026-03-02T00:00:00Z", "validation-error"),
]  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_query_that_asks_for_nothing_that_can_be_is_refused(closed_app: RunningApp) -> None:
    root = await written(closed_app)

    async with root.api(closed_app) as api:
        answers = [await api.get(f"/admin/audit?{query}") for query, _ in WRONG]

    assert [told(answer) for answer in answers] == [(422, code) for _, code in WRONG]


@pytest.mark.parametrize(
    "edge", ["to=1970-01-01T00:00:00Z", "from=2199-12-31T23:59:59Z", "to=2199-12-31T23:59:59Z"]
)
async def test_query_at_the_ends_of_time_is_answered(closed_app: RunningApp, edge: str) -> None:
    root = await written(closed_app)

    async with root.api(closed_app) as api:
        answer = await api.get(f"/admin/audit?{edge}&action=event.created")

    assert answer.status_code == 200
    assert numbers(answer) == ([F, B] if edge.startswith("to=2199") else [])


@pytest.mark.parametrize("who", [None, cast.ada, cast.olive])
async def test_audit_is_for_administrators_alone(
    closed_app: RunningApp, who: Callable[[RunningApp], Awaitable[Person]] | None
) -> None:
    await written(closed_app)
    caller = None if who is None else await who(closed_app)

    async with closed_app.client(headers=caller.bearer if caller else {}) as api:
        answers = [
            await api.get("/admin/audit", params=query)
            for query in (DAY, {"subject": str(ADA)}, {"limit": "x"})
        ]

    expected = (401, "unauthenticated") if caller is None else (403, "not-allowed")
    assert [told(answer) for answer in answers] == [expected] * 3
    assert not any("user.created" in answer.text for answer in answers)


async def test_api_token_reads_the_audit_by_its_scope_alone(closed_app: RunningApp) -> None:
    root = await written(closed_app)
    answers = dict[str, Any]()
    async with root.api(closed_app) as api, closed_app.client() as program:
        for scope in ("admin:read", "admin:write"):
            made = await api.post("/users/me/tokens", json={"name": "T", "scopes": [scope]})
            headers = bearer(made.json()["token"])
            answers[scope] = told(await program.get("/admin/audit", headers=headers))

    assert answers == {"admin:read": (200, None), "admin:write": (403, "insufficient-scope")}
