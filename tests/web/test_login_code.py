"""The second step of signing in: the code of a second factor, asked for after the password."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import update
from tests.db import rows
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import Person
from tests.web.pages import (
    NEW_PASSWORD,
    Shown,
    after,
    browser,
    code_at,
    cookies_of,
    link_for,
    log_in,
    second_factor_of,
    shown,
    who_am_i,
)

from turnout.accounts.models import SignIn, User
from turnout.edge.caller import COOKIE
from turnout.limiter import SIGN_IN_ACCOUNT

HEADING = "One more step"
WRONG = "This code does not count. Try the one that is shown now; each counts once."
LATE = "/login?late&next=/docs"
TOO_LATE = "That took too long, or something has changed meanwhile. Sign in again."


@pytest.fixture
async def olive(closed_app: RunningApp) -> Person:
    return await cast.olive(closed_app)


@pytest.fixture
async def secret(closed_app: RunningApp, olive: Person) -> str:
    """What Olive's authenticator knows."""
    return (await second_factor_of(closed_app, olive))[0]


@pytest.fixture
async def client(closed_app: RunningApp) -> AsyncIterator[httpx2.AsyncClient]:
    async with browser(closed_app) as opened:
        yield opened


async def half_way(client: httpx2.AsyncClient, olive: Person) -> dict[str, str]:
    """The fields of the form that asks Olive for a code."""
    answer = await log_in(client, olive.email, next="/docs")
    return shown(answer).fields


async def send(client: httpx2.AsyncClient, fields: dict[str, str], code: str) -> httpx2.Response:
    return await client.post("/login/code", data={**fields, "code": code})


def went(answer: httpx2.Response) -> tuple[int, str, list[str]]:
    """Where an answer leads, and the cookies that it sets."""
    return answer.status_code, answer.headers["location"], list(cookies_of(answer))


async def test_password_alone_leads_to_the_question_for_a_code(
    closed_app: RunningApp, client: httpx2.AsyncClient, olive: Person, secret: str
) -> None:
    before = await rows.count(closed_app.runtime.database, SignIn)

    answer = await log_in(client, olive.email, next="/docs")

    page = shown(answer)
    pending = page.fields.pop("pending")
    assert page == Shown(200, HEADING, fields={"next": "/docs", "code": ""})
    assert cookies_of(answer) == {}
    assert await rows.count(closed_app.runtime.database, SignIn) == before
    assert await who_am_i(closed_app, pending) == (401, None)
    assert secret not in answer.text


async def test_right_code_signs_in(
    closed_app: RunningApp, client: httpx2.AsyncClient, olive: Person, secret: str
) -> None:
    code = code_at(secret)

    answer = await send(client, await half_way(client, olive), f"{code[:3]} {code[3:]}")

    assert went(answer) == (303, "/docs", [COOKIE])
    assert await who_am_i(closed_app, cookies_of(answer)[COOKIE].value) == (200, olive.email)


async def test_recovery_code_signs_in_once(
    closed_app: RunningApp, client: httpx2.AsyncClient, olive: Person
) -> None:
    _, [code, *_] = await second_factor_of(closed_app, olive)

    first = await send(client, await half_way(client, olive), code.upper())
    client.cookies.clear()
    second = await send(client, await half_way(client, olive), code)

    assert went(first) == (303, "/docs", [COOKIE])
    assert shown(second).wrong == [WRONG]
    assert (second.status_code, cookies_of(second)) == (401, {})


async def test_code_counts_once(client: httpx2.AsyncClient, olive: Person, secret: str) -> None:
    fields, code = await half_way(client, olive), code_at(secret)

    first = await send(client, fields, code)
    again = await send(client, fields, code)
    next_one = await send(client, fields, code_at(secret, 1))

    assert went(first) == (303, "/docs", [COOKIE])
    assert (again.status_code, cookies_of(again)) == (401, {})
    assert went(next_one) == (303, "/docs", [COOKIE])


async def test_wrong_code_asks_again_with_all_that_was_known(
    client: httpx2.AsyncClient, olive: Person, secret: str
) -> None:
    fields, old = await half_way(client, olive), code_at(secret, -9)

    answers = [await send(client, fields, code) for code in ("", old, "a" * 70_000, "\0")]

    for answer in answers:
        assert shown(answer) == Shown(401, HEADING, wrong=[WRONG], fields=fields)
        assert cookies_of(answer) == {}


async def test_question_is_open_for_five_minutes_however_often_it_is_asked(
    client: httpx2.AsyncClient, olive: Person, secret: str
) -> None:
    fields = await half_way(client, olive)

    with after(timedelta(minutes=4, seconds=50)):
        asked_again = shown(await send(client, fields, "000000")).fields
    with after(timedelta(minutes=5, seconds=2)):
        late = await send(client, asked_again, code_at(secret))
    page = await client.get(late.headers["location"])

    assert went(late) == (303, LATE, [])
    assert shown(page).told == [TOO_LATE]
    assert shown(page).fields["next"] == "/docs"


async def test_pending_sign_in_that_was_tampered_with_begins_again(
    closed_app: RunningApp, client: httpx2.AsyncClient, olive: Person, secret: str
) -> None:
    fields = await half_way(client, olive)
    whole = fields["pending"]
    sealed_for_another_use = closed_app.runtime.seals.seal(b"provider attempt", b"[]").hex()
    forged = [
        "", "x", "ü", "00", whole[:-2], f"{whole}00", f"{whole[:-1]}{int(whole[-1], 16) ^ 1:x}",
        f"{int(whole[0], 16) ^ 1:x}{whole[1:]}", sealed_for_another_use, "0" * 60_000,
    ]  # fmt: skip

    answers = [
        await send(client, {**fields, "pending": pending}, code_at(secret)) for pending in forged
    ]

    assert [went(answer) for answer in answers] == [(303, LATE, [])] * len(forged)


async def test_password_that_has_changed_meanwhile_is_asked_for_again(
    closed_app: RunningApp, client: httpx2.AsyncClient, olive: Person, secret: str
) -> None:
    """Whoever knew the former password and waits with the code has no business here any more."""
    fields = await half_way(client, olive)
    reset = {"token": await link_for(closed_app, olive), "password": NEW_PASSWORD}
    assert (await client.post("/auth/reset-password", json=reset)).status_code == 204

    answer = await send(client, fields, code_at(secret))

    assert went(answer) == (303, LATE, [])


async def test_account_that_was_disabled_meanwhile_is_not_entered(
    closed_app: RunningApp, client: httpx2.AsyncClient, olive: Person, secret: str
) -> None:
    fields = await half_way(client, olive)
    disabled = update(User).where(User.id == olive.id).values(is_active=False)
    await rows.change(closed_app.runtime.database, disabled)

    answer = await send(client, fields, code_at(secret))

    assert went(answer) == (303, LATE, [])


async def test_wrong_codes_count_as_failures_to_sign_in(
    client: httpx2.AsyncClient, olive: Person, secret: str
) -> None:
    fields = await half_way(client, olive)
    for _ in range(SIGN_IN_ACCOUNT.amount):
        await send(client, fields, "000000")

    answer = await send(client, fields, code_at(secret))

    page = shown(answer)
    assert (page.status, page.heading, page.fields) == (429, HEADING, fields)
    [wrong] = page.wrong
    assert wrong.startswith("You ask too often. At most 20 are taken in 15 minutes.")
    assert 0 < int(answer.headers["retry-after"]) <= SIGN_IN_ACCOUNT.seconds
    assert cookies_of(answer) == {}
