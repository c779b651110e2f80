"""One's own profile: what may be changed, by which proof, and how to leave."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from tests.accounts.calls import (
    NEW_PASSWORD,
    bearer,
    link_tokens,
    me,
    messages,
    shape,
    sign_in,
    signed_in,
    told,
    topics,
)
from tests.db import rows
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import PASSWORD

from turnout.accounts.actor import Role
from turnout.accounts.models import User
from turnout.outbox.topics import Topic

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"role": "admin"}, "validation-error"),
    ({"email_verified": True}, "validation-error"),
    ({"is_active": False}, "validation-error"),
    ({"id": "0198a000-0000-7000-8000-00000000000a"}, "validation-error"),
    ({"created_at": "2020-01-01T00:00:00Z"}, "validation-error"),
    ({"password_hash": "x"}, "validation-error"),
    ({"unknown": 1}, "validation-error"),
    ({"name": ""}, "validation-error"),
    ({"name": "\u200b"}, "validation-error"),
    ({"name": "a\x00b"}, "validation-error"),
    ({"name": "a" * 201}, "validation-error"),
    ({"timezone": "Mars/X"}, "invalid-timezone"),
    ({"timezone": "localtime"}, "invalid-timezone"),
    ({"timezone": "../../etc/passwd"}, "invalid-timezone"),
    ({"timezone": 5}, "validation-error"),
    ({"locale": "english"}, "validation-error"),
    ({"locale": "en\n"}, "validation-error"),
    ({"email": "ada@b", "current_password": PASSWORD}, "invalid-email"),
    ({"email": "new@example.com"}, "wrong-password"),
    ({"email": "new@example.com", "current_password": "x"}, "wrong-password"),
    ({"password": NEW_PASSWORD}, "wrong-password"),
    ({"password": NEW_PASSWORD, "current_password": NEW_PASSWORD}, "wrong-password"),
    ({"password": NEW_PASSWORD, "current_password": None}, "wrong-password"),
    ({"password": "password1234", "current_password": PASSWORD}, "weak-password"),
    ({"password": "ada@example.com", "current_password": PASSWORD}, "weak-password"),
]


async def patch(
    api: httpx2.AsyncClient, body: dict[str, Any], **headers: str
) -> tuple[int, str | None]:
    return told(await api.patch("/users/me", json=body, headers=headers))


async def profile(api: httpx2.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get("/users/me")).json()
    return found


async def test_profile_says_all_that_is_promised_and_nothing_more(closed_app: RunningApp) -> None:
    ada = await cast.ada(closed_app)
    async with ada.api(closed_app) as api:
        answer = await api.get("/users/me")
        same = await api.get("/users/me", headers={"If-None-Match": answer.headers["etag"]})

    found = answer.json()
    assert found.pop("created_at")[-6:] == "+00:00"
    assert found == {
        "id": str(ada.id),
        "email": ada.email,
        "name": "Ada",
        "role": "attendee",
        "timezone": None,
        "locale": "en",
        "is_active": True,
        "email_verified": True,
    }
    assert (same.status_code, same.content) == (304, b"")


async def test_profile_change_sets_what_is_sent_and_null_clears(closed_app: RunningApp) -> None:
    ada = await cast.ada(closed_app)
    async with ada.api(closed_app) as api:
        wanted = {"name": "  Ada L. ", "timezone": "US/Eastern", "locale": "hi-IN"}
        changed = await api.patch("/users/me", json=wanted)
        read = await api.get("/users/me")
        cleared = [
            await api.patch("/users/me", json=body)
            for body in ({"timezone": None}, {"locale": None}, {"name": None}, {})
        ]
        last = await profile(api)

    names = ("name", "timezone", "locale")
    assert [changed.json()[name] for name in names] == ["Ada L.", "America/New_York", "hi-IN"]
    assert changed.json()["created_at"][-6:] in {"-05:00", "-04:00"}
    assert (changed.content, changed.headers["etag"]) == (read.content, read.headers["etag"])
    assert [answer.status_code for answer in cleared] == [200] * 4
    assert [last[name] for name in names] == ["Ada L.", None, "en"]


async def test_profile_change_that_is_refused_changes_nothing(closed_app: RunningApp) -> None:
    ada = await cast.ada(closed_app)
    async with ada.api(closed_app) as api:
        before = await profile(api)

        found = [await patch(api, {"name": "Other", **body}) for body, _ in REFUSED]

        assert found == [(422, code) for _, code in REFUSED]
        assert await profile(api) == before
        assert (await sign_in(api, ada.email)).status_code == 200
        assert await topics(closed_app) == []


@pytest.mark.parametrize(
    ("if_match", "expected"),
    [
        ("present", (200, None)),
        ("*", (200, None)),
        ("listed", (200, None)),
        ("stale", (412, "precondition-failed")),
        ("weak", (412, "precondition-failed")),
        ('"x"', (412, "precondition-failed")),
        ("x", (400, "precondition-malformed")),
        ("", (400, "precondition-malformed")),
    ],
)
async def test_profile_change_and_end_honour_if_match(
    closed_app: RunningApp, if_match: str, expected: tuple[int, str | None]
) -> None:
    ada = await cast.ada(closed_app)
    async with ada.api(closed_app) as api:
        stale = (await api.get("/users/me")).headers["etag"]
        present = (await api.patch("/users/me", json={"name": "Ada L."})).headers["etag"]
        named = {
            "present": present,
            "stale": stale,
            "weak": f"W/{present}",
            "listed": f'"x", {present}',
        }
        sent = named.get(if_match, if_match)

        changed = await patch(api, {"locale": "hi"}, **{"If-Match": sent})
        fresh = (await api.get("/users/me")).headers["etag"]
        sent = sent.replace(present, fresh)
        ended = told(await api.delete("/users/me", headers={"If-Match": sent}))

    assert changed == expected
    assert ended == ((204, None) if expected[0] == 200 else expected)


async def test_email_changes_by_the_link_that_goes_to_the_new_address(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.join(closed_app, "Ada", verified=False)
    wanted = {"email": "Lovelace@example.com", "current_password": PASSWORD}
    async with ada.api(closed_app) as api:
        asked = await api.patch("/users/me", json=wanted)
        (first,) = await link_tokens(closed_app, Topic.EMAIL_CHANGE_ASKED)
        await api.patch("/users/me", json=wanted)
        _, second = await link_tokens(closed_app, Topic.EMAIL_CHANGE_ASKED)
    links = [
        told(await closed_api.post("/auth/verify-email", json={"token": token}))
        for token in (first, second, second)
    ]

    tokens = await signed_in(closed_api, "lovelace@example.com")
    found = (await closed_api.get("/users/me", headers=bearer(tokens["access_token"]))).json()
    assert (asked.status_code, asked.json()["email"]) == (200, ada.email)
    assert links == [(404, "invalid-link"), (204, None), (404, "invalid-link")]
    assert (found["email"], found["email_verified"]) == ("Lovelace@example.com", True)
    assert told(await sign_in(closed_api, ada.email)) == (401, "invalid-credentials")
    assert await me(closed_api, ada.token) == (401, "invalid-token")
    told_of_change = [each for each in await messages(closed_app) if each[0] == Topic.EMAIL_CHANGED]
    payload = {"user_id": str(ada.id), "former_email": ada.email}
    assert told_of_change == [(Topic.EMAIL_CHANGED, payload)]


async def test_email_that_is_taken_does_not_show(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada, bob = await cast.ada(closed_app), await cast.join(closed_app, "Bob")
    async with ada.api(closed_app) as api:
        answers = [
            await api.patch("/users/me", json={"email": email, "current_password": PASSWORD})
            for email in ("nobody@example.com", "BOB@example.com")
        ]
        _, taken = await link_tokens(closed_app, Topic.EMAIL_CHANGE_ASKED)
        link = told(await api.post("/auth/verify-email", json={"token": taken}))

    assert shape(answers[0]) == shape(answers[1])
    assert link == (404, "invalid-link")
    assert await me(closed_api, ada.token) == (200, None)
    assert (await sign_in(closed_api, bob.email)).status_code == 200


async def test_email_change_is_asked_for_one_address_five_times_an_hour(
    closed_app: RunningApp,
) -> None:
    """Each is a mail to somebody who may not have asked for it."""
    ada = await cast.ada(closed_app)
    async with ada.api(closed_app) as api:
        found = [
            await patch(api, {"email": email, "current_password": PASSWORD})
            for email in [*["nobody@example.com"] * 6, "other@example.com"]
        ]

    assert found == [(200, None)] * 5 + [(429, "rate-limited"), (200, None)]


async def test_password_change_ends_every_other_sign_in(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada, bob = await cast.ada(closed_app), await cast.join(closed_app, "Bob")
    mine, other = [await signed_in(closed_api, ada.email) for _ in range(2)]
    wanted = {"password": NEW_PASSWORD, "current_password": PASSWORD, "name": "Ada L."}

    answer = await closed_api.patch("/users/me", json=wanted, headers=bearer(mine["access_token"]))

    found = [await me(closed_api, each) for each in (other["access_token"], ada.token)]
    by_cookie = await closed_api.get("/users/me", headers=ada.page)
    assert (answer.status_code, answer.json()["name"]) == (200, "Ada L.")
    assert await me(closed_api, mine["access_token"]) == (200, None)
    assert found == [(401, "invalid-token")] * 2
    assert by_cookie.status_code == 401
    assert told(await sign_in(closed_api, ada.email)) == (401, "invalid-credentials")
    assert (await sign_in(closed_api, ada.email, NEW_PASSWORD)).status_code == 200
    assert await me(closed_api, bob.token) == (200, None)
    assert await topics(closed_app) == [Topic.PASSWORD_CHANGED]


async def test_password_and_email_may_change_at_once(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    both = {"password": NEW_PASSWORD, "email": "new@example.com", "current_password": PASSWORD}

    await closed_api.patch("/users/me", json=both, headers=ada.bearer)

    (token,) = await link_tokens(closed_app, Topic.EMAIL_CHANGE_ASKED)
    assert told(await closed_api.post("/auth/verify-email", json={"token": token})) == (204, None)
    assert (await sign_in(closed_api, "new@example.com", NEW_PASSWORD)).status_code == 200


async def test_password_change_ends_a_move_that_was_asked_for_before(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    async with ada.api(closed_app) as api:
        await patch(api, {"email": "thief@example.com", "current_password": PASSWORD})
        (token,) = await link_tokens(closed_app, Topic.EMAIL_CHANGE_ASKED)
        await patch(api, {"password": NEW_PASSWORD, "current_password": PASSWORD})

    answer = await closed_api.post("/auth/verify-email", json={"token": token})

    assert told(answer) == (404, "invalid-link")
    assert (await sign_in(closed_api, ada.email, NEW_PASSWORD)).status_code == 200


async def test_account_that_is_deleted_lets_nobody_in_and_frees_its_address(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    tokens = await signed_in(closed_api, ada.email)
    wanted = {"name": "x", "scopes": ["profile:read"]}
    made = await closed_api.post("/users/me/tokens", json=wanted, headers=ada.bearer)

    answer = await closed_api.delete("/users/me", headers=ada.bearer)

    credentials = (ada.token, tokens["access_token"], made.json()["token"])
    after_it = [await me(closed_api, each) for each in credentials]
    again = await closed_api.delete("/users/me", headers=ada.bearer)
    refused = told(await sign_in(closed_api, ada.email))
    left = await rows.dump(closed_app.runtime.database)
    new = await cast.ada(closed_app)
    assert (answer.status_code, answer.content) == (204, b"")
    assert after_it == [(401, "invalid-token")] * 3
    assert (told(again), refused) == ((401, "invalid-token"), (401, "invalid-credentials"))
    assert ada.email.encode() not in left
    assert (new.email, new.id == ada.id) == (ada.email, False)
    assert (await sign_in(closed_api, ada.email)).status_code == 200


async def test_last_admin_cannot_leave(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    root, other = await cast.root(closed_app), await cast.join(closed_app, "Other", Role.ADMIN)

    first = told(await closed_api.delete("/users/me", headers=other.bearer))
    last = told(await closed_api.delete("/users/me", headers=root.bearer))

    admins = select(User.id).where(User.role == Role.ADMIN)
    assert (first, last) == ((204, None), (409, "last-admin"))
    assert await me(closed_api, root.token) == (200, None)
    assert await rows.read(closed_app.runtime.database, admins) == [(root.id,)]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_profile_of_nobody_is_refused(closed_api: httpx2.AsyncClient, method: str) -> None:
    answer = await closed_api.request(method, "/users/me", json={} if method == "PATCH" else None)

    assert told(answer) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
