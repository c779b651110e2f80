"""What a mail tells the calendar of one person (iMIP, RFC 6047): come, or do not come. Pure.

The entry is the one of the feeds under the same UID. A person's calendar takes it as an update of
the other by SEQUENCE, and where that is the same, by DTSTAMP (RFC 5546, 2.1.5).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from turnout.discovery import ical

_BEGIN = b"BEGIN:VEVENT\r\n"
KEPT = 64
"""How many events are kept as they are written: a mailing to many is about one."""


class Method(StrEnum):
    """What the calendar of the attendee is to do."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class Party:
    """Someone by their address and name."""

    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who tells whom what; `stamp` is when it came to be true (aware)."""

    method: Method
    organizer: Party
    attendee: Party
    stamp: datetime


def calendar(row: Any, base_url: str, invitation: Invitation) -> bytes:
    """A calendar of one event and one attendee. `row` has an event's columns, and is hashable."""
    before, entry = _frame(row, base_url, invitation.method, invitation.organizer)
    stamp = f"DTSTAMP:{invitation.stamp.astimezone(UTC):%Y%m%dT%H%M%SZ}\r\n".encode()
    return b"".join((before, _BEGIN, stamp, _attendee(invitation.attendee), entry, ical.END))


@lru_cache(KEPT)
def _frame(row: Any, base_url: str, method: Method, organizer: Party) -> tuple[bytes, bytes]:
    """What is the same for all who are told: up to the entry, and the entry from its second line.

    The library takes a millisecond for it.
    """
    status = "CANCELLED" if method is Method.CANCEL else None
    entry = ical.unsigned(row, base_url, status=status)
    entry.add("organizer", ical.named(_uri(organizer.address), organizer.name), encode=False)
    written: bytes = entry.to_ical()
    return ical.head(method=method) + ical.zones([ical.used(row)]), written.removeprefix(_BEGIN)


def _attendee(attendee: Party) -> bytes:
    from icalendar.parser import Contentline  # heavy: see ical

    address = ical.named(_uri(attendee.address), attendee.name)
    address.params.update({"PARTSTAT": "ACCEPTED", "ROLE": "REQ-PARTICIPANT", "RSVP": "FALSE"})
    line = Contentline.from_parts("ATTENDEE", address.params, address)
    return bytes(line.to_ical()) + b"\r\n"


def _uri(address: str) -> str:
    """RFC 6068: only what may stand there bare does."""
    return "mailto:" + quote(address, safe="@!$'*+-._~")
