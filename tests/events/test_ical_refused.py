"""Entries and files that cannot be taken: refused with a reason, and without the others."""

import pytest
from tests.events.calendar_entries import (
    CUSTOM,
    ZONE,
    calendar,
    one,
    read,
    reasons,
    when,
)

from turnout.errors import Invalid
from turnout.events import ical_reading
from turnout.events.ical_findings import Entry, Refused, Skipped

REFUSED: list[tuple[tuple[str, ...], tuple[str, str]]] = [
    (("SUMMARY:", "DTSTART:20270101T100000Z", "DURATION:PT1H"), ("name-missing", "SUMMARY")),
    (("DTEND:20270101T100000Z",), ("start-missing", "DTSTART")),
    (("DTSTART:20270230T100000Z",), ("time-invalid", "DTSTART")),
    (("DTSTART:tomorrow",), ("time-invalid", "DTSTART")),
    (("DTSTART:99991231T235959Z",), ("time-out-of-range", "DTSTART")),
    (("DTSTART:00010101T000000",), ("time-out-of-range", "DTSTART")),
    (("DTSTART:20270101T100000Z", "DURATION:-PT1H"), ("time-invalid", "DURATION")),
    (("DTSTART:20270101T100000Z", "DTEND:20270101T090000Z"), ("ends-before-start", "DTEND")),
    (("DTSTART:20270101T100000Z", "DTEND:20290101T090000Z"), ("event-too-long", "DTEND")),
    (("DTSTART;TZID=Mars/Olympus:20270101T100000",), ("zone-unknown", "TZID")),
    (("DTSTART:20270101T100000Z", "RRULE:FREQ=SECONDLY"), ("too-frequent", "RRULE")),
    (("DTSTART:20270101T100000Z", "RRULE:FREQ=HOURLY;COUNT=2"), ("too-frequent", "RRULE")),
    (("DTSTART:20270101T100000Z", f"RRULE:FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};"
      f"BYMINUTE={','.join(map(str, range(60)))}"), ("too-frequent", "RRULE")),
    (("DTSTART:20270101T100000Z", "RRULE:FREQ=DAILY;INTERVAL=0"), ("rule-unclear", "RRULE")),
    (("DTSTART:20270101T100000Z", "RRULE:FREQ=DAILY;BYMONTH=13"), ("never-comes", "RRULE")),
    (("DTSTART:20270101T100000Z", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
     ("never-comes", "RRULE")),
    (("DTSTART:20270101T100000Z", "RRULE:FREQ=DAILY;UNTIL=20260101T000000Z"),
     ("no-occurrence", "RRULE")),
    (("DTSTART:20270101T100000Z", "RRULE:FREQ=DAILY;BYEASTER=1"), ("rule-unclear", "RRULE")),
    (("DTSTART:20270101T100000Z", "RRULE:FREQ=DAILY;FREQ=DAILY"), ("rule-unclear", "RRULE")),
    (("DTSTART:20270101T100000Z", "RRULE:nonsense"), ("rule-unclear", "RRULE")),
    (("DTSTART:20270101T100000Z", "RRULE:FREQ=DAILY;UNTIL=soon"), ("rule-unclear", "RRULE")),
    (("DTSTART:20270101T100000Z", "RRULE:FREQ=DAILY;COUNT=2", "EXRULE:FREQ=DAILY"),
     ("rule-unclear", "EXRULE")),
    (("DTSTART:20270101T100000Z", "a broken line of text"), ("line-unclear", "")),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "reason"), REFUSED)
def test_entry_that_cannot_be_taken_is_refused_and_the_next_one_is_taken(
    lines: tuple[str, ...], reason: tuple[str, str]
) -> None:
    good = ("SUMMARY:Good", "DTSTART:20270101T100000Z", "DURATION:PT1H")

    found = read(calendar(lines, good))

    assert reasons(found) == [reason]
    assert [each.event.name for each in found if isinstance(each, Entry)] == ["Good"]
    assert [each.line for each in found if isinstance(each, Refused)] == [4]


def test_entry_without_its_end_is_refused_and_the_next_one_is_taken() -> None:
    data = calendar(
        ("SUMMARY:Bad", "DTSTART:20270101T100000Z", "DURATION:PT1H"),
        ("SUMMARY:Good", "DTSTART:20270101T100000Z", "DURATION:PT1H"),
    ).replace(b"END:VEVENT\r\n", b"", 1)

    found = read(data)

    assert reasons(found) == [("not-ended", "")]
    assert [each.event.name for each in found if isinstance(each, Entry)] == ["Good"]


def test_endless_rule_in_a_zone_definition_costs_nothing() -> None:
    rules = ["RRULE:FREQ=SECONDLY", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"]
    head = [line.format("+0530") for line in CUSTOM]

    for rule in rules:
        entry = one(
            "DTSTART;TZID=Ours:20270101T100000",
            "DURATION:PT1H",
            head=[*head[:4], rule, *head[4:]],
        )
        assert when(entry)[1] == ZONE


def test_calendar_that_calls_off_its_events_has_none() -> None:
    found = read(calendar(("DTSTART:20270101T100000Z",), head=["METHOD:CANCEL"]))

    assert [type(each) for each in found] == [Skipped]


UNUSABLE: list[tuple[bytes, str]] = [
    (b"", "not-icalendar"),
    (b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", "not-icalendar"),
    (b"BEGIN:VCALENDAR\r\nVERSION:1.0\r\nEND:VCALENDAR\r\n", "not-icalendar"),
    (calendar(("SUMMARY:Caf\u00e9",)).decode().encode("latin-1"), "not-utf-8"),
    (calendar(("SUMMARY:Caf\u00e9",)).decode().encode("utf-16"), "not-utf-8"),
    (b"BEGIN:VCALENDAR\n" + b"BEGIN:X-DEEP\n" * 100_000, "too-deep"),
    (b"x" * (32 * 1024 * 1024 + 1), "too-large"),
]


@pytest.mark.parametrize(("data", "code"), UNUSABLE, ids=[code for _, code in UNUSABLE])
def test_file_that_is_no_calendar_is_refused_with_a_sentence(data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(data)

    assert [(each.field, each.code) for each in refused.value.fields] == [("file", code)]


def test_file_with_too_many_events_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ical_reading, "MOST_EVENTS", 3)
    rule = ("DTSTART:20270101T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")

    with pytest.raises(Invalid, match="more than 3 events"):
        read(calendar(rule))


def test_file_with_too_many_series_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ical_reading, "MOST_SERIES", 1)
    rule = ("DTSTART:20270101T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=1")

    with pytest.raises(Invalid, match="more than 1 events that repeat"):
        read(calendar(rule, rule))


def test_file_with_too_many_rules_that_no_day_fits_is_refused() -> None:
    rule = ("DTSTART:20270101T100000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY;BYYEARDAY=0")
    never = ("DTSTART:20270101T100000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")

    with pytest.raises(Invalid, match="more than 20 events whose rule no day fits"):
        read(calendar(rule, *[never] * 21))
