"""What was recorded stays: the database itself refuses to change or to delete it."""

from uuid import uuid4

import pytest
from sqlalchemy import Executable, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from tests.db import rows

from turnout import clock
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.audit.models import AuditEntry
from turnout.db.session import Database

ALL = select(*AuditEntry.__table__.columns).order_by(AuditEntry.id)
A_ROW = AuditEntry.id == select(AuditEntry.id).limit(1).scalar_subquery()
ATTEMPTS = [
    update(AuditEntry).where(A_ROW).values(action="user.changed"),
    update(AuditEntry).values(actor_id=None),
    delete(AuditEntry).where(A_ROW),
    delete(AuditEntry),
]
OF_POSTGRESQL = [
    text("TRUNCATE audit_entries"),
    text("TRUNCATE events, audit_entries CASCADE"),
    text(
        "INSERT INTO audit_entries SELECT * FROM audit_entries"
        " ON CONFLICT (id) DO UPDATE SET action = 'user.changed'"
    ),
]


async def record(database: Database) -> None:
    """Write two rows as the product does."""
    async with database.write() as db:
        cause = Cause("account", uuid4(), "request-of-mallory")
        audit.record(db, [audit.Entry(clock.now(), cause, "user.created")] * 2)


async def refused(database: Database, attempt: Executable) -> None:
    before = await rows.read(database, ALL)

    with pytest.raises(DBAPIError, match="audit_entries is append-only"):
        await rows.change(database, attempt)

    assert (len(before), await rows.read(database, ALL)) == (2, before)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=["update", "update all", "delete", "delete all"])
async def test_row_is_neither_changed_nor_deleted(database: Database, attempt: Executable) -> None:
    await record(database)

    await refused(database, attempt)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("attempt", OF_POSTGRESQL, ids=["truncate", "cascade", "upsert"])
async def test_rows_are_not_emptied_out(database: Database, attempt: Executable) -> None:
    await record(database)

    await refused(database, attempt)


async def test_refused_change_takes_back_what_else_its_transaction_did(database: Database) -> None:
    await record(database)
    [entry, _] = await rows.read(database, ALL)
    more = insert(AuditEntry).values(**{**entry_values(entry), "id": uuid4()})

    with pytest.raises(DBAPIError, match="append-only"):
        await rows.change(database, more, delete(AuditEntry))

    assert await rows.count(database, AuditEntry) == 2
    await rows.change(database, more)
    assert await rows.count(database, AuditEntry) == 3


def entry_values(row: tuple[object, ...]) -> dict[str, object]:
    return dict(zip(AuditEntry.__table__.columns.keys(), row, strict=True))
