"""Fills some of the demo's events with invented people, through the desk as anyone would come."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from turnout.accounts.actor import ANONYMOUS, SYSTEM
from turnout.audit.audit import Cause
from turnout.db.session import Database
from turnout.discovery import search
from turnout.discovery.wanted import Wanted
from turnout.idempotency.idempotency import Answer
from turnout.registrations.desk import Desk
from turnout.registrations.errors import AlreadyRegistered, EventFull
from turnout.registrations.records import Seated, Wish

BUSY_EVENTS = 40
"""How many of the soonest events people have come to."""

SHARES = (1.0, 0.85, 0.55, 0.3, 0.1)
"""How full they are, in turns, apart for those with a waitlist and those without one."""

TOO_MANY = 7
"""How many people more than seats want to come to an event that is full."""

_GIVEN = (
    "Aarav", "Abebe", "Ada", "Aisha", "Akira", "Amara", "Ana", "Anouk", "Bao", "Bilal", "Carmen",
    "Chidi", "Chloe", "Dara", "Diego", "Dinesh", "Elif", "Emeka", "Esra", "Fatima", "Finn", "Gita",
    "Grace", "Hana", "Ibrahim", "Ines", "Ivan", "Jamal", "Jun", "Kavya", "Kofi", "Lakshmi", "Leila",
    "Lin", "Mateo", "Mei", "Nadia", "Noor", "Olu", "Priya", "Rosa", "Sana", "Tariq", "Uma",
    "Vikram", "Wei", "Yara", "Zofia",
)  # fmt: skip
_FAMILY = (
    "Adeyemi", "Ahmed", "Banerjee", "Castro", "Chen", "Costa", "Das", "Dubois", "Eze", "Fischer",
    "Garcia", "Gupta", "Hassan", "Horvat", "Ito", "Iyer", "Jansen", "Kaur", "Khan", "Kim",
    "Kowalski", "Kumar", "Larsen", "Lopez", "Mensah", "Moreau", "Murphy", "Nair", "Nguyen", "Novak",
    "Okafor", "Park", "Patel", "Petrov", "Rao", "Reddy", "Rossi", "Sato", "Sharma", "Silva",
    "Singh", "Tanaka", "Torres", "Wang", "Weber", "Yilmaz", "Zhang",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Party:
    """How many people want to come to an event."""

    event_id: UUID
    size: int


async def come(database: Database, now: datetime) -> None:
    """Let people register for the soonest events; who has come before is not counted twice."""
    # Of these people nobody holds a token.
    desk = Desk(database, secrets.token_bytes(32))
    try:
        for party in await _parties(database, now):
            await asyncio.gather(*(_register(desk, wish) for wish in _wishes(party)))
    finally:
        await desk.aclose()


async def _parties(database: Database, now: datetime) -> list[_Party]:
    events = await search.views(database, Wanted(since=now), limit=BUSY_EVENTS)
    turns: Counter[bool] = Counter()
    parties = []
    for row in (event.row for event in events if event.row.capacity is not None):
        share = SHARES[turns[row.waitlist_enabled] % len(SHARES)]
        turns[row.waitlist_enabled] += 1
        extra = TOO_MANY if share == 1 else 0
        parties.append(_Party(row.id, round(row.capacity * share) + extra))
    return parties


def _wishes(party: _Party) -> Iterator[Wish]:
    cause = Cause(SYSTEM.standing)
    for n in range(party.size):
        # The two lists have no common divisor: every pair of names comes before one comes again.
        given, family = _GIVEN[n % len(_GIVEN)], _FAMILY[n % len(_FAMILY)]
        email = f"{given}.{family}@example.org".lower()
        name = f"{given} {family}"
        yield Wish(party.event_id, name, email, email, ANONYMOUS, cause, _not_answered)


async def _register(desk: Desk, wish: Wish) -> None:
    with contextlib.suppress(AlreadyRegistered, EventFull):
        await desk.register(wish)


def _not_answered(_: Seated) -> Answer:
    """Only a wish with a key has an answer to keep, and these have none."""
    raise NotImplementedError
