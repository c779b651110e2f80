"""Personal API tokens: shown once, narrowed by scopes, and never a way to more."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import insert, select
from tests.accounts.calls import NEW_PASSWORD, after, bearer, me, told
from tests.db import rows
from tests.factories import an_event
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import PASSWORD, Person

from turnout import clock, ids
from turnout.accounts import opaque
from turnout.accounts.actor import Scope
from turnout.accounts.api_tokens import MOST_TOKENS
from turnout.accounts.models import ApiToken, User

EVERYTHING = sorted(Scope)


async def make(api: httpx2.AsyncClient, *scopes: str, **more: Any) -> dict[str, Any]:
    body = {"name": "Nightly export", "scopes": scopes or EVERYTHING, **more}
    answer = await api.post("/users/me/tokens", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def fill(app: RunningApp, person: Person, count: int, **values: Any) -> None:
    """Tokens behind the product's back, which nobody holds."""
    made = [
        {
            "id": ids.new_id(),
            "user_id": person.id,
            "name": "x",
            "token_hash": opaque.hash_of(opaque.new_secret()),
            "scopes": ["profile:read"],
            "created_at": clock.now(),
            "expires_at": None,
            "revoked_at": None,
            **values,
        }
        for _ in range(count)
    ]
    await rows.change(app.runtime.database, insert(ApiToken).values(made))


async def live(app: RunningApp) -> int:
    return await rows.count(app.runtime.database, ApiToken, ApiToken.revoked_at.is_(None))


async def test_api_token_is_told_once(closed_app: RunningApp) -> None:
    ada = await cast.ada(closed_app)
    async with ada.api(closed_app) as api:
        made = await make(api, "profile:read", "events:read", "profile:read")
        listed = (await api.get("/users/me/tokens")).json()

    token = made.pop("token")
    assert token.startswith("turnout_")
    assert len(token) == len("turnout_") + 43
    assert made.pop("created_at")
    assert made == {
        "id": made["id"],
        "name": "Nightly export",
        "scopes": ["events:read", "profile:read"],
        "expires_at": None,
    }
    assert [set(each) for each in listed["items"]] == [{*made, "created_at"}]
    assert token not in str(listed)


async def test_api_tokens_are_one_s_own_the_newest_first(closed_app: RunningApp) -> None:
    ada, mallory = await cast.ada(closed_app), await cast.mallory(closed_app)
    async with ada.api(closed_app) as api, mallory.api(closed_app) as other:
        made = [(await make(api, name=f"n{n}"))["id"] for n in range(3)]
        await make(other)
        first = (await api.get("/users/me/tokens", params={"limit": 2})).json()
        rest = (await api.get("/users/me/tokens", params={"cursor": first["next_cursor"]})).json()

    found = [each["id"] for each in first["items"] + rest["items"]]
    assert (found, rest["next_cursor"]) == (made[::-1], None)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "a" * 101},
        {"name": "a\x00"},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": "profile:read"},
        {"scopes": ["profile:read"] * (len(EVERYTHING) + 1)},
        {"expires_in_days": 0},
        {"expires_in_days": 3_661},
        {"expires_in_days": "1"},
        {"expires_in_days": 2**63},
        {"user_id": str(ids.new_id())},
        {"token": "turnout_x"},
    ],
)
async def test_api_token_with_what_is_refused_is_not_made(
    closed_app: RunningApp, changes: dict[str, Any]
) -> None:
    ada, body = await cast.ada(closed_app), {"name": "x", "scopes": ["profile:read"], **changes}
    async with ada.api(closed_app) as api:
        answer = await api.post("/users/me/tokens", json=body)

    assert told(answer) == (422, "validation-error")
    assert [each["field"].partition(".")[0] for each in answer.json()["errors"]] == [*changes]
    assert await live(closed_app) == 0


async def test_api_token_may_do_what_its_scopes_and_its_account_may(
    closed_app: RunningApp,
) -> None:
    olive, ada = await cast.olive(closed_app), await cast.ada(closed_app)
    async with olive.api(closed_app) as api, ada.api(closed_app) as attendee:
        reads, writes, nothing = [
            bearer((await make(api, *scopes))["token"])
            for scopes in (["profile:read"], ["events:write"], ["registrations:read"])
        ]
        everything = bearer((await make(attendee))["token"])
    async with closed_app.client() as api:
        profiles = [
            await api.get("/users/me", headers=each) for each in (reads, writes, everything)
        ]
        changed = await api.patch("/users/me", json={"name": "X"}, headers=reads)
        events = [
            await api.post("/events", json=an_event(), headers=each)
            for each in (writes, reads, nothing, everything)
        ]
        by_admin = await api.get("/users", headers=everything)

    short = (403, "insufficient-scope")
    assert [told(each) for each in profiles] == [(200, None), short, (200, None)]
    assert (told(changed), changed.json()["scope"]) == (short, "profile:write")
    assert [told(each) for each in events] == [(201, None), short, short, (403, "not-allowed")]
    assert events[1].json()["scope"] == "events:write"
    assert told(by_admin) == (403, "not-allowed")


async def test_api_token_of_every_scope_cannot_do_what_takes_signing_in(
    closed_app: RunningApp,
) -> None:
    ada = await cast.ada(closed_app)
    async with ada.api(closed_app) as api:
        made = await make(api)
        own = (await api.get("/users/me/sign-ins")).json()["items"][0]["id"]
    password = {"password": NEW_PASSWORD, "current_password": PASSWORD}
    email = {"email": "new@example.com", "current_password": PASSWORD}
    tried: list[tuple[str, str, Any]] = [
        ("POST", "/users/me/tokens", {"name": "x", "scopes": ["profile:read"]}),
        ("DELETE", f"/users/me/tokens/{made['id']}", None),
        ("DELETE", f"/users/me/sign-ins/{own}", None),
        ("PATCH", "/users/me", password),
        ("PATCH", "/users/me", email),
        ("DELETE", "/users/me", None),
        ("POST", "/users/me/second-factor", None),
        ("POST", "/users/me/second-factor/confirm", {"code": "000000"}),
        ("POST", "/users/me/second-factor/recovery-codes", {"code": "000000"}),
        ("POST", "/users/me/second-factor/disable", {"code": "000000"}),
        ("POST", "/auth/revoke", {"token": ada.token}),
    ]

    async with closed_app.client(headers=bearer(made["token"])) as api:
        answers = [await api.request(method, path, json=body) for method, path, body in tried]
        renamed = await api.patch("/users/me", json={"name": "Ada L."})

    assert [told(each) for each in answers] == [(403, "insufficient-scope")] * len(tried)
    assert [each.json()["scope"] for each in answers] == [None] * len(tried)
    assert renamed.status_code == 200
    async with closed_app.client() as api:
        assert await me(api, ada.token) == (200, None)


async def test_api_token_ends_when_it_runs_out_or_is_revoked(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    """Asked by another process than the one that revokes."""
    ada, mallory = await cast.ada(closed_app), await cast.mallory(closed_app)
    async with ada.api(closed_app) as api, mallory.api(closed_app) as other:
        limited, kept = await make(api, expires_in_days=1), await make(api)
        both = (limited["token"], kept["token"])
        before = [await me(closed_api, each) for each in both]
        with after(days=1, seconds=1):
            in_a_day = [await me(closed_api, each) for each in both]
        path = f"/users/me/tokens/{kept['id']}"
        foreign = told(await other.delete(path))
        still = await me(closed_api, kept["token"])
        revoked = [told(await api.delete(path)) for _ in range(2)]
        wrong = told(await api.delete(f"/users/me/tokens/{ada.id}"))
        left = (await api.get("/users/me/tokens")).json()["items"]

    refused = (401, "invalid-token")
    assert before == [(200, None)] * 2
    assert in_a_day == [refused, (200, None)]
    assert (foreign, still) == ((404, "not-found"), (200, None))
    assert (revoked, wrong) == ([(204, None), (404, "not-found")], (404, "not-found"))
    assert await me(closed_api, kept["token"]) == refused
    assert [each["id"] for each in left] == [limited["id"]]


async def test_api_token_of_a_disabled_account_counts_no_more(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada, root = await cast.ada(closed_app), await cast.root(closed_app)
    async with ada.api(closed_app) as api, root.api(closed_app) as admin:
        token = (await make(api))["token"]
        before = await me(closed_api, token)
        await admin.patch(f"/users/{ada.id}", json={"is_active": False})

    assert (before, await me(closed_api, token)) == ((200, None), (401, "invalid-token"))


async def test_api_tokens_of_one_account_are_fifty_at_most_however_fast_they_are_made(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada, other = await cast.ada(closed_app), await cast.mallory(closed_app)
    yesterday = clock.now() - timedelta(days=1)
    await fill(closed_app, ada, MOST_TOKENS - 2)
    await fill(closed_app, ada, 3, expires_at=yesterday)
    await fill(closed_app, ada, 3, revoked_at=yesterday)
    body = {"name": "x", "scopes": ["profile:read"]}

    async with ada.api(closed_app) as here:
        answers = await asyncio.gather(
            *(
                (here, closed_api)[n % 2].post("/users/me/tokens", json=body, headers=ada.bearer)
                for n in range(8)
            )
        )

    found = sorted(map(told, answers))
    assert found == [(201, None)] * 2 + [(409, "too-many-tokens")] * 6
    elsewhere = await closed_api.post("/users/me/tokens", json=body, headers=other.bearer)
    assert elsewhere.status_code == 201


async def test_api_token_asked_for_twice_with_one_key_is_one(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    """The second time by another process, which has the token from the sealed answer alone."""
    ada, mallory = await cast.ada(closed_app), await cast.mallory(closed_app)
    body, key = {"name": "x", "scopes": ["profile:read"]}, {"Idempotency-Key": "k1"}
    async with closed_app.client() as here:
        first, other_body, foreign = [
            await here.post("/users/me/tokens", json=each, headers={**who.bearer, **key})
            for each, who in ((body, ada), ({**body, "name": "y"}, ada), (body, mallory))
        ]
    again = await closed_api.post("/users/me/tokens", json=body, headers={**ada.bearer, **key})

    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert told(other_body) == (422, "idempotency-mismatch")
    assert (foreign.status_code, foreign.json()["token"] == first.json()["token"]) == (201, False)
    assert await live(closed_app) == 2
    assert first.json()["token"].encode() not in await rows.dump(closed_app.runtime.database)


async def test_account_made_twice_with_one_key_is_one(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    root = await cast.root(closed_app)
    body = {"email": "new@example.com", "name": "New", "role": "organizer", "password": PASSWORD}
    async with root.api(closed_app) as api:
        headers = {"Idempotency-Key": "k1"}
        first = await api.post("/users", json=body, headers=headers)
        other = await api.post("/users", json=body)
    again = await closed_api.post("/users", json=body, headers={**root.bearer, **headers})

    query = select(User.id).where(User.email == "new@example.com")
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["location"]) == (first.content, first.headers["location"])
    assert told(other) == (409, "email-taken")
    assert await rows.read(closed_app.runtime.database, query) == [(UUID(first.json()["id"]),)]
