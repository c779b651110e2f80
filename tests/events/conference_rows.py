"""A conference as a list gives it, and ways to have it read, for the tests of conferences."""

import csv
import gzip
import io
import json
from collections.abc import Mapping
from importlib import resources

from turnout.events import conferences
from turnout.events.conference_findings import Conference, Refused, Remark
from turnout.events.drafts import EventDraft
from turnout.places import gazetteer

ROW: dict[str, object] = {
    "name": "PyCon DE",
    "url": "https://pycon.de/",
    "startDate": "2026-04-14",
    "endDate": "2026-04-17",
    "city": "Darmstadt",
    "country": "Germany",
    "online": False,
    "topics": ["python", "data"],
    "cfpUrl": "https://pycon.de/cfp",
    "cfpEndDate": "2026-01-05",
}


def row_with(**changes: object) -> dict[str, object]:
    return ROW | changes


def taken(raw: object) -> tuple[EventDraft, tuple[Remark, ...]]:
    """The event that a conference became, and the notes on it."""
    found = conferences.read(raw, gazetteer.load())
    assert isinstance(found, Conference), found
    return found.event, found.notes


def refused(raw: object) -> tuple[Remark, ...]:
    """The reasons against a conference."""
    found = conferences.read(raw, gazetteer.load())
    assert isinstance(found, Refused), found
    return found.reasons


def codes(remarks: tuple[Remark, ...]) -> list[tuple[str, str]]:
    """Each remark's code and field."""
    return [(each.code, each.field) for each in remarks]


def as_json(*rows: object) -> bytes:
    return json.dumps(rows).encode()


def as_csv(rows: list[Mapping[str, object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, conferences.FIELDS)
    writer.writeheader()
    for row in rows:
        topics = row.get("topics")
        joined = ";".join(map(str, topics)) if isinstance(topics, list) else ""
        writer.writerow({**row, "topics": joined})
    return text.getvalue().encode()


def shipped() -> bytes:
    folder = resources.files("turnout.cli").joinpath("demo")
    return gzip.decompress(folder.joinpath("conferences.json.gz").read_bytes())
