"""However many people and processes: no seat is sold twice, none is lost, and every answer is true.

Each test runs real server processes on one database. The control proves that these races see a
fault where there is one: it runs the product with its lock taken out.
"""

from pathlib import Path

import pytest
from tests.db import rows
from tests.races import fleet, proof, unlocked
from tests.races.conftest import Field

from turnout.accounts.models import User
from turnout.db.session import Database

CONTROL_TRIES = 12


async def test_start_of_many_processes_on_an_empty_database_makes_one_organizer(
    racing: Field,
) -> None:
    database = Database(racing.database_url)

    organizers = await rows.count(database, User)

    await database.aclose()
    assert organizers == 1


@pytest.mark.parametrize("capacity", proof.CAPACITIES)
async def test_race_for_few_seats_keeps_every_promise(
    racing: Field, capacity: int, seeds: int
) -> None:
    tally = await proof.capacity(racing.ports, capacity, seeds)

    assert tally.faults == {}
    assert tally.races == 2 * seeds
    assert await proof.drifts(racing.database_url) == []


async def test_race_of_the_same_request_under_one_key_has_one_effect(
    racing: Field, seeds: int
) -> None:
    tally = await proof.keyed(racing.ports, seeds)

    assert tally.faults == {}
    assert tally.seats == seeds * (25 + 40)
    assert fleet.doctor(racing.folder, racing.database_url) == []


async def test_race_with_the_lock_taken_out_breaks_a_promise(
    database_url: str, tmp_path: Path
) -> None:
    await unlocked.take_out(database_url)
    with fleet.unlocked(tmp_path, database_url) as ports:
        found = await proof.control(ports, CONTROL_TRIES)

    assert found != []
