"""What the tests of importing and exporting share: rows to give, and what they became."""

from typing import Any

from sqlalchemy import select
from tests.cli.typed import on
from tests.db import rows as db_rows
from tests.events.conference_rows import row_with

from turnout.cli.data import files, rows
from turnout.cli.data.files import Form
from turnout.cli.data.records import Taken
from turnout.events.models import Event
from turnout.places import gazetteer
from turnout.registrations.models import Admission


def conferences(count: int) -> list[dict[str, object]]:
    return [row_with(name=f"Conference {n}") for n in range(count)]


def taken(data: bytes) -> list[Taken]:
    read = list(rows.read(files.read(data, Form.JSON), gazetteer.load(), "UTC"))
    found = [row for row in read if isinstance(row, Taken)]
    assert len(found) == len(read)
    return found


def seats(url: str) -> list[tuple[Any, ...]]:
    """Name, capacity and waitlist of each event, in the order they were made."""
    query = (
        select(Event.name, Admission.capacity, Admission.waitlist_enabled)
        .join(Admission, Admission.event_id == Event.id)
        .order_by(Event.id)
    )
    return on(url, lambda database: db_rows.read(database, query))
