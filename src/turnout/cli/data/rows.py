"""Rows of a file to events: conferences with their days, or events in full; it writes nothing."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

from pydantic import Field, ValidationError

from turnout.cli.data import cells, exact
from turnout.cli.data.files import RawRow
from turnout.cli.data.records import Refused, Row, Taken, each_once, name_in
from turnout.edge import field_errors
from turnout.events import conferences
from turnout.events.conference_findings import Code, Conference, Remark
from turnout.events.schemas import MOST_SEATS
from turnout.fields import Input, WholeNumber, YesOrNo
from turnout.places.gazetteer import Gazetteer
from turnout.registrations.service import AdmissionDraft

ALSO_CALLED = {"max_capacity": "maxCapacity", "waitlist_enabled": "waitlistEnabled"}
"""What the API calls these fields. A limit that went unnoticed would sell seats without end."""


class _Seats(Input):
    max_capacity: Annotated[WholeNumber, Field(ge=1, le=MOST_SEATS)] | None = None
    waitlist_enabled: YesOrNo = False


def read(rows: Iterable[RawRow], gazetteer: Gazetteer, default_zone: str) -> Iterator[Row]:
    """Each row in turn as what it became; a conference or event that was there before is refused.

    `default_zone` is for events in full that name none. What is wrong within a row never raises.
    """
    return each_once((read_row(raw, gazetteer, default_zone) for raw in rows), "row")


def read_row(raw: RawRow, gazetteer: Gazetteer, default_zone: str) -> Taken | Refused:
    """The event in one row, or why there is none."""
    if not isinstance(raw.content, Mapping):
        return _conference(raw.number, raw.content, gazetteer)
    given = _renamed(raw.content)
    if raw.has_surplus:
        # Most likely a comma without quotes: every cell behind it would be under a wrong name.
        sentence = "The row has more cells than there are named columns."
        return Refused(raw.number, name_in(given), (Remark(Code.TOO_MANY_CELLS, "", sentence),))
    if exact.is_exact(given):
        return exact.read(raw.number, given, default_zone)
    return _conference(raw.number, given, gazetteer)


def _conference(row: int, given: object, gazetteer: Gazetteer) -> Taken | Refused:
    seats, wrong = _seats(given) if isinstance(given, Mapping) else (_Seats(), ())
    if isinstance(given, Mapping):
        given = {field: given[field] for field in given if field not in exact.ADMISSION_FIELDS}
    found = conferences.read(given, gazetteer)
    if not isinstance(found, Conference):
        return Refused(row, found.name, (*found.reasons, *wrong))
    if wrong:
        return Refused(row, found.event.name, wrong)
    admission = AdmissionDraft(seats.max_capacity, seats.waitlist_enabled)
    return Taken(row, found.event, admission, found.notes)


def _seats(given: Mapping[str, object]) -> tuple[_Seats, tuple[Remark, ...]]:
    sent = {
        snake: cells.value(camel, given[camel])
        for snake, camel in ALSO_CALLED.items()
        if given.get(camel) not in (None, "")
    }
    try:
        return _Seats.model_validate(sent), ()
    except ValidationError as error:
        wrong = field_errors.of(error.errors())
    return _Seats(), tuple(
        Remark(each.code, ALSO_CALLED[each.field], each.message) for each in wrong
    )


def _renamed(content: Mapping[str, object]) -> dict[str, object]:
    return {
        ALSO_CALLED.get(field, field) if ALSO_CALLED.get(field) not in content else field: value
        for field, value in content.items()
    }
