"""Calendars of other programs, read into events: texts, keys and times."""

from datetime import timedelta

import pytest
from tests.events.calendar_entries import (
    CALENDARS,
    CUSTOM,
    FOREIGN,
    NOW,
    ZONE,
    calendar,
    codes,
    entries,
    one,
    read,
    read_file,
    reasons,
    when,
)

from turnout.events import times
from turnout.events.ical_findings import Entry, Refused, Skipped
from turnout.events.models import Status, Visibility

TAKEN: dict[str, list[tuple[str, ...]]] = {
    "google.ics": [
        (
            "Opening night of the new workshop, with a tour of all the machines and soup",
            *("Europe/Lisbon", "2027-01-15 19:00", "2027-01-15 21:30"),
        ),
        # Every Tuesday but one, across the change of 28 March; the last was moved.
        ("Solder evening", "Europe/Lisbon", "2027-03-16 18:00", "2027-03-16 20:00"),
        ("Solder evening", "Europe/Lisbon", "2027-03-30 18:00", "2027-03-30 20:00"),
        (
            "Solder evening (moved to Wednesday)",
            *("Europe/Lisbon", "2027-04-07 18:30", "2027-04-07 20:30"),
        ),
        ("Tool fair", "Europe/Lisbon", "2027-05-01 00:00", "2027-05-03 00:00"),
    ],
    "outlook.ics": [
        (
            "Jahrestreffen für Ärzte",
            *("Europe/Berlin", "2027-02-10 09:00", "2027-02-10 17:00"),
        ),
        ("Stand-up", "America/New_York", "2027-03-12 10:00", "2027-03-12 11:00"),
        ("Stand-up", "America/New_York", "2027-03-13 10:00", "2027-03-13 11:00"),
        ("Stand-up", "America/New_York", "2027-03-14 10:00", "2027-03-14 11:00"),
        ("Stand-up", "America/New_York", "2027-03-15 10:00", "2027-03-15 11:00"),
    ],
    "apple.ics": [
        ("Choir weekend 🎶", "Australia/Lord_Howe", "2027-04-03 19:00", "2027-04-04 21:00"),
        ("Floating rehearsal", ZONE, "2027-05-10 18:00", "2027-05-10 19:30"),
    ],
    "meetup.ics": [
        ("Data Night #31: graphs", "America/New_York", "2026-12-10 18:30", "2026-12-10 21:00"),
        ("Data Night #32: online", "America/New_York", "2027-01-14 18:30", "2027-01-14 21:00"),
    ],
    "thunderbird.ics": [
        ("Language table", "Asia/Kathmandu", "2027-01-02 12:00", "2027-01-02 13:30"),
        ("Language table", "Asia/Kathmandu", "2027-01-20 12:00", "2027-01-20 13:30"),
        ("Language table", "Asia/Kathmandu", "2027-02-06 12:00", "2027-02-06 13:30"),
        ("Language table", "Asia/Kathmandu", "2027-03-06 12:00", "2027-03-06 13:30"),
    ],
    "indico.ics": [
        ("Workshop on slow detectors", ZONE, "2027-03-22 13:30", "2027-03-24 21:45"),
    ],
}
LEFT: dict[str, list[tuple[int, str]]] = {
    "google.ics": [(78, "cancelled")],
    "thunderbird.ics": [(30, "not-an-event")],
    "indico.ics": [(15, "time-invalid")],
}


@pytest.mark.parametrize("name", TAKEN)
def test_calendar_of_a_program_becomes_these_events(name: str) -> None:
    found = read_file(name)

    assert [when(each) for each in found if isinstance(each, Entry)] == TAKEN[name]
    left = [each for each in found if isinstance(each, Refused | Skipped)]
    assert [(each.line, str(each.reasons[0].code)) for each in left] == LEFT.get(name, [])


@pytest.mark.parametrize("name", TAKEN)
def test_calendar_with_line_feeds_alone_becomes_the_same_events(name: str) -> None:
    data = (CALENDARS / name).read_bytes()
    unix = data.replace(b"\r\n", b"\n")

    assert read(unix) == read(data) == read(unix.replace(b"\n", b"\r\n"))


def test_series_keeps_its_wall_clock_across_a_change_of_the_clocks() -> None:
    found = entries(read_file("outlook.ics"))[1:]

    assert [each.event.start.instant.hour for each in found] == [15, 15, 14, 14]


def test_texts_of_a_calendar_lose_their_escapes_and_folds() -> None:
    event = entries([each for each in read_file("google.ics") if isinstance(each, Entry)])[0].event

    assert event.description == "Doors at 18:30.\nBring <b>gloves</b>, we have the rest; really."
    assert event.location == "Shed 4, Rua do Cais 12, Lisboa, Portugal"


def test_place_links_and_tags_of_calendars_are_taken() -> None:
    choir = entries(read_file("apple.ics"))[0].event
    data, online = (each.event for each in entries(read_file("meetup.ics")))
    teams = entries(read_file("outlook.ics"))[0].event
    table = read_file("thunderbird.ics")[1]

    assert choir.location == "Public Hall, Lagoon Road, Lord Howe Island"
    assert (choir.place.latitude, choir.place.longitude) == (-31.5528, 159.0858)
    assert choir.description == "Website: <https://choir.example/weekend>"
    # The link is in the description already.
    assert data.description == "Three short talks.\nhttps://meetup.example/data-night/31"
    assert (online.location, online.online_url) == (
        "Online",
        "https://meetup.example/data-night/32",
    )
    assert (teams.location, teams.online_url) == (
        "Microsoft Teams Meeting",
        "https://teams.example/l/meetup-join/19",
    )
    assert isinstance(table, Entry)
    assert (table.event.location, table.event.online_url) == (
        "Online",
        "https://talk.example/room/7",
    )
    assert table.event.tags == ("Language", "Food, drink")


def test_what_was_guessed_in_calendars_is_noted_once_a_series() -> None:
    google = [each for each in read_file("google.ics") if isinstance(each, Entry)]
    outlook, apple = entries(read_file("outlook.ics")), entries(read_file("apple.ics"))

    assert [codes(each) for each in google] == [
        [],
        ["place-missing", "people-left-out"],
        [],
        [],
        ["place-missing", "tentative"],
    ]
    assert [codes(each) for each in outlook] == [[], ["zone-by-offset"], [], [], []]
    assert [codes(each) for each in apple] == [[], ["zone-guessed"]]


@pytest.mark.parametrize("name", TAKEN)
def test_second_reading_a_day_later_has_the_same_keys(name: str) -> None:
    data = (CALENDARS / name).read_bytes()
    first, later = (
        [each.event.import_key for each in read(data, now) if isinstance(each, Entry)]
        for now in (NOW, NOW + timedelta(days=1))
    )

    assert first == later
    assert len(set(first)) == len(first)
    assert {len(key or "") for key in first} == {64}


def test_event_that_we_wrote_is_known_by_its_id() -> None:
    entry = one(f"UID:{FOREIGN}@turnout", "DTSTART:20270101T100000Z", "DTEND:20270101T110000Z")

    assert entry.event.import_key == FOREIGN


def test_event_without_uid_is_known_by_name_start_and_place() -> None:
    lines = ("UID:", "DTSTART:20270101T100000Z", "DTEND:20270101T110000Z")

    first, again, other = one(*lines), one(*lines), one(*lines, "LOCATION:Elsewhere")

    assert first.event.import_key == again.event.import_key != other.event.import_key
    assert codes(first) == ["zone-guessed", "uid-missing"]


def test_of_two_entries_with_one_uid_the_newer_counts() -> None:
    data = calendar(
        ("UID:a", "SEQUENCE:2", "SUMMARY:New", "DTSTART:20270101T100000Z", "DURATION:PT1H"),
        ("UID:a", "SEQUENCE:1", "SUMMARY:Old", "DTSTART:20270101T100000Z", "DURATION:PT1H"),
    )

    found = read(data)

    assert [each.event.name for each in found if isinstance(each, Entry)] == ["New"]
    assert reasons(found) == [("duplicate", "UID")]


TIMES: list[tuple[tuple[str, ...], tuple[str, str, str], list[str]]] = [
    (("DTSTART:20270101T100000", "DTEND:20270101T113000"),
     (ZONE, "2027-01-01 10:00", "2027-01-01 11:30"), ["zone-guessed"]),
    (("DTSTART;VALUE=DATE:20270101",), (ZONE, "2027-01-01 00:00", "2027-01-02 00:00"),
     ["zone-guessed"]),
    (("DTSTART;VALUE=DATE:20270101", "DTEND;VALUE=DATE:20270101"),
     (ZONE, "2027-01-01 00:00", "2027-01-02 00:00"), ["zone-guessed"]),
    (("DTSTART;VALUE=DATE:20270101", "DURATION:P1W"),
     (ZONE, "2027-01-01 00:00", "2027-01-08 00:00"), ["zone-guessed"]),
    (("DTSTART;TZID=Europe/Berlin:20270327T100000", "DURATION:P1D"),
     ("Europe/Berlin", "2027-03-27 10:00", "2027-03-28 10:00"), []),
    (("DTSTART;TZID=Europe/Berlin:20270327T100000", "DURATION:PT24H"),
     ("Europe/Berlin", "2027-03-27 10:00", "2027-03-28 11:00"), []),
    (("DTSTART;TZID=Europe/Berlin:20270101T100000",),
     ("Europe/Berlin", "2027-01-01 10:00", "2027-01-01 11:00"), ["end-missing"]),
    (("DTSTART;TZID=Europe/Berlin:20270101T100000", "DTEND;TZID=America/New_York:20270101T100000"),
     ("Europe/Berlin", "2027-01-01 10:00", "2027-01-01 16:00"), []),
    (("DTSTART;TZID=Europe/Berlin:20270328T023000", "DURATION:PT1H"),
     ("Europe/Berlin", "2027-03-28 03:30", "2027-03-28 04:30"), ["time-skipped"]),
    (("DTSTART;TZID=Europe/Berlin:20271031T023000", "DURATION:PT1H"),
     ("Europe/Berlin", "2027-10-31 02:30", "2027-10-31 02:30"), ["time-twice"]),
    (("DTSTART;TZID=/a.example/1/America/Argentina/Ushuaia:20270101T100000", "DURATION:PT1H"),
     ("America/Argentina/Ushuaia", "2027-01-01 10:00", "2027-01-01 11:00"), []),
    (("DTSTART;TZID=Asia/Calcutta:20270101T100000", "DURATION:PT1H"),
     ("Asia/Kolkata", "2027-01-01 10:00", "2027-01-01 11:00"), []),
    (("DTSTART;TZID=India Standard Time:20270101T100000", "DURATION:PT1H"),
     ("Asia/Kolkata", "2027-01-01 10:00", "2027-01-01 11:00"), []),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected", "noted"), TIMES)
def test_times_of_an_entry_are_understood(
    lines: tuple[str, ...], expected: tuple[str, str, str], noted: list[str]
) -> None:
    entry = one(*lines)

    assert when(entry)[1:] == expected
    assert codes(entry) == noted


def test_times_without_zone_are_of_the_calendar_where_it_has_one() -> None:
    entry = one(
        "DTSTART:20270601T100000", "DTEND:20270601T090000Z", head=["X-WR-TIMEZONE:Europe/Berlin"]
    )

    assert when(entry)[1:] == ("Europe/Berlin", "2027-06-01 10:00", "2027-06-01 11:00")
    assert codes(entry) == []


@pytest.mark.parametrize(
    ("offset", "zone"),
    [
        ("+0530", "Asia/Kolkata"),
        ("+0545", "Asia/Kathmandu"),
        ("-0930", "Pacific/Marquesas"),
    ],
)
def test_zone_of_a_programs_own_is_found_by_its_offsets(offset: str, zone: str) -> None:
    head = [line.format(offset) for line in CUSTOM]

    entry = one("DTSTART;TZID=Ours:20270101T100000", "DURATION:PT1H", head=head)

    assert when(entry)[1:] == (zone, "2027-01-01 10:00", "2027-01-01 11:00")
    assert codes(entry) == ["zone-by-offset"]


def test_zone_of_a_programs_own_with_a_place_is_that_of_the_place() -> None:
    head = [line.format("+0100") for line in CUSTOM]
    head.insert(2, "X-LIC-LOCATION:Africa/Lagos")

    entry = one("DTSTART;TZID=Ours:20270101T100000", "DURATION:PT1H", head=head)

    assert (when(entry)[1], codes(entry)) == ("Africa/Lagos", [])


def test_fold_within_a_character_is_undone() -> None:
    data = calendar(("SUMMARY:Café", "DTSTART:20270101T100000Z", "DURATION:PT1H"))
    [entry] = entries(read(data.replace(b"Caf\xc3\xa9", b"Caf\xc3\r\n \xa9")))

    assert entry.event.name == "Café"


def test_hidden_and_uncertain_entries_are_kept_from_the_public() -> None:
    lines = ("DTSTART:20270101T100000Z", "DURATION:PT1H")

    private, draft = one("CLASS:CONFIDENTIAL", *lines), one("STATUS:TENTATIVE", *lines)

    assert (private.event.visibility, private.event.status) == (
        Visibility.PRIVATE,
        Status.PUBLISHED,
    )
    assert (draft.event.visibility, draft.event.status) == (Visibility.PUBLIC, Status.DRAFT)


def test_every_zone_that_windows_knows_is_one_or_is_refused() -> None:
    """Those of the sea have an offset and no place; there is nothing to keep them under."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    refused = {
        name
        for name in WINDOWS_TO_OLSON
        if reasons(read(calendar((f"DTSTART;TZID={name}:20270101T100000", "DURATION:PT1H"))))
    }

    assert {WINDOWS_TO_OLSON[name] for name in refused} == {
        each for each in WINDOWS_TO_OLSON.values() if each.startswith("Etc/") and each != "Etc/UTC"
    }
    assert times.canonical_zone("Etc/UTC") == "UTC"
