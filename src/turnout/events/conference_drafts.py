"""What a list of conferences is read into: drafts, refusals and notes; it must not know files."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from turnout.events.drafts import PlaceDraft


class Code(StrEnum):
    """What was changed in a row, guessed or not understood, or why it was refused."""

    # Notes: the row is taken.
    TEXT_TIDIED = "text-tidied"
    TEXT_CUT = "text-cut"
    FIELD_IGNORED = "field-ignored"
    LINK_MISSING = "link-missing"
    LINK_NOT_HTTP = "link-not-http"
    LINK_TOO_LONG = "link-too-long"
    LINK_ESCAPED = "link-escaped"
    ONLINE_UNCLEAR = "online-unclear"
    TOPICS_UNCLEAR = "topics-unclear"
    TOPIC_REPEATED = "topic-repeated"
    TOPICS_CUT = "topics-cut"
    CFP_DATE_UNCLEAR = "cfp-date-unclear"
    END_DATE_MISSING = "end-date-missing"
    HYBRID = "hybrid"
    ONLINE_IN_UTC = "online-in-utc"
    PLACE_MISSING = "place-missing"
    CITY_MISSING = "city-missing"
    CITY_UNKNOWN = "city-unknown"
    CITY_OTHER_NAME = "city-other-name"
    CITY_STAND_IN = "city-stand-in"
    CITY_IN_PART = "city-in-part"
    CITY_AMBIGUOUS = "city-ambiguous"
    COUNTRY_MISSING = "country-missing"
    COUNTRY_UNKNOWN = "country-unknown"
    ZONE_GUESSED = "zone-guessed"

    # Reasons: the row is refused.
    NOT_AN_OBJECT = "not-an-object"
    NOT_TEXT = "not-text"
    TOO_MANY_CELLS = "too-many-cells"
    NAME_MISSING = "name-missing"
    DATE_MISSING = "date-missing"
    DATE_INVALID = "date-invalid"
    DATE_OUT_OF_RANGE = "date-out-of-range"
    END_BEFORE_START = "end-before-start"
    TOO_LONG = "too-long"
    NO_SUCH_TIME = "no-such-time"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to know about a row: its stable code, the field as the file names it, and why."""

    code: Code
    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ConferenceDraft:
    """A conference, ready to become an event.

    `row` counts from 1 (in CSV the header is row 1, as spreadsheets number it). `description` is
    Markdown. `start_local` and `end_local` are naive wall clocks of `timezone`, both existing
    there. `place` has the city and country as typed, and coordinates where the city is known.
    `import_key` is 64 hexadecimal digits, the same for the same conference in every file.
    """

    row: int
    name: str
    description: str
    location: str
    timezone: str
    start_local: datetime
    end_local: datetime
    online_url: str | None
    place: PlaceDraft | None
    tags: tuple[str, ...]
    import_key: str
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot be taken: its number, the name as far as it can be read, and why."""

    row: int
    name: str
    reasons: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole file: each of its rows is in one of the two, in the order of the file."""

    drafts: tuple[ConferenceDraft, ...]
    refused: tuple[Refused, ...]

    def counts(self) -> dict[Code, int]:
        """How often each code occurs among notes and reasons, the most frequent first."""
        notes = [note.code for draft in self.drafts for note in draft.notes]
        reasons = [reason.code for row in self.refused for reason in row.reasons]
        return dict(Counter(notes + reasons).most_common())


class Findings:
    """What comes to light while one row is read; a row with a reason against it is refused."""

    __slots__ = ("notes", "reasons")

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.reasons: list[Note] = []

    def note(self, code: Code, field: str, sentence: str) -> None:
        """Keep in mind what was changed or guessed."""
        self.notes.append(Note(code, field, sentence))

    def refuse(self, code: Code, field: str, sentence: str) -> None:
        """Keep in mind why the row cannot be taken; reading goes on, to find every reason."""
        self.reasons.append(Note(code, field, sentence))
