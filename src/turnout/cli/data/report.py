"""What became of an import, for people or as JSON; it changes nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, assert_never

import orjson

from turnout.cli.data.importing import Outcome
from turnout.cli.data.records import Refused, Row, Skipped, Taken
from turnout.events import times
from turnout.events.conference_findings import Remark

MOST_REFUSALS = 20
"""How many refused rows are shown without being asked for."""


def as_text(outcome: Outcome, *, dry_run: bool, details: bool, unit: str = "row") -> Iterator[str]:
    """The lines of the summary; with `details` each remark on each row first.

    For a trial these also have each event that would be made. `unit` is what rows are counted by.
    """
    refused = sorted(outcome.refused, key=lambda each: each.row)
    if details:
        for row in _in_order(outcome):
            if dry_run and isinstance(row, Taken):
                yield _event(row, unit)
            yield from (_line(row, remark, _verdict(row), unit) for remark in row.remarks)
    else:
        shown = refused[:MOST_REFUSALS]
        yield from (_line(row, remark, "refused", unit) for row in shown for remark in row.remarks)
        if len(refused) > len(shown):
            more = f"{len(refused) - len(shown):,} more"
            yield f"... and {more}{' rows' if unit == 'row' else ''} refused; --details shows all"
    yield f"{'Would be taken' if dry_run else 'Taken'}: {len(outcome.taken):,}"
    yield f"Already there: {len(outcome.known):,}"
    yield f"Refused: {len(refused):,}"
    if outcome.skipped:
        yield f"Passed over: {len(outcome.skipped):,}"
    yield from _counted("Notes, by kind (--details shows each):", _notes(outcome))
    yield from _counted("Reasons of refusals:", _reasons(outcome))
    yield from _counted("Why others were passed over:", _counts(outcome.skipped))
    if dry_run:
        yield "This was a trial: nothing has been written."


def as_json(outcome: Outcome, *, dry_run: bool, details: bool) -> bytes:
    """The summary as one JSON object; with `details` every row that there is a remark on."""
    summary: dict[str, Any] = {
        "dry_run": dry_run,
        "taken": len(outcome.taken),
        "already_there": len(outcome.known),
        "refused": len(outcome.refused),
        "passed_over": len(outcome.skipped),
        "notes": _notes(outcome),
        "reasons": _reasons(outcome),
    }
    rows = _in_order(outcome)
    summary["rows"] = [
        {
            "row": row.row,
            "name": row.name,
            "refused": isinstance(row, Refused),
            "passed_over": isinstance(row, Skipped),
            "remarks": [
                {"code": each.code, "field": each.field, "sentence": each.sentence}
                for each in row.remarks
            ],
        }
        for row in rows
        if isinstance(row, Refused) or (details and row.remarks)
    ]
    return orjson.dumps(summary, option=orjson.OPT_INDENT_2) + b"\n"


def _in_order(outcome: Outcome) -> list[Row]:
    rows: list[Row] = [*outcome.taken, *outcome.known, *outcome.refused, *outcome.skipped]
    return sorted(rows, key=lambda each: each.row)


def _event(row: Taken, unit: str) -> str:
    event = row.event
    start, end = (times.shown(each.instant, event.timezone) for each in (event.start, event.end))
    when = f"{start.isoformat()} to {end.isoformat()} in {event.timezone}"
    return f"{unit} {row.row} ({row.name}): {when}"


def _verdict(row: Row) -> str:
    match row:
        case Refused():
            return "refused"
        case Skipped():
            return "passed over"
        case Taken():
            return "note"
        case _:
            assert_never(row)


def _line(row: Row, remark: Remark, verdict: str, unit: str) -> str:
    name = f" ({row.name})" if row.name else ""
    field = f" {remark.field}:" if remark.field else ""
    return f"{unit} {row.row}{name}, {verdict} {remark.code}:{field} {remark.sentence}"


def _notes(outcome: Outcome) -> dict[str, int]:
    return _counts([*outcome.taken, *outcome.known])


def _reasons(outcome: Outcome) -> dict[str, int]:
    return _counts(outcome.refused)


def _counts(rows: Iterable[Row]) -> dict[str, int]:
    return dict(Counter(str(each.code) for row in rows for each in row.remarks).most_common())


def _counted(title: str, counts: dict[str, int]) -> Iterator[str]:
    if counts:
        yield title
        width = max(map(len, counts))
        yield from (f"  {code:<{width}}  {count:>6,}" for code, count in counts.items())
