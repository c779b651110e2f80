"""What goes into the gate and what comes out of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from turnout.accounts.actor import Actor
from turnout.audit.audit import Cause
from turnout.events.queries import EventBrief
from turnout.idempotency.idempotency import Answer, Claim
from turnout.registrations.models import Status


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration as it stands in the database."""

    id: UUID
    event_id: UUID
    name: str
    email: str
    status: Status
    waitlist_position: int | None
    checked_in_at: datetime | None
    created_at: datetime
    updated_at: datetime
    answers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seated:
    """A new registration, and the token with which a guest manages it: shown once."""

    registration: Registered
    manage_token: str | None
    event_timezone: str


Render = Callable[[Seated], Answer]
"""Turns the outcome into what will be answered, so that it can be kept for a repeated request."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One person who wants a seat at one event."""

    event_id: UUID
    name: str
    email: str
    person: str
    """The canonical address: what makes two wishes those of one person."""
    actor: Actor
    cause: Cause
    render: Render
    claim: Claim | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def account_id(self) -> UUID | None:
        """The account that gets the seat: the caller's, if the address is the account's own."""
        is_own = self.actor.is_account and self.person == self.actor.person
        return self.actor.user_id if is_own else None


@dataclass(frozen=True, slots=True)
class Held:
    """A registration with what rules and answers need beside it."""

    registration: Registered
    account_id: UUID | None
    person: str
    event: EventBrief
    event_end: datetime

    @property
    def id(self) -> UUID:
        """The registration's id."""
        return self.registration.id
