"""Entries that repeat: each time is an event, at the same wall clock, and none is there twice."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.events.calendar_entries import (
    calendar,
    entries,
    read,
    starts,
    when,
)

from turnout.events.ical_findings import Entry, Skipped

RULES: list[tuple[tuple[str, ...], list[str]]] = [
    (("RRULE:FREQ=DAILY;COUNT=3",), ["2026-12-01 10:00", "2026-12-02 10:00", "2026-12-03 10:00"]),
    (("RRULE:FREQ=DAILY;UNTIL=20261203",),
     ["2026-12-01 10:00", "2026-12-02 10:00", "2026-12-03 10:00"]),
    # 9:00 in Berlin is 8:00 UTC: the second one is over by then.
    (("RRULE:FREQ=DAILY;UNTIL=20261202T085959Z",), ["2026-12-01 10:00"]),
    (("RRULE:FREQ=DAILY;UNTIL=20261202T090000Z",), ["2026-12-01 10:00", "2026-12-02 10:00"]),
    (("RRULE:FREQ=MONTHLY;BYDAY=-1TH;COUNT=2",), ["2026-12-31 10:00", "2027-01-28 10:00"]),
    (("RRULE:FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2",), ["2026-12-31 10:00", "2027-01-31 10:00"]),
    (("RRULE:FREQ=YEARLY;COUNT=3;BYMONTH=2;BYMONTHDAY=29",), ["2028-02-29 10:00"]),
    (("RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU;COUNT=2",),
     ["2026-12-01 10:00", "2026-12-15 10:00"]),
    (("RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Europe/Berlin:20261202T100000,20261203T100000"),
     ["2026-12-01 10:00"]),
    (("RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20261202"),
     ["2026-12-01 10:00", "2026-12-03 10:00"]),
    (("RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20261202T090000Z"),
     ["2026-12-01 10:00", "2026-12-03 10:00"]),
    (("RDATE;TZID=Europe/Berlin:20270105T120000", "RDATE;VALUE=PERIOD:20270106T090000Z/PT1H"),
     ["2026-12-01 10:00", "2027-01-05 12:00", "2027-01-06 10:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), RULES)
def test_rule_of_a_series_gives_these_times(lines: tuple[str, ...], expected: list[str]) -> None:
    base = ("DTSTART;TZID=Europe/Berlin:20261201T100000", "DURATION:PT1H")

    assert starts(read(calendar((*base, *lines)))) == expected


def test_whole_days_of_a_series_stay_whole_across_a_change_of_the_clocks() -> None:
    found = entries(
        read(
            calendar(
                ("DTSTART;VALUE=DATE:20270327", "RRULE:FREQ=DAILY;COUNT=3"),
                head=["X-WR-TIMEZONE:Europe/Berlin"],
            )
        )
    )

    assert [(each.event.start.local.hour, each.event.end.local.hour) for each in found] == [
        (0, 0)
    ] * 3
    lasted = [each.event.end.instant - each.event.start.instant for each in found]
    assert lasted == [timedelta(hours=24), timedelta(hours=23), timedelta(hours=24)]


def test_series_without_end_is_taken_for_two_years_and_says_so() -> None:
    [first, *rest] = entries(
        read(calendar(("DTSTART:20261201T100000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")))
    )

    assert [str(note.code) for note in first.notes] == ["zone-guessed", "series-cut"]
    assert len(rest) == 103
    assert rest[-1].event.start.instant == datetime(2028, 11, 21, 10, tzinfo=UTC)


def test_series_that_has_gone_on_for_long_is_taken_from_now_on() -> None:
    found = entries(
        read(calendar(("DTSTART:20100101T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")))
    )

    assert len(found) == 500
    assert found[0].event.start.instant == datetime(2026, 11, 25, 10, tzinfo=UTC)


def test_series_that_is_over_is_taken_as_it_was() -> None:
    lines = ("DTSTART:20230101T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3")

    assert len(entries(read(calendar(lines)))) == 3


def test_series_that_begins_in_three_years_is_passed_over() -> None:
    [found] = read(calendar(("DTSTART:20300101T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")))

    assert isinstance(found, Skipped)
    assert [str(why.code) for why in found.reasons] == ["beyond-horizon"]


def test_time_of_a_series_that_was_called_off_or_moved_is_not_there_twice() -> None:
    base = ("UID:a", "DTSTART;TZID=Europe/Berlin:20261201T100000", "DURATION:PT1H")
    data = calendar(
        (*base, "RRULE:FREQ=DAILY;COUNT=4"),
        ("UID:a", "RECURRENCE-ID:20261202T090000Z", "DTSTART:20261202T090000Z", "STATUS:CANCELLED"),
        (
            *("UID:a", "RECURRENCE-ID;VALUE=DATE:20261203", "SUMMARY:Moved"),
            *("DTSTART;TZID=Europe/Berlin:20261203T150000", "DURATION:PT2H"),
        ),
    )

    found = read(data)

    assert [when(each)[0::2] for each in found if isinstance(each, Entry)] == [
        ("Talk", "2026-12-01 10:00"),
        ("Talk", "2026-12-04 10:00"),
        ("Moved", "2026-12-03 15:00"),
    ]
    assert [each.line for each in found if isinstance(each, Skipped)] == [12]


def test_time_of_a_series_keeps_its_key_when_it_is_moved() -> None:
    base = ("UID:a", "DTSTART:20261201T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2")
    moved = ("UID:a", "RECURRENCE-ID:20261202T100000Z", "DTSTART:20261209T100000Z", "DURATION:PT1H")

    before, after = (
        [each.event.import_key for each in entries(read(data))]
        for data in (calendar(base), calendar(base, moved))
    )

    assert before == after
