"""Signing in for tokens: what is taken, what all who fail are told, and how long it lasts."""

from typing import Any
from uuid import UUID

import httpx2
import pytest
from joserfc import jws, jwt
from joserfc.jwk import OctKey
from sqlalchemy import select, update
from tests.accounts.calls import (
    UNLIKE_EACH_TIME,
    after,
    bearer,
    counted,
    me,
    shape,
    sign_in,
    signed_in,
    told,
)
from tests.db import rows
from tests.support import cast
from tests.support.app import BASE_URL, RunningApp, running
from tests.support.cast import PASSWORD

from turnout import clock
from turnout.accounts.models import SignIn, User
from turnout.settings import Settings

GOOD = {"username": "ada@example.com", "password": PASSWORD}
INVALID = (422, "validation-error")


async def change_user(app: RunningApp, person: cast.Person, **values: Any) -> None:
    await rows.change(app.runtime.database, update(User).where(User.id == person.id).values(values))


async def test_token_by_password_is_as_oauth_has_it(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)

    answer = await sign_in(closed_api, ada.email, grant_type="password", scope="", client_id="x")

    tokens = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 900)
    assert await me(closed_api, tokens["access_token"]) == (200, None)


async def test_token_without_a_grant_type_is_given(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    """As the Authorize button of the docs page may send it: fields that are empty or unknown."""
    await cast.ada(closed_app)

    answers = [
        await closed_api.post("/auth/token", data=form)
        for form in (GOOD, {**GOOD, "grant_type": "", "otp": ""}, {**GOOD, "client_secret": "x"})
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ({"x": "1"}, ["username", "password"]),
        ({"username": "ada@example.com"}, ["password"]),
        ({"password": PASSWORD}, ["username"]),
        ({**GOOD, "grant_type": "refresh_token"}, ["refresh_token"]),
        ({**GOOD, "grant_type": "client_credentials"}, ["grant_type"]),
        ({**GOOD, "username": "a" * 1001}, ["username"]),
        ({**GOOD, "otp": "1" * 65}, ["otp"]),
        ({"grant_type": "refresh_token", "refresh_token": "a" * 4097}, ["refresh_token"]),
    ],
)
async def test_token_with_an_incomplete_form_names_the_fields(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient, form: dict[str, str], fields: list[str]
) -> None:
    await cast.ada(closed_app)

    answer = await closed_api.post("/auth/token", data=form)

    assert told(answer) == INVALID
    assert [each["field"] for each in answer.json()["errors"]] == fields


FORM = "application/x-www-form-urlencoded"
GOOD_FORM = f"username=ada@example.com&password={PASSWORD.replace(' ', '+')}"


@pytest.mark.parametrize(
    ("body", "media_type", "expected"),
    [
        (GOOD_FORM, FORM, (200, None)),
        (GOOD_FORM, f"{FORM}; charset=utf-8", (200, None)),
        (GOOD_FORM + "&x=1" * 48, FORM, (200, None)),
        (GOOD_FORM + "&x=1" * 49, FORM, (413, "payload-too-large")),
        (GOOD_FORM + "&password=x", FORM, INVALID),
        (GOOD_FORM + "&username=ada@example.com", FORM, INVALID),
        (GOOD_FORM + "&grant_type=password&grant_type=password", FORM, INVALID),
        (GOOD_FORM + "&otp=%ff", FORM, INVALID),
        (GOOD_FORM, f"{FORM}; charset=utf-16", (415, "unsupported-media-type")),
        (GOOD_FORM, "multipart/form-data; boundary=x", (415, "unsupported-media-type")),
        (
            '{"username":"ada@example.com","password":"four unrelated words here"}',
            "application/json",
            (415, "unsupported-media-type"),
        ),
    ],
)
async def test_token_by_a_form_of_another_kind(
    closed_app: RunningApp,
    closed_api: httpx2.AsyncClient,
    body: str,
    media_type: str,
    expected: tuple[int, str | None],
) -> None:
    await cast.ada(closed_app)

    answer = await closed_api.post(
        "/auth/token", content=body.encode(), headers={"Content-Type": media_type}
    )

    assert told(answer) == expected


async def test_token_with_the_form_in_the_address_is_refused(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    await cast.ada(closed_app)

    answer = await closed_api.post(f"/auth/token?{GOOD_FORM}", headers={"Content-Type": FORM})

    assert told(answer) == INVALID


async def test_token_by_another_sites_page_is_refused(closed_app: RunningApp) -> None:
    await cast.ada(closed_app)

    async with closed_app.client(headers={"Sec-Fetch-Site": "cross-site"}) as api:
        answer = await sign_in(api, "ada@example.com")

    assert told(answer) == (403, "csrf-failed")


async def test_token_for_all_who_fail_is_refused_in_the_same_way_after_the_same_work(
    closed_app: RunningApp,
) -> None:
    await cast.ada(closed_app)
    await change_user(closed_app, await cast.mallory(closed_app), is_active=False)
    await change_user(closed_app, await cast.olive(closed_app), password_hash=None)
    tried = {
        "wrong password": ("ada@example.com", "five unrelated words here"),
        "unknown": ("nobody@example.com", PASSWORD),
        "disabled": ("mallory@example.com", PASSWORD),
        "without a password": ("olive@example.com", PASSWORD),
        "no address": ("ada", PASSWORD),
        "NUL in the address": ("ada@example.com\x00", PASSWORD),
        "NUL in the password": ("ada@example.com", f"{PASSWORD}\x00"),
        "another letter": ("\u0430da@example.com", PASSWORD),
        "spaces around": (" ada@example.com ", PASSWORD),
    }

    async with counted(closed_app) as hasher, closed_app.client() as api:
        answers = {
            name: (await sign_in(api, *each), hasher.taken()) for name, each in tried.items()
        }

    shapes = {name: (shape(answer), work) for name, (answer, work) in answers.items()}
    expected = shapes["wrong password"]
    assert told(answers["wrong password"][0]) == (401, "invalid-credentials")
    assert answers["wrong password"][0].json()["error"] == "invalid_grant"
    assert expected[1] == ["verify"]
    assert {name for name, each in shapes.items() if each != expected} == set()


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_token_by_a_password_longer_than_any_is_refused_without_work(
    closed_app: RunningApp, email: str
) -> None:
    await cast.ada(closed_app)

    async with counted(closed_app) as hasher, closed_app.client() as api:
        long = await sign_in(api, email, "x" * 1_025)
        very_long = await sign_in(api, email, "x" * 250_000)
        too_long = await sign_in(api, email, "x" * 1_000_000)
        work = hasher.taken()

    assert [told(long), told(very_long)] == [(401, "invalid-credentials")] * 2
    assert told(too_long) == (413, "payload-too-large")
    assert work == []


async def test_access_token_says_whose_it_is_and_for_how_long(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada, key = await cast.ada(closed_app), closed_app.runtime.seals.key(b"access token")
    before = int(clock.now().timestamp())
    tokens = [await signed_in(closed_api, ada.email) for _ in range(2)]

    texts = [each["access_token"] for each in tokens]
    first, second = (
        jwt.decode(text, OctKey.import_key(key), algorithms=["HS256"]) for text in texts
    )

    claims, sign_ins = (
        first.claims,
        await rows.read(
            closed_app.runtime.database,
            select(SignIn.id).where(SignIn.user_id == ada.id).order_by(SignIn.id.desc()).limit(2),
        ),
    )
    assert jws.extract_compact(texts[0].encode()).headers() == {"alg": "HS256", "typ": "at+jwt"}
    assert set(claims) == {"iss", "aud", "sub", "sid", "jti", "exp", "nbf", "iat"}
    assert (claims["iss"], claims["aud"], claims["sub"]) == (BASE_URL, "turnout", str(ada.id))
    assert [(UUID(each.claims["sid"]),) for each in (second, first)] == sign_ins
    assert claims["exp"] - claims["nbf"] == 900
    assert claims["iat"] == claims["nbf"]
    assert 0 <= claims["nbf"] - before <= 60
    assert claims["jti"] != second.claims["jti"]


async def test_access_token_ends_after_15_minutes(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    tokens = await signed_in(closed_api, ada.email)

    with after(minutes=14):
        late = await me(closed_api, tokens["access_token"])
    with after(minutes=15, seconds=1):
        too_late = await me(closed_api, tokens["access_token"])
        public = told(await closed_api.get("/events", headers=bearer(tokens["access_token"])))

    assert (late, too_late, public) == ((200, None), (401, "invalid-token"), (401, "invalid-token"))


async def test_access_token_is_good_on_another_process_until_the_account_changes(
    closed_app: RunningApp, closed_settings: Settings
) -> None:
    """Each change is made by one process and looked for on another, which has asked before."""
    root, ada, bob = (
        await cast.root(closed_app),
        await cast.ada(closed_app),
        await cast.join(closed_app, "Bob"),
    )
    async with (
        running(closed_settings) as other,
        other.client() as there,
        root.api(closed_app) as admin,
        bob.api(closed_app) as of_bob,
    ):
        before = [await me(there, each.token) for each in (ada, bob)]
        await admin.patch(f"/users/{ada.id}", json={"is_active": False})
        disabled = await me(there, ada.token)
        await admin.patch(f"/users/{ada.id}", json={"is_active": True})
        enabled = await me(there, ada.token)
        await of_bob.delete("/users/me")
        erased = await me(there, bob.token)

    assert before == [(200, None)] * 2
    assert [disabled, enabled, erased] == [(401, "invalid-token")] * 3


async def test_role_counts_on_another_process_from_the_next_request(
    closed_app: RunningApp, closed_settings: Settings
) -> None:
    root, ada = await cast.root(closed_app), await cast.ada(closed_app)
    found = []
    async with (
        running(closed_settings) as other,
        ada.api(other) as there,
        root.api(closed_app) as admin,
    ):
        found.append(told(await there.get("/users")))
        for role in ("admin", "organizer"):
            await admin.patch(f"/users/{ada.id}", json={"role": role})
            found.append(told(await there.get("/users")))

    assert found == [(403, "not-allowed"), (200, None), (403, "not-allowed")]


async def test_sign_in_that_was_ended_counts_on_no_process(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient, closed_settings: Settings
) -> None:
    ada = await cast.ada(closed_app)
    ended, kept = [await signed_in(closed_api, ada.email) for _ in range(2)]
    async with running(closed_settings) as other, other.client() as there:
        before = [await me(there, each["access_token"]) for each in (ended, kept)]
        mine = bearer(ended["access_token"])
        listed = (await closed_api.get("/users/me/sign-ins", headers=mine)).json()["items"]
        (current,) = [each["id"] for each in listed if each["is_current"]]
        gone = await closed_api.delete(f"/users/me/sign-ins/{current}", headers=mine)
        found = [await me(there, each["access_token"]) for each in (ended, kept)]

    assert before == [(200, None)] * 2
    assert gone.status_code == 204
    assert found == [(401, "invalid-token"), (200, None)]


def test_headers_left_out_of_comparisons_say_nothing_about_an_account() -> None:
    assert {"x-request-id", "date", "ratelimit"} == UNLIKE_EACH_TIME
