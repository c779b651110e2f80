"""What was acknowledged outlives every crash, nothing is half done, and a retry has one effect."""

from pathlib import Path

import pytest
from tests.crashes import crash
from tests.races import fleet, proof
from tests.support.postgres import PostgresServer


@pytest.mark.parametrize("workers", [1, 2])
async def test_kill_of_the_server_under_load_loses_nothing_acknowledged(
    database_url: str, tmp_path: Path, workers: int
) -> None:
    report = await crash.kill(tmp_path, database_url, seed=workers - 1)

    assert report.faults == []
    assert report.unsettled > 0, "the server was killed when nobody waited for an answer"
    assert await proof.drifts(database_url) == []


async def test_end_of_the_server_under_load_answers_whom_it_has_served(
    database_url: str, tmp_path: Path
) -> None:
    report = await crash.terminate(tmp_path, database_url, workers=2)

    assert report.faults == []
    assert report.exit_code == 0
    assert await proof.drifts(database_url) == []


async def test_kill_of_postgresql_under_load_is_told_and_overcome(tmp_path: Path) -> None:
    with PostgresServer.start() as postgres:
        postgres.create_database_sync("crashing")
        url = postgres.url("crashing")
        with fleet.server(tmp_path, url) as server:
            report = await crash.crash_database(server, postgres)
        wrong = fleet.doctor(tmp_path, url)

    assert report.faults == []
    assert report.unsettled > 0, "nobody noticed that the database was away"
    assert wrong == []
