"""What a time means: wall clock, zone and instant; pure rules, which must not know the clock.

A time is kept as its wall clock and the instant derived from it. The wall clock in the event's
zone is the truth for what is to come; the instant is what is ordered and compared.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import assert_never

from turnout.errors import FieldError, Invalid
from turnout.events.errors import AmbiguousLocalTime, NonexistentLocalTime
from turnout.events.zones import all_zones, canonical_zone, tzdata_version, zone

__all__ = [
    "FIRST_YEAR",
    "FORM_SENTENCE",
    "LAST_YEAR",
    "TIME_PATTERN",
    "Derived",
    "Moment",
    "Note",
    "all_zones",
    "canonical_zone",
    "derive",
    "has_form",
    "keep_instant",
    "keep_wall_clock",
    "moment_at",
    "read_time",
    "shift",
    "shown",
    "start_of_day",
    "tzdata_version",
    "wall_clock",
    "zone",
]

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""The years that both the wall clock and the instant of a time may have."""

TIME_PATTERN = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"[Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?$"
)
"""The form of a time that is read, as a pattern that ECMA-262, Rust and Python understand alike.

RFC 3339, where seconds may be left out, the offset too (then it is a wall clock), and fractions
end at the microsecond. Narrower than `datetime.fromisoformat`, which reads `2026-W53-7` as well.
"""

_WHOLE_MINUTES_SINCE = datetime(1972, 1, 7, 0, 44, 30, tzinfo=UTC)
"""When the last zone (Africa/Monrovia, 44 minutes and 30 seconds) came to an offset in minutes."""

_TIME_FORM = re.compile(TIME_PATTERN)
FORM_SENTENCE = (
    "Send a date and a time of day that exist, as RFC 3339 writes them: "
    "2026-12-05T10:00:00+05:30, or without the offset for the wall clock of the time zone."
)
"""What to send instead of a text that is no time."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One time, twice.

    `local` is the naive wall clock in the event's zone. Where that wall clock occurs twice,
    `local.fold` is 1 for the second one (PEP 495), else it is 0. `instant` is aware, in UTC.
    """

    local: datetime
    instant: datetime


class Note(StrEnum):
    """What had to be decided to find the instant of a wall clock."""

    EXACT = "exact"
    AMBIGUOUS = "ambiguous"
    MOVED = "moved-out-of-gap"


@dataclass(frozen=True, slots=True)
class Derived:
    """A moment that was found by rule instead of being sent, and what the rule had to decide."""

    moment: Moment
    note: Note


def has_form(text: str) -> bool:
    """Whether `text` has the form of `TIME_PATTERN`; its day may still be in no calendar."""
    return _TIME_FORM.fullmatch(text) is not None


def read_time(text: object, zone_name: str, *, field: str) -> Moment:
    """The moment that a text means in a zone.

    With an offset or `Z` it is an instant, otherwise the wall clock of the zone. Raises, always
    about `field`: Invalid (`invalid-time` for another form or a day that is in no calendar,
    `time-out-of-range` outside the years 1970 to 2199), NonexistentLocalTime, AmbiguousLocalTime.
    Sources: RFC 3339 section 5.6; `TIME_PATTERN` is the accepted form.
    """
    if not isinstance(text, str) or not has_form(text):
        raise _invalid_time(field)
    # An offset can carry the year over by one; any further and converting could overflow.
    if not FIRST_YEAR - 1 <= int(text[:4]) <= LAST_YEAR + 1:
        raise _out_of_range(field)
    try:
        read = datetime.fromisoformat(text.upper())
    except ValueError:  # 30 February: the right form, but no such day
        raise _invalid_time(field) from None
    if read.tzinfo is None:
        return wall_clock(read, zone_name, field=field)
    return _within_range(moment_at(read, zone_name), field)


def wall_clock(local: datetime, zone_name: str, *, field: str) -> Moment:
    """The moment at which the clocks of a zone show `local` (naive).

    Raises, about `field`: Invalid (`time-out-of-range`), NonexistentLocalTime and
    AmbiguousLocalTime; the latter two carry `earlier` and `later`, the two times to choose from.
    """
    if not FIRST_YEAR <= local.year <= LAST_YEAR:
        raise _out_of_range(field)
    note, earlier, later = _readings(local, zone_name)
    match note:
        case Note.EXACT:
            return _within_range(Moment(local.replace(fold=0), earlier), field)
        case Note.AMBIGUOUS:
            raise _ambiguous(local, zone_name, earlier, later, field)
        case Note.MOVED:
            raise _nonexistent(local, zone_name, earlier, later, field)
        case _:
            assert_never(note)


def moment_at(instant: datetime, zone_name: str) -> Moment:
    """An instant (aware) with the wall clock that a zone shows then."""
    there = instant.astimezone(zone(zone_name))
    return Moment(local=there.replace(tzinfo=None), instant=instant.astimezone(UTC))


def shown(instant: datetime, zone_name: str) -> datetime:
    """The instant (aware) as it is written in a zone, with the offset valid there on that date.

    For writing, not for comparing: in a repeated hour it equals no time of another zone, not even
    the same instant in UTC (PEP 495). Before 1972 one zone had an offset with seconds, which
    RFC 3339 cannot write: UTC is shown.
    """
    if instant < _WHOLE_MINUTES_SINCE and _has_odd_seconds(instant, zone_name):
        return instant.astimezone(UTC)
    return instant.astimezone(zone(zone_name))


def start_of_day(day: date, zone_name: str) -> datetime:
    """The first instant, in UTC, of a day in a zone: midnight, or when the clocks skip it, later.

    `day` lies in the years 1970 to 2199. For a day that a zone left out (Samoa, 30 December 2011)
    it is the start of the next one.
    """
    note, earlier, later = _readings(datetime.combine(day, time.min), zone_name)
    return _change_between(earlier, later, zone_name) if note is Note.MOVED else earlier


def derive(local: datetime, zone_name: str, *, near: datetime) -> Derived:
    """The moment of a wall clock that is already promised, so that it cannot be refused.

    A wall clock that occurs twice takes the instant nearest to `near` (aware; the earlier one
    when they are as near), one that is skipped goes forward by as much as the clocks do (as in
    RFC 5545 section 3.3.5). Never raises for a naive `local` in the years 1969 to 2200. The
    result may pass the limits of `read_time` by as much as an offset.
    """
    note, earlier, later = _readings(local, zone_name)
    match note:
        case Note.EXACT:
            return Derived(Moment(local, earlier), note)
        case Note.AMBIGUOUS:
            nearest = earlier if abs(near - earlier) <= abs(later - near) else later
            return Derived(moment_at(nearest, zone_name), note)
        case Note.MOVED:
            return Derived(moment_at(later, zone_name), note)
        case _:
            assert_never(note)


def keep_instant(moments: Sequence[Moment], new_zone: str) -> tuple[Derived, ...]:
    """The same instants with the wall clocks of another zone, in the order given.

    Nothing is ever moved; `ambiguous` notes that the new wall clock alone does not say which
    instant is meant. There and back again is where it began.
    """
    there = [moment_at(moment.instant, new_zone) for moment in moments]
    return tuple(Derived(each, _readings(each.local, new_zone)[0]) for each in there)


def keep_wall_clock(moments: Sequence[Moment], old_zone: str, new_zone: str) -> tuple[Derived, ...]:
    """The same wall clocks in another zone, each with the offset of its own date there.

    What was the second of two stays the second, also across a zone where there is only one: that
    is in `local.fold`. So there and back again is where it began, unless a note says that a
    skipped wall clock was moved. Moving can put an end before its start: look before you store.
    """
    return tuple(_with_wall_clock_of(moment, old_zone, new_zone) for moment in moments)


def shift(
    moment: Moment,
    by: timedelta,
    zone_name: str,
    *,
    field: str = "start_time",
    near: datetime | None = None,
) -> Derived:
    """The moment whose wall clock is `by` further on (or back), whatever offsets lie between.

    Of two instants with that wall clock it is the one nearest to `near` (aware), which is `by` of
    elapsed time where nothing is said. Raises Invalid (`time-out-of-range`) about `field` outside
    the years 1970 to 2199.
    """
    try:
        local, near = moment.local + by, near or moment.instant + by
    except OverflowError:
        raise _out_of_range(field) from None
    if not FIRST_YEAR <= local.year <= LAST_YEAR:
        raise _out_of_range(field)
    derived = derive(local, zone_name, near=near)
    _within_range(derived.moment, field)
    return derived


def _readings(local: datetime, zone_name: str) -> tuple[Note, datetime, datetime]:
    """The two instants (earlier, later) that a wall clock can stand for, and how they differ.

    By PEP 495 fold 0 reads a wall clock with the offset before a change and fold 1 with the one
    after it. In a repeated hour fold 0 is thus the earlier instant, in a skipped one the later.
    """
    rules = zone(zone_name)
    before = local.replace(tzinfo=rules, fold=0).astimezone(UTC)
    after = local.replace(tzinfo=rules, fold=1).astimezone(UTC)
    if before == after:
        return Note.EXACT, before, before
    if before < after:
        return Note.AMBIGUOUS, before, after
    return Note.MOVED, after, before


def _with_wall_clock_of(moment: Moment, old_zone: str, new_zone: str) -> Derived:
    # A table may have kept the wall clock without its fold; the old zone still knows it.
    fold = moment.local.fold or moment.instant.astimezone(zone(old_zone)).fold
    local = moment.local.replace(fold=fold)
    note, earlier, later = _readings(local, new_zone)
    if note is Note.EXACT:
        return Derived(Moment(local, earlier), note)
    wanted = later if fold or note is Note.MOVED else earlier
    return Derived(moment_at(wanted, new_zone), note)


def _change_between(earlier: datetime, later: datetime, zone_name: str) -> datetime:
    """The instant, to the second, from which on a zone has the offset that it has at `later`."""
    rules = zone(zone_name)
    final = later.astimezone(rules).utcoffset()
    seconds = range(int(earlier.timestamp()), int(later.timestamp()) + 1)
    at = bisect_left(
        seconds, x=True, key=lambda s: datetime.fromtimestamp(s, rules).utcoffset() == final
    )
    return datetime.fromtimestamp(seconds[at], UTC)


def _has_odd_seconds(instant: datetime, zone_name: str) -> bool:
    offset = instant.astimezone(zone(zone_name)).utcoffset() or timedelta()
    return bool(offset % timedelta(minutes=1))


def _within_range(moment: Moment, field: str) -> Moment:
    for each in (moment.local, moment.instant):
        if not FIRST_YEAR <= each.year <= LAST_YEAR:
            raise _out_of_range(field)
    return moment


def _invalid_time(field: str) -> Invalid:
    return Invalid(fields=(FieldError(field, "invalid-time", FORM_SENTENCE),))


def _out_of_range(field: str) -> Invalid:
    message = f"Times lie in the years {FIRST_YEAR} to {LAST_YEAR}."
    return Invalid(fields=(FieldError(field, "time-out-of-range", message),))


def _ambiguous(
    local: datetime, zone_name: str, earlier: datetime, later: datetime, field: str
) -> AmbiguousLocalTime:
    first, second = shown(earlier, zone_name), shown(later, zone_name)
    message = (
        f"{local.isoformat()} occurs twice in {zone_name}, because the clocks go back over it. "
        f"Send {first.isoformat()} for the first or {second.isoformat()} for the second."
    )
    error = FieldError(field, AmbiguousLocalTime.code, message)
    return AmbiguousLocalTime(message, fields=(error,), earlier=first, later=second)


def _nonexistent(
    local: datetime, zone_name: str, earlier: datetime, later: datetime, field: str
) -> NonexistentLocalTime:
    before, after = shown(earlier, zone_name), shown(later, zone_name)
    change = shown(_change_between(earlier, later, zone_name), zone_name)
    skipped_from = change.replace(tzinfo=None) - (later - earlier)
    message = (
        f"{local.isoformat()} does not exist in {zone_name}, because the clocks go forward from "
        f"{skipped_from.isoformat()} to {change.replace(tzinfo=None).isoformat()}. "
        f"Send {before.isoformat()} or {after.isoformat()}."
    )
    error = FieldError(field, NonexistentLocalTime.code, message)
    return NonexistentLocalTime(message, fields=(error,), earlier=before, later=after)
