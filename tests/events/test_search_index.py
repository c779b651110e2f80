"""The index of search follows the events, whoever writes them and however many at once."""

import importlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from tests.db import rows
from tests.events import indexed
from tests.events.indexed import EVENTS, START, add, an_event, an_id, change, found, numbers
from tests.factories import in_days, make_event
from tests.support.app import RunningApp

from turnout.db import driver, engines, sets
from turnout.db.session import Database
from turnout.events import lexemes, search_index
from turnout.events.search_index import SECOND

HOUR = timedelta(hours=1)
BENGALURU = "bengaluru"
"""A word that every event has, were it only listed."""


@pytest.fixture
async def events(database: Database) -> AsyncIterator[Database]:
    """A database with an organizer; after the test its index is what its events say."""
    await indexed.add_olive(database)
    yield database
    await indexed.check(database)


def test_index_is_made_by_the_same_words_in_the_models_and_in_the_migrations() -> None:
    first, then = (
        importlib.import_module(f"turnout.migrations.versions.{name}")
        for name in ("0003_events", "0004_search")
    )

    kept = [each for each in first.OF_SQLITE if each not in then.BEFORE_OF_SQLITE]
    assert len(kept) == len(first.OF_SQLITE) - len(then.BEFORE_OF_SQLITE)
    assert sorted([*kept, *then.OF_SQLITE]) == sorted(search_index.OF_SQLITE)
    kept = [each for each in first.OF_POSTGRESQL if each not in then.BEFORE]
    assert len(kept) == len(first.OF_POSTGRESQL) - len(then.BEFORE)
    assert sorted([*kept, *then.OF_POSTGRESQL]) == sorted(search_index.OF_POSTGRESQL)


@pytest.mark.parametrize(
    ("values", "is_found"),
    [
        ({}, True),
        ({"status": "draft"}, False),
        ({"status": "cancelled", "cancelled_at": START}, False),
        ({"visibility": "unlisted"}, False),
        ({"visibility": "private"}, False),
    ],
)
async def test_index_has_events_that_everyone_finds(
    events: Database, values: dict[str, Any], *, is_found: bool
) -> None:
    await add(events, an_event(1, **values), an_event(2))

    expected = ["Event 1", "Event 2"] if is_found else ["Event 2"]
    assert await found(events, BENGALURU) == expected
    assert await found(events, "1", in_title=True) == expected[:-1]


@pytest.mark.parametrize(
    ("column", "hidden"),
    [("status", "draft"), ("visibility", "unlisted"), ("visibility", "private")],
)
async def test_index_gains_what_is_published_and_loses_what_is_hidden(
    events: Database, column: str, hidden: str
) -> None:
    shown = {"status": "published", "visibility": "public"}[column]
    await add(events, an_event(1, **{column: hidden}), an_event(2))

    seen = [await found(events, BENGALURU)]
    for value in (shown, hidden, shown):
        await change(events, 1, **{column: value})
        await indexed.check(events)
        seen.append(sorted(await found(events, BENGALURU)))

    assert seen == [["Event 2"], ["Event 1", "Event 2"], ["Event 2"], ["Event 1", "Event 2"]]


async def test_index_loses_what_is_cancelled(events: Database) -> None:
    await add(events, an_event(1), an_event(2))

    await change(events, 1, status="cancelled", cancelled_at=START)

    assert await found(events, BENGALURU) == ["Event 2"]


async def test_index_has_new_words_and_not_the_old_ones(events: Database) -> None:
    await add(events, an_event(1, name="Jazz night", description="with oysters"))
    before = [await found(events, word) for word in ("jazz", "oysters", "rust")]

    await change(events, 1, name="Rust evening", description="", location="Pune", tags=["Code"])

    words = ("jazz", "oysters", "bengaluru", "rust", "pune", lexemes.tag("code"))
    after = [await found(events, word) for word in words]
    assert before == [["Jazz night"], ["Jazz night"], []]
    assert after == [[], [], [], *[["Rust evening"]] * 3]
    assert await found(events, "pune", in_title=True) == []
    assert await found(events, "rust", in_title=True) == ["Rust evening"]


async def test_index_tells_a_facet_from_the_same_word(events: Database) -> None:
    await add(
        events,
        an_event(1, name="=tjazz", place_latitude=-33.9, place_longitude=-70.7),
        an_event(2, tags=["jazz"]),
    )

    assert await found(events, lexemes.tag("jazz")) == ["Event 2"]
    assert await found(events, "jazz") == ["Event 2"]
    assert await found(events, "tjazz") == ["=tjazz"]
    for cell in lexemes.cells_of(-33.9, -70.7):
        assert await found(events, cell) == ["=tjazz"]


HARD = ["ハパ 東京都", "हिन्दी", "\U0001f389\U0001f389", "Don't \"' \\ ; -- *", "x" * 100, "ﬁ ½ Ǿ"]


@pytest.mark.parametrize("name", HARD)
async def test_index_has_words_of_every_kind(events: Database, name: str) -> None:
    hard = an_event(1, name=name, description=name, location=name, tags=[name], place_city=name)
    plain = an_event(2)
    await add(events, hard, plain)

    own = indexed.lexemes_of(hard) - indexed.lexemes_of(plain)
    assert {lexemes.tag(name), lexemes.city(name)} <= own
    assert {lexeme: await found(events, lexeme) for lexeme in own} == {each: [name] for each in own}


async def test_index_has_no_words_of_an_event_without_any(events: Database) -> None:
    bare = {"name": "\U0001f389", "location": "-", "place_latitude": None, "place_longitude": None}
    place = dict.fromkeys(("place_name", "place_address", "place_city", "place_country"))
    event = an_event(1, **bare, **place, place_country_code=None, online_url=None)

    await add(events, event)

    assert (event["title_words"], event["words"]) == ("", "")
    assert await found(events, lexemes.organizer(indexed.OLIVE)) == ["\U0001f389"]


async def test_index_lists_soonest_first_and_moves_what_is_moved(events: Database) -> None:
    days = [3, 1, 2]
    await add(events, *(an_event(n, start_at=START + timedelta(days=n)) for n in days))
    before = await found(events, BENGALURU)

    await change(events, 1, start_at=START + timedelta(days=9), end_at=START + timedelta(days=10))

    assert before == ["Event 1", "Event 2", "Event 3"]
    assert await found(events, BENGALURU) == ["Event 2", "Event 3", "Event 1"]


async def test_index_loses_what_is_deleted(events: Database) -> None:
    await add(events, an_event(1), an_event(2), an_event(3, status="draft"))

    await rows.change(events, EVENTS.delete().where(EVENTS.c.id.in_([an_id(1), an_id(3)])))

    assert await found(events, BENGALURU) == ["Event 2"]


async def test_index_is_not_touched_by_what_it_does_not_hold(events: Database) -> None:
    """Else an event would change its place among those of the same second."""
    await add(events, an_event(1), an_event(2))

    await rows.change_event(events, str(an_id(1)), version=2, cancel_reason="x", place_lookups=3)
    await change(events, 1, updated_at=START)

    assert await found(events, BENGALURU) == ["Event 1", "Event 2"]


@pytest.mark.parametrize("count", [1, 64, 300])
async def test_index_has_what_is_written_in_sets(events: Database, count: int) -> None:
    made = [
        an_event(n, status="draft" if n % 3 == 0 else "published", start_at=START + (n % 5) * HOUR)
        for n in range(1, count + 1)
    ]

    async with events.write() as db:
        sets.insert(db, EVENTS, [indexed.as_tuple(event) for event in made])

    listed = [event for event in made if event["status"] == "published"]
    in_order = [event["name"] for event in sorted(listed, key=lambda each: each["start_at"])]
    assert await found(events, BENGALURU) == in_order


async def test_index_takes_nothing_from_a_transaction_that_fails(events: Database) -> None:
    await add(events, an_event(1))

    async def write() -> None:
        async with events.write() as db:
            await db.execute(EVENTS.insert().values(an_event(2)))
            await db.execute(EVENTS.delete().where(EVENTS.c.id == an_id(1)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write()

    assert await found(events, BENGALURU) == ["Event 1"]


async def test_index_follows_the_api(app: RunningApp) -> None:
    async with app.client() as api:
        await make_event(api, name="Second", start_time=in_days(5), end_time=in_days(6))
        await make_event(api, name="First", start_time=in_days(4), end_time=in_days(5))
        await make_event(api, name="Draft", draft=True)
        await make_event(api, name="Unlisted", visibility="unlisted")

    database = app.runtime.database
    await indexed.check(database)
    assert await found(database, BENGALURU) == ["First", "Second"]


# ---- the numbers of SQLite


@pytest.fixture
async def of_sqlite(sqlite_url: str) -> AsyncIterator[Database]:
    database = Database(sqlite_url)
    await indexed.add_olive(database)
    yield database
    await indexed.check(database)
    await database.aclose()


def first_number(instant: datetime) -> int:
    return int(instant.timestamp()) * SECOND


async def test_numbers_of_one_second_are_different_and_in_order(of_sqlite: Database) -> None:
    within = [timedelta(microseconds=each) for each in (0, 999_999, 1, 0)]
    later = timedelta(seconds=1)
    await add(
        of_sqlite,
        *(an_event(n, start_at=START + each) for n, each in enumerate(within)),
        an_event(4, start_at=START + later),
        an_event(5, start_at=START - later),
        an_event(6, start_at=START),
    )

    assert await numbers(of_sqlite) == [
        (first_number(START - later), "Event 5"),
        *((first_number(START) + n, f"Event {n}") for n in range(4)),
        (first_number(START) + 4, "Event 6"),
        (first_number(START + later), "Event 4"),
    ]


async def test_numbers_of_what_is_gone_do_not_come_to_another_beside_it(
    of_sqlite: Database,
) -> None:
    await add(of_sqlite, an_event(0), an_event(1), an_event(2))

    await rows.change(of_sqlite, EVENTS.delete().where(EVENTS.c.id == an_id(1)))
    await change(of_sqlite, 0, name="Renamed")
    await add(of_sqlite, an_event(3))

    assert await numbers(of_sqlite) == [
        (first_number(START) + 2, "Event 2"),
        (first_number(START) + 3, "Renamed"),
        (first_number(START) + 4, "Event 3"),
    ]


@pytest.mark.parametrize(
    "start",
    [datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)],
)
async def test_numbers_fit_from_the_first_year_to_the_last(
    of_sqlite: Database, start: datetime
) -> None:
    await add(of_sqlite, an_event(1, start_at=start))

    assert await numbers(of_sqlite) == [(first_number(start), "Event 1")]
    assert first_number(start) + SECOND - 1 < 1 << 63


async def test_numbers_stay_when_the_database_is_vacuumed(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await indexed.add_olive(database)
    await add(database, *(an_event(n, start_at=START + n % 7 * HOUR) for n in range(40)))
    await rows.change(database, EVENTS.delete().where(EVENTS.c.id < an_id(20)))
    before = await numbers(database), await found(database, BENGALURU)
    await database.aclose()

    connection = driver.sqlite.connect(engines.sqlite_path(sqlite_url))
    connection.execute("VACUUM")
    connection.close()

    database = Database(sqlite_url)
    await indexed.check(database)
    assert len(before[0]) == 20
    assert (await numbers(database), await found(database, BENGALURU)) == before
    await database.aclose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET words = 'other' WHERE name = 'Event 1'",
        "DELETE FROM event_numbers WHERE number % 2 = 0",
        "DELETE FROM events WHERE name = 'Event 1'",
    ],
)
async def test_check_notices_an_index_that_was_left_behind(sqlite_url: str, statement: str) -> None:
    """The control of the tests above: what happens without the triggers is seen."""
    database = Database(sqlite_url)
    await indexed.add_olive(database)
    await add(database, an_event(1), an_event(2))
    gone = [f"DROP TRIGGER events_search_{verb}" for verb in ("update", "delete")]
    await rows.change(database, *map(text, gone), text(statement))

    with pytest.raises((DatabaseError, AssertionError)):
        await indexed.check(database)
    await database.aclose()


async def test_check_notices_an_index_that_was_left_behind_on_postgresql(
    postgresql_url: str,
) -> None:
    database = Database(postgresql_url)
    await indexed.add_olive(database)
    await add(database, an_event(1))
    await rows.change(
        database,
        text("DROP TRIGGER events_search_update ON events"),
        text("UPDATE events SET words = 'other'"),
    )

    with pytest.raises(AssertionError):
        await indexed.check(database)
    await database.aclose()
