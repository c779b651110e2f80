"""What is secret is in no line of the log, whatever goes well or wrong."""

import io
from collections.abc import Iterator

import httpx2
import pytest
from sqlalchemy import text
from tests.db import rows
from tests.factories import make_event
from tests.support.app import RunningApp

from turnout.observability import logs
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
    await rows.change(app.runtime.database, text(f"DROP TABLE {lost}"))

    answer = await api.post(
        f"/events/{event['id']}/register", json=PERSON, headers={"Idempotency-Key": KEY}
    )

    written = log.getvalue()
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert lost.encode() in written
    assert [secret for secret in secrets_of(settings) if secret in written] == []
    assert lost not in answer.text
