"""Requests made from the API document, right and wrong ones: the server does what it says.

Schemathesis sends them to a real server and judges each answer: no 5xx, only statuses, media types,
headers and bodies that the document has, wrong data refused, unknown methods refused.
TURNOUT_TEST_SCHEMATHESIS_EXAMPLES sets how many requests each call gets in each phase at least.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.db import rows
from tests.support.processes import Server, environment, free_port
from tests.support.product import TURNOUT

from turnout.db.session import Database
from turnout.events.models import Event

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = os.environ.get("TURNOUT_TEST_SCHEMATHESIS_EXAMPLES", "10")
SEED = "1"
# What a schema cannot say: that a time zone is known, that an end comes after its start, that a
# cursor is one of ours and belongs to the query, that a key was not used for another body. There
# (and there alone) data that fit the schema may be refused. Wrong data in an address that is too
# long as well are refused for their length.
CONFIGURATION = """
[checks]
enabled = true

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 413, 414, 415, 422, 431]

[[operations]]
include-operation-id = ["create_event", "register", "list_events", "read_event", "list_attendees"]
[operations.checks.positive_data_acceptance]
enabled = false
"""


@contextmanager
def serving(folder: Path, database_url: str, *options: str) -> Iterator[Server]:
    port = free_port()
    command: list[str | Path] = [TURNOUT, "serve", "--port", str(port), *options]
    env = {"TURNOUT_DATA_DIR": str(folder / "data"), "TURNOUT_DATABASE_URL": database_url}
    with Server(command, port=port, path="/health/ready", env=env, cwd=folder) as server:
        yield server


def examine(server: Server, folder: Path, phases: str) -> tuple[dict[str, Any], str]:
    """The report of all checks on all calls, and what was printed of it."""
    (folder / "schemathesis.toml").write_text(CONFIGURATION)
    report = folder / "report.json"
    # Not by --checks: that would go over what the configuration leaves out for some calls.
    command: list[str | Path] = [
        *(SCHEMATHESIS, "--no-color", "--config-file", folder / "schemathesis.toml", "run"),
        *(f"{server.url}/openapi.json", "--phases", phases),
        *("--max-examples", EXAMPLES, "--seed", SEED, "--generation-database", "none"),
        *("--suppress-health-check", "all", "--request-timeout", "30"),
        *("--output-truncate", "false", "--report", "json", "--report-json-path", report),
    ]
    ran = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert report.exists(), ran.stdout + ran.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    return found, ran.stdout


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {name: phase["status"] for name, phase in report["phases"].items()}


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
        report, printed = examine(server, tmp_path, "examples,coverage,fuzzing,stateful")
        written = server.output()

    assert statuses(report) == dict.fromkeys(
        ("examples", "coverage", "fuzzing", "stateful"), "success"
    ), printed
    assert report["operations"]["tested"] == report["operations"]["total"]
    assert accepted(report, "POST /events/{event_id}/register") > 0
    assert "Traceback" not in written


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_server_that_knows_nobody_does_what_the_document_says(
    database_url: str, tmp_path: Path
) -> None:
    """Nobody may create anything, so that there is no state to pass from call to call."""
    with serving(tmp_path, database_url) as server:
        report, printed = examine(server, tmp_path, "examples,coverage,fuzzing")
        written = server.output()

    found = statuses(report)
    assert {name: found[name] for name in ("examples", "coverage", "fuzzing")} == dict.fromkeys(
        ("examples", "coverage", "fuzzing"), "success"
    ), printed
    assert report["operations"]["tested"] == report["operations"]["total"]
    assert asyncio.run(count_events(database_url)) == 0
    assert "Traceback" not in written
