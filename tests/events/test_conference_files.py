"""Whole lists of conferences: JSON, CSV and the sample that the product brings along."""

import csv
import io
import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.conference_rows import ROW, as_csv, as_json, reasons, row_with, shipped, taken

from turnout.errors import Invalid
from turnout.events import conferences
from turnout.events.conference_drafts import Code, Reading
from turnout.places import gazetteer


@pytest.fixture(scope="module")
def sample() -> Reading:
    return conferences.read_json(shipped(), gazetteer.load())


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
    draft = taken(row_with(**changes))

    assert draft.import_key == taken(ROW).import_key


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
    draft = taken(row_with(**changes))

    assert draft.import_key != taken(ROW).import_key


def test_second_row_of_one_conference_is_refused_and_names_the_first() -> None:
    other = row_with(name="PyCon FR")

    reading = conferences.read_json(
        as_json(ROW, other, row_with(url="http://pycon.de"), 7), gazetteer.load()
    )

    assert [draft.row for draft in reading.drafts] == [1, 2]
    assert [(each.row, each.name, reasons(each)) for each in reading.refused] == [
        (3, "PyCon DE", [(Code.DUPLICATE, "name")]),
        (4, "", [(Code.NOT_AN_OBJECT, "")]),
    ]
    assert reading.refused[0].reasons[0].sentence == "This is the same conference as row 1."


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_says_the_same_as_json(mark: bytes) -> None:
    rows: list[Mapping[str, object]] = [
        ROW,
        row_with(name='A, "B"\nC', city="Goa", country="India"),
    ]

    from_csv = conferences.read_csv(mark + as_csv(rows), gazetteer.load())

    from_json = conferences.read_json(as_json(*rows), gazetteer.load())
    assert [draft.import_key for draft in from_csv.drafts] == [
        draft.import_key for draft in from_json.drafts
    ]
    assert [draft.row for draft in from_csv.drafts] == [2, 3]
    assert from_csv.drafts[0].tags == ("python", "data")
    assert from_csv.counts() == from_json.counts() == {Code.TEXT_TIDIED: 1, Code.CITY_STAND_IN: 1}


def test_csv_row_with_cells_beyond_the_columns_is_refused() -> None:
    data = b"startDate,name,\r\n2026-04-14,PyCon,\r\n\r\n2026-04-15,Rust,Nation\r\n2026-04-16\r\n"

    reading = conferences.read_csv(data, gazetteer.load())

    assert [(draft.row, draft.name) for draft in reading.drafts] == [(2, "PyCon")]
    assert [(each.row, each.name, reasons(each)) for each in reading.refused] == [
        (4, "Rust", [(Code.TOO_MANY_CELLS, "")]),
        (5, "", [(Code.NAME_MISSING, "name")]),
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not-json"),
        (b"{", "not-json"),
        (b"[" * 100_000, "not-json"),
        (b"[" + b"9" * 5_000 + b"]", "not-json"),
        (b"\xff\xfe", "not-utf-8"),
        (b'{"name": "PyCon"}', "not-a-list"),
    ],
)
def test_json_file_that_is_no_list_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        conferences.read_json(data, gazetteer.load())

    assert [(error.field, error.code) for error in caught.value.fields] == [("file", code)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "columns-missing"),
        (b"name;startDate\n", "columns-missing"),
        (b"name,url\n", "columns-missing"),
        (b"name,startDate,name\n", "column-repeated"),
        (b'name,startDate\n"PyCon"x,2026-04-14\n', "not-csv"),
        (b"name,startDate\n" + b"x" * 200_000, "not-csv"),
        (b"name,startDate\n\xff", "not-utf-8"),
    ],
)
def test_csv_file_that_is_no_table_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        conferences.read_csv(data, gazetteer.load())

    assert [(error.field, error.code) for error in caught.value.fields] == [("file", code)]


def test_sample_has_no_row_that_is_lost(sample: Reading) -> None:
    rows = [draft.row for draft in sample.drafts]

    assert rows == list(range(1, 6_008))
    assert sample.refused == ()
    assert len({draft.import_key for draft in sample.drafts}) == 6_007


def test_sample_is_understood_but_for_ten_cities(sample: Reading) -> None:
    counts = sample.counts()

    assert counts == {
        Code.ONLINE_IN_UTC: 1090,
        Code.HYBRID: 738,
        Code.CITY_OTHER_NAME: 275,
        Code.CITY_STAND_IN: 49,
        Code.TEXT_TIDIED: 19,
        Code.CITY_IN_PART: 11,
        Code.CITY_UNKNOWN: 10,
        Code.CITY_AMBIGUOUS: 7,
        Code.LINK_ESCAPED: 3,
        Code.TOPIC_REPEATED: 2,
        Code.PLACE_MISSING: 1,
        Code.ZONE_GUESSED: 1,
    }


def test_sample_has_coordinates_for_every_city_known(sample: Reading) -> None:
    places = [draft.place for draft in sample.drafts if draft.place is not None]

    assert len(places) == 4_916
    assert sum(place.latitude is not None for place in places) == 4_906
    assert sum(place.country_code is not None for place in places) == 4_916
    assert len({draft.timezone for draft in sample.drafts}) == 123


def test_sample_as_csv_reads_the_same(sample: Reading) -> None:
    rows = json.loads(shipped())[:400]

    reading = conferences.read_csv(as_csv(rows), gazetteer.load())

    assert [draft.import_key for draft in reading.drafts] == [
        draft.import_key for draft in sample.drafts[:400]
    ]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ROWS = st.fixed_dictionaries(
    {},
    optional={
        column: st.sampled_from([ROW[column], "", "2026-04-16", "Paris, TX", "U.S.A."])
        | JSON_VALUES
        for column in conferences.COLUMNS
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ROWS | JSON_VALUES, max_size=4))
def test_json_rows_whatever_they_hold_are_taken_or_refused(rows: list[object]) -> None:
    reading = conferences.read_json(as_json(*rows), gazetteer.load())

    seen = [draft.row for draft in reading.drafts] + [each.row for each in reading.refused]
    assert sorted(seen) == list(range(1, len(rows) + 1))
    assert all(each.reasons for each in reading.refused)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.text(max_size=8), min_size=1, max_size=5), max_size=4))
def test_csv_records_whatever_they_hold_are_taken_or_refused(records: list[list[str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written).writerows([["name", "startDate", "city"], *records])

    reading = conferences.read_csv(written.getvalue().encode("utf-8", "replace"), gazetteer.load())

    seen = [draft.row for draft in reading.drafts] + [each.row for each in reading.refused]
    filled = [number for number, cells in enumerate(records, start=2) if any(cells)]
    assert sorted(seen) == filled
