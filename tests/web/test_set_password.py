"""The pages behind links in mails: a new password, the first administrator, a verified address."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.support import cast
from tests.support.app import RunningApp
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
)

from turnout.accounts import users
from turnout.accounts.actor import ANONYMOUS
from turnout.accounts.models import LinkPurpose, User
from turnout.cli import first_admin
from turnout.edge.caller import COOKIE
from turnout.limiter import LINK
from turnout.settings import Settings

HEADING = "Set a new password"
FIRST = "Become the administrator"
TOO_SHORT = "Must have at least 12 characters."
COMMON = "Is one that many people use, or a simple variation of one."
GONE = Shown(404, "This link does not count")
LONGEST = timedelta(days=8)


@pytest.fixture
async def ada(closed_app: RunningApp) -> Person:
    return await cast.ada(closed_app)


@pytest.fixture
async def client(closed_app: RunningApp) -> AsyncIterator[httpx2.AsyncClient]:
    async with browser(closed_app) as opened:
        yield opened


@pytest.fixture
async def first(closed_app: RunningApp, closed_settings: Settings) -> str:
    """The token of the link that `turnout serve` prints while there is no administrator."""
    assert closed_app.runtime.default_actor == ANONYMOUS
    line = await first_admin.ensure(closed_settings)
    found = re.search(r"http://testserver/set-password\?token=(\S+)", line or "")
    assert found is not None, line
    return found[1]


async def set_password(
    client: httpx2.AsyncClient, token: str, password: str = NEW_PASSWORD, **more: str
) -> httpx2.Response:
    """The answer to the form behind a link."""
    form = {"token": token, "password": password, **more}
    return await client.post("/set-password", data=form)


async def user_of(app: RunningApp, person: Person) -> tuple[str, str | None, bool]:
    """Address, password hash and whether the address is verified, as the database has them."""
    columns = (User.email, User.password_hash, User.email_verified_at)
    query = select(*columns).where(User.id == person.id)
    [(email, password_hash, verified_at)] = await rows.read(app.runtime.database, query)
    return email, password_hash, verified_at is not None


async def test_link_shows_for_whom_the_password_will_be(
    closed_app: RunningApp, client: httpx2.AsyncClient, ada: Person
) -> None:
    token = await link_for(closed_app, ada)

    answer = await client.get("/set-password", params={"token": token})

    assert shown(answer) == Shown(200, HEADING, fields={"token": token, "password": ""})
    assert f"For <strong>{ada.email}</strong>" in answer.text


async def test_new_password_counts_and_ends_what_was_open(
    closed_app: RunningApp, client: httpx2.AsyncClient, ada: Person
) -> None:
    answer = await set_password(client, await link_for(closed_app, ada))
    page = await client.get(answer.headers["location"])
    by_former = await log_in(client, ada.email)
    by_new = await log_in(client, ada.email, NEW_PASSWORD)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?done")
    assert shown(page).told == ["The new password is set. Sign in with it."]
    assert (by_former.status_code, by_new.status_code) == (401, 303)
    assert await who_am_i(closed_app, ada.cookie) == (401, None)


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("", "Is required."),
        ("eleven long", TOO_SHORT),
        ("password1234", COMMON),
        ("x" * 1_025, "May have at most 1024 characters."),
        ("four words\0and more", "Holds characters that are not allowed here."),
    ],
)
async def test_password_that_will_not_do_shows_the_form_and_why(
    closed_app: RunningApp, client: httpx2.AsyncClient, ada: Person, password: str, message: str
) -> None:
    token = await link_for(closed_app, ada)

    answer = await set_password(client, token, password)

    fields = {"token": token, "password": ""}
    assert shown(answer) == Shown(422, HEADING, wrong=[message], fields=fields)
    assert not password or password not in answer.text
    assert (await log_in(client, ada.email)).status_code == 303
    # The link is as good as before.
    assert (await set_password(client, token)).status_code == 303


async def test_link_that_does_not_count_is_a_page_that_says_so(
    closed_app: RunningApp, client: httpx2.AsyncClient, ada: Person
) -> None:
    used, whole = await link_for(closed_app, ada), await link_for(closed_app, ada)
    of_address = await link_for(closed_app, ada, LinkPurpose.VERIFY_EMAIL)
    wrong = ["", used, of_address, whole[:-1], whole.upper(), f"{whole}=", "\0", "ü", "a" * 150]
    before = await user_of(closed_app, ada)

    looked = [await client.get("/set-password", params={"token": token}) for token in wrong[:-3]]
    sent = [await set_password(client, token) for token in wrong]
    with after(LONGEST):
        late = [
            await client.get("/set-password", params={"token": whole}),
            await set_password(client, whole),
        ]

    answers = [*looked, *sent, *late]
    assert [shown(answer) for answer in answers] == [GONE] * len(answers)
    assert await user_of(closed_app, ada) == before


async def test_link_counts_once(
    closed_app: RunningApp, client: httpx2.AsyncClient, ada: Person
) -> None:
    token = await link_for(closed_app, ada)

    first = await set_password(client, token)
    second = await set_password(client, token, "another four words entirely")

    assert first.status_code == 303
    assert shown(second) == GONE
    assert (await log_in(client, ada.email, NEW_PASSWORD)).status_code == 303


async def test_link_for_a_password_changes_no_address(
    closed_app: RunningApp, client: httpx2.AsyncClient, ada: Person
) -> None:
    token = await link_for(closed_app, ada)

    weak = await set_password(client, token, "eleven long", email="mallory@example.com")
    answer = await set_password(client, token, email="mallory@example.com")

    assert "mallory@example.com" not in weak.text
    assert answer.status_code == 303
    assert (await user_of(closed_app, ada))[0] == ada.email


async def test_first_administrator_chooses_address_and_password(
    closed_app: RunningApp, client: httpx2.AsyncClient, closed_settings: Settings, first: str
) -> None:
    page = await client.get("/set-password", params={"token": first})

    answer = await set_password(client, first, email="Root@Example.com")
    cookie = cookies_of(await log_in(client, "root@example.com", NEW_PASSWORD))[COOKIE].value

    assert shown(page) == Shown(200, FIRST, fields={"token": first, "email": "", "password": ""})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?done")
    assert await who_am_i(closed_app, cookie) == (200, "Root@Example.com")
    async with closed_app.client(headers={"Cookie": f"{COOKIE}={cookie}"}) as root:
        found = (await root.get("/users")).json()["items"]
    assert [(each["email"], each["role"]) for each in found] == [("Root@Example.com", "admin")]
    assert await first_admin.ensure(closed_settings) is None


async def test_first_administrator_is_told_what_is_wrong_beside_the_field(
    closed_app: RunningApp, client: httpx2.AsyncClient, ada: Person, first: str
) -> None:
    typed = {"none": "", "no address": "no address", "taken": ada.email, "weak": "root@example.com"}

    none = await set_password(client, first, "eleven long")
    bad = await set_password(client, first, email=typed["no address"])
    taken = await set_password(client, first, email=typed["taken"])
    weak = await set_password(client, first, "root@example.com", email=typed["weak"])

    seen = {
        name: (page.status, page.heading, page.fields["email"], page.wrong)
        for name, page in zip(typed, map(shown, (none, bad, taken, weak)), strict=True)
    }
    about = "Is little more than your name, your e-mail address or the name of this product."
    assert seen == {
        "none": (422, FIRST, "", ["Is required.", TOO_SHORT]),
        "no address": (422, FIRST, "no address", ["Must be one valid e-mail address."]),
        "taken": (409, FIRST, ada.email, ["There is an account with this address."]),
        "weak": (422, FIRST, "root@example.com", [about]),
    }
    async with closed_app.runtime.database.read() as db:
        assert await users.by_email(db, "root@example.com") is None
    assert (await set_password(client, first, email="root@example.com")).status_code == 303


async def test_too_many_links_from_one_address_are_a_page_that_says_how_long_to_wait(
    closed_app: RunningApp, client: httpx2.AsyncClient, ada: Person
) -> None:
    token = await link_for(closed_app, ada)
    for _ in range(LINK.amount):
        await client.get("/verify-email")

    answers = [
        await client.get("/set-password", params={"token": token}),
        await set_password(client, token),
    ]

    for answer in answers:
        assert shown(answer) == Shown(429, "You ask too often")
        assert 0 < int(answer.headers["retry-after"]) <= LINK.seconds
    assert (await log_in(client, ada.email, PASSWORD)).status_code == 303


async def test_address_is_verified_by_the_button_alone(
    closed_app: RunningApp, client: httpx2.AsyncClient
) -> None:
    ada = await cast.join(closed_app, "Ada", verified=False)
    token = await link_for(closed_app, ada, LinkPurpose.VERIFY_EMAIL)

    page = await client.get("/verify-email", params={"token": token})
    by_looking = (await user_of(closed_app, ada))[2]
    pressed = await client.post("/verify-email", data=shown(page).fields)
    again = await client.post("/verify-email", data=shown(page).fields)

    assert shown(page) == Shown(200, "Is this your address?", fields={"token": token})
    assert ada.email in page.text
    assert not by_looking
    assert shown(pressed).heading == "Verified"
    assert (await user_of(closed_app, ada))[2]
    assert shown(again) == GONE


async def test_new_address_counts_once_its_button_was_pressed(
    closed_app: RunningApp, client: httpx2.AsyncClient, ada: Person
) -> None:
    to = "lovelace@example.com"
    token = await link_for(closed_app, ada, LinkPurpose.CHANGE_EMAIL, to)

    page = await client.get("/verify-email", params={"token": token})
    before = (await user_of(closed_app, ada))[0]
    await client.post("/verify-email", data={"token": token})

    assert to in page.text
    assert ada.email not in page.text
    assert before == ada.email
    assert (await user_of(closed_app, ada))[0] == to


async def test_link_for_a_password_verifies_no_address(
    closed_app: RunningApp, client: httpx2.AsyncClient, first: str
) -> None:
    ada = await cast.join(closed_app, "Ada", verified=False)
    wrong = [await link_for(closed_app, ada), first, "", "x"]

    answers = [await client.post("/verify-email", data={"token": token}) for token in wrong]

    assert [shown(answer) for answer in answers] == [GONE] * len(wrong)
    assert not (await user_of(closed_app, ada))[2]
