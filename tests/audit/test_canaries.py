"""What is secret is in no line of the log, whatever goes well or wrong."""

import io
from collections.abc import Iterator

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from tests.accounts.calls import (
    NEW_PASSWORD,
    bearer,
    code_at,
    link_tokens,
    refresh,
    sign_in,
    signed_in,
)
from tests.db import rows
from tests.factories import make_event
from tests.support import cast
from tests.support.app import RunningApp, running
from tests.support.cast import PASSWORD

from turnout.observability import logs
from turnout.outbox.topics import Topic
from turnout.settings import Settings

EMAIL, NAME = "canary-address@example.com", "Canary Surname"
KEY = "canary-idempotency-key"
PERSON = {"name": NAME, "email": EMAIL}


@pytest.fixture(params=[False, True], ids=["json", "human"])
def log(request: pytest.FixtureRequest) -> Iterator[io.BytesIO]:
    """All that the process writes, down to the least important line."""
    written = io.BytesIO()
    logs.configure(human=request.param, stream=written, level="debug")
    yield written
    logs.configure(human=False, stream=io.BytesIO(), level="error")


def secrets_of(settings: Settings, *more: str) -> list[bytes]:
    url = settings.database_url
    password = url.split("@")[0].rpartition(":")[2] if "@" in url else "sqlite-has-none"
    key = settings.secret_key.get_secret_value()
    return [each.encode() for each in (EMAIL, NAME, KEY, key, password, *more)]


async def test_log_of_what_goes_well_and_is_refused_holds_no_secret(
    api: httpx2.AsyncClient, settings: Settings, log: io.BytesIO
) -> None:
    event = await make_event(api, max_capacity=1)
    path, headers = f"/events/{event['id']}/register", {"Idempotency-Key": KEY}
    credential = {"Authorization": "Bearer canary-credential", "Cookie": "a=canary-cookie"}

    made = await api.post(path, json=PERSON, headers=headers)
    answers = [
        await api.post(path, json=PERSON, headers=headers),
        await api.post(path, json=PERSON),
        await api.post(path, json={**PERSON, "x": EMAIL}),
        await api.post(path, json={**PERSON, "email": f"{EMAIL}@"}),
        await api.get("/events", params={"q": EMAIL, "limit": NAME}),
        await api.get("/events", headers=credential),
        await api.get(f"{path[:-9]}/attendees?cursor={KEY}"),
    ]

    statuses = [answer.status_code for answer in answers]
    written = log.getvalue()
    assert (made.status_code, statuses) == (201, [201, 409, 422, 422, 422, 401, 422])
    assert written.count(b"request") >= 9
    token = made.json()["manage_token"]
    planted = secrets_of(settings, token, "canary-credential", "canary-cookie")
    assert [secret for secret in planted if secret in written] == []


@pytest.mark.parametrize("lost", ["audit_entries", "idempotency_keys", "registrations"])
async def test_log_of_a_defect_holds_its_cause_and_no_secret(
    app: RunningApp, api: httpx2.AsyncClient, settings: Settings, log: io.BytesIO, lost: str
) -> None:
    """A table is gone: the statement that fails has everything in its parameters."""
    event = await make_event(api)
    await rows.change(app.runtime.database, text(f"ALTER TABLE {lost} RENAME TO gone"))

    answer = await api.post(
        f"/events/{event['id']}/register", json=PERSON, headers={"Idempotency-Key": KEY}
    )

    written = log.getvalue()
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert lost.encode() in written
    assert [secret for secret in secrets_of(settings) if secret in written] == []
    assert lost not in answer.text


AWAY = "127.0.0.1:1"
"""Where nobody listens: what is configured there is away, and its failure is logged."""
REDIS_PASSWORD, CLIENT_SECRET = "canary-redis-password", "canary-client-secret"
MAPS_KEY, SOUGHT = "canary-key-of-maps", "canary-place"
WRONG_PASSWORD, GUESS = "canary wrong password", "canary-guess-of-a-token"
SIGN_UP = {"email": EMAIL, "name": NAME, "password": PASSWORD}


def with_secrets(settings: Settings) -> Settings:
    """Everything outside that takes a secret is configured, and away."""
    redis = SecretStr(f"redis://:{REDIS_PASSWORD}@{AWAY}/0")
    provider = {"oidc_issuer": f"http://{AWAY}", "oidc_client_id": "turnout"}
    secret = {"oidc_client_secret": SecretStr(CLIENT_SECRET)}
    maps = {"geocoder": "google", "geocoder_url": f"http://{AWAY}"}
    key = {"geocoder_key": SecretStr(MAPS_KEY)}
    return settings.model_copy(update={"redis_url": redis, **provider, **secret, **maps, **key})


async def live(app: RunningApp, api: httpx2.AsyncClient) -> list[str]:
    """The secrets of somebody who signs up and uses all there is."""
    assert (await api.post("/auth/sign-up", json=SIGN_UP)).status_code == 202
    links = await link_tokens(app, Topic.ACCOUNT_CREATED)
    assert (await api.get(f"/verify-email?token={links[0]}")).status_code == 200
    assert (await api.post("/auth/verify-email", json={"token": links[0]})).status_code == 204
    tokens = await signed_in(api, EMAIL)
    mine = bearer(tokens["access_token"])
    page = await api.post("/login", data={"email": EMAIL, "password": PASSWORD})
    cookie = page.headers["set-cookie"].split(";")[0]
    assert (await api.get("/account", headers={"Cookie": cookie})).status_code == 200
    body = {"name": "T", "scopes": ["profile:read"]}
    token = (await api.post("/users/me/tokens", json=body, headers=mine)).json()["token"]
    assert (await api.get("/users/me", headers=bearer(token))).status_code == 200
    renewed = (await refresh(api, tokens["refresh_token"])).json()["refresh_token"]
    assert (await refresh(api, tokens["refresh_token"])).status_code == 401
    return [
        *(tokens["access_token"], tokens["refresh_token"], renewed, token),
        *(cookie.partition("=")[2], *links),
    ]


async def protect(api: httpx2.AsyncClient) -> list[str]:
    """The secrets of a second factor, and of signing in by it."""
    mine = bearer((await signed_in(api, EMAIL))["access_token"])
    path = "/users/me/second-factor"
    secret = (await api.post(path, headers=mine)).json()["secret"]
    codes = [code_at(secret, n) for n in (-1, 0)]
    answer = await api.post(f"{path}/confirm", json={"code": codes[0]}, headers=mine)
    recovery: list[str] = answer.json()["recovery_codes"]
    asked = await api.post("/login", data={"email": EMAIL, "password": PASSWORD})
    answers = [
        await sign_in(api, EMAIL),
        await sign_in(api, EMAIL, otp="WRONG-CANARY-CODE"),
        await sign_in(api, EMAIL, otp=codes[1]),
        await sign_in(api, EMAIL, otp=recovery[0]),
    ]
    assert [each.status_code for each in (asked, *answers)] == [200, 401, 401, 200, 200]
    # Six digits alone may be part of any id or time.
    return [secret, *recovery, "WRONG-CANARY-CODE", *(f'"{code}"' for code in codes)]


async def recover(app: RunningApp, api: httpx2.AsyncClient) -> list[str]:
    """The secrets of who has forgotten the password, and of who guesses."""
    await api.post("/auth/forgot-password", json={"email": EMAIL})
    links = await link_tokens(app, Topic.PASSWORD_RESET_ASKED)
    body = {"token": links[0], "password": NEW_PASSWORD}
    answers = [
        await sign_in(api, EMAIL, WRONG_PASSWORD),
        await api.post("/login", data={"email": EMAIL, "password": WRONG_PASSWORD}),
        await api.get(f"/set-password?token={links[0]}"),
        await api.get(f"/set-password?token={GUESS}"),
        await api.post("/auth/reset-password", json={**body, "password": EMAIL}),
        await api.post("/auth/reset-password", json=body),
        await api.post("/auth/reset-password", json=body),
        await refresh(api, GUESS),
        await api.get("/users/me", headers=bearer(GUESS)),
        await api.get("/users/me", headers={"Authorization": f"Ticket {GUESS}"}),
        await api.get("/account", headers={"Cookie": f"turnout_sign_in={GUESS}"}),
        await api.get(f"/login/provider/callback?code={GUESS}&state={GUESS}"),
    ]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:11] == [401, 401, 200, 404, 422, 204, 404, 401, 401, 401, 303]
    return [*links, NEW_PASSWORD, WRONG_PASSWORD, GUESS]


async def test_log_of_accounts_holds_no_secret(closed_settings: Settings, log: io.BytesIO) -> None:
    async with running(with_secrets(closed_settings)) as app, app.client() as api:
        root = await cast.root(app)

        planted = [*await live(app, api), *await protect(api), *await recover(app, api)]
        found = await api.get("/users", params={"q": EMAIL}, headers=root.bearer)
        await api.get("/login/provider")
        places = await api.get("/places/search", params={"q": SOUGHT}, headers=root.bearer)

    written = log.getvalue()
    planted += [PASSWORD, REDIS_PASSWORD, CLIENT_SECRET, MAPS_KEY, SOUGHT, root.token]
    everything = secrets_of(closed_settings, *planted)
    assert (found.status_code, written.count(b"request") > 30) == (200, True)
    assert b"Redis is away" in written
    assert (places.status_code, b"The geocoder fails" in written) == (200, True)
    assert [secret for secret in everything if secret in written] == []


@pytest.mark.parametrize("lost", ["audit_entries", "outbox_messages"])
async def test_log_of_a_defect_in_signing_in_holds_its_cause_and_no_secret(
    closed_app: RunningApp, closed_settings: Settings, log: io.BytesIO, lost: str
) -> None:
    ada = await cast.join(closed_app, "Ada")
    await rows.change(closed_app.runtime.database, text(f"ALTER TABLE {lost} RENAME TO gone"))

    async with closed_app.client() as api:
        body = {"current_password": PASSWORD, "password": NEW_PASSWORD}
        answers = [
            await api.post("/auth/sign-up", json=SIGN_UP),
            await sign_in(api, ada.email),
            await api.post("/login", data={"email": ada.email, "password": PASSWORD}),
            await api.patch("/users/me", json=body, headers=ada.bearer),
        ]

    written = log.getvalue()
    planted = (PASSWORD, NEW_PASSWORD, cast.password_hash(), ada.email, ada.token, "argon2id")
    assert [answer.status_code for answer in answers] == [500] * 4
    assert lost.encode() in written
    assert [each for each in secrets_of(closed_settings, *planted) if each in written] == []
