"""Events as rows, and what the index of search says of them; it knows no door."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, bindparam, select, text
from tests.db import rows
from tests.db.samples import a_row, table_of

from turnout.accounts.models import User
from turnout.db.session import Database
from turnout.events import finding, search_index
from turnout.events.models import Event

START = datetime(2027, 3, 1, 9, tzinfo=UTC)
OLIVE = UUID(int=7)
EVENTS = table_of(Event)


_ASKED = (
    *("id", "title_words", "words", "facets", "start_at", "end_at"),
    *("place_x", "place_y", "place_z"),
)


def an_id(n: int) -> UUID:
    return UUID(int=1_000 + n)


def an_event(n: int, **values: Any) -> dict[str, Any]:
    """A row of a listed event that starts at START, with `values` and what derives from it all."""
    named = dict(zip((column.name for column in EVENTS.columns), a_row(EVENTS, n), strict=True))
    start = values.get("start_at", START)
    row = named | {
        "id": an_id(n),
        "organizer_id": OLIVE,
        "name": f"Event {n}",
        "description": "",
        "location": "Bengaluru",
        "tags": [],
        "start_at": start,
        "end_at": start + timedelta(hours=2),
        "place_latitude": 12.97,
        "place_longitude": 77.59,
        **values,
    }
    return row | finding.columns_of(SimpleNamespace(**row))


def as_tuple(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in EVENTS.columns)


def lexemes_of(event: dict[str, Any]) -> set[str]:
    """All that a row is found by."""
    return {*event["title_words"].split(), *event["words"].split(), *event["facets"].split()}


async def add_olive(database: Database) -> None:
    users = table_of(User)
    values = zip(users.columns, a_row(users, 1), strict=True)
    row = {column.name: value for column, value in values} | {"id": OLIVE}
    await rows.change(database, users.insert().values(row))


async def add(database: Database, *events: dict[str, Any]) -> None:
    await rows.change(database, *(EVENTS.insert().values(event) for event in events))


async def change(database: Database, n: int, **values: Any) -> None:
    """Set columns of an event, and what derives from them all."""
    async with database.write() as db:
        of_event = EVENTS.c.id == an_id(n)
        row = (await db.execute(select(EVENTS).where(of_event))).mappings().one()
        derived = finding.columns_of(SimpleNamespace(**{**row, **values}))
        await db.execute(EVENTS.update().where(of_event).values(values | derived))


async def found(database: Database, lexeme: str, *, in_title: bool = False) -> list[str]:
    """The names of the events that the index has under a lexeme, in its order."""
    if database.is_sqlite:
        asked = f'title : "{lexeme}"' if in_title else f'"{lexeme}"'
        query = """SELECT e.name FROM event_search AS s
            JOIN event_numbers AS n ON n.number = s.rowid JOIN events AS e ON e.id = n.event_id
            WHERE s.event_search MATCH :asked ORDER BY s.rowid"""
    else:
        asked = f"'{lexeme}'"
        column = "s.title" if in_title else "s.words"
        query = f"""SELECT e.name FROM event_search AS s JOIN events AS e ON e.id = s.event_id
            WHERE {column} @@ CAST(:asked AS text)::tsquery
            ORDER BY s.start_at, s.event_id"""  # noqa: S608 - one of two columns
    return [name for (name,) in await rows.read(database, _with(query, asked=asked))]


async def numbers(database: Database) -> list[tuple[int, str]]:
    """On SQLite, the numbers of the events and their names, in order."""
    query = """SELECT n.number, e.name FROM event_numbers AS n JOIN events AS e
        ON e.id = n.event_id ORDER BY n.number"""
    return [(number, name) for number, name in await rows.read(database, text(query))]


async def check(database: Database) -> None:
    """Raises unless the index is what the rows of the listed events say, and nothing else."""
    of_events = await rows.read(
        database,
        select(*(EVENTS.c[name] for name in _ASKED))
        .where(EVENTS.c.status == "published", EVENTS.c.visibility == "public")
        .order_by(EVENTS.c.id),
    )
    if database.is_sqlite:
        # With rank 1 it holds the index against the table that its content is in (fts5.html, 6.4).
        whole = "INSERT INTO event_search (event_search, rank) VALUES ('integrity-check', 1)"
        await rows.change(database, text(whole))
        await check_beside_words(database)
    else:
        await check_on_postgresql(database, of_events)


async def check_on_postgresql(database: Database, of_events: Sequence[Any]) -> None:
    """The words, the beginnings, the spans of time and the facets of the events with these rows."""
    of_index = """SELECT event_id, tsvector_to_array(title), tsvector_to_array(words)
        FROM event_search ORDER BY event_id"""
    indexed = [
        (UUID(int=each.int), set(title), set(words))
        for each, title, words in await rows.read(database, text(of_index))
    ]
    spans = {each: spans_of(start) for each, _, _, _, start, *_ in of_events}
    assert indexed == [
        (
            each,
            begun(title) | spans[each],
            {*begun(f"{title} {words}"), *facets.split()} | spans[each],
        )
        for each, title, words, facets, *_ in of_events
    ]
    terms = {term for (term,) in await rows.read(database, text("SELECT term FROM event_terms"))}
    assert {
        word for _, title, words, *_ in of_events for word in f"{title} {words}".split()
    } <= terms
    of_facets = "SELECT event_id, facet, start_at, end_at, place_x, place_y, place_z"
    by_facet = await rows.read(database, text(f"{of_facets} FROM event_facets"))
    assert sorted((UUID(int=each.int), *rest) for each, *rest in by_facet) == sorted(
        {
            (each, facet, *times, *(position if facet[1] in "gd" else [None] * 3))
            for each, _, _, facets, *times, x, y, z in of_events
            for position in [(x, y, z)]
            for facet in facets.split()
        }
    )


async def check_beside_words(database: Database) -> None:
    """On SQLite, the ends that stand with the numbers, and the places in their bands."""
    listed = "FROM events WHERE status = 'published' AND visibility = 'public'"
    of_events = await rows.read(database, text(f"SELECT id, end_at {listed} ORDER BY id"))
    numbered = "SELECT event_id, end_at FROM event_numbers ORDER BY event_id"
    assert await rows.read(database, text(numbered)) == of_events
    columns = "place_latitude, place_longitude, id, start_at, end_at, place_x, place_y, place_z"
    placed = f"SELECT {columns} {listed} AND place_x IS NOT NULL ORDER BY id"
    in_bands = "SELECT * FROM event_places ORDER BY id"
    assert [tuple(each) for each in await rows.read(database, text(in_bands))] == [
        (search_index.band(latitude), *rest)
        for latitude, *rest in await rows.read(database, text(placed))
    ]


def spans_of(start: datetime) -> set[str]:
    """The spans of time that PostgreSQL has beside the words."""
    days = (start - datetime(1970, 1, 1, tzinfo=UTC)).days
    return {f"=m0_{days // 16}", f"=m1_{days // 256}"}


def begun(words: str) -> set[str]:
    """The words, and the beginnings of two and three letters that PostgreSQL has beside them."""
    whole = words.split()
    return {*whole, *(f"=p{word[:n]}" for word in whole for n in (2, 3) if len(word) >= n)}


def _with(query: str, **values: str) -> Executable:
    return text(query).bindparams(*(bindparam(name, value) for name, value in values.items()))
