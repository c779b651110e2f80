"""The token behind "no more mails like this": whose address, and which kind. Pure.

Sealed, so that a link that is passed on or logged tells nobody's address.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from turnout.accounts.opaque import Seals
from turnout.notifications.kinds import CHOICES, MailKind

_PURPOSE = b"unsubscribe"


def token_of(seals: Seals, email_canonical: str, kind: MailKind) -> str:
    """A URL-safe text that `read` understands; another each time, and all of them count."""
    sealed = seals.seal(_PURPOSE, f"{kind}\n{email_canonical}".encode())
    return urlsafe_b64encode(sealed).decode().rstrip("=")


def read(seals: Seals, token: str) -> tuple[str, MailKind] | None:
    """The canonical address and the kind, or None for anything that `token_of` did not make."""
    try:
        sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError:
        return None
    plain = seals.unseal(_PURPOSE, sealed)
    if plain is None:
        return None
    kind, _, email_canonical = plain.decode().partition("\n")
    known = next((each for each in CHOICES if each.value == kind), None)
    return None if known is None else (email_canonical, known)
