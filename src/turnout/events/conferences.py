"""Lists of conferences, JSON or CSV, read into drafts; it must not know the database or the clock.

The fields are those of the public tech-conferences collection: name, url, startDate, endDate,
city, country, online, topics, cfpUrl, cfpEndDate. Such lists give days and no times of day, and
hold what people typed. So every row is either taken, with a note on each thing that was changed,
guessed or not understood, or refused with its reasons.
"""

import csv
import hashlib
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from itertools import zip_longest

from turnout.errors import FieldError, Invalid
from turnout.events import times
from turnout.events.conference_cells import (
    read_date,
    read_deadline,
    read_flag,
    read_line,
    read_link,
    read_topics,
)
from turnout.events.conference_drafts import (
    Code,
    ConferenceDraft,
    Findings,
    Note,
    Reading,
    Refused,
)
from turnout.events.conference_places import read_where
from turnout.events.drafts import LONGEST_EVENT
from turnout.places.gazetteer import Gazetteer

DAY_STARTS, DAY_ENDS = time(9), time(18)
"""The wall clock of a conference day, where only dates are given; the end date is included."""

LONGEST_NAME = 200
LONGEST_CITY = 120

NEEDED_COLUMNS = ("name", "startDate")
COLUMNS = (
    *("name", "url", "startDate", "endDate", "city", "country", "online", "topics"),
    *("cfpUrl", "cfpEndDate"),
)


def read_json(data: bytes, gazetteer: Gazetteer) -> Reading:
    """The conferences in a JSON list of objects (UTF-8); row 1 is the first.

    Raises Invalid about `file` when it is not such a list; what is wrong within a row never raises.
    """
    try:
        rows = json.loads(_text(data))
    except (ValueError, RecursionError) as error:
        raise _unreadable("not-json", "The file is not JSON.") from error
    if not isinstance(rows, list):
        raise _unreadable("not-a-list", "The file must hold one JSON list of conferences.")
    return _reading(read_row(row, raw, gazetteer) for row, raw in enumerate(rows, start=1))


def read_csv(data: bytes, gazetteer: Gazetteer) -> Reading:
    """The conferences in a CSV file (UTF-8, commas; topics with `;` between); row 1 is the header.

    Columns may be left out but for `name` and `startDate`, and stand in any order. Raises Invalid
    about `file` when it is not such a file; what is wrong within a row never raises.
    """
    reader = csv.reader(io.StringIO(_text(data), newline=""), strict=True)
    try:
        records = list(reader)
    except csv.Error as error:
        message = f"The file is not CSV: line {reader.line_num} cannot be read."
        raise _unreadable("not-csv", message) from error
    header = [cell.strip() for cell in records[0]] if records else []
    _check_header(header)
    return _reading(
        _read_record(number, header, cells, gazetteer)
        for number, cells in enumerate(records[1:], start=2)
        if any(cells)  # a blank line is no conference
    )


def read_row(row: int, raw: object, gazetteer: Gazetteer) -> ConferenceDraft | Refused:
    """One conference from the object or record with that number; never raises."""
    findings = Findings()
    if not isinstance(raw, Mapping):
        findings.refuse(Code.NOT_AN_OBJECT, "", "This is not an object with fields.")
        return Refused(row, "", tuple(findings.reasons))
    _note_unknown_fields(raw, findings)
    name = read_line(raw.get("name"), "name", LONGEST_NAME, findings)
    if not name and not findings.reasons:
        findings.refuse(Code.NAME_MISSING, "name", "A conference needs a name.")
    draft = _draft(row, name, raw, gazetteer, findings)
    return draft or Refused(row, name, tuple(findings.reasons))


def _draft(
    row: int,
    name: str,
    raw: Mapping[str, object],
    gazetteer: Gazetteer,
    findings: Findings,
) -> ConferenceDraft | None:
    days = _read_days(raw, findings)
    city = read_line(raw.get("city"), "city", LONGEST_CITY, findings)
    country = read_line(raw.get("country"), "country", LONGEST_CITY, findings)
    is_online = read_flag(raw.get("online"), "online", findings)
    where = read_where(city, country, gazetteer, findings, is_online=is_online)
    url = read_link(raw.get("url"), "url", findings)
    if not raw.get("url"):
        findings.note(Code.LINK_MISSING, "url", "There is no link.")
    description = _description(url, raw, findings)
    topics = read_topics(raw.get("topics"), "topics", findings)
    start, end = _clocks(days, where.timezone, findings) if days else (None, None)
    if findings.reasons or start is None or end is None:
        return None
    return ConferenceDraft(
        row=row,
        name=name,
        description=description,
        location=where.location,
        timezone=where.timezone,
        start_local=start,
        end_local=end,
        online_url=url if is_online and where.place is None else None,
        place=where.place,
        tags=topics,
        import_key=_import_key(name, url or "", start.date().isoformat(), city),
        notes=tuple(findings.notes),
    )


def _read_days(raw: Mapping[str, object], findings: Findings) -> tuple[date, date] | None:
    known = len(findings.reasons)
    first = read_date(raw.get("startDate"), "startDate", findings)
    last = read_date(raw.get("endDate"), "endDate", findings)
    if len(findings.reasons) > known:
        return None
    if first is None:
        findings.refuse(Code.DATE_MISSING, "startDate", "A conference needs a start date.")
        return None
    if last is None:
        sentence = "There is no end date: it is taken to last one day."
        findings.note(Code.END_DATE_MISSING, "endDate", sentence)
        return first, first
    if last < first:
        # Swapping them would be a guess: as often it is the year that was mistyped.
        sentence = f"It ends on {last} and starts later, on {first}."
        findings.refuse(Code.END_BEFORE_START, "endDate", sentence)
        return None
    return first, last


def _clocks(
    days: tuple[date, date], zone: str, findings: Findings
) -> tuple[datetime, datetime] | tuple[None, None]:
    start, end = datetime.combine(days[0], DAY_STARTS), datetime.combine(days[1], DAY_ENDS)
    if end - start > LONGEST_EVENT:
        sentence = f"It would last longer than {LONGEST_EVENT.days} days."
        findings.refuse(Code.TOO_LONG, "endDate", sentence)
        return None, None
    try:
        times.wall_clock(start, zone, field="startDate")
        times.wall_clock(end, zone, field="endDate")
    except Invalid as error:  # Samoa left out a whole day, 30 December 2011
        field = error.fields[0].field
        findings.refuse(Code.NO_SUCH_TIME, field, error.fields[0].message)
        return None, None
    return start, end


def _description(url: str | None, raw: Mapping[str, object], findings: Findings) -> str:
    parts = [f"Website: <{url}>"] if url else []
    call = read_link(raw.get("cfpUrl"), "cfpUrl", findings)
    deadline = read_deadline(raw.get("cfpEndDate"), "cfpEndDate", findings)
    if call or deadline:
        until = f"until {deadline.isoformat()}" if deadline else ""
        at = f"<{call}>" if call else ""
        parts.append("Call for papers: " + ", ".join(each for each in (at, until) if each))
    return "\n\n".join(parts)


def _note_unknown_fields(raw: Mapping[str, object], findings: Findings) -> None:
    for field, value in raw.items():
        if field not in COLUMNS and value not in (None, "", []):
            shown = read_line(field, "", LONGEST_NAME, Findings())
            findings.note(Code.FIELD_IGNORED, shown, "This field is not known; it was left out.")


def _read_record(
    row: int, header: list[str], cells: list[str], gazetteer: Gazetteer
) -> ConferenceDraft | Refused:
    pairs = list(zip_longest(header, cells, fillvalue=""))
    named = {column: cell for column, cell in pairs if column}
    if any(cell.strip() for column, cell in pairs if not column):
        # Most likely a comma without quotes: every cell behind it would be under a wrong name.
        sentence = "The row has more cells than there are named columns."
        name = read_line(named["name"], "name", LONGEST_NAME, Findings())
        return Refused(row, name, (Note(Code.TOO_MANY_CELLS, "", sentence),))
    return read_row(row, named, gazetteer)


def _reading(rows: Iterable[ConferenceDraft | Refused]) -> Reading:
    read = list(_without_repetitions(rows))
    return Reading(
        drafts=tuple(each for each in read if isinstance(each, ConferenceDraft)),
        refused=tuple(each for each in read if isinstance(each, Refused)),
    )


def _without_repetitions(
    read: Iterable[ConferenceDraft | Refused],
) -> Iterator[ConferenceDraft | Refused]:
    """The same rows, but a conference that was there before refused, with the row it repeats."""
    first: dict[str, int] = {}
    for each in read:
        if isinstance(each, Refused):
            yield each
            continue
        row = first.setdefault(each.import_key, each.row)
        if row == each.row:
            yield each
        else:
            sentence = f"This is the same conference as row {row}."
            yield Refused(each.row, each.name, (Note(Code.DUPLICATE, "name", sentence),))


def _import_key(name: str, url: str, start: str, city: str) -> str:
    """SHA-256 over what makes a conference this one, without its accidents of spelling."""
    address = url.rstrip("/").partition("://")[2]  # http and https are one address
    identity = (_plain(name), _plain(address), start, _plain(city))
    return hashlib.sha256("\x1f".join(identity).encode()).hexdigest()


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _check_header(header: list[str]) -> None:
    missing = [column for column in NEEDED_COLUMNS if column not in header]
    if missing:
        message = f"The first line must name the columns; missing: {', '.join(missing)}."
        raise _unreadable("columns-missing", message)
    named = [column for column in header if column]
    if len(set(named)) < len(named):
        raise _unreadable("column-repeated", "The first line names a column twice.")


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable("not-utf-8", "The file is not in UTF-8.") from error


def _unreadable(code: str, message: str) -> Invalid:
    return Invalid(message, fields=(FieldError("file", code, message),))
