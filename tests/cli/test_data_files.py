"""Whole files of conferences: JSON, CSV and the sample that the product brings along."""

import csv
import io
import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cli.imports import Row, read, taken
from tests.events.conference_rows import ROW, as_csv, as_json, codes, row_with, shipped

from turnout.cli.data import files
from turnout.cli.data.files import Form
from turnout.cli.data.records import Refused, Taken
from turnout.errors import Invalid
from turnout.events import conferences
from turnout.events.conference_findings import Code
from turnout.events.drafts import PlaceDraft


@pytest.fixture(scope="module")
def sample() -> list[Taken]:
    return taken(shipped())


def outline(rows: list[Row]) -> list[tuple[int, str, list[tuple[str, str]]]]:
    """Number, name and remarks of each row."""
    return [(row.row, row.name, codes(row.remarks)) for row in rows]


def test_second_row_of_one_conference_is_refused_and_names_the_first() -> None:
    other = row_with(name="PyCon FR")

    found = read(as_json(ROW, other, row_with(url="http://pycon.de"), 7))

    assert list(map(type, found)) == [Taken, Taken, Refused, Refused]
    assert outline(found) == [
        (1, "PyCon DE", []),
        (2, "PyCon FR", []),
        (3, "PyCon DE", [(Code.DUPLICATE, "name")]),
        (4, "", [(Code.NOT_AN_OBJECT, "")]),
    ]
    assert found[2].remarks[0].sentence == "This is the same event as row 1."


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_says_the_same_as_json(mark: bytes) -> None:
    rows: list[Mapping[str, object]] = [
        ROW,
        row_with(name='A, "B"\nC', city="Goa", country="India"),
    ]

    from_csv = taken(mark + as_csv(rows), Form.CSV)

    from_json = taken(as_json(*rows))
    assert [(row.event, row.remarks) for row in from_csv] == [
        (row.event, row.remarks) for row in from_json
    ]
    assert from_csv[0].event.tags == ("python", "data")
    assert outline([*from_csv]) == [
        (2, "PyCon DE", []),
        (3, 'A, "B" C', [(Code.TEXT_TIDIED, "name"), (Code.CITY_STAND_IN, "city")]),
    ]


def test_csv_row_with_cells_beyond_the_columns_is_refused() -> None:
    data = b"startDate,name,\r\n2026-04-14,PyCon,\r\n\r\n2026-04-15,Rust,Nation\r\n2026-04-16\r\n"

    found = read(data, Form.CSV)

    assert list(map(type, found)) == [Taken, Refused, Refused]
    assert [(row, name) for row, name, _ in outline(found)] == [(2, "PyCon"), (4, "Rust"), (5, "")]
    assert [codes(row.remarks) for row in found[1:]] == [
        [(Code.TOO_MANY_CELLS, "")],
        [(Code.NAME_MISSING, "name")],
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
        files.read(data, Form.JSON)

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
        files.read(data, Form.CSV)

    assert [(error.field, error.code) for error in caught.value.fields] == [("file", code)]


def test_sample_has_no_row_that_is_lost(sample: list[Taken]) -> None:
    rows = [row.row for row in sample]

    assert rows == list(range(1, 6_008))
    assert len({row.key for row in sample}) == 6_007


def test_sample_has_coordinates_for_every_city_known(sample: list[Taken]) -> None:
    places = [row.event.place for row in sample if row.event.place != PlaceDraft()]

    assert len(places) == 4_916
    assert sum(place.latitude is not None for place in places) == 4_906
    assert sum(place.country_code is not None for place in places) == 4_916
    assert len({row.event.timezone for row in sample}) == 123


def test_sample_as_csv_reads_the_same(sample: list[Taken]) -> None:
    rows = json.loads(shipped())[:400]

    found = taken(as_csv(rows), Form.CSV)

    assert [row.event for row in found] == [row.event for row in sample[:400]]


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
        for column in conferences.FIELDS
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ROWS | JSON_VALUES, max_size=4))
def test_json_rows_whatever_they_hold_are_taken_or_refused(rows: list[object]) -> None:
    found = read(as_json(*rows))

    assert [row.row for row in found] == list(range(1, len(rows) + 1))
    assert all(row.remarks for row in found if isinstance(row, Refused))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.text(max_size=8), min_size=1, max_size=5), max_size=4))
def test_csv_records_whatever_they_hold_are_taken_or_refused(records: list[list[str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written).writerows([["name", "startDate", "city"], *records])

    found = read(written.getvalue().encode("utf-8", "replace"), Form.CSV)

    filled = [number for number, cells in enumerate(records, start=2) if any(cells)]
    assert [row.row for row in found] == filled
    assert all(row.remarks for row in found if isinstance(row, Refused))
