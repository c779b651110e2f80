"""Every row of a list of conferences is taken or refused, and nothing about it is kept silent."""

from datetime import UTC, datetime

import pytest
from tests.events.conference_rows import ROW, codes, refused, row_with, taken

from turnout.events.conference_findings import Code, Remark
from turnout.events.drafts import EventDraft, PlaceDraft
from turnout.events.models import Status, Visibility
from turnout.events.times import Moment


def test_row_with_everything_becomes_a_whole_event() -> None:
    event, notes = taken(ROW)

    assert notes == ()
    assert event == EventDraft(
        name="PyCon DE",
        description=(
            "Website: <https://pycon.de/>\n\n"
            "Call for papers: <https://pycon.de/cfp>, until 2026-01-05"
        ),
        location="Darmstadt, Germany",
        timezone="Europe/Berlin",
        start=Moment(
            datetime(2026, 4, 14, 9),  # noqa: DTZ001 - a wall clock is naive on purpose
            datetime(2026, 4, 14, 7, tzinfo=UTC),
        ),
        end=Moment(
            datetime(2026, 4, 17, 18),  # noqa: DTZ001 - a wall clock is naive on purpose
            datetime(2026, 4, 17, 16, tzinfo=UTC),
        ),
        online_url=None,
        place=PlaceDraft(
            city="Darmstadt",
            country="Germany",
            country_code="DE",
            latitude=49.872,
            longitude=8.65,
        ),
        tags=("python", "data"),
        status=Status.PUBLISHED,
        visibility=Visibility.PUBLIC,
        import_key="fb75507290b8a4f1b3c502f4aa5ccae67c751b5f23655d645e25be95d53b2641",
    )


def test_row_with_the_least_is_taken_with_notes() -> None:
    event, notes = taken({"name": "Unconference", "startDate": "2026-05-01"})

    assert (event.location, event.timezone, event.place) == ("To be announced", "UTC", PlaceDraft())
    assert event.end.local.isoformat() == "2026-05-01T18:00:00"
    assert (event.description, event.tags, event.online_url) == ("", (), None)
    assert codes(notes) == [
        (Code.END_DATE_MISSING, "endDate"),
        (Code.PLACE_MISSING, "city"),
        (Code.LINK_MISSING, "url"),
    ]


def test_online_row_without_a_place_has_its_link_and_utc() -> None:
    event, notes = taken(row_with(online=True, city=None, country=""))

    assert (event.location, event.timezone, event.place) == ("Online", "UTC", PlaceDraft())
    assert event.online_url == "https://pycon.de/"
    assert codes(notes) == [(Code.ONLINE_IN_UTC, "online")]


def test_online_row_with_a_city_keeps_the_city() -> None:
    event, notes = taken(row_with(online=True))

    assert (event.location, event.timezone) == ("Darmstadt, Germany", "Europe/Berlin")
    assert event.online_url is None
    assert codes(notes) == [(Code.HYBRID, "online")]


@pytest.mark.parametrize(
    ("city", "country", "timezone", "country_code", "expected"),
    [
        ("Nowhere", "Germany", "Europe/Berlin", "DE", [Code.CITY_UNKNOWN]),
        ("Nowhere", "Brazil", "America/Sao_Paulo", "BR", [Code.CITY_UNKNOWN, Code.ZONE_GUESSED]),
        ("Nowhere, CA", "U.S.A.", "America/Los_Angeles", "US", [Code.CITY_UNKNOWN]),
        ("Nowhere", "Atlantis", "UTC", None, ["country-unknown", "city-unknown", "zone-guessed"]),
        ("Nowhere", "", "UTC", None, ["country-missing", "city-unknown", "zone-guessed"]),
        ("Darmstadt", "", "Europe/Berlin", "DE", [Code.COUNTRY_MISSING]),
        ("", "Germany", "Europe/Berlin", "DE", [Code.CITY_MISSING]),
        ("Köln", "Deutschland", "Europe/Berlin", "DE", []),
        ("Cologne", "Germany", "Europe/Berlin", "DE", [Code.CITY_OTHER_NAME]),
        ("Bali", "Indonesia", "Asia/Makassar", "ID", [Code.CITY_STAND_IN]),
        ("Sitges, Barcelona", "Spain", "Europe/Madrid", "ES", [Code.CITY_IN_PART]),
        ("Springfield", "U.S.A.", "America/Chicago", "US", [Code.CITY_AMBIGUOUS]),
    ],
)
def test_zone_comes_from_what_is_known_of_the_place(
    city: str, country: str, timezone: str, country_code: str | None, expected: list[Code]
) -> None:
    event, notes = taken(row_with(city=city, country=country))

    assert (event.timezone, event.place.country_code) == (timezone, country_code)
    assert (event.place.city, event.place.country) == (city or None, country or None)
    assert [note.code for note in notes] == expected


def test_city_that_is_a_country_is_written_once() -> None:
    event, _ = taken(row_with(city="Singapore", country="Singapore"))

    assert event.location == "Singapore"


def test_note_says_what_was_taken_for_what() -> None:
    _, notes = taken(row_with(city="Springfield", country="U.S.A."))

    sentence = "Several cities are called “Springfield”; Springfield, MO (US) was taken."
    assert notes == (Remark(Code.CITY_AMBIGUOUS, "city", sentence),)


def test_text_with_needless_or_hidden_characters_is_tidied() -> None:
    event, notes = taken(row_with(name=" Py\u202eCon\x00\n  DE\ud800 "))

    assert event.name == "PyCon DE"
    assert codes(notes) == [(Code.TEXT_TIDIED, "name")]


def test_name_that_is_too_long_is_cut() -> None:
    event, notes = taken(row_with(name="x" * 201))

    assert event.name == "x" * 199 + "…"
    assert codes(notes) == [(Code.TEXT_CUT, "name")]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://example.org/",
        "//example.org",
        "https://",
        "https:///path",
        "https://user:secret@example.org/",
        "https://exa mple.org/",
        "https://[::1/",
        "example.org",
    ],
)
def test_address_that_is_not_of_the_web_is_left_out(url: str) -> None:
    event, notes = taken(row_with(url=url, online=True, city="", country="", cfpUrl=""))

    assert event.online_url is None
    assert event.description == "Call for papers: until 2026-01-05"
    assert codes(notes) == [(Code.ONLINE_IN_UTC, "online"), (Code.LINK_NOT_HTTP, "url")]


def test_address_that_markdown_would_misread_is_escaped() -> None:
    event, notes = taken(row_with(url="https://example.org/Austin, TX> [x](y)", cfpUrl=None))

    assert event.description == (
        "Website: <https://example.org/Austin,%20TX%3E%20[x](y)>\n\n"
        "Call for papers: until 2026-01-05"
    )
    assert codes(notes) == [(Code.LINK_ESCAPED, "url")]


def test_address_that_is_too_long_is_left_out() -> None:
    event, notes = taken(row_with(url="https://example.org/" + "x" * 2_000))

    assert event.description == "Call for papers: <https://pycon.de/cfp>, until 2026-01-05"
    assert codes(notes) == [(Code.LINK_TOO_LONG, "url")]


def test_deadline_that_is_no_date_is_left_out() -> None:
    event, notes = taken(row_with(cfpEndDate="soon"))

    assert event.description.endswith("Call for papers: <https://pycon.de/cfp>")
    sentence = "“soon” is not a date such as 2026-12-05. The deadline was left out."
    assert notes == (Remark(Code.CFP_DATE_UNCLEAR, "cfpEndDate", sentence),)


@pytest.mark.parametrize(
    ("topics", "tags", "expected"),
    [
        (None, (), []),
        ("", (), []),
        ("rust; go ;", ("rust", "go"), []),
        (["rust", "rust"], ("rust",), [Code.TOPIC_REPEATED]),
        (["x" * 51], ("x" * 49 + "…",), [Code.TEXT_CUT]),
        ([str(n) for n in range(21)], tuple(str(n) for n in range(20)), [Code.TOPICS_CUT]),
        (["rust", 5], (), [Code.TOPICS_UNCLEAR]),
        ({"rust": 1}, (), [Code.TOPICS_UNCLEAR]),
    ],
)
def test_topics_become_tags(topics: object, tags: tuple[str, ...], expected: list[Code]) -> None:
    event, notes = taken(row_with(topics=topics))

    assert event.tags == tags
    assert [note.code for note in notes] == expected


@pytest.mark.parametrize(
    ("online", "is_online", "expected"),
    [
        (True, True, []),
        (None, False, []),
        ("TRUE", True, []),
        ("no", False, []),
        ("", False, []),
        ("perhaps", False, [Code.ONLINE_UNCLEAR]),
        (1, False, [Code.ONLINE_UNCLEAR]),
    ],
)
def test_online_is_read_as_people_write_it(
    online: object, expected: list[Code], *, is_online: bool
) -> None:
    _, notes = taken(row_with(online=online))

    hybrid = [Code.HYBRID] if is_online else []
    assert [note.code for note in notes] == [*expected, *hybrid]


def test_field_that_is_not_known_is_noted_unless_empty() -> None:
    _, notes = taken(row_with(twitter="@pyconde", cocUrl=""))

    assert codes(notes) == [(Code.FIELD_IGNORED, "twitter")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": " \u200b "}, [(Code.NAME_MISSING, "name")]),
        ({"name": 5}, [(Code.NOT_TEXT, "name")]),
        ({"city": ["Berlin"]}, [(Code.NOT_TEXT, "city")]),
        ({"startDate": None}, [(Code.DATE_MISSING, "startDate")]),
        ({"startDate": "2026-02-30"}, [(Code.DATE_INVALID, "startDate")]),
        ({"startDate": "20260414"}, [(Code.DATE_INVALID, "startDate")]),
        ({"startDate": "2026-W16-2"}, [(Code.DATE_INVALID, "startDate")]),
        ({"startDate": "٢٠٢٦-٠٤-١٤"}, [(Code.DATE_INVALID, "startDate")]),
        ({"startDate": "1969-12-31"}, [(Code.DATE_OUT_OF_RANGE, "startDate")]),
        ({"endDate": "2200-01-01"}, [(Code.DATE_OUT_OF_RANGE, "endDate")]),
        ({"endDate": "2026-04-13"}, [(Code.END_BEFORE_START, "endDate")]),
        ({"endDate": "2027-05-19"}, [(Code.TOO_LONG, "endDate")]),
        (
            {"name": "", "startDate": "x", "endDate": "y"},
            [
                (Code.NAME_MISSING, "name"),
                (Code.DATE_INVALID, "startDate"),
                (Code.DATE_INVALID, "endDate"),
            ],
        ),
        (
            {"city": "Apia", "country": "Samoa", "startDate": "2011-12-30", "endDate": ""},
            [(Code.NO_SUCH_TIME, "startDate")],
        ),
    ],
)
def test_row_that_cannot_be_taken_is_refused_with_every_reason(
    changes: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    reasons = refused(row_with(**changes))

    assert codes(reasons) == expected


@pytest.mark.parametrize("raw", [None, 5, "PyCon", ["PyCon"], True])
def test_row_that_is_no_object_is_refused(raw: object) -> None:
    reasons = refused(raw)

    assert codes(reasons) == [(Code.NOT_AN_OBJECT, "")]


def test_last_day_of_the_last_year_is_taken() -> None:
    event, _ = taken(row_with(startDate="2199-12-31", endDate="2199-12-31"))

    assert event.end.local.isoformat() == "2199-12-31T18:00:00"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "  PYCON  de"},
        {"name": "ＰｙＣｏｎ DE"},
        {"url": "http://PyCon.de"},
        {"endDate": "2026-04-16"},
        {"topics": []},
        {"country": "Deutschland"},
    ],
)
def test_import_key_stays_where_the_conference_is_the_same(changes: dict[str, object]) -> None:
    event, _ = taken(row_with(**changes))

    assert event.import_key == taken(ROW)[0].import_key


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "PyCon FR"},
        {"url": "https://pycon.de/2026"},
        {"startDate": "2026-04-13"},
        {"city": "Berlin"},
    ],
)
def test_import_key_changes_with_the_conference(changes: dict[str, object]) -> None:
    event, _ = taken(row_with(**changes))

    assert event.import_key != taken(ROW)[0].import_key
