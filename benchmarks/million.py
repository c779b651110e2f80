"""A database of a million events as a large installation would have them, the same for every run.

Cities by their population, words by Zipf's law, starts from two years ago to three years ahead on
the whole quarter hours, a tenth of the events without a place, a third of them full. It goes
through the product's own rows (lexemes, facets, triggers); only people are left out.
"""

import random
from bisect import bisect
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate, islice
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import text

from turnout import tables
from turnout.db import sets
from turnout.db.session import Database, Db
from turnout.events import finding, search_index, times
from turnout.ids import new_id
from turnout.places import gazetteer
from turnout.places.gazetteer import City

CHUNK = 4_000
SEED = 4
ORGANIZERS = 2_000
CITIES = 4_000
WORDS = 20_000
TAGS = (
    "python", "data", "music", "jazz", "yoga", "running", "chess", "law", "health", "cooking",
    "films", "poetry", "robots", "cloud", "security", "design", "climate", "history", "games",
    "startups", "finance", "teaching", "gardens", "photography", "dance",
)  # fmt: skip
KINDS = ("conference", "meetup", "workshop", "concert", "course", "festival", "talk", "summit")
_SYLLABLES = (
    "ka",
    "to",
    "mi",
    "ra",
    "ne",
    "so",
    "lu",
    "pe",
    "vi",
    "do",
    "sha",
    "gre",
    "ton",
    "bel",
)
PAST, AHEAD = timedelta(days=730), timedelta(days=1095)
_TABLES = {name: tables.METADATA.tables[name] for name in ("users", "events", "admissions")}


async def fill(url: str, count: int, now: datetime) -> None:
    """Put `count` events into a migrated database; the same ones for the same hour of `now`."""
    database = Database(url)
    try:
        await _each(database, _BEFORE[database.is_sqlite])
        async with database.write() as db:
            owners = [new_id() for _ in range(ORGANIZERS)]
            _insert(db, "users", [_organizer(n, owner, now) for n, owner in enumerate(owners)])
        events = islice(_events(owners, now.replace(minute=0, second=0, microsecond=0)), count)
        while chunk := list(islice(events, CHUNK)):
            async with database.write() as db:
                await _unhurried(db)
                _insert(db, "events", [event for event, _ in chunk])
                _insert(db, "admissions", [seats for _, seats in chunk])
        await _each(database, _AFTER[database.is_sqlite])
        await _vacuum(database)
    finally:
        await database.aclose()


_INVERTED = [each for each in search_index.OF_POSTGRESQL if "USING gin" in each]
_KEY = "CONSTRAINT pk_event_facets"
[_FACETS] = [each for each in search_index.OF_POSTGRESQL if _KEY in each]
# As a restore of PostgreSQL does: these indexes take long row by row.
_BEFORE = {
    True: (),
    False: (
        "DROP INDEX ix_event_search_title, ix_event_search_words",
        f"ALTER TABLE event_facets DROP {_KEY}",
    ),
}
_AFTER = {
    # What merging in the background comes to, once a database has grown this large.
    True: ("INSERT INTO event_search (event_search) VALUES ('optimize')",),
    False: (
        *_INVERTED,
        f"ALTER TABLE event_facets ADD {_KEY}{_FACETS.partition(_KEY)[2].removesuffix(')')}",
    ),
}


async def _each(database: Database, statements: Sequence[str]) -> None:
    async with database.write() as db:
        await _unhurried(db)
        for statement in statements:
            await db.execute(text(statement))


async def _unhurried(db: Db) -> None:
    """On PostgreSQL, give what follows all the time and memory that it needs."""
    if db.get_bind().dialect.name != "sqlite":
        await db.execute(text("SET LOCAL statement_timeout = 0"))
        await db.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))


async def _vacuum(database: Database) -> None:
    """What PostgreSQL does in the background within minutes of so many new rows."""
    if not database.is_sqlite:
        async with database.reader.connect() as connection:  # outside of any transaction
            await connection.execute(text("SET statement_timeout = 0"))
            await connection.execute(text("VACUUM ANALYZE"))


def _insert(db: Any, name: str, rows: Sequence[dict[str, Any]]) -> None:
    table = _TABLES[name]
    sets.insert(db, table, [[row.get(c.name) for c in table.columns] for row in rows])


def _organizer(number: int, user_id: UUID, now: datetime) -> dict[str, Any]:
    email = f"organizer{number}@example.org"
    return {
        "id": user_id,
        "email": email,
        "email_canonical": email,
        "name": f"Organizer {number}",
        "search_text": email,
        "role": "organizer",
        "is_active": True,
        "created_at": now,
        "updated_at": now,
    }


class _Weighted:
    """Chooses among things by weights."""

    def __init__(self, things: Sequence[Any], weights: Sequence[float]) -> None:
        self._things = things
        self._sums = list(accumulate(weights))

    def one(self, chance: random.Random) -> Any:
        return self._things[bisect(self._sums, chance.random() * self._sums[-1])]


@cache
def cities() -> list[City]:
    """The largest cities of the gazetteer, the largest first."""
    return sorted(gazetteer.load(), key=lambda city: -city.population)[:CITIES]


@cache
def vocabulary() -> list[str]:
    """Words that nobody has said before, the commonest first."""
    chance = random.Random(SEED)
    words = {"".join(chance.choices(_SYLLABLES, k=chance.randint(2, 5))) for _ in range(2 * WORDS)}
    return sorted(words)[:WORDS]


def _events(
    owners: Sequence[UUID], now: datetime
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    chance = random.Random(SEED)
    where = _Weighted(cities(), [city.population for city in cities()])
    words = vocabulary()
    spoken = _Weighted(words, [1 / (rank + 3) for rank in range(len(words))])
    number = 0
    while True:
        number += 1
        event_id = new_id()
        event = _event(chance, number, event_id, where.one(chance), spoken, now)
        event["organizer_id"] = chance.choice(owners)
        event |= finding.columns_of(SimpleNamespace(**event))
        yield event, _seats(chance, event_id)


def _event(
    chance: random.Random, number: int, event_id: UUID, city: City, spoken: _Weighted, now: datetime
) -> dict[str, Any]:
    quarter = timedelta(minutes=15 * chance.randrange(int((PAST + AHEAD) / timedelta(minutes=15))))
    start = times.moment_at(now - PAST + quarter, city.timezone)
    lasting = (
        timedelta(days=chance.randint(4, 30))
        if chance.random() < 0.02
        else timedelta(hours=chance.choice((1, 2, 3, 8, 33, 57)))
    )
    end = times.moment_at(start.instant + lasting, city.timezone)
    said = " ".join(spoken.one(chance) for _ in range(20))
    return {
        "id": event_id,
        "slug": f"bench-{number}",
        "name": f"{spoken.one(chance).title()} {spoken.one(chance)} {chance.choice(KINDS)}",
        "description": said,
        "location": f"{spoken.one(chance).title()} hall, {city.name}",
        "timezone": city.timezone,
        "start_local": start.local,
        "start_at": start.instant,
        "end_local": end.local,
        "end_at": end.instant,
        "status": "published",
        "visibility": "public",
        "online_url": "https://example.org/live" if chance.random() < 0.15 else None,
        "tags": chance.sample(TAGS, chance.randint(0, 3)),
        "version": 1,
        "sequence": 0,
        "place_lookups": 0,
        "created_at": now,
        "updated_at": now,
        **_place(chance, city if chance.random() < 0.9 else None),
    }


def _place(chance: random.Random, city: City | None) -> dict[str, Any]:
    return {
        "place_name": None,
        "place_address": None,
        "place_city": city and city.name,
        "place_country": city and city.country,
        "place_country_code": city and city.country_code,
        "place_latitude": city and city.latitude + chance.gauss(0, 0.05),
        "place_longitude": city and city.longitude + chance.gauss(0, 0.05),
        "place_source": city and "organizer",
    }


def _seats(chance: random.Random, event_id: UUID) -> dict[str, Any]:
    capacity = chance.choice((None, 20, 50, 100, 300))
    full = capacity or 40
    taken = full if capacity and chance.random() < 0.33 else chance.randrange(full)
    return {
        "event_id": event_id,
        "capacity": capacity,
        "taken": taken,
        "waiting": 0,
        "waitlist_enabled": False,
        "opens_local": None,
        "opens_at": None,
        "closes_local": None,
        "closes_at": None,
    }
