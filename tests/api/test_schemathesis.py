"""Requests made from the API document, right and wrong ones: the server does what it says.

Schemathesis sends them to a real server and judges each answer: no 5xx, only statuses, media types,
headers and bodies that the document has, wrong data refused, unknown methods refused, no call open
that should ask for a credential. Once in open mode, once as nobody, and once as each role.
TURNOUT_TEST_SCHEMATHESIS_EXAMPLES sets how many requests each call gets in each phase at least.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.db import rows
from tests.support.processes import Server, environment, free_port
from tests.support.product import TURNOUT

from turnout.accounts.actor import Role
from turnout.db.session import Database
from turnout.events.models import Event

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = os.environ.get("TURNOUT_TEST_SCHEMATHESIS_EXAMPLES", "5")
SEED = "1"
PASSWORD = "four unrelated words here"
WITHOUT_STATE = ("examples", "coverage", "fuzzing")
WITH_STATE = (*WITHOUT_STATE, "stateful")
# These can end the account that calls, its role, or what it is signed in with, and all requests
# that come after would be refused: they get a run of their own, by an account to throw away.
ENDING = (
    *("change_user", "delete_account", "delete_user", "end_sign_in"),
    *("remove_second_factor", "revoke_token"),
)
# What a schema cannot say: that a time zone is known, that bytes are a picture, that an end comes
# after its start, that a password is hard to guess, that a code is the present one, that a cursor
# is one of ours and belongs to the query, that a key was not used for another body. There (and
# there alone) data that fit the schema may be refused. Wrong data in an address that is too long as
# well are refused for their length.
BEYOND_SCHEMAS = (
    *("create_event", "list_events", "read_event", "change_event", "delete_event"),
    *("publish_event", "cancel_event", "move_event", "duplicate_event"),
    *("register", "list_attendees", "list_own", "read_registration", "change_registration"),
    *("sign_up", "issue_tokens", "reset_password", "forgot_password"),
    *("read_profile", "change_profile", "list_sign_ins", "list_tokens", "create_token"),
    *("confirm_second_factor", "renew_recovery_codes", "disable_second_factor"),
    *("list_team", "add_member", "list_users", "create_user", "read_user", "change_user"),
    *("list_audit", "set_cover", "read_cover", "remove_cover", "read_event_calendar"),
    *("read_calendar", "add_slot", "read_slot", "change_slot", "delete_slot", "repeat_event"),
    *("read_series", "search_places", "change_preferences", "read_mails", "set_reminder"),
    *("set_wording", "remove_wording", "preview_wording", "list_outbox", "list_anonymizations"),
    *("create_webhook", "list_webhooks", "read_webhook", "change_webhook", "delete_webhook"),
    *("rotate_secret", "list_deliveries", "list_changes"),
)
CONFIGURATION = f"""
[checks]
enabled = true

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 412, 413, 414, 415, 422, 431]

[[operations]]
include-operation-id = {json.dumps(BEYOND_SCHEMAS)}
[operations.checks.positive_data_acceptance]
enabled = false
"""
# In open mode no call asks for a credential, whatever the document says of servers without it.
OPEN = """
[checks.ignored_auth]
enabled = false
"""


@contextmanager
def serving(folder: Path, database_url: str, *options: str) -> Iterator[Server]:
    """A server with nothing in it; it does not count, since one address asks for all."""
    port = free_port()
    command: list[str | Path] = [TURNOUT, "serve", "--port", str(port), *options]
    env = {**settings(folder, database_url), "TURNOUT_RATE_LIMITS": "off"}
    with Server(command, port=port, path="/health/ready", env=env, cwd=folder) as server:
        yield server


def settings(folder: Path, database_url: str) -> dict[str, str]:
    return {"TURNOUT_DATA_DIR": str(folder / "data"), "TURNOUT_DATABASE_URL": database_url}


def join(folder: Path, database_url: str, role: Role, email: str) -> None:
    """Make an account as whoever runs the server does."""
    command: list[str | Path] = [TURNOUT, "users", "create", email, "--role", role]
    subprocess.run(
        [*command, "--name", "Someone", "--password-stdin"],
        input=PASSWORD.encode(),
        env=environment(settings(folder, database_url)),
        cwd=folder,
        check=True,
        capture_output=True,
    )


def sign_in(server: Server, email: str) -> str:
    answer = httpx2.post(f"{server.url}/auth/token", data={"username": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


def signing_in(email: str) -> str:
    """The configuration by which the requests carry a token of that account, always a fresh one."""
    return f"""
[auth.dynamic.openapi.bearer]
path = "/auth/token"
payload = {{ username = "{email}", password = "{PASSWORD}" }}
payload_content_type = "application/x-www-form-urlencoded"
extract_selector = "/access_token"
"""


def examine(
    server: Server, folder: Path, phases: Sequence[str], configuration: str, *options: str
) -> tuple[dict[str, Any], str]:
    """The report of all checks on all calls, and what was printed of it."""
    (folder / "schemathesis.toml").write_text(configuration)
    report = folder / "report.json"
    # Not by --checks: that would go over what the configuration leaves out for some calls.
    command: list[str | Path] = [
        *(SCHEMATHESIS, "--no-color", "--config-file", folder / "schemathesis.toml", "run"),
        *(f"{server.url}/openapi.json", "--phases", ",".join(phases)),
        *("--max-examples", EXAMPLES, "--seed", SEED, "--generation-database", "none"),
        *("--suppress-health-check", "all", "--request-timeout", "30"),
        *("--output-truncate", "false", "--report", "json", "--report-json-path", report),
        *options,
    ]
    ran = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert report.exists(), ran.stdout + ran.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    return found, ran.stdout


def passed(report: dict[str, Any]) -> set[str]:
    """The phases in which no check failed."""
    return {name for name, phase in report["phases"].items() if phase["status"] == "success"}


def accepted(report: dict[str, Any], call: str) -> int:
    """How many requests of that call were good ones, by the server's own answer."""
    return sum(phase["accepted"] for phase in report["valid_rates"][call].values())


async def count_events(database_url: str) -> int:
    database = Database(database_url)
    try:
        return await rows.count(database, Event)
    finally:
        await database.aclose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_server_in_open_mode_does_what_the_document_says(database_url: str, tmp_path: Path) -> None:
    with serving(tmp_path, database_url, "--open") as server:
        report, printed = examine(server, tmp_path, WITH_STATE, CONFIGURATION + OPEN)
        written = server.output()

    assert passed(report) == set(WITH_STATE), printed
    assert report["operations"]["tested"] == report["operations"]["total"]
    assert accepted(report, "POST /events/{event_id}/register") > 0
    assert "Traceback" not in written


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_server_that_knows_nobody_does_what_the_document_says(
    database_url: str, tmp_path: Path
) -> None:
    """Nobody may create an event, so that there is no state to pass from call to call."""
    with serving(tmp_path, database_url) as server:
        report, printed = examine(server, tmp_path, WITHOUT_STATE, CONFIGURATION)
        written = server.output()

    assert passed(report) == set(WITHOUT_STATE), printed
    assert report["operations"]["tested"] == report["operations"]["total"]
    assert accepted(report, "POST /auth/sign-up") > 0
    assert asyncio.run(count_events(database_url)) == 0
    assert "Traceback" not in written


@pytest.mark.parametrize(
    ("role", "database_url", "allowed"),
    [
        (Role.ATTENDEE, "sqlite", "POST /users/me/tokens"),
        (Role.ORGANIZER, "postgresql", "POST /events"),
        (Role.ADMIN, "postgresql", "POST /users"),
    ],
    indirect=["database_url"],
)
def test_server_does_for_a_role_what_the_document_says(
    role: Role, allowed: str, database_url: str, tmp_path: Path
) -> None:
    email = "someone@example.com"
    left_out = [word for name in ENDING for word in ("--exclude-operation-id", name)]
    join(tmp_path, database_url, role, email)

    with serving(tmp_path, database_url) as server:
        configuration = CONFIGURATION + signing_in(email)
        token = sign_in(server, email)
        report, printed = examine(server, tmp_path, WITH_STATE, configuration, *left_out)
        profile = httpx2.get(
            f"{server.url}/users/me", headers={"Authorization": f"Bearer {token}"}
        ).json()
        written = server.output()

    assert passed(report) == set(WITH_STATE), printed
    assert report["operations"]["tested"] == report["operations"]["total"] - len(ENDING)
    assert accepted(report, allowed) > 0
    # All requests were those of this account, to the last.
    assert (profile["email"], profile["role"], profile["is_active"]) == (email, role, True)
    assert "Traceback" not in written


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_calls_that_end_an_account_do_what_the_document_says(
    database_url: str, tmp_path: Path
) -> None:
    """By an administrator to throw away; another one stays, so that it can go."""
    chosen = [word for name in ENDING for word in ("--include-operation-id", name)]
    for email in ("root@example.com", "spare@example.com"):
        join(tmp_path, database_url, Role.ADMIN, email)

    with serving(tmp_path, database_url) as server:
        header = f"Authorization: Bearer {sign_in(server, 'spare@example.com')}"
        report, printed = examine(
            server, tmp_path, WITHOUT_STATE, CONFIGURATION, *chosen, "--header", header
        )
        written = server.output()

    assert passed(report) == set(WITHOUT_STATE), printed
    assert report["operations"]["tested"] == len(ENDING)
    assert "Traceback" not in written
