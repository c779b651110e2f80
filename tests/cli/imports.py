"""What the tests of importing and exporting share: rows to give, and what they became."""

from typing import Any

from sqlalchemy import select
from tests.cli.typed import on
from tests.db import rows as db_rows
from tests.events.conference_rows import row_with

from turnout.cli.data import files, rows
from turnout.cli.data.files import Form
from turnout.cli.data.records import Refused, Skipped, Taken
from turnout.events.models import Event
from turnout.places import gazetteer
from turnout.registrations.models import Admission

Row = Taken | Refused | Skipped


def conferences(count: int) -> list[dict[str, object]]:
    return [row_with(name=f"Conference {n}") for n in range(count)]


def read(data: bytes, form: Form = Form.JSON) -> list[Row]:
    """What each row of a file became."""
    return list(rows.read(files.read(data, form), gazetteer.load(), "UTC"))


def taken(data: bytes, form: Form = Form.JSON) -> list[Taken]:
    """The rows of a file of which each can become an event."""
    found = read(data, form)
    taken = [row for row in found if isinstance(row, Taken)]
    assert len(taken) == len(found)
    return taken


def seats(url: str) -> list[tuple[Any, ...]]:
    """Name, capacity and waitlist of each event, in the order they were made."""
    query = (
        select(Event.name, Admission.capacity, Admission.waitlist_enabled)
        .join(Admission, Admission.event_id == Event.id)
        .order_by(Event.id)
    )
    return on(url, lambda database: db_rows.read(database, query))
