"""Every search has its index: with many events, no statement reads a whole table for a page."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

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
from turnout.discovery import counts, frequencies, search_sql
from turnout.discovery.wanted import Circle, Own, Position, Sort, Wanted
from turnout.events import lexemes, times
from turnout.events.drafts import EventDraft, PlaceDraft
from turnout.events.models import Status, TeamMember
from turnout.events.search_index import SECOND
from turnout.registrations import service
from turnout.registrations.service import AdmissionDraft

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
EVENTS, RARE, MINE, PEOPLE = 8_000, 500, 20, 2_000
ME = Own(UUID(int=1 << 64))
BERLIN = Circle(52.5, 13.4, 50)


def an_event(n: int) -> EventDraft:
    """One an hour; a few of them in Berlin and with a rare word, some for days."""
    start = times.moment_at(NOW + timedelta(hours=n - EVENTS // 2), "UTC")
    lasts = timedelta(days=5) if n % 50 == 0 else timedelta(hours=2)
    place = PlaceDraft(city=f"City {n % 31}", latitude=n % 60 - 60.0, longitude=n % 340 - 170.0)
    if n % RARE == 0:
        place = PlaceDraft(None, None, "Berlin", "Germany", "DE", 52.5, 13.4)
    return EventDraft(
        f"Meeting {n}" + (" rare" if n % RARE == 0 else ""),
        "Hall",
        "UTC",
        start,
        times.moment_at(start.instant + lasts, "UTC"),
        description=f"Words that all of them have, and word{n % 500}",
        place=place,
        online_url="https://example.com/" if n % 3 == 0 else None,
        tags=(f"tag {n % 400}",),
    )


async def fill(database: Database) -> None:
    """All the events; one account has few of them, and helps with a few."""
    me = ME.user_id
    async with database.write() as db:
        sets.insert(db, table_of(User), [user(n) for n in range(PEOPLE)])
    async with database.write() as db:
        others = await accounts.built_in_organizer(db, NOW)
        drafts = [(an_event(n), AdmissionDraft(100)) for n in range(EVENTS)]
        event_ids = await service.host(db, others, Cause("open"), drafts[MINE:], NOW)
        actor = Actor(Standing.ACCOUNT, me, "Person", Role.ORGANIZER)
        await service.host(db, actor, Cause("account", me), drafts[:MINE], NOW)
        team = [(event_ids[n], UUID(int=(n + 1) << 64), "door", NOW) for n in range(PEOPLE)]
        helped = [*team, *((each, me, "door", NOW) for each in event_ids[-5:])]
        sets.insert(db, table_of(TeamMember), helped)
    if not database.is_sqlite:  # which keeps no statistics where the product runs
        await plans.gather_statistics(database)


OF_INDEX = (r"VIRTUAL TABLE INDEX \d+:M", r"ix_event_search|pk_event_facets")
OF_STARTS = ("ix_events_listed", "ix_events_listed")
OF_PLACES = r"SEARCH e USING PRIMARY KEY \(band=\?"
OF_OWNERS = ("ix_events_organizer", "ix_events_organizer")
IN_BERLIN = (lexemes.city("Berlin"),)
SHAPES: dict[str, tuple[Wanted, tuple[str, str]]] = {
    "all ahead": (Wanted(since=NOW), OF_STARTS),
    "all": (Wanted(), OF_STARTS),
    "until": (Wanted(since=NOW, until=NOW + timedelta(days=3)), OF_STARTS),
    "seats": (Wanted(since=NOW, min_seats=1), OF_STARTS),
    "not online": (Wanted(since=NOW, is_online=False), OF_STARTS),
    "anywhere": (Wanted(since=NOW, circle=replace(BERLIN, radius_km=20_000)), OF_STARTS),
    "common word": (Wanted(since=NOW, words=("meeting",)), OF_INDEX),
    "two letters": (Wanted(since=NOW, words=("me",)), OF_INDEX),
    "one letter": (Wanted(since=NOW, words=("m",)), OF_INDEX),
    "rare word": (Wanted(since=NOW, words=("rare",)), OF_INDEX),
    "rare word ever": (Wanted(words=("rare",)), OF_INDEX),
    "two words": (Wanted(since=NOW, words=("meet", "rare")), OF_INDEX),
    "no word": (Wanted(since=NOW, words=("xylophone",)), OF_INDEX),
    "city": (Wanted(since=NOW, facets=IN_BERLIN), OF_INDEX),
    "country and tag": (
        Wanted(since=NOW, facets=(lexemes.country("DE"), lexemes.tag("tag 10"))),
        OF_INDEX,
    ),
    "organizer": (Wanted(since=NOW, facets=(lexemes.organizer(ME.user_id),)), OF_INDEX),
    "organizer ever": (Wanted(facets=(lexemes.organizer(ME.user_id),)), OF_INDEX),
    "online": (Wanted(since=NOW, facets=(lexemes.ONLINE,), is_online=True), OF_INDEX),
    "word and city": (Wanted(since=NOW, words=("meeting",), facets=IN_BERLIN), OF_INDEX),
    "near": (Wanted(since=NOW, circle=BERLIN), OF_INDEX),
    "near ever": (Wanted(circle=BERLIN), OF_INDEX),
    "near, word and seats": (
        Wanted(since=NOW, circle=BERLIN, words=("word7",), min_seats=3),
        OF_INDEX,
    ),
    "everything": (
        Wanted(
            NOW, NOW + timedelta(days=60), ("meeting", "rare"), IN_BERLIN, BERLIN, 2,
            is_online=False,
        ),
        OF_INDEX,
    ),
    "own": (Wanted(own_of=ME), OF_OWNERS),
    "own drafts": (Wanted(own_of=ME, status=Status.DRAFT), OF_OWNERS),
    "own ahead": (Wanted(own_of=ME, since=NOW), OF_OWNERS),
    "own by word": (Wanted(own_of=ME, words=("rare",), facets=IN_BERLIN), OF_OWNERS),
}  # fmt: skip
"""What is wanted, and the index that finds it on SQLite and on PostgreSQL."""
READS_ALL = {"anywhere by distance"}
"""Around a place and as wide as a continent, a circle is asked of all that is ahead: nothing says
which of them are near. The searches that come before it, in smaller circles, have mostly filled the
page by then (search.py)."""

Shape = tuple[str, Wanted, Position | None, str]


def shapes(*, is_sqlite: bool) -> Iterator[Shape]:
    """Each in every order that it can have, its first page and a later one."""
    for name, (wanted, index) in SHAPES.items():
        for sort in Sort:
            missing = {Sort.DISTANCE: not wanted.circle, Sort.RELEVANCE: not wanted.words}
            if missing.get(sort):
                continue
            asked, found_by = replace(wanted, sort=sort), index[0 if is_sqlite else 1]
            if (
                is_sqlite
                and sort is Sort.DISTANCE
                and wanted == Wanted(circle=wanted.circle, since=wanted.since)
            ):
                found_by = OF_PLACES
            yield f"{name} by {sort}", asked, None, found_by
            after = position(asked, is_number=is_sqlite and index is OF_INDEX)
            yield f"{name} by {sort}, later", asked, after, found_by


def position(wanted: Wanted, *, is_number: bool) -> Position:
    """A place in the list, ten days from now."""
    start, some_id = NOW + timedelta(days=10), UUID(int=5).hex
    if wanted.sort is Sort.DISTANCE:
        return Position(0, 0.99, some_id, start.isoformat())
    if is_number:
        return Position(0, int(start.timestamp()) * SECOND, None)
    return Position(0, start.isoformat(), some_id)


async def page(wanted: Wanted, after: Position | None, db: Db) -> object:
    connection = await db.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    sql, values = search_sql.build(wanted, after, 21, is_sqlite=is_sqlite)
    return await connection.exec_driver_sql(sql, tuple(values))


WHOLE = re.compile(
    # Seats and people are joined to what was found: so few as here, PostgreSQL may hash them all.
    # The soonest are as many as half of the rows here: sorting all starts is as soon done.
    r"Seq Scan on (events|event_search|event_facets|event_terms)\b(?! soonest)"
    # What is read again are the rows of a part of the statement, and at most as many as a page has.
    r"|^SCAN (?!p\d|page$|\(subquery-\d+\)$|json_each|s VIRTUAL TABLE INDEX \d+:M"
    r"|e USING (COVERING )?INDEX ix_events_listed$)"
)


def wholes(plan: str) -> list[str]:
    """The lines that read all of a table, or of an index without a match."""
    lines = [line.strip(" ->") for line in plan.splitlines()]
    return [line for line in lines if WHOLE.search(line)]


async def test_searches_over_many_events_use_their_index(database: Database) -> None:
    await fill(database)

    for name, wanted, after, index in shapes(is_sqlite=database.is_sqlite):
        if name.removesuffix(", later") in READS_ALL:
            continue
        asked = await as_searched(database, wanted)
        [found] = await plans.of(database, partial(page, asked, after), done_alone=True)

        assert wholes(found) == [], (name, found)
        assert re.search(index, found), (name, found)
        if index is OF_STARTS[0] and wanted.since and wanted.sort is not Sort.DISTANCE:
            # Behind a later position lies nothing that had begun by then.
            is_long_asked = after is None or wanted.sort is Sort.LATEST
            assert ("ix_events_long" in found) == is_long_asked, (name, found)
        if database.is_sqlite and wanted.own_of is None and wanted.sort is not Sort.DISTANCE:
            assert sorts_of_more_than_a_page(found) == [], (name, found)


async def as_searched(database: Database, wanted: Wanted) -> Wanted:
    """What a search asks for there: both are told which words are common (search.py)."""
    if not wanted.words or wanted.own_of is not None:
        return wanted
    if database.is_sqlite:
        return await counts.hinted(database, wanted)
    return await (await frequencies.of(database)).hinted(database, wanted)


def sorts_of_more_than_a_page(plan: str) -> list[str]:
    """The sorts of SQLite that are not of the rows of a part, which has a limit itself."""
    lines = plan.partition("SCAN page")[0].splitlines()
    before = zip(["", *lines], lines, strict=False)
    return [line for line_before, line in before if "TEMP" in line and " p" not in line_before]


BAD = {
    "word without its index": "SELECT id FROM events WHERE words LIKE '%rare%'",
    "other order": "SELECT id FROM events AS e ORDER BY e.name LIMIT 20",
    "other function": "SELECT id FROM events AS e WHERE lower(e.place_city) = 'berlin'",
}
BAD_ON_SQLITE = {
    "index without a match": "SELECT rowid FROM event_search LIMIT 20",
    "seats first": "SELECT event_id FROM admissions WHERE capacity - taken > 5",
}


async def test_search_that_reads_all_is_noticed(database: Database) -> None:
    """The control: what looks for scans finds one where there is one."""
    await fill(database)
    bad = BAD | (BAD_ON_SQLITE if database.is_sqlite else {})

    found = {}
    for name, statement in bad.items():
        [plan] = await plans.of(database, partial(run, statement), done_alone=True)
        found[name] = len(wholes(plan))

    assert found == dict.fromkeys(bad, 1)


async def run(statement: str, db: Db) -> object:
    return await db.execute(text(statement))
