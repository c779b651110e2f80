"""`python -m tests.races --seeds 20`: the whole proof about seats on both databases, as a table."""

import argparse
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.races import fleet, proof, unlocked
from tests.races.proof import Tally
from tests.races.wire import run_quickly
from tests.support.postgres import PostgresServer

from turnout.observability import logs

CONTROL_TRIES = 60
KINDS = ("sqlite", "postgresql")


@contextmanager
def fresh_database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of that kind."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'turnout.db'}"
        return
    with PostgresServer.start() as server:
        server.create_database_sync("racing")
        yield server.url("racing")


def main() -> None:
    """Run everything, print a line each, and fail if one promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.races")
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    logs.configure(human=False, stream=sys.stderr.buffer, level="error")
    print(f"{'database':<11} {'race':<22} {'races':>5} {'requests':>8} {'seats':>6}  faults")
    passed = [_prove(kind, seeds) for kind in KINDS]
    sys.exit(0 if all(passed) else 1)


def _prove(kind: str, seeds: int) -> bool:
    with TemporaryDirectory() as name, fresh_database(kind, Path(name)) as url:
        folder = Path(name)
        with fleet.fleet(folder, url) as ports:
            tallies = [
                _say(kind, f"{seats} seats", proof.capacity(ports, seats, seeds))
                for seats in proof.CAPACITIES
            ]
            tallies.append(_say(kind, "the same key", proof.keyed(ports, seeds)))
        wrong = fleet.doctor(folder, url)
        print(f"{kind:<11} doctor: {wrong or 'ok'}")
        with fleet.unlocked(folder, url) as ports:
            run_quickly(unlocked.take_out(url))
            found = run_quickly(proof.control(ports, CONTROL_TRIES))
        print(f"{kind:<11} control without the lock: {found or 'FOUND NOTHING'}", flush=True)
    return bool(found) and not wrong and not any(tally.faults for tally in tallies)


def _say(kind: str, name: str, races: Coroutine[Any, Any, Tally]) -> Tally:
    tally = run_quickly(races)
    counted = f"{tally.races:>5} {tally.requests:>8} {tally.seats:>6}"
    print(f"{kind:<11} {name:<22} {counted}  {tally.faults or 0}", flush=True)
    return tally


if __name__ == "__main__":
    main()
