"""The ways in which the product is brought down under load, and what is found afterwards."""

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tests.crashes import verdict
from tests.crashes.load import CLIENTS, Ledger, load
from tests.races import fleet, race
from tests.races.wire import Client
from tests.support.postgres import PostgresServer
from tests.support.processes import Server

SEATS = 200
"""Whoever comes later waits, so that seats and places on the waitlist are both in flight."""
RETRY_AFTER = "retry-after"


@dataclass(frozen=True, slots=True)
class Report:
    """What one crash did; seconds are for people to read, and no test looks at them."""

    acknowledged: int
    unsettled: int
    faults: Sequence[str]
    answered_seconds: float
    """The longest that anyone waited for an answer."""
    back_seconds: float
    """From the start of what had been killed to the first good answer."""
    exit_code: int = 0


async def kill(folder: Path, database_url: str, seed: int) -> Report:
    """`kill -9` of the server's whole process group under load, and a start on what is left.

    Every other seed, the server has two workers.
    """
    chance, ledger = random.Random(seed), Ledger()
    with fleet.running(folder, database_url, workers=1 + seed % 2) as server:
        event_id = await _new_event(server)
        async with load(server.port, event_id, ledger):
            await ledger.until(lambda: len(ledger.acknowledged) > CLIENTS)
            await asyncio.sleep(chance.uniform(0.0, 0.5))
            await asyncio.to_thread(server.kill)
    killed = monotonic()
    with fleet.server(folder, database_url, port=server.port) as again:
        back_seconds = monotonic() - killed
        found = await verdict.faults(again.port, event_id, ledger)
    return _report(ledger, found, back_seconds)


async def terminate(folder: Path, database_url: str, *, workers: int) -> Report:
    """SIGTERM under load: who has asked is answered, and the server ends with success."""
    ledger = Ledger()
    with fleet.running(folder, database_url, workers=workers) as server:
        event_id = await _new_event(server)
        async with load(server.port, event_id, ledger):
            await ledger.until(lambda: len(ledger.acknowledged) > 3 * CLIENTS)
            os.kill(server.pid, signal.SIGTERM)
            exit_code = await asyncio.to_thread(server.stop)
    begun = monotonic()
    with fleet.server(folder, database_url) as again:
        back_seconds = monotonic() - begun
        late = await verdict.answered_late(again.port, event_id, ledger)
        found = [f"done and not answered: {late}"] if late else []
        found += await verdict.faults(again.port, event_id, ledger)
    return _report(ledger, found, back_seconds, exit_code)


async def crash_database(server: Server, postgres: PostgresServer) -> Report:
    """`kill -9` of PostgreSQL under load; the product's own process goes on."""
    ledger = Ledger()
    event_id = await _new_event(server)
    async with load(server.port, event_id, ledger):
        await ledger.until(lambda: len(ledger.acknowledged) > CLIENTS)
        await asyncio.to_thread(postgres.kill)
        refused = len(ledger.refused)
        await ledger.until(lambda: len(ledger.refused) > refused + CLIENTS)
        begun = monotonic()
        await asyncio.to_thread(postgres.restart)
        good = len(ledger.acknowledged)
        await ledger.until(lambda: len(ledger.acknowledged) > good)
        back_seconds = monotonic() - begun
    found = [
        f"while the database was away: {reply.status} {reply.code} {dict(reply.headers)}"
        for reply in ledger.refused.values()
        if reply.status != 503 or RETRY_AFTER not in reply.headers
    ]
    found += [f"no answer to {key}" for key in ledger.unanswered]
    found += await verdict.faults(server.port, event_id, ledger)
    return _report(ledger, found, back_seconds)


async def _new_event(server: Server) -> str:
    async with Client(server.port) as api:
        return await race.make_event(api, SEATS, waitlist=True)


def _report(
    ledger: Ledger, found: Sequence[str], back_seconds: float, exit_code: int = 0
) -> Report:
    return Report(
        len(ledger.acknowledged),
        len(ledger.unsettled),
        found,
        ledger.slowest_seconds,
        back_seconds,
        exit_code,
    )
