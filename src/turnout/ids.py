"""Identifiers: UUIDv7 (RFC 9562), so that keys sort in the order they were made."""

import re
from uuid import UUID

import uuid_utils.compat

_CANONICAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_id() -> UUID:
    """A fresh UUIDv7; in one process each is greater than the one before."""
    fresh: UUID = uuid_utils.compat.uuid7()
    return fresh


def parse_id(text: str) -> UUID | None:
    """The id written canonically in `text` (lower case, hyphens), or None for any other text."""
    return UUID(text) if _CANONICAL.fullmatch(text) else None
