"""Keyset pages: signed cursors that belong to one query. Knows no table."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from turnout.errors import FieldError, Invalid

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
_MAC_BYTES = 12

Key = tuple[str | int | None, ...]
"""The position after which a page begins: the values it is sorted by, as JSON can hold them."""


class InvalidCursor(Invalid):
    """The cursor was changed, or belongs to another query or caller."""

    code = "invalid-cursor"
    title = "The cursor does not belong to this query"
    explanation = (
        "A cursor continues the query that gave it: the same path, filters, order and caller. "
        "This one was changed on the way or belongs to another. Start again without `cursor`."
    )


@dataclass(frozen=True, slots=True)
class Cursors:
    """Writes and reads the cursors of one installation; `secret` signs them."""

    secret: bytes

    def write(self, query: str, key: Key) -> str:
        """The cursor that continues `query` after `key`."""
        payload = orjson.dumps(key)
        return urlsafe_b64encode(self._mac(query, payload) + payload).decode().rstrip("=")

    def read(self, query: str, cursor: str) -> Key:
        """The key in `cursor`. Raises InvalidCursor unless `write` made it for the same query."""
        try:
            raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except ValueError:
            raise _refused() from None
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        canonical = urlsafe_b64encode(raw).decode().rstrip("=")
        if canonical != cursor or not hmac.compare_digest(mac, self._mac(query, payload)):
            raise _refused()
        return tuple(orjson.loads(payload))

    def _mac(self, query: str, payload: bytes) -> bytes:
        message = b"cursor\0" + query.encode() + b"\0" + payload
        return hmac.digest(self.secret, message, hashlib.sha256)[:_MAC_BYTES]


def key_of(*values: datetime | UUID | str | int) -> Key:
    """The values as a cursor holds them: instants in ISO 8601, ids as text."""
    return tuple(
        value.isoformat() if isinstance(value, datetime)
        else str(value) if isinstance(value, UUID)
        else value
        for value in values
    )  # fmt: skip


def _refused() -> InvalidCursor:
    message = "This cursor does not belong to this query; start again without it."
    return InvalidCursor(message, fields=(FieldError("cursor", "invalid-cursor", message),))
