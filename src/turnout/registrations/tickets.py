"""The code on a ticket: derived, so that a copy of the database holds none."""

import hashlib
import hmac
from base64 import b32encode
from dataclasses import dataclass
from uuid import UUID

_CODE_BYTES = 10
_CROCKFORD = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)


@dataclass(frozen=True, slots=True)
class Tickets:
    """Makes the ticket codes of one installation; `secret` must never change."""

    secret: bytes

    def code(self, registration_id: UUID) -> str:
        """16 characters of Crockford's base 32 (80 bits), the same for the same registration."""
        mac = hmac.digest(self.secret, b"ticket\0" + registration_id.bytes, hashlib.sha256)
        return b32encode(mac[:_CODE_BYTES]).translate(_CROCKFORD).decode()
