"""The code on a ticket: derived, so that a copy of the database holds none."""

from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

_CODE_BYTES = 10
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


@dataclass(frozen=True, slots=True)
class Tickets:
    """Makes the ticket codes of one installation; `secret` must never change."""

    secret: bytes

    def code(self, registration_id: UUID) -> str:
        """16 characters of Crockford's base 32 (80 bits), the same for the same registration."""
        mac = blake2b(
            registration_id.bytes,
            key=self.secret[:64],
            digest_size=_CODE_BYTES,
            person=b"turnout ticket",
        )
        number = int.from_bytes(mac.digest(), "big")
        return "".join(_PAIRS[number >> shift & 1023] for shift in _SHIFTS)


_SHIFTS = range(_CODE_BYTES * 8 - 10, -1, -10)
