"""Signatures of webhooks, and the secrets they are made by: Standard Webhooks 1.0. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import binascii
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

PREFIX = "whsec_"
SHORTEST_BYTES, LONGEST_BYTES = 24, 64
_NEW_BYTES = 32


def new_secret() -> bytes:
    """A secret that nobody can guess."""
    return os.urandom(_NEW_BYTES)


def shown(secret: bytes) -> str:
    """A secret as it is handed to its owner."""
    return PREFIX + b64encode(secret).decode()


def read(text: str) -> bytes | None:
    """The secret that `shown` gives as this text, of 24 to 64 bytes; None for any other text."""
    try:
        secret = b64decode(text.removeprefix(PREFIX).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    is_ours = shown(secret) == text and SHORTEST_BYTES <= len(secret) <= LONGEST_BYTES
    return secret if is_ours else None


def signature(secret: bytes, message_id: str, seconds: int, body: bytes) -> str:
    """What only who knows the secret can say of the message; `seconds` are since 1970."""
    signed = f"{message_id}.{seconds}.".encode() + body
    return "v1," + b64encode(hmac.digest(secret, signed, "sha256")).decode()


def headers(
    secrets: Sequence[bytes], message_id: UUID, at: datetime, body: bytes
) -> dict[str, str]:
    """The headers of a call that is made at that time: one signature for each of the secrets."""
    seconds = int(at.timestamp())
    signatures = [signature(each, str(message_id), seconds, body) for each in secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": str(message_id),
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signatures),
    }
