"""Judges what is left after a crash or an end: nothing acknowledged lost, nothing done twice."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from tests.crashes.load import CLIENTS, Ledger, register
from tests.races import race
from tests.races.wire import Client

REPLAYED = 100


async def faults(port: int, event_id: str, ledger: Ledger) -> list[str]:
    """Every broken promise, in a sentence each, after what was unsettled has been sent again."""
    async with Client(port) as api:
        before = await race.attendees_of(api, event_id)
        there = {each["id"] for each in before}
        told = {reply.json["id"] for reply in ledger.acknowledged.values()}
        found = [f"acknowledged and lost: {lost}"] if (lost := told - there) else []
        found += await _retried(port, event_id, ledger)
        after = await race.attendees_of(api, event_id)
    wanted = {*ledger.acknowledged, *ledger.refused, *ledger.unanswered}
    held = Counter(each["name"] for each in after)
    if twice := [name for name, count in held.items() if count > 1]:
        found.append(f"more than one effect: {twice}")
    if set(held) != wanted:
        found.append(f"not every retry had its effect: {wanted ^ set(held)}")
    return found


async def answered_late(port: int, event_id: str, ledger: Ledger) -> list[str]:
    """Requests that had an effect, though a server that was told to end gave no answer to them."""
    async with Client(port) as api:
        names = {each["name"] for each in await race.attendees_of(api, event_id)}
    return sorted(names & ledger.unanswered)


async def _retried(port: int, event_id: str, ledger: Ledger) -> list[str]:
    """What is wrong when what is unsettled, and some of what is settled, is sent once more."""
    settled = islice(reversed(ledger.acknowledged), REPLAYED)
    keys = [*ledger.unsettled, *settled]
    shares = [keys[n::CLIENTS] for n in range(CLIENTS)]
    found = await asyncio.gather(*(_retry(port, event_id, ledger, share) for share in shares))
    return [fault for each in found for fault in each]


async def _retry(port: int, event_id: str, ledger: Ledger, keys: Sequence[str]) -> list[str]:
    found: list[str] = []
    async with Client(port) as client:
        for key in keys:
            reply = await register(client, event_id, key)
            first = ledger.acknowledged.get(key)
            if reply.status != 201:
                found.append(f"retry of {key} was answered {reply.status} {reply.code}")
            elif first is not None and reply.body != first.body:
                found.append(f"retry of {key} is another answer: {first.body!r} {reply.body!r}")
    return found
