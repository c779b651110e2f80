"""A calendar file taken apart (RFC 5545, 3.1 and 3.4): lines to components; it knows no meaning.

One broken entry must not cost the others, and no file may keep us busy for long: so components are
found here, where an entry ends at the latest where the next one begins, and the library reads
single lines alone. Its own reader makes a zone of each definition in the file first, and an
endless rule in one of them keeps it for ever.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from turnout.errors import FieldError, Invalid

MOST_BYTES = 32 * 1024 * 1024
MOST_DEPTH = 8
LONGEST_LINE = 200_000
"""Characters, of a property that is read."""

_KEPT: Mapping[str, frozenset[str]] = {
    "VCALENDAR": frozenset(("VERSION", "METHOD", "X-WR-TIMEZONE")),
    "VEVENT": frozenset(
        (
            *("UID", "SUMMARY", "DESCRIPTION", "LOCATION", "GEO", "CATEGORIES", "URL", "STATUS"),
            *("CLASS", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE"),
            *("RECURRENCE-ID", "SEQUENCE", "ATTENDEE", "CONFERENCE", "X-GOOGLE-CONFERENCE"),
            "X-MICROSOFT-SKYPETEAMSMEETINGURL",
        )
    ),
    "VTIMEZONE": frozenset(("TZID", "X-LIC-LOCATION")),
    "STANDARD": frozenset(("DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE")),
    "DAYLIGHT": frozenset(("DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE")),
    "VTODO": frozenset(("SUMMARY",)),
    "VJOURNAL": frozenset(("SUMMARY",)),
}
"""What is read of each component; all else is passed over unread."""
_ENTRIES = frozenset(("VEVENT", "VTODO", "VJOURNAL", "VTIMEZONE"))
"""Components that never stand inside one another."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property; `value` is as it was written, with its escapes."""

    line: int
    name: str
    parameters: Mapping[str, str]
    value: str


@dataclass(slots=True)
class Component:
    """What stands between BEGIN and END; `line` is that of its BEGIN."""

    name: str
    line: int
    properties: list[Property] = field(default_factory=list)
    parts: list["Component"] = field(default_factory=list)
    unclear: list[int] = field(default_factory=list)
    """The lines that are no property."""
    is_ended: bool = False

    def first(self, name: str) -> Property | None:
        """The first property of that name."""
        return next(self.all(name), None)

    def all(self, name: str) -> Iterator[Property]:
        """Every property of that name."""
        return (each for each in self.properties if each.name == name)

    def named(self, name: str) -> Iterator["Component"]:
        """Every part of that name."""
        return (each for each in self.parts if each.name == name)


def read(data: bytes) -> list[Component]:
    """The calendars in a file (UTF-8, with or without a byte order mark; LF will do).

    Raises Invalid about `file` when there is none, or when it is too large or too deep.
    """
    if len(data) > MOST_BYTES:
        limit = MOST_BYTES // 1024 // 1024
        raise _unusable("too-large", f"it is larger than {limit} MiB: split it")
    calendars: list[Component] = []
    stack: list[Component] = []
    for number, text in _unfolded(data.removeprefix(b"\xef\xbb\xbf")):
        keyword, _, rest = text.partition(":")
        keyword, name = keyword.strip().upper(), rest.strip().upper()
        if keyword == "BEGIN":
            _begin(Component(name, number), stack, calendars)
        elif keyword == "END":
            _end(name, stack)
        elif stack:
            _add(stack[-1], number, text)
    if not calendars:
        raise _unusable("not-icalendar", "it holds no calendar: no line says BEGIN:VCALENDAR")
    for calendar in calendars:
        version = calendar.first("VERSION")
        if version is not None and version.value.strip() == "1.0":
            sentence = "it is a vCalendar 1.0; export it as iCalendar (2.0)"
            raise _unusable("not-icalendar", sentence)
    return calendars


def _unfolded(data: bytes) -> Iterator[tuple[int, str]]:
    """Each line with its number, those put together that were folded.

    Before decoding: some programs fold within a character.
    """
    lines = io.BytesIO(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    begun, parts = 0, list[bytes]()
    for number, line in enumerate(lines, start=1):
        content = line.rstrip(b"\n")
        if content[:1] in (b" ", b"\t") and parts:
            parts.append(content[1:])
            continue
        if parts:
            yield begun, _decoded(b"".join(parts), begun)
        begun, parts = number, [content] if content.strip() else []
    if parts:
        yield begun, _decoded(b"".join(parts), begun)


def _decoded(line: bytes, number: int) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        sentence = f"line {number} is not in UTF-8; save the calendar as UTF-8"
        raise _unusable("not-utf-8", sentence) from error


def _begin(begun: Component, stack: list[Component], calendars: list[Component]) -> None:
    if begun.name in _ENTRIES:
        while stack and stack[-1].name != "VCALENDAR":
            stack.pop()  # without its END
    if begun.name == "VCALENDAR":
        stack.clear()
        calendars.append(begun)
    elif not stack:
        return
    elif begun.name in _KEPT:
        stack[-1].parts.append(begun)
    stack.append(begun)
    if len(stack) > MOST_DEPTH:
        sentence = f"components lie more than {MOST_DEPTH} deep in one another (line {begun.line})"
        raise _unusable("too-deep", sentence)


def _end(name: str, stack: list[Component]) -> None:
    if any(each.name == name for each in stack):
        while stack[-1].name != name:
            stack.pop()
        stack.pop().is_ended = True


def _add(component: Component, number: int, text: str) -> None:
    kept = _KEPT.get(component.name)
    if kept is None:
        return
    name = text.partition(":")[0].partition(";")[0].strip().upper()
    if name in kept:
        found = _property(number, name, text)
        if found is None:
            component.unclear.append(number)
        else:
            component.properties.append(found)
    elif not name.replace("-", "").replace("_", "").isalnum():
        component.unclear.append(number)


def _property(number: int, name: str, text: str) -> Property | None:
    from icalendar.parser import Contentline  # heavy: 10 MiB that a server does without

    if name == "ATTENDEE":  # that there are some is all we want to know
        return Property(number, name, {}, "")
    if len(text) > LONGEST_LINE:
        return None
    try:
        _, parameters, value = Contentline(text).raw_parts()  # type: ignore[no-untyped-call]  # as the library has it
    except ValueError:
        return None
    plain = {
        key.upper(): each if isinstance(each, str) else ",".join(each)
        for key, each in parameters.items()
    }
    return Property(number, name, plain, value)


def _unusable(code: str, message: str) -> Invalid:
    return Invalid(message, fields=(FieldError("file", code, message),))
