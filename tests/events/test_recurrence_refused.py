"""A rule that is none, or too much, is refused at once and says why, whatever text it is."""

from datetime import date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.series_dates import expand, why

from turnout.events.errors import InvalidRule
from turnout.events.recurrence import MOST_EVENTS

HOSTILE = [
    ("", "'' is no part of a rule. One reads FREQ=WEEKLY;COUNT=10."),
    (";;;", "'' is no part of a rule. One reads FREQ=WEEKLY;COUNT=10."),
    ("FREQ=DAILY;COUNT", "COUNT has no value."),
    ("FREQ=DAILY;COUNT=2;COUNT=3", "A part stands in the rule twice."),
    ("FREQ=DAILY;COUNT=2;DTSTART=20300101", "'DTSTART' is no part of a rule."),
    ("FREQ=DAILY;COUNT=2;BYEASTER=0", "'BYEASTER' is no part of a rule."),
    ("FREQ=DAILY;COUNT=2\nEXDATE=20300101", "COUNT is a number from 1 to 500."),
    ("COUNT=2", "FREQ is missing: DAILY, WEEKLY, MONTHLY or YEARLY."),
    ("FREQ=HOURLY;COUNT=2", "FREQ=HOURLY is too often"),
    ("FREQ=MINUTELY;COUNT=2", "FREQ=MINUTELY is too often"),
    ("FREQ=SECONDLY", "FREQ=SECONDLY is too often"),
    ("FREQ=FORTNIGHTLY;COUNT=2", "FREQ is DAILY, WEEKLY, MONTHLY or YEARLY."),
    ("FREQ=DAILY", "The rule has no end: add COUNT, such as COUNT=10, or UNTIL."),
    ("FREQ=DAILY;COUNT=2;UNTIL=20300105", "A rule has COUNT or UNTIL, not both."),
    ("FREQ=DAILY;COUNT=0", "COUNT is a number from 1 to 500."),
    ("FREQ=DAILY;COUNT=501", "COUNT is a number from 1 to 500."),
    ("FREQ=DAILY;COUNT=-1", "COUNT is a number from 1 to 500."),
    ("FREQ=DAILY;COUNT=1_0", "COUNT is a number from 1 to 500."),
    ("FREQ=DAILY;COUNT=\u0663", "COUNT is a number from 1 to 500."),
    (f"FREQ=DAILY;COUNT={'9' * 400}", "COUNT is a number from 1 to 500."),
    (f"FREQ=DAILY;COUNT={'9' * 500}", "A rule has 500 characters at most."),
    ("FREQ=DAILY;COUNT=2;INTERVAL=0", "INTERVAL is a number from 1 to 1,000."),
    ("FREQ=DAILY;COUNT=2;INTERVAL=1001", "INTERVAL is a number from 1 to 1,000."),
    ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL is a day or time such as"),
    ("FREQ=DAILY;UNTIL=20300230", "UNTIL is no day and time that exist"),
    ("FREQ=DAILY;UNTIL=20300101T250000", "UNTIL is no day and time that exist"),
    ("FREQ=DAILY;UNTIL=20291231", "UNTIL lies before the start of the event."),
    ("FREQ=DAILY;UNTIL=00010101T000000Z", "UNTIL lies before the start of the event."),
    ("FREQ=DAILY;UNTIL=99991231T235959Z", "The rule gives more than 500 events"),
    ("FREQ=YEARLY;COUNT=171", "Up to the year 2199 the rule gives 170 events only."),
    ("FREQ=DAILY;COUNT=2;BYMONTH=13", "BYMONTH holds numbers from 1 to 12"),
    ("FREQ=MONTHLY;COUNT=2;BYMONTHDAY=0", "BYMONTHDAY holds numbers from 1 to 31 or -1 to -31"),
    ("FREQ=MONTHLY;COUNT=2;BYMONTHDAY=1,,2", "BYMONTHDAY holds numbers from"),
    ("FREQ=DAILY;COUNT=2;BYHOUR=24", "BYHOUR holds numbers from 0 to 23"),
    ("FREQ=WEEKLY;COUNT=2;BYDAY=XX", "BYDAY holds days such as MO or 2MO or -1FR"),
    ("FREQ=MONTHLY;COUNT=2;BYDAY=0MO", "BYDAY holds days such as MO or 2MO or -1FR"),
    ("FREQ=MONTHLY;COUNT=2;BYDAY=6MO", "A month has five of a day of the week at most"),
    ("FREQ=YEARLY;COUNT=2;BYDAY=54MO", "BYDAY holds days such as MO or 2MO or -1FR"),
    ("FREQ=MONTHLY;COUNT=2;BYDAY=MO,2TU", "The days of BYDAY have numbers before them, or none"),
    ("FREQ=WEEKLY;COUNT=2;BYDAY=2TU", "Numbers before the days of BYDAY count in a month"),
    ("FREQ=YEARLY;COUNT=2;BYWEEKNO=3;BYDAY=2TU", "Numbers before the days of BYDAY count in a"),
    ("FREQ=WEEKLY;COUNT=2;WKST=1", "WKST is one of MO, TU, WE, TH, FR, SA, SU."),
    ("FREQ=WEEKLY;COUNT=2;BYMONTHDAY=1", "BYMONTHDAY does not go with FREQ=WEEKLY."),
    ("FREQ=MONTHLY;COUNT=2;BYWEEKNO=1", "BYWEEKNO does not go with FREQ=MONTHLY."),
    ("FREQ=DAILY;COUNT=2;BYYEARDAY=1", "BYYEARDAY does not go with FREQ=DAILY."),
    ("FREQ=DAILY;COUNT=2;BYHOUR=10,11;BYSETPOS=1", "BYSETPOS does not go with FREQ=DAILY."),
    ("FREQ=MONTHLY;COUNT=2;BYSETPOS=1", "BYSETPOS picks from what another part gives"),
    ("FREQ=WEEKLY;COUNT=2;BYDAY=TU;BYSETPOS=2", "BYSETPOS counts further than the other parts"),
    (
        f"FREQ=YEARLY;COUNT=2;BYDAY=TU;BYSETPOS={','.join(map(str, range(1, 14)))}",
        "BYSETPOS holds 12 numbers at most.",
    ),
    ("FREQ=DAILY;COUNT=2;BYMINUTE=0,1,2,3,4;BYHOUR=1,2,3,4,5", "It happens 24 times a day"),
    ("FREQ=YEARLY;COUNT=2;BYMONTH=2;BYMONTHDAY=30", "No month of BYMONTH has a day of BYMONTHDAY."),
    ("FREQ=DAILY;COUNT=2;BYMONTH=4,6;BYMONTHDAY=31", "No month of BYMONTH has a day"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "begin"), HOSTILE)
def test_rule_that_cannot_be_says_why(rule: str, begin: str) -> None:
    assert why(rule)[: len(begin)] == begin


@pytest.mark.parametrize(
    "rule",
    [
        # Which no one can tell without looking; each comes to its end after 400 years.
        "FREQ=DAILY;INTERVAL=7;BYDAY=WE;COUNT=2",
        "FREQ=YEARLY;BYYEARDAY=1;BYMONTH=2;COUNT=2",
        "FREQ=YEARLY;BYWEEKNO=20;BYMONTH=1;COUNT=2",
        "FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=5SU;COUNT=2",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=1MO;COUNT=2",
    ],
)
def test_rule_without_a_date_comes_to_an_end(rule: str) -> None:
    assert why(rule) == "The rule gives no date up to the year 2199."


PIECES = (
    *("FREQ=", "DAILY", "YEARLY", "MONTHLY", "WEEKLY", ";", ";", "COUNT=", "UNTIL=", "BYDAY="),
    *("BYSETPOS=", "BYMONTH=", "MO", "-1", "2", "3", "30", "99", ",", ",", "20300601", "BYHOUR="),
    *("20300601T000000Z", "INTERVAL=", "WKST=", "SU", "BYMONTHDAY=", "FREQ=DAILY;COUNT=3"),
)


@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=16).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    try:
        found = expand(text)
    except InvalidRule:
        return

    clocks = [each.local for each in found]
    assert clocks == sorted(set(clocks))
    assert len(clocks) in range(1, MOST_EVENTS + 1)
    assert found[0].local == datetime.combine(date(2030, 1, 1), time(10))
