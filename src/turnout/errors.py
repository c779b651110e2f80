"""The six kinds of error that features raise, with no HTTP inside; a door gives each its status.

A feature subclasses a kind for each thing that can go wrong. The class carries the stable `code`,
a `title`, and the `explanation` that the page `/problems/<code>` shows; the raised instance
carries the sentence for the person who is waiting.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

Member = str | int | bool | datetime | None
"""What an error may add to its answer beside the standard members."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that was refused: where (`slots.0.end_time`), a stable code, and why."""

    field: str
    code: str
    message: str


class TurnoutError(Exception):
    """What every error of the product's own has; never raised as it is."""

    code: ClassVar[str]
    title: ClassVar[str]
    explanation: ClassVar[str]

    def __init__(
        self, detail: str = "", *, fields: tuple[FieldError, ...] = (), **members: Member
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.fields = fields
        self.members = members


class NotFound(TurnoutError):
    """There is no such thing, or the caller may not know that there is."""

    code = "not-found"
    title = "There is nothing here"
    explanation = (
        "The address does not exist, or it names something that you may not see. "
        "Check the id, and sign in if the thing is yours."
    )


class Conflict(TurnoutError):
    """The request is fine, but the present state refuses it."""


class Invalid(TurnoutError):
    """What was sent breaks a rule; `fields` says where."""

    code = "validation-error"
    title = "Something in the request is not valid"
    explanation = (
        "One or more fields were refused. The member `errors` names each field, a stable code "
        "and the reason. Correct them and send the request again."
    )


class NotAllowed(TurnoutError):
    """The caller may see the thing but not do this to it."""

    code = "not-allowed"
    title = "You may not do this"
    explanation = (
        "You are known, and you may see this, but your role does not allow what you asked for. "
        "Ask its organizer, or an administrator."
    )


class NotSignedIn(TurnoutError):
    """No credential was sent where one is needed, or it does not count."""

    code = "unauthenticated"
    title = "Sign in first"
    explanation = (
        "This needs a valid credential in the Authorization header, and none was sent or the one "
        "that was sent does not count (any more)."
    )


class TooMany(TurnoutError):
    """The caller, or everyone together, asks faster than can be answered."""

    retry_after_seconds: ClassVar[int] = 1


class Unready(TooMany):
    """The server cannot do it now, whoever asks: its own limit, or that of someone it needs."""


KINDS: tuple[type[TurnoutError], ...] = (
    NotFound,
    Conflict,
    Invalid,
    NotAllowed,
    NotSignedIn,
    TooMany,
)


def every_error() -> Iterator[type[TurnoutError]]:
    """Each error class that has a code of its own, for the reference and the problem pages."""
    waiting: list[type[TurnoutError]] = [*KINDS]
    seen: set[str] = set()
    while waiting:
        error = waiting.pop(0)
        waiting.extend(error.__subclasses__())
        if "code" in vars(error) and error.code not in seen:
            seen.add(error.code)
            yield error
