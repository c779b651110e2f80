"""Files of events, JSON or CSV, to numbered rows and back; it must not know what a row means."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

import orjson

from turnout.errors import FieldError, Invalid

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""What a spreadsheet may take for a formula (OWASP, CSV injection), and what we put before it."""

_CALENDAR = b"BEGIN:VCALENDAR"
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class Form(StrEnum):
    """How rows are written down."""

    JSON = "json"
    CSV = "csv"
    ICS = "ics"
    """A calendar, whose entries are no rows: see `sources`."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it stands in the file.

    `number` counts from 1; in CSV the header is row 1, as spreadsheets number it. `content` is any
    JSON value, or the cells by their columns. `has_surplus` says that cells stand under no column.
    """

    number: int
    content: object
    has_surplus: bool = False


def form_of(name: str, data: bytes = b"[") -> Form:
    """The form of a file: what its name ends with, else what its first character looks like."""
    for form in Form:
        if name.lower().endswith(f".{form}"):
            return form
    begin = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if begin[: len(_CALENDAR)].upper() == _CALENDAR:
        return Form.ICS
    return Form.JSON if begin[:1] in b"[{" else Form.CSV


def read(data: bytes, form: Form) -> list[RawRow]:
    """The rows of a file of JSON or CSV (UTF-8, with or without a byte order mark).

    JSON is one list; CSV has commas, and a header with `name` and `startDate` or `startTime`, in
    any order. Raises Invalid about `file` when it is neither.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unusable("not-utf-8", "it is not in UTF-8; save it as “CSV UTF-8”") from error
    return _json_rows(text) if form is Form.JSON else _csv_rows(text)


def json_line(row: Mapping[str, object]) -> bytes:
    """The row as JSON on one line."""
    return orjson.dumps(row)


def csv_line(cells: Sequence[str]) -> bytes:
    """The cells as a line of CSV (RFC 4180), in which no spreadsheet finds a formula."""
    line = io.StringIO(newline="")
    csv.writer(line).writerow([_safe(cell) for cell in cells])
    return line.getvalue().encode()


def _json_rows(text: str) -> list[RawRow]:
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _unusable("not-json", f"it is not JSON: {error.msg} at {where}") from error
    except (ValueError, RecursionError) as error:
        raise _unusable("not-json", "it is JSON that cannot be read") from error
    if not isinstance(rows, list):
        raise _unusable("not-a-list", "it must hold one JSON list of events")
    return [RawRow(number, content) for number, content in enumerate(rows, start=1)]


def _csv_rows(text: str) -> list[RawRow]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        records = list(reader)
    except csv.Error as error:
        message = f"it is not CSV: line {reader.line_num} cannot be read ({error})"
        raise _unusable("not-csv", message) from error
    header = [cell.strip() for cell in records[0]] if records else []
    _check_header(header)
    return list(_records(header, records[1:]))


def _records(header: Sequence[str], records: Sequence[Sequence[str]]) -> Iterator[RawRow]:
    for number, cells in enumerate(records, start=2):
        if not any(cells):  # a blank line is no event
            continue
        pairs = list(zip_longest(header, map(_plain, cells), fillvalue=""))
        named = {column: cell for column, cell in pairs if column}
        yield RawRow(number, named, any(cell.strip() for column, cell in pairs if not column))


def _check_header(header: Sequence[str]) -> None:
    missing = [] if "name" in header else ["name"]
    missing += [] if {"startDate", "startTime"} & set(header) else ["startDate (or startTime)"]
    if missing:
        hint = _delimiter_hint(header) or f"missing: {', '.join(missing)}"
        raise _unusable("columns-missing", f"the first line must name the columns; {hint}")
    named = [column for column in header if column]
    if len(set(named)) < len(named):
        raise _unusable("column-repeated", "the first line names a column twice")


def _delimiter_hint(header: Sequence[str]) -> str:
    line = ",".join(header)
    for delimiter, plural in _OTHER_DELIMITERS.items():
        if "name" in (column.strip() for column in line.split(delimiter)):
            return f"they have {plural} between them: save the file with commas"
    return ""


def _safe(cell: str) -> str:
    is_formula = _FORMULA.match(cell) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if is_formula else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _unusable(code: str, message: str) -> Invalid:
    return Invalid(message, fields=(FieldError("file", code, message),))
