"""The dates that a rule gives, in few words; it knows no rule."""

from collections.abc import Sequence

import pytest

from turnout.events import recurrence, times
from turnout.events.errors import InvalidRule
from turnout.events.recurrence import Occurrence
from turnout.events.times import Moment

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
TUESDAY = "2030-01-01T10:00:00"


def at(text: str, zone: str) -> Moment:
    """A time as a request sends it."""
    return times.read_time(text, zone, field="start_time")


def expand(rule: str, start: str = TUESDAY, zone: str = BERLIN) -> tuple[Occurrence, ...]:
    """The dates of a rule that begins at a time."""
    return recurrence.expand(recurrence.parse(rule), at(start, zone), zone)


def shown(found: Sequence[Occurrence], zone: str) -> list[str]:
    """The dates as they are answered."""
    return [times.shown(each.derived.moment.instant, zone).isoformat() for each in found]


def days(rule: str, start: str = TUESDAY) -> list[str]:
    """The days of a rule alone."""
    return [each.local.date().isoformat() for each in expand(rule, start)]


def why(rule: str, start: str = TUESDAY, zone: str = BERLIN) -> str:
    """Why a rule is refused."""
    with pytest.raises(InvalidRule) as caught:
        expand(rule, start, zone)
    [error] = caught.value.fields
    assert (error.field, error.code) == ("rule", "invalid-rule")
    assert error.message == caught.value.detail
    return caught.value.detail
