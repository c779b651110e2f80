"""What a row of a file became: an event to take, or a refusal; it must not know files."""

from collections.abc import Mapping
from dataclasses import dataclass

from turnout.events.conference_findings import Remark
from turnout.events.conferences import LONGEST_NAME
from turnout.events.drafts import EventDraft
from turnout.registrations.service import AdmissionDraft


@dataclass(frozen=True, slots=True)
class Taken:
    """A row that can become an event; `event.import_key` is set, by which it is known again."""

    row: int
    event: EventDraft
    admission: AdmissionDraft
    remarks: tuple[Remark, ...] = ()

    @property
    def name(self) -> str:
        """The name of the event."""
        return self.event.name

    @property
    def key(self) -> str:
        """What makes the event this one, 64 characters at most; also found in an earlier import."""
        return self.event.import_key or ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot be taken: its name as far as it can be read, and every reason."""

    row: int
    name: str
    remarks: tuple[Remark, ...]


def name_in(given: Mapping[str, object]) -> str:
    """The name in a row that could not be read, as it can be shown on one line."""
    name = " ".join(str(given.get("name", "")).split())
    return "".join(filter(str.isprintable, name))[:LONGEST_NAME]
