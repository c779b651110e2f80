"""The sign-in page, its cookie and all that ends it, as a browser sees them."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select, update
from tests.db import rows
from tests.factories import an_event
from tests.support import cast
from tests.support.app import RunningApp, running
from tests.support.cast import PASSWORD, Person
from tests.web.pages import (
    NEW_PASSWORD,
    Shown,
    after,
    browser,
    cookies_of,
    link_for,
    log_in,
    shown,
    who_am_i,
    with_cookie,
)

from turnout.accounts.actor import Role
from turnout.accounts.models import User
from turnout.accounts.sign_ins import PAGE_LIFETIME
from turnout.audit.models import AuditEntry
from turnout.edge.caller import COOKIE
from turnout.limiter import SIGN_IN_ACCOUNT
from turnout.settings import Settings

NO_MATCH = "Address and password do not belong together."
SECONDS = "1209600"


@pytest.fixture
async def ada(closed_app: RunningApp) -> Person:
    return await cast.ada(closed_app)


@pytest.fixture
async def client(closed_app: RunningApp) -> AsyncIterator[httpx2.AsyncClient]:
    async with browser(closed_app) as opened:
        yield opened


async def disable(app: RunningApp, person: Person) -> None:
    of_person = update(User).where(User.id == person.id)
    await rows.change(app.runtime.database, of_person.values(is_active=False))


async def test_sign_in_page_asks_for_address_and_password(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/login?next=/docs")

    fields = {"next": "/docs", "email": "", "password": ""}
    assert shown(answer) == Shown(200, "Sign in", fields=fields)


async def test_sign_in_goes_on_to_the_page_that_was_wanted(
    closed_app: RunningApp, client: httpx2.AsyncClient, ada: Person
) -> None:
    answer = await log_in(client, "ADA@Example.com", next="/docs?x=1")

    assert (answer.status_code, answer.headers["location"]) == (303, "/docs?x=1")
    assert await who_am_i(closed_app, cookies_of(answer)[COOKIE].value) == (200, ada.email)


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https:evil", "/a\r\nSet-Cookie: b=c", ""]
)
async def test_sign_in_leads_to_no_other_server(
    client: httpx2.AsyncClient, ada: Person, wanted: str
) -> None:
    asked = await client.get("/login", params={"next": wanted})
    answer = await log_in(client, ada.email, next=wanted)

    assert shown(asked).fields["next"] == "/account"
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert list(cookies_of(answer)) == [COOKIE]


@pytest.mark.parametrize(
    ("base_url", "name", "secure"),
    [
        ("http://testserver", "turnout_sign_in", ""),
        ("https://testserver", "__Host-turnout_sign_in", True),
    ],
)
async def test_cookie_is_for_this_host_and_no_script(
    closed_settings: Settings, base_url: str, name: str, secure: object
) -> None:
    settings = closed_settings.model_copy(update={"base_url": base_url})
    async with running(settings) as app, browser(app) as client:
        ada = await cast.ada(app)

        answer = await log_in(client, ada.email)
        [(given, cookie)] = cookies_of(answer).items()
        known = await client.get("/users/me", headers={"Cookie": f"{name}={cookie.value}"})
        client.cookies.clear()
        other = name.removeprefix("__Host-") if secure else f"__Host-{name}"
        unknown = await client.get("/users/me", headers={"Cookie": f"{other}={cookie.value}"})

    assert given == name
    assert {key: value for key, value in cookie.items() if value} == {
        "max-age": SECONDS, "path": "/", "httponly": True, "samesite": "lax",
        **({"secure": True} if secure else {}),
    }  # fmt: skip
    assert (known.status_code, unknown.status_code) == (200, 401)


async def test_cookie_counts_for_json_calls_of_our_own_pages(closed_app: RunningApp) -> None:
    olive = await cast.olive(closed_app)

    async with browser(closed_app, olive) as client:
        made = await client.post("/events", json=an_event())
        listed = await client.get("/users/me/sign-ins")

    assert (made.status_code, made.json()["organizer"]["id"]) == (201, str(olive.id))
    assert [each["is_current"] for each in listed.json()["items"]] == [True, False]


async def test_wrong_password_shows_the_form_again_with_the_address(
    client: httpx2.AsyncClient, ada: Person
) -> None:
    answer = await log_in(client, ada.email, "not four words at all", next="/docs")

    fields = {"next": "/docs", "email": ada.email, "password": ""}
    assert shown(answer) == Shown(401, "Sign in", wrong=[NO_MATCH], fields=fields)
    assert "not four words at all" not in answer.text
    assert cookies_of(answer) == {}


async def test_unknown_address_looks_the_same_as_a_wrong_password(
    closed_app: RunningApp, client: httpx2.AsyncClient, ada: Person
) -> None:
    mallory = await cast.mallory(closed_app)
    await disable(closed_app, mallory)

    known = await log_in(client, ada.email, "not four words at all")
    unknown = await log_in(client, "nobody@example.com")
    disabled = await log_in(client, mallory.email)

    emails = (ada.email, "nobody@example.com", mallory.email)
    pages = zip((known, unknown, disabled), emails, strict=True)
    seen = {(page.status_code, page.text.replace(email, "")) for page, email in pages}
    assert {status for status, _ in seen} == {401}
    assert len(seen) == 1


async def test_what_was_typed_is_shown_again_as_text(client: httpx2.AsyncClient) -> None:
    typed = "\"><script>alert('x')</script>@example.com"

    answer = await log_in(client, typed)

    assert shown(answer).fields["email"] == typed
    assert "<script" not in answer.text


async def test_too_many_failures_show_the_form_and_how_long_to_wait(
    client: httpx2.AsyncClient, ada: Person
) -> None:
    for _ in range(SIGN_IN_ACCOUNT.amount):
        await log_in(client, ada.email, "not four words at all")

    answer = await log_in(client, ada.email)

    page = shown(answer)
    assert (page.status, page.heading) == (429, "Sign in")
    assert page.fields == {"next": "/account", "email": ada.email, "password": ""}
    [wrong] = page.wrong
    assert wrong.startswith("You ask too often. At most 20 are taken in 15 minutes.")
    assert 0 < int(answer.headers["retry-after"]) <= SIGN_IN_ACCOUNT.seconds
    assert cookies_of(answer) == {}


async def test_form_that_no_browser_sends_is_shown_again(
    client: httpx2.AsyncClient, ada: Person
) -> None:
    right = b"&password=four+unrelated+words+here"
    bodies = {
        b"email=ada%40example.com&email=b" + right: 422,
        b"email=" + b"a" * 1_001 + right: 422,
        b"email=ada%40example.com%00" + right: 401,
        b"email=ada%40example.com" + right + b"%00": 401,
        b"": 401,
    }
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    answers = [await client.post("/login", content=body, headers=form) for body in bodies]

    assert ada.email == "ada@example.com"
    seen = [(shown(answer).status, shown(answer).heading) for answer in answers]
    assert seen == [(status, "Sign in") for status in bodies.values()]
    assert [cookies_of(answer) for answer in answers] == [{}] * len(bodies)


async def test_body_that_is_no_form_is_refused_by_a_page(client: httpx2.AsyncClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    json = await client.post("/login", json={"email": "ada@example.com"})
    long = await client.post("/login", content=b"&".join([b"a=1"] * 51), headers=form)

    assert shown(json) == Shown(415, "The body has a type that is not read here")
    assert shown(long) == Shown(413, "The body is too large")


async def test_whoever_is_signed_in_needs_no_form(closed_app: RunningApp, ada: Person) -> None:
    async with browser(closed_app, ada) as client:
        answer = await client.get("/login?next=/docs")

    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")


async def test_sign_out_ends_this_sign_in_and_no_other(
    closed_app: RunningApp, client: httpx2.AsyncClient, ada: Person
) -> None:
    cookie = cookies_of(await log_in(client, ada.email))[COOKIE].value

    answer = await client.post("/logout")

    taken = cookies_of(answer)[COOKIE]
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (taken.value, taken["max-age"], taken["path"]) == ("", "0", "/")
    assert await who_am_i(closed_app, cookie) == (401, None)
    assert await who_am_i(closed_app, ada.cookie) == (200, ada.email)
    query = select(AuditEntry.actor_id).where(AuditEntry.action == "sign-in.ended")
    assert await rows.read(closed_app.runtime.database, query) == [(ada.id,)]


async def test_sign_out_of_nobody_is_none_to_refuse(
    client: httpx2.AsyncClient, ada: Person
) -> None:
    ended = with_cookie(ada.cookie)
    await client.post("/logout", headers=ended)

    answers = [await client.post("/logout", headers=ended), await client.post("/logout")]

    assert [(each.status_code, each.headers["location"]) for each in answers] == [(303, "/")] * 2


@pytest.mark.parametrize("how", ["elsewhere", "changed", "reset", "disabled", "deleted", "time"])
async def test_cookie_counts_no_more_after(closed_app: RunningApp, ada: Person, how: str) -> None:
    wait = PAGE_LIFETIME if how == "time" else timedelta()
    assert await who_am_i(closed_app, ada.cookie) == (200, ada.email)

    await END[how](closed_app, ada)

    with after(wait):
        assert await who_am_i(closed_app, ada.cookie) == (401, None)
        async with browser(closed_app, ada) as client:
            page = await client.get("/account")
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/account")


async def _end_elsewhere(app: RunningApp, ada: Person) -> None:
    async with ada.api(app) as api:
        found = (await api.get("/users/me/sign-ins")).json()["items"]
        [other] = [each["id"] for each in found if not each["is_current"]]
        assert (await api.delete(f"/users/me/sign-ins/{other}")).status_code == 204


async def _change_password(app: RunningApp, ada: Person) -> None:
    change = {"password": NEW_PASSWORD, "current_password": PASSWORD}
    async with ada.api(app) as api:
        assert (await api.patch("/users/me", json=change)).status_code == 200


async def _reset_password(app: RunningApp, ada: Person) -> None:
    reset = {"token": await link_for(app, ada), "password": NEW_PASSWORD}
    async with app.client() as api:
        assert (await api.post("/auth/reset-password", json=reset)).status_code == 204


async def _delete_account(app: RunningApp, ada: Person) -> None:
    async with ada.api(app) as api:
        assert (await api.delete("/users/me")).status_code == 204


async def _do_nothing(_: RunningApp, __: Person) -> None:
    """The cookie runs out by itself."""


END = {
    "elsewhere": _end_elsewhere,
    "changed": _change_password,
    "reset": _reset_password,
    "disabled": disable,
    "deleted": _delete_account,
    "time": _do_nothing,
}


async def test_password_changed_by_the_page_keeps_its_own_sign_in(
    closed_app: RunningApp, ada: Person
) -> None:
    change = {"password": NEW_PASSWORD, "current_password": PASSWORD}

    async with browser(closed_app, ada) as client, ada.api(closed_app) as api:
        changed = await client.patch("/users/me", json=change)
        other = await api.get("/users/me")

    assert (changed.status_code, other.status_code) == (200, 401)
    assert await who_am_i(closed_app, ada.cookie) == (200, ada.email)


async def test_cookie_that_does_not_count_is_401_to_programs_and_nobody_to_pages(
    client: httpx2.AsyncClient, ada: Person
) -> None:
    wrong = {}
    for sent in NO_COOKIES:
        headers = {b"cookie": sent.format(ada.cookie).encode("latin-1")}
        for path in ("/users/me", "/events", "/account?tab=1", "/login"):
            wrong[sent, path] = await client.get(path, headers=headers)

    for (sent, path), answer in wrong.items():
        match path:
            case "/login":
                assert shown(answer).status == 200, sent
            case "/account?tab=1":
                assert answer.headers["location"] == "/login?next=/account%3Ftab%3D1", sent
            case _:
                told = (answer.status_code, answer.json()["code"])
                assert told == (401, "unauthenticated"), (sent, path)
                assert answer.headers["www-authenticate"] == "Bearer"


NO_COOKIES = [
    "turnout_sign_in={0}; turnout_sign_in={0}",
    "turnout_sign_in={0}; other=1; turnout_sign_in=x",
    'turnout_sign_in="{0}"',
    "turnout_sign_in={0}x",
    "turnout_sign_in=",
    "turnout_sign_in",
    "turnout_sign_in=\xff\xfe",
    "turnout_sign_in=" + "a" * 8_000,
]


async def test_cookie_sent_as_a_header_is_no_credential(
    client: httpx2.AsyncClient, ada: Person
) -> None:
    schemes = (COOKIE, "Cookie", "by", "by cookie")

    answers = [
        await client.get("/users/me", headers={"Authorization": f"{scheme} {ada.cookie}"})
        for scheme in schemes
    ]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (401, "invalid-token")
    ] * len(schemes)


async def test_account_page_says_who_is_signed_in(closed_app: RunningApp) -> None:
    olive = await cast.join(closed_app, "<b>Olive</b>", Role.ORGANIZER, verified=False)

    async with browser(closed_app, olive) as client:
        answer = await client.get("/account")

    assert shown(answer) == Shown(200, "Your account")
    assert "<dd>&lt;b&gt;Olive&lt;/b&gt;</dd>" in answer.text
    assert "<dd>&lt;b&gt;olive&lt;/b&gt;@example.com (not verified)</dd>" in answer.text
    assert "<dd>organizer</dd>" in answer.text


async def test_open_mode_signs_nobody_in_to_an_account(app: RunningApp) -> None:
    async with browser(app) as client:
        answer = await client.get("/account")

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/account")
