"""Every search has its index: with many events, no statement reads a whole table for a page."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.db import plans
from tests.db.samples import table_of
from tests.db.test_plans_people import user

from turnout.accounts import service as accounts
from turnout.accounts.actor import Actor, Role, Standing
from turnout.accounts.models import User
from turnout.audit.audit import Cause
from turnout.db import sets
from turnout.db.session import Database, Db
from turnout.discovery import search_sql
from turnout.discovery.wanted import Circle, Own, Position, Sort, Wanted
from turnout.events import lexemes, times
from turnout.events.drafts import EventDraft, PlaceDraft
from turnout.events.models import Status, TeamMember
from turnout.registrations import service
from turnout.registrations.service import AdmissionDraft

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
EVENTS, MINE = 4_000, 20


def an_event(n: int) -> EventDraft:
    """One an hour; every tenth in Berlin, every hundredth with a rare word, some for days."""
    start = times.moment_at(NOW + timedelta(hours=n - EVENTS // 2), "UTC")
    lasts = timedelta(days=5) if n % 50 == 0 else timedelta(hours=2)
    place = PlaceDraft(city=f"City {n % 31}", latitude=n % 120 - 60.0, longitude=n % 340 - 170.0)
    if n % 10 == 0:
        place = PlaceDraft(None, None, "Berlin", "Germany", "DE", 52.5, 13.4)
    return EventDraft(
        f"Meeting {n}" + (" rare" if n % 100 == 0 else ""),
        "Hall",
        "UTC",
        start,
        times.moment_at(start.instant + lasts, "UTC"),
        description=f"Words that all of them have, and word{n % 500}",
        place=place,
        online_url="https://example.com/" if n % 3 == 0 else None,
        tags=(f"tag {n % 20}",),
    )


async def fill(database: Database) -> UUID:
    """All the events; the id of an account that has few of them, and helps with a few."""
    me = UUID(int=1 << 64)
    async with database.write() as db:
        sets.insert(db, table_of(User), [user(0)])
    async with database.write() as db:
        others = await accounts.built_in_organizer(db, NOW)
        drafts = [(an_event(n), AdmissionDraft(100)) for n in range(EVENTS)]
        event_ids = await service.host(db, others, Cause("open"), drafts[MINE:], NOW)
        actor = Actor(Standing.ACCOUNT, me, "Person", Role.ORGANIZER)
        await service.host(db, actor, Cause("account", me), drafts[:MINE], NOW)
        helped = [(event_id, me, "door", NOW) for event_id in event_ids[:5]]
        sets.insert(db, table_of(TeamMember), helped)
    await plans.gather_statistics(database)
    return me

BERLIN = Circle(52.5, 13.4, 50)
ME = Own(UUID(int=1 << 64))
SHAPES = {
    "all ahead": Wanted(since=NOW),
    "all": Wanted(),
    "ahead until": Wanted(since=NOW, until=NOW + timedelta(days=3)),
    "seats": Wanted(since=NOW, min_seats=1),
    "not online": Wanted(since=NOW, is_online=False),
    "common word": Wanted(since=NOW, words=("meeting",)),
    "two letters": Wanted(since=NOW, words=("me",)),
    "rare word": Wanted(since=NOW, words=("rare",)),
    "rare word ever": Wanted(words=("rare",)),
    "two words": Wanted(since=NOW, words=("meet", "rare")),
    "no word": Wanted(since=NOW, words=("xylophone",)),
    "city": Wanted(since=NOW, facets=(lexemes.city("Berlin"),)),
    "country and tag": Wanted(since=NOW, facets=(lexemes.country("DE"), lexemes.tag("tag 10"))),
    "organizer": Wanted(since=NOW, facets=(lexemes.organizer(ME.user_id),)),
    "organizer ever": Wanted(facets=(lexemes.organizer(ME.user_id),)),
    "online": Wanted(since=NOW, facets=(lexemes.ONLINE,), is_online=True),
    "word and city": Wanted(since=NOW, words=("meeting",), facets=(lexemes.city("Berlin"),)),
    "near": Wanted(since=NOW, circle=BERLIN),
    "near ever": Wanted(circle=BERLIN),
    "near, word and seats": Wanted(since=NOW, circle=BERLIN, words=("word7",), min_seats=3),
    "anywhere": Wanted(since=NOW, circle=replace(BERLIN, radius_km=20_000)),
    "own": Wanted(own_of=ME),
    "own drafts": Wanted(own_of=ME, status=Status.DRAFT),
    "own by word": Wanted(own_of=ME, words=("rare",), facets=(lexemes.city("Berlin"),)),
    "own ahead": Wanted(own_of=ME, since=NOW),
    "everything": Wanted(
        NOW, NOW + timedelta(days=60), ("meeting", "rare"), (lexemes.city("Berlin"),), BERLIN, 2, False
    ),
}
Shape = tuple[str, Wanted, Position | None]


def shapes(*, is_sqlite: bool):
    for name, wanted in SHAPES.items():
        for sort in Sort:
            if (sort is Sort.DISTANCE and not wanted.circle) or (sort is Sort.RELEVANCE and not wanted.words):
                continue
            sorted_ = replace(wanted, sort=sort)
            yield f"{name} by {sort}", sorted_, None
            yield f"{name} by {sort}, later", sorted_, position(sorted_, is_sqlite=is_sqlite)


def position(wanted, *, is_sqlite: bool) -> Position:
    start = NOW + timedelta(days=10)
    if wanted.sort is Sort.DISTANCE:
        return Position(0, 0.99, UUID(int=5).hex, start.isoformat())
    by_number = is_sqlite and wanted.own_of is None and (wanted.words or wanted.facets or wanted.circle == BERLIN)
    if by_number:
        return Position(0, int(start.timestamp()) << 30, None)
    return Position(0, start.isoformat(), UUID(int=5).hex)


async def page(wanted: Wanted, after: Position | None, db: Db) -> object:
    connection = await db.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    sql, values = search_sql.build(wanted, after, 21, is_sqlite=is_sqlite)
    return await connection.exec_driver_sql(sql, tuple(values))


async def test_p(database):
    import time
    t=time.time()
    await fill(database)
    print("fill", time.time()-t)
    out=open(f"/tmp/srch/plans_{'s' if database.is_sqlite else 'p'}","w")
    for name, wanted, after in shapes(is_sqlite=database.is_sqlite):
        found = await plans.of(database, partial(page, wanted, after))
        print("=====", name, file=out)
        print("\n".join(found), file=out)
