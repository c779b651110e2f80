"""What became of an import, for people or as JSON; it changes nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from turnout.cli.data.importing import Outcome
from turnout.cli.data.records import Refused, Taken
from turnout.events.conference_findings import Remark

MOST_REFUSALS = 20
"""How many refused rows are shown without being asked for."""


def as_text(outcome: Outcome, *, dry_run: bool, details: bool) -> Iterator[str]:
    """The lines of the summary; with `details` each remark on each row first."""
    refused = sorted(outcome.refused, key=lambda each: each.row)
    if details:
        for row in _in_order(outcome):
            verdict = "refused" if isinstance(row, Refused) else "note"
            yield from (_line(row, remark, verdict) for remark in row.remarks)
    else:
        shown = refused[:MOST_REFUSALS]
        yield from (_line(row, remark, "refused") for row in shown for remark in row.remarks)
        if len(refused) > len(shown):
            yield f"... and {len(refused) - len(shown):,} more rows refused; --details shows all"
    yield f"{'Would be taken' if dry_run else 'Taken'}: {len(outcome.taken):,}"
    yield f"Already there: {len(outcome.known):,}"
    yield f"Refused: {len(refused):,}"
    yield from _counted("Notes, by kind (--details shows each):", _notes(outcome))
    yield from _counted("Reasons of refusals:", _reasons(outcome))
    if dry_run:
        yield "This was a trial: nothing has been written."


def as_json(outcome: Outcome, *, dry_run: bool, details: bool) -> bytes:
    """The summary as one JSON object; with `details` every row that there is a remark on."""
    summary: dict[str, Any] = {
        "dry_run": dry_run,
        "taken": len(outcome.taken),
        "already_there": len(outcome.known),
        "refused": len(outcome.refused),
        "notes": _notes(outcome),
        "reasons": _reasons(outcome),
    }
    rows = _in_order(outcome)
    summary["rows"] = [
        {
            "row": row.row,
            "name": row.name,
            "refused": isinstance(row, Refused),
            "remarks": [
                {"code": each.code, "field": each.field, "sentence": each.sentence}
                for each in row.remarks
            ],
        }
        for row in rows
        if isinstance(row, Refused) or (details and row.remarks)
    ]
    return orjson.dumps(summary, option=orjson.OPT_INDENT_2) + b"\n"


def _in_order(outcome: Outcome) -> list[Taken | Refused]:
    rows: list[Taken | Refused] = [*outcome.taken, *outcome.known, *outcome.refused]
    return sorted(rows, key=lambda each: each.row)


def _line(row: Taken | Refused, remark: Remark, verdict: str) -> str:
    name = f" ({row.name})" if row.name else ""
    field = f" {remark.field}:" if remark.field else ""
    return f"row {row.row}{name}, {verdict} {remark.code}:{field} {remark.sentence}"


def _notes(outcome: Outcome) -> dict[str, int]:
    return _counts([*outcome.taken, *outcome.known])


def _reasons(outcome: Outcome) -> dict[str, int]:
    return _counts(outcome.refused)


def _counts(rows: Iterable[Taken | Refused]) -> dict[str, int]:
    return dict(Counter(str(each.code) for row in rows for each in row.remarks).most_common())


def _counted(title: str, counts: dict[str, int]) -> Iterator[str]:
    if counts:
        yield title
        width = max(map(len, counts))
        yield from (f"  {code:<{width}}  {count:>6,}" for code, count in counts.items())
