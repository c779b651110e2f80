"""`python -m tests.crashes --kills 20`: the whole proof about crashes, on both databases."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.crashes import crash
from tests.crashes.crash import Report
from tests.races import fleet
from tests.races.__main__ import KINDS, fresh_database
from tests.races.wire import run_quickly
from tests.support.postgres import PostgresServer

from turnout.observability import logs


def main() -> None:
    """Run everything, print a line each, and fail if one promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.crashes")
    parser.add_argument("--kills", type=int, default=20)
    kills = parser.parse_args().kills
    logs.configure(human=False, stream=sys.stderr.buffer, level="error")
    print(f"{'database':<11} {'what':<24} {'times':>5} {'kept':>7} {'retried':>7}  seconds  faults")
    passed = [_kill_servers(kind, kills) for kind in KINDS]
    passed.append(_kill_database(kills))
    sys.exit(0 if all(passed) else 1)


def _kill_servers(kind: str, kills: int) -> bool:
    with TemporaryDirectory() as name, fresh_database(kind, Path(name)) as url:
        folder = Path(name)
        killed = [run_quickly(crash.kill(folder, url, seed)) for seed in range(kills)]
        _say(kind, "kill -9 of the server", killed)
        ended = [run_quickly(crash.terminate(folder, url, workers=n)) for n in (1, 2)]
        _say(kind, "SIGTERM", ended)
        return _is_well(kind, folder, url, killed + ended)


def _kill_database(kills: int) -> bool:
    with TemporaryDirectory() as name, PostgresServer.start() as postgres:
        postgres.create_database_sync("crashing")
        folder, url = Path(name), postgres.url("crashing")
        with fleet.server(folder, url) as server:
            crashed = [run_quickly(crash.crash_database(server, postgres)) for _ in range(kills)]
        _say("postgresql", "kill -9 of PostgreSQL", crashed)
        return _is_well("postgresql", folder, url, crashed)


def _is_well(kind: str, folder: Path, url: str, reports: list[Report]) -> bool:
    wrong = fleet.doctor(folder, url)
    print(f"{kind:<11} doctor: {wrong or 'ok'}", flush=True)
    return not wrong and not any(each.faults or each.exit_code for each in reports)


def _say(kind: str, what: str, reports: list[Report]) -> None:
    kept = sum(each.acknowledged for each in reports)
    unsettled = sum(each.unsettled for each in reports)
    answered = max(each.answered_seconds for each in reports)
    back = max(each.back_seconds for each in reports)
    faults = [fault for each in reports for fault in each.faults]
    codes = {each.exit_code for each in reports}
    print(
        f"{kind:<11} {what:<24} {len(reports):>5} {kept:>7} {unsettled:>7}  "
        f"answers within {answered:.1f}, back within {back:.1f}, exit codes {codes}  {faults or 0}",
        flush=True,
    )


if __name__ == "__main__":
    main()
