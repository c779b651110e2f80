"""What mails tell, as it was found when they are written. Pure: no words, and no table."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from turnout.notifications.kinds import MailKind


@dataclass(frozen=True, slots=True)
class EventFacts:
    """An event as mails and their calendars show it: its columns by their names, and no seats.

    Hashable, as what is written of it is kept: most mailings are about one event.
    """

    id: UUID
    slug: str
    name: str
    description: str
    location: str
    timezone: str
    start_at: datetime
    end_at: datetime
    status: str
    visibility: str
    place_name: str | None
    place_address: str | None
    place_city: str | None
    place_country: str | None
    place_latitude: float | None
    place_longitude: float | None
    online_url: str | None
    tags: tuple[str, ...]
    sequence: int
    cancel_reason: str | None
    organizer_id: UUID
    organizer_name: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a mail goes to. `person` is the canonical address, `zone` that of their profile."""

    address: str
    name: str
    person: str
    zone: str | None
    has_account: bool


@dataclass(frozen=True, slots=True)
class Seat:
    """A registration. `position` is that on the waitlist, 1 being next."""

    id: UUID
    name: str
    status: str
    position: int | None
    manage_token_hash: bytes | None
    updated_at: datetime
    is_seated_again: bool
    """Whether the same person has another registration for the event that counts."""


@dataclass(frozen=True, slots=True)
class Seats:
    """How many seats are taken, and of how many; None for room for everyone."""

    taken: int
    capacity: int | None


@dataclass(frozen=True, slots=True)
class Before:
    """What an event was: all of it, whether or not it is another now."""

    name: str
    location: str
    timezone: str
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True)
class Words:
    """An organizer's own words for a kind of mail: the subject, and Markdown, with placeholders."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class EventNews:
    """Something about an event."""

    event: EventFacts
    seat: Seat | None = None
    """The reader's; of registration-received the one that was taken."""
    seats: Seats | None = None
    before: Before | None = None
    words: Words | None = None
    moved_up: bool = False
    by: str | None = None
    role: str | None = None
    occurrences: int = 1
    """How many events of a series were made at once."""


@dataclass(frozen=True, slots=True)
class WebhookNews:
    """A webhook that was switched off, where it called, and why."""

    id: str
    host: str
    reason: str


@dataclass(frozen=True, slots=True)
class AccountNews:
    """Something about an account."""

    account_email: str
    link_id: UUID | None = None
    link_expires_at: datetime | None = None
    what: str | None = None
    role: str | None = None
    client: str | None = None
    client_address: str | None = None
    signed_in_at: datetime | None = None
    webhook: WebhookNews | None = None


News: TypeAlias = EventNews | AccountNews


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one mail is made of."""

    delivery_id: UUID
    kind: MailKind
    reader: Reader
    news: News
