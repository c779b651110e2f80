"""A conference as a list gives it, and ways to have it read, for the tests of conferences."""

import csv
import gzip
import io
import json
from collections.abc import Mapping
from importlib import resources

from turnout.events import conferences
from turnout.events.conference_drafts import Code, ConferenceDraft, Refused
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


def taken(raw: object) -> ConferenceDraft:
    draft = conferences.read_row(1, raw, gazetteer.load())
    assert isinstance(draft, ConferenceDraft), draft
    return draft


def refused(raw: object) -> Refused:
    answer = conferences.read_row(1, raw, gazetteer.load())
    assert isinstance(answer, Refused), answer
    return answer


def codes(draft: ConferenceDraft) -> list[tuple[Code, str]]:
    return [(note.code, note.field) for note in draft.notes]


def reasons(answer: Refused) -> list[tuple[Code, str]]:
    return [(reason.code, reason.field) for reason in answer.reasons]


def as_json(*rows: object) -> bytes:
    return json.dumps(rows).encode()


def as_csv(rows: list[Mapping[str, object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, conferences.COLUMNS)
    writer.writeheader()
    for row in rows:
        topics = row.get("topics")
        joined = ";".join(map(str, topics)) if isinstance(topics, list) else ""
        writer.writerow({**row, "topics": joined})
    return text.getvalue().encode()


def shipped() -> bytes:
    folder = resources.files("turnout.cli").joinpath("demo")
    return gzip.decompress(folder.joinpath("conferences.json.gz").read_bytes())
