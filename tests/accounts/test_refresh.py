"""Refresh tokens: each once; one that comes again ends its sign-in, and so does its owner."""

import asyncio
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, update
from tests.accounts.calls import after, bearer, me, refresh, shape, sign_in, signed_in, told
from tests.db import rows
from tests.support import cast
from tests.support.app import RunningApp, running

from turnout.accounts.models import SignIn, User
from turnout.audit.models import AuditEntry
from turnout.settings import Settings

REUSE, NO_GRANT = (401, "token-reuse"), (401, "invalid-grant")
INVALID_TOKEN = (401, "invalid-token")


async def refreshed(api: httpx2.AsyncClient, token: str) -> dict[str, Any]:
    answer = await refresh(api, token)
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


async def revoke(api: httpx2.AsyncClient, token: str) -> httpx2.Response:
    return await api.post("/auth/revoke", json={"token": token})


async def test_refresh_gives_new_tokens_of_the_same_sign_in(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    first = await signed_in(closed_api, ada.email)

    second = await refreshed(closed_api, first["refresh_token"])
    third = await refreshed(closed_api, second["refresh_token"])

    every = (first, second, third)
    assert len({each["refresh_token"] for each in every}) == 3
    assert len({each["access_token"] for each in every}) == 3
    assert [await me(closed_api, each["access_token"]) for each in every] == [(200, None)] * 3
    listed = await closed_api.get("/users/me/sign-ins", headers=bearer(third["access_token"]))
    kinds = [each["kind"] for each in listed.json()["items"]]
    assert kinds == ["tokens", "page", "tokens"]  # the one of this test, and two of the cast


async def test_refresh_with_a_used_token_ends_the_family_on_every_process(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient, closed_settings: Settings
) -> None:
    ada = await cast.ada(closed_app)
    first, unharmed = [await signed_in(closed_api, ada.email) for _ in range(2)]
    second = await refreshed(closed_api, first["refresh_token"])
    newest = await refreshed(closed_api, second["refresh_token"])
    before = await me(closed_api, newest["access_token"])

    reused = await refresh(closed_api, first["refresh_token"])

    async with running(closed_settings) as other, other.client() as there:
        of_family = [await me(there, each["access_token"]) for each in (first, second, newest)]
        carried_on = told(await refresh(there, newest["refresh_token"]))
        again = told(await refresh(there, first["refresh_token"]))
        others = [await me(there, each) for each in (unharmed["access_token"], ada.token)]
    found = select(AuditEntry.action).where(AuditEntry.action == "sign-in.reuse-found")
    assert before == (200, None)
    assert told(reused) == REUSE
    assert reused.headers["www-authenticate"] == "Bearer"
    assert of_family == [INVALID_TOKEN] * 3
    assert (carried_on, again) == (NO_GRANT, REUSE)
    assert others == [(200, None)] * 2
    assert await rows.read(closed_app.runtime.database, found) == [("sign-in.reuse-found",)]


async def test_refresh_with_one_token_ten_times_at_once_succeeds_once(
    closed_app: RunningApp, closed_settings: Settings
) -> None:
    ada = await cast.ada(closed_app)
    async with (
        running(closed_settings) as other,
        closed_app.client() as here,
        other.client() as there,
    ):
        token = (await signed_in(here, ada.email))["refresh_token"]

        answers = await asyncio.gather(*(refresh((here, there)[n % 2], token) for n in range(10)))

        (won,) = [answer for answer in answers if answer.status_code == 200]
        newest = told(await refresh(there, won.json()["refresh_token"]))

    assert sorted(map(told, answers)) == [(200, None)] + [REUSE] * 9
    assert newest == NO_GRANT


async def test_refresh_lasts_as_long_as_it_is_used(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    used, left = [(await signed_in(closed_api, ada.email))["refresh_token"] for _ in range(2)]

    for days in (29, 58, 87):
        with after(days=days):
            used = (await refreshed(closed_api, used))["refresh_token"]
    with after(days=30, seconds=1):
        forgotten = told(await refresh(closed_api, left))
    with after(days=87 + 31):
        idle = told(await refresh(closed_api, used))

    assert (forgotten, idle) == (NO_GRANT, NO_GRANT)


@pytest.mark.parametrize("what", ["disabled", "ended", "signed out"])
async def test_refresh_after_the_sign_in_ended_is_refused(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient, what: str
) -> None:
    ada = await cast.ada(closed_app)
    tokens, database = await signed_in(closed_api, ada.email), closed_app.runtime.database
    match what:
        case "disabled":
            # Behind the product's back, which would end the sign-in as well.
            await rows.change(database, update(User).values(is_active=False))
        case "ended":
            await rows.change(database, update(SignIn).values(ended_at=SignIn.created_at))
        case _:
            closed_api.headers.update(bearer(tokens["access_token"]))
            await revoke(closed_api, tokens["refresh_token"])

    answer = await refresh(closed_api, tokens["refresh_token"])

    assert told(answer) == NO_GRANT


async def test_refresh_with_what_is_no_refresh_token_looks_the_same(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    tokens = await signed_in(closed_api, ada.email)
    made = await closed_api.post(
        "/users/me/tokens",
        json={"name": "x", "scopes": ["profile:read"]},
        headers=bearer(ada.token),
    )
    real = tokens["refresh_token"]
    tried = [
        "x", "\x00", "ä" * 43, real[:-1], real + "x", real.swapcase(), f" {real}",
        *(tokens["access_token"], ada.cookie, made.json()["token"], "' OR 1=1 --"),
    ]  # fmt: skip

    answers = [await refresh(closed_api, each) for each in tried]

    assert told(answers[0]) == NO_GRANT
    assert [shape(answer) for answer in answers] == [shape(answers[0])] * len(tried)
    assert (await refresh(closed_api, real)).status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_revoke_of_a_token_ends_its_sign_in_alone(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient, kind: str
) -> None:
    ada = await cast.ada(closed_app)
    ended, kept = [await signed_in(closed_api, ada.email) for _ in range(2)]

    async with ada.api(closed_app) as api:
        answers = [await revoke(api, ended[kind]) for _ in range(2)]

    found = [await me(closed_api, each["access_token"]) for each in (ended, kept)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 2
    assert found == [INVALID_TOKEN, (200, None)]
    assert told(await refresh(closed_api, ended["refresh_token"])) == NO_GRANT
    assert (await refresh(closed_api, kept["refresh_token"])).status_code == 200


async def test_revoke_of_the_token_that_asks_signs_out(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    tokens = await signed_in(closed_api, (await cast.ada(closed_app)).email)
    async with closed_app.client(headers=bearer(tokens["access_token"])) as api:
        first, second = [await revoke(api, tokens["access_token"]) for _ in range(2)]

    assert (told(first), told(second)) == ((200, None), INVALID_TOKEN)


async def test_revoke_of_unknown_and_foreign_tokens_says_the_same_and_ends_nothing(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada, mallory = await cast.ada(closed_app), await cast.mallory(closed_app)
    of_ada = await signed_in(closed_api, ada.email)
    tried = [
        of_ada["access_token"],
        of_ada["refresh_token"],
        ada.token,
        ada.cookie,
        "x",
        "",
        "\x00",
    ]

    async with mallory.api(closed_app) as api:
        answers = [await revoke(api, each) for each in tried]

    found = [await me(closed_api, each) for each in (of_ada["access_token"], ada.token)]
    assert told(answers[0]) == (200, None)
    assert [shape(answer) for answer in answers] == [shape(answers[0])] * len(tried)
    assert found == [(200, None)] * 2
    assert (await refresh(closed_api, of_ada["refresh_token"])).status_code == 200
    assert await me(closed_api, mallory.token) == (200, None)


async def test_revoke_without_a_credential_is_refused(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    token = (await sign_in(closed_api, ada.email)).json()["refresh_token"]

    answer = await revoke(closed_api, token)

    assert told(answer) == (401, "unauthenticated")
    assert (await refresh(closed_api, token)).status_code == 200
