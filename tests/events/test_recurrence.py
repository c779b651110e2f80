"""A rule gives the dates that the standard says, at the same time of day whatever the clocks do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.events import by_hand
from tests.events.by_hand import SlowRule
from tests.events.series_dates import BERLIN, NEW_YORK, TUESDAY, at, days, expand, shown, why

from turnout.events import recurrence, times
from turnout.events.errors import InvalidRule
from turnout.events.recurrence import MOST_EVENTS
from turnout.events.times import Note

LORD_HOWE, KATHMANDU = "Australia/Lord_Howe", "Asia/Kathmandu"


# ---- the clock on the wall


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        (BERLIN, "2030-03-30T10:00:00", ["30T10:00:00+01:00", "31T10:00:00+02:00"]),
        (BERLIN, "2030-10-26T10:00:00", ["26T10:00:00+02:00", "27T10:00:00+01:00"]),
        (NEW_YORK, "2030-03-09T10:00:00", ["09T10:00:00-05:00", "10T10:00:00-04:00"]),
        (NEW_YORK, "2030-11-02T10:00:00", ["02T10:00:00-04:00", "03T10:00:00-05:00"]),
        (LORD_HOWE, "2030-04-06T10:00:00", ["06T10:00:00+11:00", "07T10:00:00+10:30"]),
        (LORD_HOWE, "2030-10-05T10:00:00", ["05T10:00:00+10:30", "06T10:00:00+11:00"]),
        (KATHMANDU, "2030-03-30T10:00:00", ["30T10:00:00+05:45", "31T10:00:00+05:45"]),
    ],
)
def test_wall_clock_stays_while_the_offset_changes(
    zone: str, start: str, expected: list[str]
) -> None:
    found = expand("FREQ=DAILY;COUNT=2", start, zone)

    assert [each[8:] for each in shown(found, zone)] == expected
    assert {each.derived.note for each in found} == {Note.EXACT}


@pytest.mark.parametrize(
    ("zone", "start", "moved"),
    [
        (BERLIN, "2030-03-30T02:30:00", "2030-03-31T03:30:00+02:00"),
        (NEW_YORK, "2030-03-09T02:30:00", "2030-03-10T03:30:00-04:00"),
        (LORD_HOWE, "2030-10-05T02:15:00", "2030-10-06T02:45:00+11:00"),
    ],
)
def test_skipped_wall_clock_goes_forward_once_and_is_noted(
    zone: str, start: str, moved: str
) -> None:
    before, there, after = expand("FREQ=DAILY;COUNT=3", start, zone)

    assert shown([there], zone) == [moved]
    assert [each.derived.note for each in (before, there, after)] == [
        *(Note.EXACT, Note.MOVED, Note.EXACT)
    ]
    # What the rule gave stays known.
    assert [each.local.time() for each in (before, there, after)] == [
        at(start, zone).local.time()
    ] * 3


@pytest.mark.parametrize(
    ("zone", "start", "earlier"),
    [
        (BERLIN, "2030-10-26T02:30:00", "2030-10-27T02:30:00+02:00"),
        (BERLIN, "2030-01-01T02:30:00", "2030-10-27T02:30:00+02:00"),
        (NEW_YORK, "2030-11-02T01:30:00", "2030-11-03T01:30:00-04:00"),
        (LORD_HOWE, "2030-04-06T01:45:00", "2030-04-07T01:45:00+11:00"),
    ],
)
def test_repeated_wall_clock_is_the_earlier(zone: str, start: str, earlier: str) -> None:
    found = expand("FREQ=DAILY;COUNT=400", start, zone)

    assert [each for each in shown(found, zone) if each[:10] == earlier[:10]] == [earlier]
    [note] = {each.derived.note for each in found if f"{each.local:%F}" == earlier[:10]}
    assert note == Note.AMBIGUOUS


def test_second_of_two_wall_clocks_can_be_where_a_series_begins() -> None:
    found = expand("FREQ=DAILY;COUNT=2", "2030-10-27T02:30:00+01:00")

    assert [f"{each.local}" for each in found] == ["2030-10-27 02:30:00", "2030-10-28 02:30:00"]


@given(
    zone=st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, KATHMANDU, "Africa/Casablanca", "UTC"]),
    begin=st.datetimes(datetime(1999, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - a wall clock
    rule=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "DAILY;INTERVAL=3", "MONTHLY;INTERVAL=5"]),
)
@settings(max_examples=60, deadline=None)
def test_every_date_shows_the_time_of_the_first(zone: str, begin: datetime, rule: str) -> None:
    start = times.derive(begin, zone, near=begin.replace(tzinfo=UTC)).moment

    found = recurrence.expand(recurrence.parse(f"FREQ={rule};COUNT=60"), start, zone)

    for each in found:
        there = each.derived.moment.instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert each.local.time() == start.local.time()
        if each.derived.note is Note.MOVED:
            assert timedelta(0) < there - each.local <= timedelta(hours=1)
        else:
            assert there.replace(fold=0) == each.local
    instants = [each.derived.moment.instant for each in found]
    assert instants == sorted(set(instants))


# ---- which dates


@pytest.mark.parametrize(
    ("rule", "start", "expected"),
    [
        ("FREQ=WEEKLY;COUNT=3", TUESDAY, ["2030-01-01", "2030-01-08", "2030-01-15"]),
        ("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3", TUESDAY, ["2030-01-01", "2030-01-03", "2030-01-08"]),
        ("FREQ=MONTHLY;COUNT=3", "2030-01-31T10:00", ["2030-01-31", "2030-03-31", "2030-05-31"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", "2030-01-25T10:00", ["2030-01-25", "2030-02-22"]),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2",
            "2030-01-31T10:00",
            ["2030-01-31", "2030-02-28"],
        ),
        ("FREQ=YEARLY;COUNT=3", "2032-02-29T10:00", ["2032-02-29", "2036-02-29", "2040-02-29"]),
        ("FREQ=YEARLY;BYWEEKNO=1;COUNT=2", TUESDAY, ["2030-01-01", "2030-12-31"]),
        # The example of the standard for why the first day of a week matters.
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
            "1997-08-05T09:00",
            ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"],
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            "1997-08-05T09:00",
            ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"],
        ),
        # Election day in the United States, and Friday the 13th, from the standard as well.
        (
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3",
            "1996-11-05T09:00",
            ["1996-11-05", "2000-11-07", "2004-11-02"],
        ),
        (
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=4",
            "1998-02-13T09:00",
            ["1998-02-13", "1998-03-13", "1998-11-13", "1999-08-13"],
        ),
        ("rrule:freq=daily;interval=2;count=2", TUESDAY, ["2030-01-01", "2030-01-03"]),
        ("FREQ=DAILY;COUNT=1", TUESDAY, ["2030-01-01"]),
        ("FREQ=YEARLY;COUNT=2", "2096-02-29T10:00", ["2096-02-29", "2104-02-29"]),
    ],
)
def test_rule_gives_these_days(rule: str, start: str, expected: list[str]) -> None:
    assert days(rule, start) == expected


def test_times_of_a_day_are_each_an_event() -> None:
    found = expand("FREQ=DAILY;BYHOUR=10,14;BYMINUTE=0,30;COUNT=5")

    assert [f"{each.local:%d %H:%M}" for each in found] == [
        *("01 10:00", "01 10:30", "01 14:00", "01 14:30", "02 10:00")
    ]


def test_fractions_of_a_second_stay() -> None:
    found = expand("FREQ=DAILY;COUNT=2", "2030-01-01T10:00:00.25")

    assert [each.local.microsecond for each in found] == [250_000, 250_000]


def numbers(lowest: int, highest: int) -> st.SearchStrategy[list[int]]:
    values = st.integers(lowest, highest).filter(lambda n: n != 0)
    return st.lists(values, min_size=1, max_size=4, unique=True)


BY_FREQUENCY = {
    "DAILY": {"BYMONTH": numbers(1, 12), "BYMONTHDAY": numbers(-31, 31)},
    "WEEKLY": {"BYMONTH": numbers(1, 12)},
    "MONTHLY": {"BYMONTH": numbers(1, 12), "BYMONTHDAY": numbers(-31, 31)},
    "YEARLY": {
        "BYMONTH": numbers(1, 12),
        "BYMONTHDAY": numbers(-31, 31),
        "BYYEARDAY": numbers(-366, 366),
        "BYWEEKNO": numbers(-53, 53),
    },
}


@st.composite
def rules(draw: st.DrawFn) -> SlowRule:
    """Rules of every frequency, with up to three parts beside the days of the week."""
    frequency = draw(st.sampled_from(sorted(BY_FREQUENCY)))
    parts = BY_FREQUENCY[frequency]
    names = draw(st.lists(st.sampled_from(sorted(parts)), max_size=2, unique=True))
    said = {name: draw(parts[name]) for name in names}
    most = {"MONTHLY": 5, "YEARLY": 5 if "BYMONTH" in said else 52}.get(frequency, 0)
    ordinal = 0 if "BYWEEKNO" in said else draw(st.sampled_from([0, most]))
    day = st.tuples(
        st.integers(0, 6), st.integers(-ordinal, ordinal).filter(lambda n: n or not ordinal)
    )
    weekdays = draw(st.lists(day, max_size=3, unique=True))
    is_counted = (said or weekdays) and frequency in {"MONTHLY", "YEARLY"}
    if is_counted and draw(st.booleans()):
        said["BYSETPOS"] = draw(numbers(-4, 4))
    interval = 1 if "BYWEEKNO" in said else draw(st.integers(1, 5))
    return SlowRule(frequency, interval, said, weekdays)


@given(rule=rules(), day=st.dates(date(1990, 1, 1), date(2120, 1, 1)), years=st.integers(0, 6))
@settings(max_examples=250, deadline=None)
def test_dates_are_those_found_by_hand(rule: SlowRule, day: date, years: int) -> None:
    # A rule has to begin with its start, which here is moved to a day that it takes.
    for _ in range(3):
        found = by_hand.dates(rule, day, day + timedelta(days=366 * 2))
        assume(found)
        if found[0] == day:
            break
        day = found[0]
    assume(found[0] == day)
    last = day + timedelta(days=365 * years)
    expected = by_hand.dates(rule, day, last)
    assume(len(expected) <= MOST_EVENTS)
    start = f"{day}T10:00:00"

    ends = f"{rule.text};UNTIL={last:%Y%m%d}"
    counted = f"{rule.text};COUNT={len(expected)}"

    assert days(ends, start) == [each.isoformat() for each in expected]
    assert days(counted, start) == [each.isoformat() for each in expected]


# ---- the end


@pytest.mark.parametrize(
    ("until", "count"),
    [
        ("20300103", 3),
        ("20300103T095959", 2),
        ("20300103T100000", 3),
        ("20300103T085959Z", 2),
        ("20300103T090000Z", 3),
        ("20300101", 1),
    ],
)
def test_until_counts_and_is_a_day_a_wall_clock_or_an_instant(until: str, count: int) -> None:
    assert len(expand(f"FREQ=DAILY;UNTIL={until}")) == count


def test_until_as_an_instant_ends_between_the_two_readings_of_a_wall_clock() -> None:
    """02:30 of 27 October is at 00:30 and at 01:30 UTC, and the first one is taken."""
    start = "2030-10-26T02:30:00"

    assert len(expand("FREQ=DAILY;UNTIL=20301027T002959Z", start)) == 1
    assert len(expand("FREQ=DAILY;UNTIL=20301027T003000Z", start)) == 2


def test_until_is_compared_after_a_skipped_wall_clock_has_moved() -> None:
    """02:30 of 31 March becomes 03:30, which is 01:30 UTC."""
    start = "2030-03-30T02:30:00"

    assert len(expand("FREQ=DAILY;UNTIL=20300331T012959Z", start)) == 1
    assert len(expand("FREQ=DAILY;UNTIL=20300331T013000Z", start)) == 2


def test_most_events_are_taken_and_one_more_is_refused() -> None:
    assert len(expand("FREQ=DAILY;UNTIL=20310515")) == MOST_EVENTS
    assert why("FREQ=DAILY;UNTIL=20310516") == (
        "The rule gives more than 500 events: number 500 is at 2031-05-15T10:00:00+02:00. "
        "Let it end by then."
    )


def test_rule_that_begins_later_names_its_first_date() -> None:
    with pytest.raises(InvalidRule) as caught:
        expand("FREQ=WEEKLY;BYDAY=SA;COUNT=3")

    assert caught.value.detail == (
        "The first date of the rule is 2030-01-05T10:00:00+01:00 (Saturday), but the event begins "
        "at 2030-01-01T10:00:00+01:00 (Tuesday). Move the event there, or change the rule."
    )
    assert str(caught.value.members["first_start"]) == "2030-01-05 10:00:00+01:00"
