"""Links in mails: to verify an address, to get back in; and nothing secret lies in the database."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import select, update
from tests.accounts.calls import (
    NEW_PASSWORD,
    after,
    bearer,
    code_at,
    counted,
    link_tokens,
    me,
    messages,
    shape,
    sign_in,
    signed_in,
    told,
)
from tests.db import rows
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import PASSWORD, Person

from turnout.accounts.models import Link, User
from turnout.accounts.opaque import Seals
from turnout.outbox.topics import Topic

NO_LINK = (404, "invalid-link")


async def unverified(app: RunningApp) -> Person:
    return await cast.join(app, "Ada", verified=False)


async def verify(api: httpx2.AsyncClient, token: str) -> tuple[int, str | None]:
    return told(await api.post("/auth/verify-email", json={"token": token}))


async def reset(
    api: httpx2.AsyncClient, token: str, password: str = NEW_PASSWORD
) -> tuple[int, str | None]:
    body = {"token": token, "password": password}
    return told(await api.post("/auth/reset-password", json=body))


async def forgot(api: httpx2.AsyncClient, email: str) -> httpx2.Response:
    return await api.post("/auth/forgot-password", json={"email": email})


async def is_verified(api: httpx2.AsyncClient, person: Person) -> bool:
    found: bool = (await api.get("/users/me", headers=person.bearer)).json()["email_verified"]
    return found


async def link_of(app: RunningApp, topic: Topic) -> str:
    (token,) = await link_tokens(app, topic)
    return token


async def reset_link(app: RunningApp, api: httpx2.AsyncClient, email: str) -> str:
    """The newest link of those that the address has asked for."""
    assert (await forgot(api, email)).status_code == 202
    return (await link_tokens(app, Topic.PASSWORD_RESET_ASKED))[-1]


async def test_verify_email_counts_once(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await unverified(closed_app)
    token, before = (
        await link_of(closed_app, Topic.ACCOUNT_CREATED),
        await is_verified(closed_api, ada),
    )

    answers = [await verify(closed_api, token) for _ in range(2)]

    assert before is False
    assert answers == [(204, None), NO_LINK]
    assert await is_verified(closed_api, ada) is True


async def test_verify_email_with_any_other_text_is_refused(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await unverified(closed_app)
    good, other = await link_of(closed_app, Topic.ACCOUNT_CREATED), Seals(b"another" * 8)
    ((link_id,),) = await rows.read(closed_app.runtime.database, select(Link.id))
    tried = [
        *("", "x", "\x00", "ä" * 48, good[:-1], good[:-4], good[1:], good + "A", good.upper()),
        *(good.lower(), good.swapcase(), f" {good}", f"{good}\n", good + "====", str(link_id)),
        *(other.link_token(link_id), closed_app.runtime.seals.link_token(ada.id)),
    ]

    answers = [await verify(closed_api, each) for each in tried]
    also = [await reset(closed_api, each) for each in (tried[3], good, tried[-2])]

    assert answers == [NO_LINK] * len(tried)
    assert also == [NO_LINK] * 3
    assert await is_verified(closed_api, ada) is False
    assert await verify(closed_api, good) == (204, None)


@pytest.mark.parametrize(("days", "expected"), [(6.99, (204, None)), (7.01, NO_LINK)])
async def test_verify_email_lasts_a_week(
    closed_app: RunningApp,
    closed_api: httpx2.AsyncClient,
    days: float,
    expected: tuple[int, str | None],
) -> None:
    await unverified(closed_app)
    token = await link_of(closed_app, Topic.ACCOUNT_CREATED)

    with after(days=days):
        answer = await verify(closed_api, token)

    assert answer == expected


@pytest.mark.parametrize("values", [{"is_active": False}, {"email": "other@example.com"}])
async def test_verify_email_of_an_account_that_has_changed_is_refused(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient, values: dict[str, Any]
) -> None:
    await unverified(closed_app)
    token = await link_of(closed_app, Topic.ACCOUNT_CREATED)
    await rows.change(closed_app.runtime.database, update(User).values(values))

    answer = await verify(closed_api, token)

    verified = await rows.read(closed_app.runtime.database, select(User.email_verified_at))
    assert answer == NO_LINK
    assert verified == [(None,)]


async def test_forgot_password_looks_the_same_and_writes_to_the_owner_alone(
    closed_app: RunningApp,
) -> None:
    ada, mallory = await cast.ada(closed_app), await cast.mallory(closed_app)
    disabled = update(User).where(User.id == mallory.id).values(is_active=False)
    await rows.change(closed_app.runtime.database, disabled)
    asked = ["ADA@example.com", "nobody@example.com", mallory.email]

    async with counted(closed_app) as hasher, closed_app.client() as api:
        answers = [await forgot(api, each) for each in asked]

    assert told(answers[0]) == (202, None)
    assert [shape(each) for each in answers] == [shape(answers[0])] * 3
    assert hasher.taken() == []
    found = [each for each in await messages(closed_app) if each[0] == Topic.PASSWORD_RESET_ASKED]
    assert [payload["user_id"] for _, payload in found] == [str(ada.id)]


async def test_reset_password_hands_the_account_to_the_owner_of_the_address(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada, bob = await unverified(closed_app), await cast.join(closed_app, "Bob")
    wanted = {"name": "x", "scopes": ["profile:read"]}
    made = await closed_api.post("/users/me/tokens", json=wanted, headers=ada.bearer)
    first, token = [await reset_link(closed_app, closed_api, ada.email) for _ in range(2)]
    opened = [ada.token, made.json()["token"]]
    before = [await me(closed_api, each) for each in opened]

    older, weak = await reset(closed_api, first), await reset(closed_api, token, "password1234")
    answers = [await reset(closed_api, token) for _ in range(2)]

    by_cookie = await closed_api.get("/users/me", headers=ada.page)
    assert before == [(200, None)] * 2
    assert (older, weak) == (NO_LINK, (422, "weak-password"))
    assert answers == [(204, None), NO_LINK]
    assert [await me(closed_api, each) for each in opened] == [(401, "invalid-token")] * 2
    assert by_cookie.status_code == 401
    assert told(await sign_in(closed_api, ada.email)) == (401, "invalid-credentials")
    tokens = await signed_in(closed_api, ada.email, NEW_PASSWORD)
    profile = await closed_api.get("/users/me", headers=bearer(tokens["access_token"]))
    assert profile.json()["email_verified"] is True
    assert await me(closed_api, bob.token) == (200, None)
    assert (await sign_in(closed_api, bob.email)).status_code == 200
    assert Topic.PASSWORD_CHANGED in [topic for topic, _ in await messages(closed_app, ada.id)]


async def test_reset_password_takes_a_link_of_its_own_kind_within_an_hour(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await unverified(closed_app)
    token = await reset_link(closed_app, closed_api, ada.email)

    as_verification = await verify(closed_api, token)
    personal = await reset(closed_api, token, "ada@example.com")
    with after(minutes=61):
        late = await reset(closed_api, token)
    with after(minutes=59):
        in_time = await reset(closed_api, token)

    assert (as_verification, personal) == (NO_LINK, (422, "weak-password"))
    assert (late, in_time) == (NO_LINK, (204, None))


async def test_reset_password_ends_a_move_to_another_address(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    """Asked for by somebody who knew the password: else they would have the account tomorrow."""
    ada = await cast.ada(closed_app)
    body = {"email": "thief@example.com", "current_password": PASSWORD}
    moved = await closed_api.patch("/users/me", json=body, headers=ada.bearer)
    move = await link_of(closed_app, Topic.EMAIL_CHANGE_ASKED)
    token = await reset_link(closed_app, closed_api, ada.email)

    answers = [await reset(closed_api, token), await verify(closed_api, move)]

    assert moved.status_code == 200
    assert answers == [(204, None), NO_LINK]
    assert (await sign_in(closed_api, ada.email, NEW_PASSWORD)).status_code == 200


async def test_nothing_that_lets_someone_in_is_in_the_database(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await unverified(closed_app)
    tokens = await signed_in(closed_api, ada.email)
    api_token = await closed_api.post(
        "/users/me/tokens",
        json={"name": "x", "scopes": ["profile:read"]},
        headers={**ada.bearer, "Idempotency-Key": "a-key-of-ada"},
    )
    factor = await closed_api.post("/users/me/second-factor", headers=ada.bearer)
    secret = factor.json()["secret"]
    confirmed = await closed_api.post(
        "/users/me/second-factor/confirm",
        json={"code": code_at(secret)},
        headers=ada.bearer,
    )
    reset_token = await reset_link(closed_app, closed_api, ada.email)
    codes = confirmed.json()["recovery_codes"]
    secrets = {
        "password": PASSWORD,
        "access token": tokens["access_token"],
        "refresh token": tokens["refresh_token"],
        "cookie": ada.cookie,
        "API token": api_token.json()["token"].removeprefix("turnout_"),
        "second factor": secret,
        "link to verify": await link_of(closed_app, Topic.ACCOUNT_CREATED),
        "link to reset": reset_token,
        "idempotency key": "a-key-of-ada",
        **{f"recovery code {n}": code for n, code in enumerate(codes)},
        **{f"plain recovery code {n}": code.replace("-", "") for n, code in enumerate(codes)},
    }

    kept = await rows.dump(closed_app.runtime.database)

    assert [api_token.status_code, confirmed.status_code, len(codes)] == [201, 200, 10]
    assert {name for name, each in secrets.items() if each.encode() in kept} == set()
    assert {name for name, each in secrets.items() if each.encode()[:20] in kept} == set()
    assert ada.email.encode() in kept  # the control: what is there is found
