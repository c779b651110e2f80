"""What a time means in a zone: ordinary days, skipped and repeated hours, and refusals."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest

import turnout.clock as _clock  # noqa: F401 - the product always runs with its search path
from turnout.errors import FieldError, Invalid
from turnout.events import times
from turnout.events.errors import AmbiguousLocalTime, InvalidTimezone, NonexistentLocalTime
from turnout.events.times import Moment

BERLIN, CAIRO, LORD_HOWE = "Europe/Berlin", "Africa/Cairo", "Australia/Lord_Howe"
NEW_YORK, VANCOUVER = "America/New_York", "America/Vancouver"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def moment(local: str, instant: str, *, fold: int = 0) -> Moment:
    return Moment(datetime.fromisoformat(local).replace(fold=fold), utc(instant))


READ = [
    # a wall clock of the zone
    ("2026-12-05T10:00:00", "Asia/Kolkata", "2026-12-05T10:00", "2026-12-05T04:30"),
    ("2026-12-05T10:00", "Asia/Kathmandu", "2026-12-05T10:00", "2026-12-05T04:15"),
    ("2026-12-05 10:00:00.5", BERLIN, "2026-12-05T10:00:00.500000", "2026-12-05T09:00:00.500000"),
    ("2026-07-05t10:00", BERLIN, "2026-07-05T10:00", "2026-07-05T08:00"),
    ("2026-07-05T10:00", LORD_HOWE, "2026-07-05T10:00", "2026-07-04T23:30"),
    ("2026-12-05T10:00", LORD_HOWE, "2026-12-05T10:00", "2026-12-04T23:00"),
    ("2027-01-01T00:00", "Pacific/Kiritimati", "2027-01-01T00:00", "2026-12-31T10:00"),
    ("2026-01-15T09:00", VANCOUVER, "2026-01-15T09:00", "2026-01-15T17:00"),
    ("2027-01-15T09:00", VANCOUVER, "2027-01-15T09:00", "2027-01-15T16:00"),
    ("2028-02-29T12:00", "UTC", "2028-02-29T12:00", "2028-02-29T12:00"),
    ("2150-07-01T12:00", BERLIN, "2150-07-01T12:00", "2150-07-01T10:00"),
    # the last moment before the clocks change and the first one after it
    ("2027-03-28T01:59:59", BERLIN, "2027-03-28T01:59:59", "2027-03-28T00:59:59"),
    ("2027-03-28T03:00", BERLIN, "2027-03-28T03:00", "2027-03-28T01:00"),
    ("2026-10-25T01:59:59", BERLIN, "2026-10-25T01:59:59", "2026-10-24T23:59:59"),
    ("2026-10-25T03:00", BERLIN, "2026-10-25T03:00", "2026-10-25T02:00"),
    ("2026-04-23T23:59", CAIRO, "2026-04-23T23:59", "2026-04-23T21:59"),
    ("2026-04-24T01:00", CAIRO, "2026-04-24T01:00", "2026-04-23T22:00"),
    # an instant, whatever the zone
    ("2026-12-05T10:00:00+05:30", BERLIN, "2026-12-05T05:30", "2026-12-05T04:30"),
    ("2026-12-05T10:00:00Z", "Asia/Kathmandu", "2026-12-05T15:45", "2026-12-05T10:00"),
    ("2026-12-05T10:00z", NEW_YORK, "2026-12-05T05:00", "2026-12-05T10:00"),
    ("2026-12-05T10:00:00-00:00", "UTC", "2026-12-05T10:00", "2026-12-05T10:00"),
    ("2026-12-05T10:00+23:59", "UTC", "2026-12-04T10:01", "2026-12-04T10:01"),
    ("2027-03-28T02:30+00:00", BERLIN, "2027-03-28T04:30", "2027-03-28T02:30"),
    # the first and the last time there is
    ("1970-01-01T00:00", "UTC", "1970-01-01T00:00", "1970-01-01T00:00"),
    ("1969-12-31T23:30-01:00", "UTC", "1970-01-01T00:30", "1970-01-01T00:30"),
    ("2199-12-31T23:59:59", "UTC", "2199-12-31T23:59:59", "2199-12-31T23:59:59"),
    ("2200-01-01T00:30+01:00", "UTC", "2199-12-31T23:30", "2199-12-31T23:30"),
]


@pytest.mark.parametrize(("text", "zone", "local", "instant"), READ)
def test_time_with_or_without_offset_is_read_in_its_zone(
    text: str, zone: str, local: str, instant: str
) -> None:
    read = times.read_time(text, zone, field="start_time")

    assert read == moment(local, instant)
    assert read.local.tzinfo is None
    assert read.instant.tzinfo is UTC


REPEATED_BY_OFFSET = [
    ("2026-10-25T02:30+02:00", BERLIN, moment("2026-10-25T02:30", "2026-10-25T00:30"), 0),
    ("2026-10-25T02:30+01:00", BERLIN, moment("2026-10-25T02:30", "2026-10-25T01:30"), 1),
    ("2026-11-01T01:30-04:00", NEW_YORK, moment("2026-11-01T01:30", "2026-11-01T05:30"), 0),
    ("2026-11-01T06:30Z", NEW_YORK, moment("2026-11-01T01:30", "2026-11-01T06:30"), 1),
    ("2027-04-04T01:45+10:30", LORD_HOWE, moment("2027-04-04T01:45", "2027-04-03T15:15"), 1),
]


@pytest.mark.parametrize(("text", "zone", "expected", "fold"), REPEATED_BY_OFFSET)
def test_time_that_occurs_twice_with_an_offset_is_the_one_it_names(
    text: str, zone: str, expected: Moment, fold: int
) -> None:
    read = times.read_time(text, zone, field="start_time")

    assert read == expected
    assert read.local.fold == fold


SKIPPED = [
    # zone, wall clock, the change, and the two neighbours
    (
        BERLIN,
        *("2027-03-28T02:30:00", "02:00:00", "2027-03-28T03:00:00"),
        *("2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00"),
    ),
    (
        BERLIN,
        *("2027-03-28T02:00:00", "02:00:00", "2027-03-28T03:00:00"),
        *("2027-03-28T01:00:00+01:00", "2027-03-28T03:00:00+02:00"),
    ),
    (
        NEW_YORK,
        *("2027-03-14T02:59:59.999999", "02:00:00", "2027-03-14T03:00:00"),
        *("2027-03-14T01:59:59.999999-05:00", "2027-03-14T03:59:59.999999-04:00"),
    ),
    (
        LORD_HOWE,
        *("2026-10-04T02:15:00", "02:00:00", "2026-10-04T02:30:00"),
        *("2026-10-04T01:45:00+10:30", "2026-10-04T02:45:00+11:00"),
    ),
    (
        CAIRO,
        *("2026-04-24T00:30:00", "00:00:00", "2026-04-24T01:00:00"),
        *("2026-04-23T23:30:00+02:00", "2026-04-24T01:30:00+03:00"),
    ),
    (
        "Pacific/Apia",
        *("2011-12-30T12:00:00", "00:00:00", "2011-12-31T00:00:00"),
        *("2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00"),
    ),
]


@pytest.mark.parametrize(("zone", "text", "from_", "to", "earlier", "later"), SKIPPED)
def test_wall_clock_that_is_skipped_is_refused_with_both_neighbours(
    zone: str, text: str, from_: str, to: str, earlier: str, later: str
) -> None:
    with pytest.raises(NonexistentLocalTime) as refused:
        times.read_time(text, zone, field="slots.0.start_time")

    message = (
        f"{text} does not exist in {zone}, because the clocks go forward from "
        f"{text[:10]}T{from_} to {to}. Send {earlier} or {later}."
    )
    assert refused.value.detail == message
    assert refused.value.fields == (
        FieldError("slots.0.start_time", "nonexistent-local-time", message),
    )
    assert neighbours(refused.value) == [earlier, later]


REPEATED = [
    (BERLIN, "2026-10-25T02:30:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"),
    (NEW_YORK, "2026-11-01T01:00:00", "2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00"),
    (LORD_HOWE, "2027-04-04T01:45:00", "2027-04-04T01:45:00+11:00", "2027-04-04T01:45:00+10:30"),
    (CAIRO, "2026-10-29T23:30:00", "2026-10-29T23:30:00+03:00", "2026-10-29T23:30:00+02:00"),
]


@pytest.mark.parametrize(("zone", "text", "first", "second"), REPEATED)
def test_wall_clock_that_occurs_twice_is_refused_with_both_offsets(
    zone: str, text: str, first: str, second: str
) -> None:
    with pytest.raises(AmbiguousLocalTime) as refused:
        times.read_time(text, zone, field="end_time")

    message = (
        f"{text} occurs twice in {zone}, because the clocks go back over it. "
        f"Send {first} for the first or {second} for the second."
    )
    assert refused.value.detail == message
    assert refused.value.fields == (FieldError("end_time", "ambiguous-local-time", message),)
    assert neighbours(refused.value) == [first, second]


def neighbours(error: Invalid) -> list[str]:
    chosen = (error.members["earlier"], error.members["later"])
    return [each.isoformat() for each in chosen if isinstance(each, datetime)]


NOT_A_TIME: list[object] = [
    *("", " ", "now", "tomorrow", "infinity", "-infinity", "null", "epoch", "1.0e300", "1e300"),
    *("1767225600", "1767225600.0", "-1", "0", "2026", "2026-12", "2026-12-05", "10:00"),
    *("2026-W53-7", "2026-W53-7T10:00", "2026-339T10:00", "20260101T000000Z", "20260101"),
    *("2027-02-29T10:00", "2027-02-30T10:00Z", "2026-04-31T10:00", "2026-00-01T10:00"),
    *("2026-13-01T10:00", "2026-12-00T10:00", "2026-12-32T10:00", "2026-1-5T10:00"),
    *("2026-12-05T24:00", "2026-12-05T24:00:00Z", "2026-12-05T10:60", "2026-12-05T23:59:60Z"),
    *("2026-12-05T10", "2026-12-05T1000", "2026-12-05T10:00:", "2026-12-05T10:00:00."),
    *("2026-12-05T10:00:00,5", "2026-12-05T10:00:00.1234567", "2026-12-05T10:00.5"),
    *("2026-12-05T10:00+05", "2026-12-05T10:00+0530", "2026-12-05T10:00+24:00"),
    *("2026-12-05T10:00+05:60", "2026-12-05T10:00 +05:30", "2026-12-05T10:00+05:30:15"),
    *("2026-12-05T10:00ZZ", "2026-12-05T10:00 UTC", "2026-12-05T10:00[Europe/Berlin]"),
    *("2026-12-05  10:00", "2026-12-05_10:00", "2026-12-05T10:00\n", " 2026-12-05T10:00"),
    *("2026-12-05T10:00\0", "\0", "2026\u221212-05T10:00", "\ud800", "٢٠٢٦-12-05T10:00"),
    *("10000-01-01T00:00", "+2026-12-05T10:00", "-2026-12-05T10:00", "26-12-05T10:00"),
    *("9" * 5_000, "2026-12-05T10:00:00." + "0" * 5_000),
    *(None, True, 0, 1_767_225_600, 1e300, float("nan"), [2026, 12, 5], b"2026-12-05T10:00"),
    *(date(2026, 12, 5), datetime(2026, 12, 5, 10, tzinfo=UTC)),
]


@pytest.mark.parametrize("sent", NOT_A_TIME, ids=lambda sent: ascii(sent)[:40])
def test_anything_but_a_time_is_refused_without_an_echo(sent: object) -> None:
    with pytest.raises(Invalid) as refused:
        times.read_time(sent, BERLIN, field="start_time")

    (error,) = refused.value.fields
    assert (refused.value.code, error.field, error.code) == (
        "validation-error",
        "start_time",
        "invalid-time",
    )
    assert error.message == (
        "Send a date and a time of day that exist, as RFC 3339 writes them: "
        "2026-12-05T10:00:00+05:30, or without the offset for the wall clock of the time zone."
    )
    assert refused.value.detail == "Something in the request is not valid"


OUT_OF_RANGE = [
    *(("0000-01-01T00:00", "UTC"), ("0001-01-01T00:00", "UTC"), ("0001-01-01T00:00+23:59", "UTC")),
    *(("9999-12-31T23:30-08:00", "UTC"), ("9999-12-31T23:30", "Pacific/Pago_Pago")),
    *(("1969-12-31T23:59:59.999999", "UTC"), ("1969-12-31T23:59:59Z", "Pacific/Kiritimati")),
    *(("1970-01-01T00:30+01:00", "UTC"), ("1970-01-01T00:30Z", NEW_YORK)),
    *(("1970-01-01T00:30", "Asia/Kolkata"), ("1970-01-01T05:00", "Asia/Kathmandu")),
    *(("2200-01-01T00:00", "UTC"), ("2199-12-31T23:30-01:00", "UTC")),
    *(("2199-12-31T23:30Z", "Pacific/Kiritimati"), ("2199-12-31T23:30", NEW_YORK)),
]


@pytest.mark.parametrize(("text", "zone"), OUT_OF_RANGE)
def test_time_outside_1970_to_2199_is_refused_and_never_overflows(text: str, zone: str) -> None:
    with pytest.raises(Invalid) as refused:
        times.read_time(text, zone, field="end_time")

    assert refused.value.code == "validation-error"
    assert refused.value.fields == (
        FieldError("end_time", "time-out-of-range", "Times lie in the years 1970 to 2199."),
    )


@pytest.mark.parametrize("local", ["0001-01-01", "1969-12-31T12:00", "9999-12-31T23:59"])
def test_wall_clock_outside_1970_to_2199_is_refused(local: str) -> None:
    with pytest.raises(Invalid) as refused:
        times.wall_clock(datetime.fromisoformat(local), "Pacific/Kiritimati", field="end_time")

    assert [error.code for error in refused.value.fields] == ["time-out-of-range"]


def test_wall_clock_that_occurs_once_has_no_fold() -> None:
    read = times.wall_clock(
        datetime.fromisoformat("2026-12-05T10:00").replace(fold=1), BERLIN, field="start_time"
    )

    assert read.local.fold == 0


def test_time_in_an_unknown_zone_is_refused() -> None:
    with pytest.raises(InvalidTimezone):
        times.read_time("2026-12-05T10:00", "localtime", field="start_time")


def test_pattern_and_reader_agree_on_the_form() -> None:
    texts = [text for text, *_ in READ] + [each for each in NOT_A_TIME if isinstance(each, str)]

    matching = [text for text in texts if re.compile(times.TIME_PATTERN).fullmatch(text)]

    no_such_day = ["2027-02-29T10:00", "2027-02-30T10:00Z", "2026-04-31T10:00"]
    assert matching == [text for text, *_ in READ] + no_such_day


SHOWN = [
    ("2026-01-15T12:00", BERLIN, "2026-01-15T13:00:00+01:00"),
    ("2026-07-15T12:00", BERLIN, "2026-07-15T14:00:00+02:00"),
    ("2026-10-25T00:30", BERLIN, "2026-10-25T02:30:00+02:00"),
    ("2026-10-25T01:30", BERLIN, "2026-10-25T02:30:00+01:00"),
    ("2026-07-15T12:00", "Asia/Kathmandu", "2026-07-15T17:45:00+05:45"),
    ("2026-07-15T12:00", "Pacific/Kiritimati", "2026-07-16T02:00:00+14:00"),
    ("2027-01-15T12:00", VANCOUVER, "2027-01-15T05:00:00-07:00"),
    ("2026-07-15T12:00", "UTC", "2026-07-15T12:00:00+00:00"),
    # Liberia was 44 minutes and 30 seconds behind, which RFC 3339 cannot write
    ("1972-01-07T00:44:29", "Africa/Monrovia", "1972-01-07T00:44:29+00:00"),
    ("1972-01-07T00:44:30", "Africa/Monrovia", "1972-01-07T00:44:30+00:00"),
    ("1971-07-15T12:00", "Asia/Kolkata", "1971-07-15T17:30:00+05:30"),
]


@pytest.mark.parametrize(("instant", "zone", "expected"), SHOWN)
def test_instant_is_shown_with_the_offset_of_its_date(
    instant: str, zone: str, expected: str
) -> None:
    written = times.shown(utc(instant), zone)

    assert written.isoformat() == expected


DAYS = [
    (date(2026, 12, 5), "Asia/Kolkata", "2026-12-04T18:30"),
    (date(2027, 3, 28), BERLIN, "2027-03-27T23:00"),
    # midnight is skipped, in Samoa with the whole day
    (date(2026, 4, 24), CAIRO, "2026-04-23T22:00"),
    (date(2011, 12, 30), "Pacific/Apia", "2011-12-30T10:00"),
    # midnight occurs twice, and the day begins with the first one
    (date(2026, 11, 1), "America/Havana", "2026-11-01T04:00"),
]


@pytest.mark.parametrize(("day", "zone", "expected"), DAYS)
def test_day_starts_at_its_first_instant(day: date, zone: str, expected: str) -> None:
    start = times.start_of_day(day, zone)

    assert start == utc(expected)
    assert times.shown(start - timedelta(microseconds=1), zone).date() < day
