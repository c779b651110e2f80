"""What an answer of a webhook means, and when a call is tried again. Pure.

The times are those that Standard Webhooks recommends, which stretch over three days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after each try the next one comes; after the last one there is none."""
SPREAD = 0.2
"""By how much of itself a wait may be longer: what failed together does not come back together."""
LONGEST_WAIT = timedelta(days=1)
"""For which a receiver may ask by Retry-After."""
_BUSY = frozenset((429, 503))
_GONE = 410


class Meaning(StrEnum):
    """What a try was good for."""

    DONE = "done"
    FAILED = "failed"
    """This message was refused; another may be taken."""
    AWAY = "away"
    """Nothing will be taken now, whatever the message."""
    GONE = "gone"
    """The receiver wants to hear nothing any more."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One try: what it meant, what the log says of it, and how long the receiver asks to wait."""

    meaning: Meaning
    status: int | None
    error: str | None
    wait: timedelta = timedelta(0)


def of_answer(status: int, headers: Mapping[str, str], now: datetime) -> Tried:
    """What an answer with that status and these headers (by names in lower case) means."""
    if 200 <= status < 300:
        return Tried(Meaning.DONE, status, None)
    error = f"Answered {status}."
    if 300 <= status < 400:
        error = f"Answered {status}; redirects are not followed."
    if status == _GONE:
        return Tried(Meaning.GONE, status, error)
    if status in _BUSY:
        wait = retry_after(headers.get("retry-after", ""), now)
        return Tried(Meaning.AWAY, status, error, wait)
    return Tried(Meaning.AWAY if status >= 500 else Meaning.FAILED, status, error)


def of_silence(error: str) -> Tried:
    """What it means that there was no answer, for which `error` has a reason."""
    return Tried(Meaning.AWAY, None, error)


def retry_after(text: str, now: datetime) -> timedelta:
    """How long to wait by a Retry-After (RFC 9110, 10.2.3), a day at most; nothing for no text."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        # Digits without end are no number that Python reads.
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return timedelta(0)
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max(at - now, timedelta(0)), LONGEST_WAIT)


def next_try(tries: int, wait: timedelta, now: datetime, chance: float) -> datetime | None:
    """When a call that has failed `tries` times is made again, or None if it is not.

    Not before the receiver's `wait` is over. `chance` is a random number from 0 to 1.
    """
    if tries > len(RETRIES):
        return None
    delay = max(RETRIES[tries - 1], wait)
    return now + delay * (1 + SPREAD * chance)
