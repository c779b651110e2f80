"""Instants, ids and documents come back as they went in, by the ORM and in sets, on both."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, insert, select
from sqlalchemy.exc import StatementError
from tests.db import rows

from turnout.db import facts, sets
from turnout.db.base import Base
from turnout.db.session import Database
from turnout.idempotency.models import KeptAnswer
from turnout.outbox.models import OutboxMessage

AN_ID = UUID("0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07")
INSTANT = datetime(2027, 3, 1, 12, 30, 15, 123_456, tzinfo=UTC)
WALL_CLOCK = datetime(2027, 3, 1, 18, 0, 15, 123_456)  # noqa: DTZ001 - a wall clock has no offset
DOCUMENT = {"text": 'zoë 🐍 " \\ \u2028', "n": [1, 2.5, None, True], "deep": {"a": {}}}


def table_of(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def message(event_id: UUID | None, at: datetime, payload: Any) -> tuple[Any, ...]:
    return (AN_ID, "event.created", event_id, None, payload, at, at, None, None, None)


@pytest.mark.parametrize(
    "sent",
    [
        INSTANT,
        INSTANT.replace(microsecond=0),
        INSTANT.astimezone(timezone(timedelta(hours=5, minutes=45))),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2199, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
async def test_instant_comes_back_aware_in_utc(database: Database, sent: datetime) -> None:
    await rows.change(
        database,
        insert(KeptAnswer).values(
            key_hash=b"k" * 32, fingerprint=b"f" * 32, sealed_answer=b"", expires_at=sent
        ),
    )

    [(back,)] = await rows.read(database, select(KeptAnswer.expires_at))

    assert (back, back.tzinfo) == (sent, UTC)
    later, earlier = KeptAnswer.expires_at > sent, KeptAnswer.expires_at < sent
    assert await rows.count(database, KeptAnswer, KeptAnswer.expires_at == sent) == 1
    assert await rows.count(database, KeptAnswer, later | earlier) == 0


async def test_instant_without_an_offset_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="an instant needs its offset"):
        await rows.count(database, KeptAnswer, KeptAnswer.expires_at == WALL_CLOCK)


async def test_id_comes_back_as_the_standard_librarys(database: Database) -> None:
    async with database.write() as db:
        sets.insert(db, table_of(OutboxMessage), [message(AN_ID, INSTANT, {})])

    query = select(OutboxMessage.id, OutboxMessage.event_id, OutboxMessage.subject_id)
    [found] = await rows.read(database, query.where(OutboxMessage.event_id == AN_ID))

    assert found == (AN_ID, AN_ID, None)
    assert [type(each) for each in found] == [UUID, UUID, type(None)]


@pytest.mark.parametrize("document", [DOCUMENT, {}, [], "text", 0, False, [None]])
async def test_document_comes_back_as_it_was(database: Database, document: Any) -> None:
    async with database.write() as db:
        sets.insert(db, table_of(OutboxMessage), [message(None, INSTANT, document)])

    [(back,)] = await rows.read(database, select(OutboxMessage.payload))

    assert back == document


async def test_fact_is_written_once_and_then_changed(database: Database) -> None:
    async with database.write() as db:
        before = await facts.read(db, "tzdata")
        await facts.write(db, "tzdata", "2026a")
    async with database.write() as db:
        await facts.write(db, "tzdata", "2026b")

    async with database.read() as db:
        after = await facts.read(db, "tzdata")

    assert (before, after) == (None, "2026b")
