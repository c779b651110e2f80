"""Signing up: at once an attendee, and nobody learns from it who has an account."""

import asyncio
import unicodedata
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from tests.accounts.calls import (
    NEW_PASSWORD,
    bearer,
    counted,
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

from turnout.accounts.models import User
from turnout.outbox.topics import Topic

ADA = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada Lovelace"}

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"password": "short"}, "weak-password"),
    ({"password": ""}, "weak-password"),
    ({"password": "password1234"}, "weak-password"),
    ({"password": "aaaaaaaaaaaaaaaa"}, "weak-password"),
    ({"password": "qwertyuiop[]asdf"}, "weak-password"),
    ({"password": "ada@example.com"}, "weak-password"),
    ({"password": "ADA LOVELACE!"}, "weak-password"),
    ({"password": f"{PASSWORD}\x00"}, "validation-error"),
    ({"password": "x1Y-" * 256 + "z"}, "validation-error"),
    ({"password": ["four", "words"]}, "validation-error"),
    ({"password": None}, "validation-error"),
    ({"name": "Ada\x00"}, "validation-error"),
    ({"name": "   "}, "validation-error"),
    ({"email": "ada@b"}, "invalid-email"),
    ({"email": "ada@example.com\x00"}, "invalid-email"),
    ({"email": "ada@example.com, bob@example.com"}, "invalid-email"),
    ({"timezone": "Mars/X"}, "invalid-timezone"),
    ({"role": "admin"}, "validation-error"),
    ({"is_active": True}, "validation-error"),
    ({"email_verified": True}, "validation-error"),
]


async def sign_up(app: RunningApp, **changes: Any) -> httpx2.Response:
    async with app.client() as api:
        return await api.post("/auth/sign-up", json={**ADA, **changes})


async def addresses(app: RunningApp) -> list[str]:
    query = select(User.email).order_by(User.id)
    return [row[0] for row in await rows.read(app.runtime.database, query)]


async def test_sign_up_makes_an_attendee_who_can_sign_in_at_once(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    answer = await sign_up(closed_app, email="Ada@Example.com", timezone="Asia/Calcutta")

    tokens = await signed_in(closed_api, "aDA@eXAMPLE.COM")
    profile = (await closed_api.get("/users/me", headers=bearer(tokens["access_token"]))).json()
    assert (answer.status_code, answer.content) == (202, b"")
    assert {name: profile[name] for name in profile.keys() - {"id", "created_at"}} == {
        "email": "Ada@Example.com",
        "name": "Ada Lovelace",
        "role": "attendee",
        "timezone": "Asia/Kolkata",
        "locale": "en",
        "is_active": True,
        "email_verified": False,
    }
    assert await topics(closed_app) == [Topic.ACCOUNT_CREATED]


async def test_sign_up_with_a_known_address_looks_the_same_and_tells_its_owner(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    async with counted(closed_app) as hasher:
        new = await sign_up(closed_app, email="new@example.com")
        of_new = hasher.taken()
        known = await sign_up(closed_app, email="ADA@example.com", password=NEW_PASSWORD)
        of_known = hasher.taken()

    told_ada = await messages(closed_app, ada.id)
    assert shape(known) == shape(new)
    assert (of_new, of_known) == (["hash"], ["hash"])
    assert await addresses(closed_app) == ["ada@example.com", "new@example.com"]
    assert told_ada[-1] == (Topic.ACCOUNT_KNOWN, {"user_id": str(ada.id)})
    assert await topics(closed_app) == [Topic.ACCOUNT_CREATED, Topic.ACCOUNT_KNOWN]
    assert (await sign_in(closed_api, ada.email)).status_code == 200
    assert told(await sign_in(closed_api, ada.email, NEW_PASSWORD)) == (401, "invalid-credentials")


async def test_sign_up_of_one_address_five_times_at_once_makes_one_account(
    closed_app: RunningApp,
) -> None:
    forms = ["ada@example.com", "ADA@example.com", "Ada@Example.Com"]

    answers = await asyncio.gather(*(sign_up(closed_app, email=forms[n % 3]) for n in range(5)))

    assert [answer.status_code for answer in answers] == [202] * 5
    assert [each.lower() for each in await addresses(closed_app)] == ["ada@example.com"]
    assert sorted(await topics(closed_app)) == [Topic.ACCOUNT_CREATED] + [Topic.ACCOUNT_KNOWN] * 4


async def test_sign_up_with_what_is_refused_makes_nothing(closed_app: RunningApp) -> None:
    wanted = [code for _, code in REFUSED]

    answers = [await sign_up(closed_app, **changes) for changes, _ in REFUSED]

    assert [told(answer) for answer in answers] == [(422, code) for code in wanted]
    assert await addresses(closed_app) == []
    assert await messages(closed_app) == []


@pytest.mark.parametrize(
    ("body", "media_type", "expected"),
    [
        (b'{"email": "ada@example.com"', "application/json", (400, "malformed-json")),
        (b"", "application/json", (400, "malformed-json")),
        (
            b'{"email":"ada@example.com","name":"Ada","password":"\\ud800"}',
            "application/json",
            (422, "validation-error"),
        ),
        (
            b"email=ada@example.com",
            "application/x-www-form-urlencoded",
            (415, "unsupported-media-type"),
        ),
    ],
)
async def test_sign_up_with_what_is_no_json_is_refused(
    closed_api: httpx2.AsyncClient, body: bytes, media_type: str, expected: tuple[int, str]
) -> None:
    headers = {"Content-Type": media_type}

    answer = await closed_api.post("/auth/sign-up", content=body, headers=headers)

    assert told(answer) == expected


async def test_sign_up_by_another_sites_page_is_refused(closed_app: RunningApp) -> None:
    async with closed_app.client(headers={"Sec-Fetch-Site": "cross-site"}) as api:
        answer = await api.post("/auth/sign-up", json=ADA)

    assert told(answer) == (403, "csrf-failed")
    assert await addresses(closed_app) == []


async def test_sign_in_takes_another_form_of_the_password_and_no_part_of_it(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    typed = " Ångström and a café far away "
    decomposed = unicodedata.normalize("NFD", typed)
    await sign_up(closed_app, password=decomposed)

    right = [await sign_in(closed_api, ADA["email"], each) for each in (typed, decomposed)]
    wrong = [
        await sign_in(closed_api, ADA["email"], each)
        for each in (typed.strip(), typed + "x", typed.upper(), typed[:-2], f"{typed}\x00")
    ]

    assert typed != decomposed
    assert [answer.status_code for answer in right] == [200, 200]
    assert [told(answer) for answer in wrong] == [(401, "invalid-credentials")] * 5
