"""However many people and processes: no seat is sold twice, none is lost, and every answer is true.

Each test runs real server processes on one database. The control proves that these races see a
fault where there is one: it runs the product with its lock taken out.
"""

from pathlib import Path

from tests.races import fleet, proof, unlocked
from tests.races.conftest import Field

from turnout.accounts.bootstrap import PLACEHOLDER
from turnout.accounts.service import BUILT_IN_ORGANIZER

CONTROL_TRIES = 12


async def test_races_of_four_processes_keep_every_promise(racing: Field, seeds: int) -> None:
    """One test for all races on a database: most of its time is the start of the servers."""
    tallies = {
        f"{capacity} seats": await proof.capacity(racing.ports, capacity, seeds)
        for capacity in proof.CAPACITIES
    }
    tallies["the same key"] = await proof.keyed(racing.ports, seeds)

    assert {name: tally.faults for name, tally in tallies.items() if tally.faults} == {}
    assert {tally.races for tally in tallies.values()} == {2 * seeds}
    assert tallies["the same key"].seats == seeds * (25 + 40)
    assert fleet.doctor(racing.folder, racing.database_url) == []
    assert await proof.accounts(racing.database_url) == [PLACEHOLDER, BUILT_IN_ORGANIZER]


async def test_race_with_the_lock_taken_out_breaks_a_promise(
    database_url: str, tmp_path: Path
) -> None:
    await unlocked.take_out(database_url)
    with fleet.unlocked(tmp_path, database_url) as ports:
        found = await proof.control(ports, CONTROL_TRIES)

    assert found != []
