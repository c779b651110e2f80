"""What is asked of deliveries has its index: no statement reads all the mails there ever were."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tests.db import plans
from tests.db.samples import table_of

from turnout.db import sets
from turnout.db.session import Database, Db
from turnout.ids import new_id
from turnout.notifications import choices, outgoing
from turnout.notifications.kinds import MailKind
from turnout.notifications.models import MailChoice
from turnout.notifications.outgoing import State
from turnout.outbox import deliveries
from turnout.outbox.models import Delivery, OutboxMessage

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
MAILS, PEOPLE = 20_000, 3_000


def message(message_id: UUID, n: int) -> tuple[Any, ...]:
    return message_id, "account.known", None, None, {}, NOW, NOW, NOW, n, None


def mail(message_id: UUID, n: int) -> tuple[Any, ...]:
    """One in a hundred is open, and one in a thousand was given up."""
    outcome = None if n % 100 == 0 else "dead" if n % 1000 == 1 else "sent"
    address = f"person{n % PEOPLE}@example.com"
    return (
        new_id(), message_id, "mail", "direct", "account-known", None, new_id(), address, "Person",
        {}, NOW, NOW, 1, None, None if outcome is None else NOW, outcome, None,
    )  # fmt: skip


async def filled(database: Database) -> None:
    ids = [new_id() for _ in range(MAILS)]
    async with database.write() as db:
        of_messages = [message(each, n + 1) for n, each in enumerate(ids)]
        sets.insert(db, table_of(OutboxMessage), of_messages)
        sets.insert(db, table_of(Delivery), [mail(each, n) for n, each in enumerate(ids)])
        chosen = [(f"person{n}@example.com", "event-reminder", False, NOW) for n in range(PEOPLE)]
        sets.insert(db, table_of(MailChoice), chosen)
    await plans.gather_statistics(database)


async def test_deliveries_are_found_by_their_indexes(database: Database) -> None:
    await filled(database)

    async def forget(db: Db) -> None:
        await deliveries.forget_addresses(db, {"PERSON7@example.com", "person8@example.com"}, NOW)
        await deliveries.forget(db, [new_id(), new_id()], NOW)

    async def look(db: Db) -> None:
        await outgoing.backlog(db)
        await outgoing.page(db, state=State.DEAD, channel=None, before=None, limit=21)
        await outgoing.page(db, state=None, channel=None, before=new_id(), limit=21)

    async def unwanted(db: Db) -> None:
        asked = [(f"person{n}@example.com", MailKind.EVENT_REMINDER) for n in range(100)]
        await choices.unwanted(db, asked)

    found = [plan for work in (forget, look, unwanted) for plan in await plans.of(database, work)]

    tables = ("deliveries", "outbox_messages", "mail_choices")
    assert [line for plan in found for table in tables for line in plans.scans(plan, table)] == []
    assert sum("ix_deliveries_address" in plan for plan in found) == 2
    assert sum("ix_deliveries_dead" in plan for plan in found) >= 1
