"""What comes of reading an entry of a calendar: an event, a refusal or neither; it knows no file.

Remarks name the property as the file does (DTSTART), and an entry the line on which it begins.
"""

from dataclasses import dataclass
from enum import StrEnum

from turnout.events.conference_findings import Remark
from turnout.events.drafts import EventDraft


class Code(StrEnum):
    """What was decided, left out or not understood in an entry, or why it was refused."""

    # Notes: the entry is taken.
    ZONE_GUESSED = "zone-guessed"
    ZONE_BY_OFFSET = "zone-by-offset"
    TIME_TWICE = "time-twice"
    TIME_SKIPPED = "time-skipped"
    END_MISSING = "end-missing"
    PLACE_MISSING = "place-missing"
    GEO_UNCLEAR = "geo-unclear"
    TEXT_CUT = "text-cut"
    UID_MISSING = "uid-missing"
    PEOPLE_LEFT_OUT = "people-left-out"
    TENTATIVE = "tentative"
    SERIES_CUT = "series-cut"
    RANGE_IGNORED = "range-ignored"

    # Reasons: the entry is refused.
    LINE_UNCLEAR = "line-unclear"
    NOT_ENDED = "not-ended"
    NAME_MISSING = "name-missing"
    START_MISSING = "start-missing"
    TIME_INVALID = "time-invalid"
    OUT_OF_RANGE = "time-out-of-range"
    ZONE_UNKNOWN = "zone-unknown"
    RULE_UNCLEAR = "rule-unclear"
    TOO_FREQUENT = "too-frequent"
    NO_OCCURRENCE = "no-occurrence"
    NEVER_COMES = "never-comes"
    DUPLICATE = "duplicate"

    # Neither: the entry is passed over.
    CANCELLED = "cancelled"
    NOT_AN_EVENT = "not-an-event"
    BEYOND_HORIZON = "beyond-horizon"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as the event that it becomes; of a series, each time has one of its own.

    The event's `import_key` is the same for the same entry, or time of a series, in every file.
    """

    line: int
    event: EventDraft
    notes: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """What cannot be taken: its name as far as it can be read, and why."""

    line: int
    name: str
    reasons: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """What is not wanted as an event: called off, a task, or too far ahead."""

    line: int
    name: str
    reasons: tuple[Remark, ...]


class Unreadable(Exception):
    """An entry that cannot be read any further, and the reason."""

    def __init__(self, code: Code, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.remark = Remark(code, field, sentence)
