"""The first administrator: made by the settings, or by whoever opens the link that was printed."""

import asyncio

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import select, update
from tests.accounts.calls import NEW_PASSWORD, bearer, link_tokens, me, sign_in, signed_in, told
from tests.db import rows
from tests.support import cast
from tests.support.app import BASE_URL, RunningApp, running
from tests.support.cast import PASSWORD

from turnout.accounts.actor import Role
from turnout.accounts.bootstrap import PLACEHOLDER
from turnout.accounts.models import User
from turnout.audit.models import AuditEntry
from turnout.cli import first_admin
from turnout.outbox.topics import Topic
from turnout.settings import Settings

ROOT = "root@example.com"
START = "There is no administrator yet. Become it within a day, by this link: "
ADMIN = {"role": "admin", "is_active": True, "email_verified": True}
MADE = f"The administrator is {ROOT}, with the password of TURNOUT_ADMIN_PASSWORD."


def naming(settings: Settings, password: str = PASSWORD, email: str = ROOT) -> Settings:
    """The settings with a first administrator in them."""
    named = {"admin_email": email, "admin_password": SecretStr(password)}
    return settings.model_copy(update=named)


async def printed_token(settings: Settings) -> str:
    """The token of the link that a start prints."""
    said = await first_admin.ensure(settings)
    assert said is not None
    start, token = said.split("?token=")
    assert start == f"{START}{BASE_URL}/set-password"
    return token


async def reset(api: httpx2.AsyncClient, token: str, password: str = PASSWORD) -> int:
    body = {"token": token, "password": password}
    return (await api.post("/auth/reset-password", json=body)).status_code


async def profile(
    api: httpx2.AsyncClient, email: str, password: str = PASSWORD
) -> dict[str, object]:
    """What decides in the profile of whoever signs in so."""
    tokens = await signed_in(api, email, password)
    found = (await api.get("/users/me", headers=bearer(tokens["access_token"]))).json()
    return {name: found[name] for name in ADMIN}


async def made_by(app: RunningApp) -> list[str]:
    """All actions in the audit, in order."""
    query = select(AuditEntry.action).order_by(AuditEntry.id)
    return [action for (action,) in await rows.read(app.runtime.database, query)]


async def test_settings_make_the_administrator(closed_app: RunningApp) -> None:
    said = await first_admin.ensure(naming(closed_app.runtime.settings))

    async with closed_app.client() as api:
        found = await profile(api, ROOT)
    assert (said, found) == (MADE, ADMIN)


async def test_settings_of_later_starts_reset_nothing(closed_app: RunningApp) -> None:
    settings = closed_app.runtime.settings
    await first_admin.ensure(naming(settings))

    again = await first_admin.ensure(naming(settings))
    other = await first_admin.ensure(naming(settings, NEW_PASSWORD, "other@example.com"))
    without = await first_admin.ensure(settings)

    async with closed_app.client() as api:
        answers = [
            (await sign_in(api, ROOT)).status_code,
            (await sign_in(api, ROOT, NEW_PASSWORD)).status_code,
            (await sign_in(api, "other@example.com", NEW_PASSWORD)).status_code,
        ]
    assert (again, other, without) == (None, None, None)
    assert answers == [200, 401, 401]


async def test_settings_make_an_account_that_is_there_the_administrator(
    closed_app: RunningApp,
) -> None:
    root = await cast.join(closed_app, "Root", Role.ATTENDEE)

    said = await first_admin.ensure(naming(closed_app.runtime.settings, NEW_PASSWORD))

    async with closed_app.client() as api:
        assert said == MADE
        assert await profile(api, root.email, NEW_PASSWORD) == ADMIN
        assert told(await sign_in(api, root.email)) == (401, "invalid-credentials")


async def test_settings_shut_out_whoever_has_made_the_account_before(
    closed_app: RunningApp,
) -> None:
    """Mallory has signed up with Root's address, and prepared every way back in."""
    mallory = await cast.join(closed_app, "Root", verified=False)
    async with mallory.api(closed_app) as api:
        body = {"name": "Mine", "scopes": ["admin:write"]}
        token = (await api.post("/users/me/tokens", json=body)).json()["token"]
        await api.post("/users/me/second-factor")
        body = {"email": "mallory@example.com", "current_password": PASSWORD}
        assert (await api.patch("/users/me", json=body)).status_code == 200
    [link] = await link_tokens(closed_app, Topic.EMAIL_CHANGE_ASKED)

    await first_admin.ensure(naming(closed_app.runtime.settings, NEW_PASSWORD))

    async with closed_app.client() as api:
        moved = await api.post("/auth/verify-email", json={"token": link})
        by_token = await me(api, token)
        by_sign_in = await me(api, mallory.token)
        found = await profile(api, ROOT, NEW_PASSWORD)
    assert (told(moved), by_token, by_sign_in) == (
        (404, "invalid-link"), (401, "invalid-token"), (401, "invalid-token"),
    )  # fmt: skip
    assert found == ADMIN
    assert "second-factor.removed" in await made_by(closed_app)


WRONG = [
    (PASSWORD, "root", "EMAIL cannot be used: Must be one valid e-mail address."),
    ("hunter2", ROOT, "PASSWORD cannot be used: Must have at least 12 characters."),
    (
        "administrator99",
        ROOT,
        "PASSWORD cannot be used: Is little more than your name, your e-mail address or the name "
        "of this product.",
    ),
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("password", "email", "why"), WRONG)
async def test_settings_that_cannot_be_used_are_one_line(
    closed_app: RunningApp,
    password: str,
    email: str,
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        await first_admin.ensure(naming(closed_app.runtime.settings, password, email))

    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err) == (2, "", f"turnout: TURNOUT_ADMIN_{why}\n")
    assert await rows.count(closed_app.runtime.database, User) == 0


async def test_link_makes_the_administrator_by_the_api(closed_app: RunningApp) -> None:
    settings = closed_app.runtime.settings
    token = await printed_token(settings)

    async with closed_app.client() as api:
        statuses = [await reset(api, token), await reset(api, token, NEW_PASSWORD)]
        found = await profile(api, PLACEHOLDER)

    assert (statuses, found) == ([204, 404], ADMIN)
    assert await first_admin.ensure(settings) is None


async def test_link_lets_the_administrator_choose_the_address_on_its_page(
    closed_app: RunningApp,
) -> None:
    settings = closed_app.runtime.settings
    ada = await cast.ada(closed_app)
    token = await printed_token(settings)
    form = {"token": token, "email": "Root@Example.com", "password": NEW_PASSWORD}

    async with closed_app.client(headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        page = await browser.get(f"/set-password?token={token}")
        taken = await browser.post("/set-password", data={**form, "email": ada.email})
        weak = await browser.post("/set-password", data={**form, "password": "root root root"})
        done = await browser.post("/set-password", data=form)
        found = await profile(browser, ROOT, NEW_PASSWORD)
        placeholder = await sign_in(browser, PLACEHOLDER, NEW_PASSWORD)

    assert '<input id="email" name="email" type="email"' in page.text
    assert [answer.status_code for answer in (page, taken, weak, done)] == [200, 409, 422, 303]
    assert done.headers["location"] == "/login?done"
    assert (found, placeholder.status_code) == (ADMIN, 401)
    assert await first_admin.ensure(settings) is None


async def test_link_of_a_later_start_is_the_one_that_counts(closed_app: RunningApp) -> None:
    settings = closed_app.runtime.settings
    first, second = await printed_token(settings), await printed_token(settings)

    async with closed_app.client() as api:
        statuses = [await reset(api, first), await reset(api, second), await reset(api, second)]

    assert statuses == [404, 204, 404]


async def test_link_is_printed_while_no_administrator_can_sign_in(
    closed_app: RunningApp,
) -> None:
    """One who has no password yet, and one who is disabled, are no administrators to rely on."""
    settings, database = closed_app.runtime.settings, closed_app.runtime.database
    root = await cast.root(closed_app)
    of_root = User.id == root.id

    said = []
    for values in ({"password_hash": None}, {"is_active": False}, {"role": "attendee"}):
        there = await first_admin.ensure(settings)
        await rows.change(database, update(User).where(of_root).values(**values))
        said.append((there, await printed_token(settings) != ""))
        back = {"password_hash": cast.password_hash(), "is_active": True, "role": "admin"}
        await rows.change(database, update(User).where(of_root).values(**back))

    assert said == [(None, True)] * 3


async def test_link_works_for_a_placeholder_that_was_demoted_and_disabled(
    closed_app: RunningApp,
) -> None:
    settings, database = closed_app.runtime.settings, closed_app.runtime.database
    await printed_token(settings)
    change = update(User).values(role="attendee", is_active=False)
    await rows.change(database, change)

    token = await printed_token(settings)

    async with closed_app.client() as api:
        assert await reset(api, token) == 204
        assert await profile(api, PLACEHOLDER) == ADMIN


async def test_servers_that_start_at_once_make_one_administrator(closed_app: RunningApp) -> None:
    named = naming(closed_app.runtime.settings)

    said = await asyncio.gather(*(first_admin.ensure(named) for _ in range(4)))

    async with closed_app.client() as api:
        found = await profile(api, ROOT)
    assert {MADE} <= set(said) <= {MADE, None}
    assert found == ADMIN
    assert await made_by(closed_app) == ["user.created", "sign-in.opened"]


async def test_servers_that_start_at_once_promote_an_account_once(closed_app: RunningApp) -> None:
    await cast.join(closed_app, "Root", Role.ATTENDEE)
    before = len(await made_by(closed_app))
    named = naming(closed_app.runtime.settings, NEW_PASSWORD)

    said = await asyncio.gather(*(first_admin.ensure(named) for _ in range(4)))

    assert {MADE} <= set(said) <= {MADE, None}
    assert (await made_by(closed_app))[before:] == ["user.changed", "user.password-changed"]


async def test_servers_that_start_at_once_print_one_link_that_counts(
    closed_app: RunningApp,
) -> None:
    settings = closed_app.runtime.settings

    tokens = await asyncio.gather(*(printed_token(settings) for _ in range(4)))

    async with closed_app.client() as api:
        statuses = [await reset(api, token) for token in tokens]
    assert sorted(statuses) == [204, 404, 404, 404]
    assert await rows.count(closed_app.runtime.database, User) == 1


async def test_link_in_open_mode_is_the_same(settings: Settings) -> None:
    """Whoever sends nothing is the built-in organizer there, and a link is good all the same."""
    async with running(settings) as app, app.client() as api:
        token = await printed_token(settings)

        status = await reset(api, token)
        found = await profile(api, PLACEHOLDER)

    assert (status, found) == (204, ADMIN)
    assert await first_admin.ensure(settings) is None
