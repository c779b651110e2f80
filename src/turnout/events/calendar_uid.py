"""The name under which calendars everywhere know an event (UID, RFC 5545, 3.8.4.7). Pure."""

from uuid import UUID

from turnout import ids

_ENDING = "@turnout"
"""No host: the name must outlive the address of the server. The id alone is unique (RFC 7986)."""


def uid(event_id: UUID) -> str:
    """The UID of an event: the same in every file and mail, on every server, for all time."""
    return f"{event_id}{_ENDING}"


def event_id_of(text: str) -> UUID | None:
    """The event that a UID names, or None for one that another program made."""
    return ids.parse_id(text.removesuffix(_ENDING)) if text.endswith(_ENDING) else None
