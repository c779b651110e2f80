"""What a row of a file became: an event to take, a refusal or neither; it must not know files."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from turnout.events.conference_findings import Code, Remark
from turnout.events.conferences import LONGEST_NAME
from turnout.events.drafts import EventDraft
from turnout.registrations.service import AdmissionDraft


@dataclass(frozen=True, slots=True)
class Taken:
    """A row that can become an event; `event.import_key` is set, by which it is known again.

    `row` is its number in the file: that of a row, or of the line where an entry begins.
    """

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


@dataclass(frozen=True, slots=True)
class Skipped:
    """What the file has that is not wanted as an event, and why."""

    row: int
    name: str
    remarks: tuple[Remark, ...]


Row = Taken | Refused | Skipped


def each_once(found: Iterable[Row], unit: str) -> Iterator[Row]:
    """The same, where an event that was there before is refused; `unit` is what is counted."""
    first: dict[str, int] = {}
    for each in found:
        if isinstance(each, Taken) and first.setdefault(each.key, each.row) != each.row:
            sentence = f"This is the same event as {unit} {first[each.key]}."
            yield Refused(each.row, each.name, (Remark(Code.DUPLICATE, "name", sentence),))
        else:
            yield each


def name_in(given: Mapping[str, object]) -> str:
    """The name in a row that could not be read, as it can be shown on one line."""
    name = " ".join(str(given.get("name", "")).split())
    return "".join(filter(str.isprintable, name))[:LONGEST_NAME]
