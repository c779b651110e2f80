"""How the times of an event move: another zone, another day, another tz database."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

import turnout.clock as _clock  # noqa: F401 - the product always runs with its search path
from turnout.errors import Invalid
from turnout.events import times
from turnout.events.times import Derived, Moment, Note

BERLIN, LORD_HOWE = "Europe/Berlin", "Australia/Lord_Howe"
TOKYO, VANCOUVER = "Asia/Tokyo", "America/Vancouver"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def moment(local: str, instant: str, *, fold: int = 0) -> Moment:
    return Moment(datetime.fromisoformat(local).replace(fold=fold), utc(instant))


def folds(derived: tuple[Derived, ...]) -> list[int]:
    """`==` does not see the fold of a naive datetime."""
    return [each.moment.local.fold for each in derived]


DERIVED = [
    # wall clock, zone, near, what it becomes, why
    (
        "2026-07-05T10:00",
        BERLIN,
        "2026-07-05T11:00",
        moment("2026-07-05T10:00", "2026-07-05T08:00"),
        Note.EXACT,
    ),
    # the offset of a zone was changed by law after the event had been written down
    (
        "2027-01-15T09:00",
        VANCOUVER,
        "2027-01-15T17:00",
        moment("2027-01-15T09:00", "2027-01-15T16:00"),
        Note.EXACT,
    ),
    (
        "2026-10-25T02:30",
        BERLIN,
        "2026-10-25T00:10",
        moment("2026-10-25T02:30", "2026-10-25T00:30"),
        Note.AMBIGUOUS,
    ),
    (
        "2026-10-25T02:30",
        BERLIN,
        "2026-10-25T01:00",
        moment("2026-10-25T02:30", "2026-10-25T00:30"),
        Note.AMBIGUOUS,
    ),
    (
        "2026-10-25T02:30",
        BERLIN,
        "2026-10-25T09:00",
        moment("2026-10-25T02:30", "2026-10-25T01:30"),
        Note.AMBIGUOUS,
    ),
    (
        "2027-03-28T02:30",
        BERLIN,
        "2027-03-28T00:30",
        moment("2027-03-28T03:30", "2027-03-28T01:30"),
        Note.MOVED,
    ),
    (
        "2026-10-04T02:15",
        LORD_HOWE,
        "2026-10-03T15:30",
        moment("2026-10-04T02:45", "2026-10-03T15:45"),
        Note.MOVED,
    ),
]


@pytest.mark.parametrize(("local", "zone", "near", "expected", "note"), DERIVED)
def test_promised_wall_clock_is_derived_and_never_refused(
    local: str, zone: str, near: str, expected: Moment, note: Note
) -> None:
    derived = times.derive(datetime.fromisoformat(local), zone, near=utc(near))

    assert derived == Derived(expected, note)


def test_note_is_a_word_that_an_answer_can_carry() -> None:
    words = [str(note) for note in Note]

    assert words == ["exact", "ambiguous", "moved-out-of-gap"]


def test_event_kept_at_its_instants_gets_the_wall_clocks_of_the_new_zone() -> None:
    indian = [
        moment("2026-10-25T05:30", "2026-10-25T00:00"),
        moment("2026-10-25T06:30", "2026-10-25T01:00"),
        moment("2026-10-25T07:30", "2026-10-25T02:00"),
    ]

    german = times.keep_instant(indian, BERLIN)

    assert german == (
        Derived(moment("2026-10-25T02:00", "2026-10-25T00:00"), Note.AMBIGUOUS),
        Derived(moment("2026-10-25T02:00", "2026-10-25T01:00"), Note.AMBIGUOUS),
        Derived(moment("2026-10-25T03:00", "2026-10-25T02:00"), Note.EXACT),
    )
    assert folds(german) == [0, 1, 0]


def test_event_kept_at_its_wall_clocks_gets_the_offset_of_each_date() -> None:
    indian = [
        moment("2026-10-24T09:00", "2026-10-24T03:30"),
        moment("2026-10-25T02:30", "2026-10-24T21:00"),
        moment("2026-10-26T09:00", "2026-10-26T03:30"),
        moment("2027-03-28T02:30", "2027-03-27T21:00"),
    ]

    german = times.keep_wall_clock(indian, "Asia/Kolkata", BERLIN)

    assert german == (
        Derived(moment("2026-10-24T09:00", "2026-10-24T07:00"), Note.EXACT),
        Derived(moment("2026-10-25T02:30", "2026-10-25T00:30"), Note.AMBIGUOUS),
        Derived(moment("2026-10-26T09:00", "2026-10-26T08:00"), Note.EXACT),
        Derived(moment("2027-03-28T03:30", "2027-03-28T01:30"), Note.MOVED),
    )


@pytest.mark.parametrize("through", [TOKYO, "Pacific/Honolulu", "Europe/Paris"])
@pytest.mark.parametrize(("instant", "fold"), [("2026-10-25T00:30", 0), ("2026-10-25T01:30", 1)])
def test_repeated_hour_comes_back_from_any_zone_as_the_one_it_was(
    through: str, instant: str, fold: int
) -> None:
    # the wall clock as a table without room for the fold would return it
    stored = moment("2026-10-25T02:30", instant)

    there = times.keep_wall_clock([stored], BERLIN, through)
    back = times.keep_wall_clock([there[0].moment], through, BERLIN)

    assert there[0].moment.local == stored.local
    assert back == (Derived(stored, Note.AMBIGUOUS),)
    assert folds(there + back) == [fold, fold]


SHIFTED = [
    # over a change of the clocks the wall clock keeps its distance, not the instant
    (
        moment("2026-10-24T10:00", "2026-10-24T08:00"),
        timedelta(days=2),
        moment("2026-10-26T10:00", "2026-10-26T09:00"),
        Note.EXACT,
    ),
    (
        moment("2027-03-29T02:30", "2027-03-29T00:30"),
        timedelta(days=-1),
        moment("2027-03-28T03:30", "2027-03-28T01:30"),
        Note.MOVED,
    ),
    (
        moment("2026-10-25T03:30", "2026-10-25T02:30"),
        timedelta(hours=-1),
        moment("2026-10-25T02:30", "2026-10-25T01:30"),
        Note.AMBIGUOUS,
    ),
    (
        moment("2026-10-25T00:30", "2026-10-24T22:30"),
        timedelta(hours=2),
        moment("2026-10-25T02:30", "2026-10-25T00:30"),
        Note.AMBIGUOUS,
    ),
    # of two instants the one that is as long ago as the wall clock says
    (
        moment("2027-06-01T02:30", "2027-06-01T00:30"),
        datetime.fromisoformat("2026-10-25") - datetime.fromisoformat("2027-06-01"),
        moment("2026-10-25T02:30", "2026-10-25T00:30"),
        Note.AMBIGUOUS,
    ),
]


@pytest.mark.parametrize(("start", "by", "expected", "note"), SHIFTED)
def test_moment_is_shifted_by_wall_clock_distance(
    start: Moment, by: timedelta, expected: Moment, note: Note
) -> None:
    shifted = times.shift(start, by, BERLIN)

    assert shifted == Derived(expected, note)


@pytest.mark.parametrize(
    "to",
    [
        "0001-01-01T00:30",  # in UTC that is before the first year there is
        "1969-12-31T23:59",
        "1970-01-01T00:30",  # in UTC that is still 1969
        "2200-01-01T00:00",
        "9999-12-31T23:59",
    ],
)
def test_moment_shifted_out_of_range_is_refused(to: str) -> None:
    start = moment("2026-10-24T10:00", "2026-10-24T08:00")
    by = datetime.fromisoformat(to) - start.local

    with pytest.raises(Invalid) as refused:
        times.shift(start, by, BERLIN, field="slots.3.start_time")

    (error,) = refused.value.fields
    assert (error.field, error.code) == ("slots.3.start_time", "time-out-of-range")


def test_moment_shifted_to_before_any_instant_is_refused() -> None:
    """Alaska counted its days as Asia does until 1867, so that its year 1 began before UTC's."""
    start = moment("2026-10-24T10:00", "2026-10-24T18:00")
    by = datetime.fromisoformat("0001-01-01") - start.local

    with pytest.raises(Invalid) as refused:
        times.shift(start, by, "America/Anchorage")

    (error,) = refused.value.fields
    assert (error.field, error.code) == ("start_time", "time-out-of-range")


@pytest.mark.parametrize("by", [timedelta.min, timedelta.max])
def test_moment_shifted_beyond_any_calendar_is_refused(by: timedelta) -> None:
    start = moment("2026-10-24T10:00", "2026-10-24T08:00")

    with pytest.raises(Invalid) as refused:
        times.shift(start, by, BERLIN)

    (error,) = refused.value.fields
    assert (error.field, error.code) == ("start_time", "time-out-of-range")


def test_daily_series_over_a_change_of_the_clocks_keeps_its_wall_clock() -> None:
    first = times.read_time("2026-10-23T09:00", BERLIN, field="start_time")

    days = [times.shift(first, timedelta(days=n), BERLIN).moment for n in range(5)]

    assert {day.local.time().isoformat() for day in days} == {"09:00:00"}
    hours = [(b.instant - a.instant) / timedelta(hours=1) for a, b in pairwise(days)]
    assert hours == [24, 25, 24, 24]
