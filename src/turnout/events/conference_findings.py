"""What comes of reading a conference: an event or a refusal, and remarks; it knows no files."""

from dataclasses import dataclass
from enum import StrEnum

from turnout.events.drafts import EventDraft


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
class Remark:
    """One thing to know about a row: its stable code, the field as the file names it, and why."""

    code: str
    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Conference:
    """A conference as the event that it becomes, published and public, with its notes.

    The event's description is Markdown. Its place has the city and country as typed, and
    coordinates where the city is known. Its `import_key` is 64 hexadecimal digits, the same for
    the same conference in every file.
    """

    event: EventDraft
    notes: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """What cannot be taken for a conference: the name as far as it can be read, and why."""

    name: str
    reasons: tuple[Remark, ...]


class Findings:
    """What comes to light while one row is read; a row with a reason against it is refused."""

    __slots__ = ("notes", "reasons")

    def __init__(self) -> None:
        self.notes: list[Remark] = []
        self.reasons: list[Remark] = []

    def note(self, code: StrEnum, field: str, sentence: str) -> None:
        """Keep in mind what was changed or guessed."""
        self.notes.append(Remark(code, field, sentence))

    def refuse(self, code: StrEnum, field: str, sentence: str) -> None:
        """Keep in mind why the row cannot be taken; reading goes on, to find every reason."""
        self.reasons.append(Remark(code, field, sentence))
