"""Signing in by a real OpenID Connect provider, in the pages: there, back, and as whom."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from sqlalchemy import select, update
from tests.db import rows
from tests.support import cast
from tests.support.app import BASE_URL, RunningApp, running
from tests.support.cast import Person
from tests.support.openid import real_provider
from tests.support.processes import Server
from tests.web.pages import (
    Shown,
    after,
    browser,
    code_at,
    cookies_of,
    log_in,
    second_factor_of,
    shown,
    who_am_i,
)

from turnout.accounts.models import OpenIdIdentity, SignIn, User
from turnout.edge.caller import COOKIE
from turnout.limiter import SIGN_IN_ADDRESS
from turnout.settings import Settings
from turnout.web.provider import COOKIE as ATTEMPT

PEOPLE: list[dict[str, Any]] = [
    {"sub": "ada-1", "email": "Ada@Example.com", "email_verified": True, "name": "Ada Lovelace"},
    {"sub": "ada-2", "email": "ada@example.com", "email_verified": False, "name": "Not Ada"},
    {"sub": "nameless", "email": "grace@example.com", "email_verified": True},
    {"sub": "silent"},
]
FAILED = Shown(422, "The sign-in did not succeed")
DOWN = Shown(503, "The sign-in provider does not answer")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The real provider, with people it knows."""
    with real_provider(*PEOPLE) as started:
        yield started


@pytest.fixture
def provided(closed_settings: Settings, server: Server) -> Settings:
    given = {"oidc_issuer": server.url, "oidc_client_id": "turnout", "oidc_client_secret": "s"}
    return closed_settings.model_validate({**closed_settings.model_dump(), **given})


@pytest.fixture
async def open_app(provided: Settings) -> AsyncIterator[RunningApp]:
    async with running(provided) as started:
        yield started


@pytest.fixture
async def client(open_app: RunningApp) -> AsyncIterator[httpx2.AsyncClient]:
    async with browser(open_app) as opened:
        yield opened


async def set_out(client: httpx2.AsyncClient, wanted: str = "/docs") -> str:
    """The provider's address that a browser is sent to."""
    answer = await client.get("/login/provider", params={"next": wanted})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def at_provider(address: str, **form: str) -> str:
    """What the provider sends the browser back to, once the person has filled in its page."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        answer = await http.post(address, data=form)
    back: str = answer.headers["location"]
    assert back.startswith(f"{BASE_URL}/login/provider/callback?"), back
    return back.removeprefix(BASE_URL)


async def sign_in(client: httpx2.AsyncClient, sub: str, wanted: str = "/docs") -> httpx2.Response:
    """The answer to the browser that comes back as that person."""
    return await client.get(await at_provider(await set_out(client, wanted), sub=sub))


def went(answer: httpx2.Response) -> tuple[int, str, dict[str, str]]:
    """Where an answer leads, and the cookies that it takes away or, but for their value, sets."""
    set_ = {name: "set" if each.value else "gone" for name, each in cookies_of(answer).items()}
    return answer.status_code, answer.headers["location"], set_


ENTERED = (303, "/docs", {COOKIE: "set", ATTEMPT: "gone"})


async def user_of(app: RunningApp, answer: httpx2.Response) -> User:
    """The account that an answer has signed in to."""
    status, email = await who_am_i(app, cookies_of(answer)[COOKIE].value)
    assert status == 200
    async with app.runtime.database.read() as db:
        user = await db.scalar(select(User).where(User.email == email))
    assert user is not None
    return user


async def test_stranger_gets_an_account_with_the_address_of_the_provider(
    open_app: RunningApp, client: httpx2.AsyncClient
) -> None:
    answer = await sign_in(client, "ada-1")

    user = await user_of(open_app, answer)
    assert went(answer) == ENTERED
    assert (user.email, user.name, user.role) == ("Ada@Example.com", "Ada Lovelace", "attendee")
    assert (user.email_verified_at is not None, user.password_hash) == (True, None)


async def test_stranger_without_a_name_is_called_by_the_address(
    open_app: RunningApp, client: httpx2.AsyncClient
) -> None:
    answer = await sign_in(client, "nameless")

    assert (await user_of(open_app, answer)).name == "grace"


async def test_known_identity_comes_back_to_its_account_whatever_its_address_is_now(
    open_app: RunningApp, client: httpx2.AsyncClient
) -> None:
    first = await user_of(open_app, await sign_in(client, "ada-1"))
    moved = update(User).where(User.id == first.id)
    await rows.change(
        open_app.runtime.database,
        moved.values(email="lovelace@example.com", email_canonical="lovelace@example.com"),
    )
    client.cookies.clear()

    second = await user_of(open_app, await sign_in(client, "ada-1"))

    assert (second.id, second.email) == (first.id, "lovelace@example.com")
    assert await rows.count(open_app.runtime.database, OpenIdIdentity) == 1


async def test_verified_address_leads_to_the_account_that_has_verified_it(
    open_app: RunningApp, client: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(open_app)

    user = await user_of(open_app, await sign_in(client, "ada-1"))

    assert (user.id, user.name) == (ada.id, "Ada")
    assert await who_am_i(open_app, ada.cookie) == (200, ada.email)
    client.cookies.clear()
    assert (await log_in(client, ada.email)).status_code == 303


@pytest.mark.parametrize("sub", ["ada-2", "silent"])
async def test_address_that_the_provider_has_not_verified_opens_nothing(
    open_app: RunningApp, client: httpx2.AsyncClient, sub: str
) -> None:
    await cast.ada(open_app)
    before = await rows.counts(open_app.runtime.database)

    answer = await sign_in(client, sub)

    assert shown(answer) == FAILED
    assert {name: each.value for name, each in cookies_of(answer).items()} == {ATTEMPT: ""}
    assert await rows.counts(open_app.runtime.database) == before


async def test_account_of_an_unverified_address_is_taken_over_by_its_owner(
    open_app: RunningApp, client: httpx2.AsyncClient
) -> None:
    """Somebody made it beforehand, to be in it when Ada comes: all they hold counts no more."""
    squatter = await cast.join(open_app, "Ada", verified=False)
    secret, _ = await second_factor_of(open_app, squatter)
    token = await api_token_of(open_app, squatter)

    user = await user_of(open_app, await sign_in(client, "ada-1"))

    client.cookies.clear()
    bearers = [squatter.bearer, {"Authorization": f"Bearer {token}"}]
    calls = [(await client.get("/users/me", headers=each)).status_code for each in bearers]
    form = {"username": squatter.email, "password": cast.PASSWORD, "otp": code_at(secret)}
    by_password = await client.post("/auth/token", data=form)
    assert user.id == squatter.id
    assert user.email_verified_at is not None
    assert await who_am_i(open_app, squatter.cookie) == (401, None)
    assert (calls, by_password.json()["code"]) == ([401, 401], "invalid-credentials")


async def api_token_of(app: RunningApp, person: Person) -> str:
    wish = {"name": "mine", "scopes": ["profile:read"]}
    async with person.api(app) as api:
        token: str = (await api.post("/users/me/tokens", json=wish)).json()["token"]
        mine = await api.get("/users/me", headers={"Authorization": f"Bearer {token}"})
    assert mine.status_code == 200
    return token


async def test_disabled_account_is_not_entered(
    open_app: RunningApp, client: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(open_app)
    disabled = update(User).where(User.id == ada.id).values(is_active=False)
    await rows.change(open_app.runtime.database, disabled)

    answer = await sign_in(client, "ada-1")

    assert shown(answer) == FAILED
    assert {name: each.value for name, each in cookies_of(answer).items()} == {ATTEMPT: ""}


async def test_second_factor_is_asked_for_all_the_same(
    open_app: RunningApp, client: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(open_app)
    secret, _ = await second_factor_of(open_app, ada)
    before = await rows.count(open_app.runtime.database, SignIn)

    asked = await sign_in(client, "ada-1")
    between = await rows.count(open_app.runtime.database, SignIn)
    fields = shown(asked).fields
    answer = await client.post("/login/code", data={**fields, "code": code_at(secret)})

    assert shown(asked).heading == "One more step"
    assert list(cookies_of(asked)) == [ATTEMPT]
    assert between == before
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")
    assert (await user_of(open_app, answer)).id == ada.id


async def test_only_the_browser_that_set_out_may_come_back(
    open_app: RunningApp, client: httpx2.AsyncClient
) -> None:
    """Else Mallory could let Ada open an address that signs her in as Mallory (login CSRF)."""
    back = await at_provider(await set_out(client), sub="ada-1")
    before = await rows.counts(open_app.runtime.database)

    async with browser(open_app) as other:
        without = await other.get(back)
        await set_out(other)
        with_another = await other.get(back)
    own = await client.get(back)
    twice = await client.get(back)

    assert [shown(answer) for answer in (without, with_another, twice)] == [FAILED] * 3
    assert all(COOKIE not in cookies_of(answer) for answer in (without, with_another, twice))
    assert went(own) == ENTERED
    assert (await rows.counts(open_app.runtime.database))["users"] == before["users"] + 1


async def test_attempt_that_was_tampered_with_or_is_late_fails(
    open_app: RunningApp, client: httpx2.AsyncClient
) -> None:
    back = await at_provider(await set_out(client), sub="ada-1")
    whole = client.cookies[ATTEMPT]
    client.cookies.clear()
    pending = open_app.runtime.seals.seal(b"pending sign-in", b"{}").hex()
    forged = ["", "x", "00", whole[:-2], f"{int(whole[0], 16) ^ 1:x}{whole[1:]}", pending]

    answers = [await client.get(back, headers={"Cookie": f"{ATTEMPT}={value}"}) for value in forged]
    with after(timedelta(minutes=10, seconds=1)):
        answers.append(await client.get(back, headers={"Cookie": f"{ATTEMPT}={whole}"}))
    in_time = await client.get(back, headers={"Cookie": f"{ATTEMPT}={whole}"})

    assert [shown(answer) for answer in answers] == [FAILED] * len(answers)
    assert went(in_time) == ENTERED


async def test_whoever_declines_at_the_provider_is_told_so(
    open_app: RunningApp, client: httpx2.AsyncClient
) -> None:
    answer = await client.get(await at_provider(await set_out(client), action="deny"))

    assert shown(answer) == FAILED
    assert await rows.count(open_app.runtime.database, User) == 0


@pytest.mark.parametrize("wanted", ["//evil.example", "/\\evil.example", "https://evil.example"])
async def test_way_by_the_provider_leads_to_no_other_server(
    client: httpx2.AsyncClient, wanted: str
) -> None:
    answer = await sign_in(client, "ada-1", wanted)

    assert went(answer) == (303, "/account", {COOKIE: "set", ATTEMPT: "gone"})


async def test_sign_in_page_names_the_provider(provided: Settings, closed_app: RunningApp) -> None:
    named = provided.model_copy(update={"oidc_name": "<Example> University"})
    async with running(named) as app, browser(app) as with_one, browser(closed_app) as without:
        offered = await with_one.get("/login?next=/docs%3Fa=1")
        not_offered = await without.get("/login")
        missing = await without.get("/login/provider")

    link = '<a class="button" href="/login/provider?next=/docs%3Fa%3D1">'
    assert f"{link}Sign in with &lt;Example&gt; University</a>" in offered.text
    assert "provider" not in not_offered.text
    assert shown(missing) == Shown(404, "There is nothing here")


@pytest.mark.parametrize(
    ("base_url", "name", "secure"),
    [(BASE_URL, ATTEMPT, ""), (BASE_URL.replace("http:", "https:"), f"__Host-{ATTEMPT}", True)],
)
async def test_cookie_of_an_attempt_is_for_this_host_and_no_script(
    provided: Settings, base_url: str, name: str, secure: object
) -> None:
    settings = provided.model_copy(update={"base_url": base_url})
    async with running(settings) as app, browser(app) as client:
        answer = await client.get("/login/provider")

    [(given, cookie)] = cookies_of(answer).items()
    assert given == name
    assert (cookie["max-age"], cookie["path"]) == ("600", "/")
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "lax", secure)
    state = dict(parse_qsl(urlsplit(answer.headers["location"]).query))["state"]
    assert state not in cookie.value


async def test_provider_that_is_down_is_a_page_that_says_so(provided: Settings) -> None:
    with real_provider(*PEOPLE) as server:
        settings = provided.model_copy(update={"oidc_issuer": server.url})
        async with running(settings) as app, browser(app) as client:
            back = await at_provider(await set_out(client), sub="ada-1")
            server.stop()
            coming = await client.get(back)
    async with running(settings) as app, browser(app) as late:
        going = await late.get("/login/provider")

    for answer in (coming, going):
        assert shown(answer) == DOWN
        assert answer.headers["retry-after"] == "5"
    assert COOKIE not in cookies_of(coming)
    assert cookies_of(going) == {}


async def test_failures_count_and_sign_ins_do_not(client: httpx2.AsyncClient) -> None:
    """A whole hall may come by the provider from behind one address."""
    for _ in range(SIGN_IN_ADDRESS.amount - 1):
        await client.get("/login/provider/callback")

    entered = [await sign_in(client, "ada-1") for _ in range(3)]
    last, refused = [await client.get("/login/provider/callback") for _ in range(2)]

    assert [went(answer) for answer in entered] == [ENTERED] * 3
    assert shown(last) == FAILED
    assert shown(refused) == Shown(429, "You ask too often")
    assert 0 < int(refused.headers["retry-after"]) <= SIGN_IN_ADDRESS.seconds
