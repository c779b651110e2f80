"""What a request says of a registration, and what an answer says. Knows no HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from turnout.events import times
from turnout.fields import EmailText, Input, Line
from turnout.registrations.models import Status
from turnout.registrations.records import Registered
from turnout.registrations.tickets import Tickets


class RegisterIn(Input):
    """Who wants a seat. Whoever is signed in may leave both out: then it is they themselves."""

    name: Annotated[str, Line(200), Field(examples=["Ada Lovelace"])] | None = None
    email: Annotated[EmailText, Field(examples=["ada@example.com"])] | None = None


class RegistrationChangeIn(Input):
    """What to change of a registration."""

    name: Annotated[str, Line(200), Field(examples=["Ada King"])]


@dataclass(frozen=True, slots=True)
class DoorRegistrationOut:
    """A registration as the people at the door see it. Times are in the display zone."""

    id: UUID
    event_id: UUID
    name: str
    status: Status
    waitlist_position: Annotated[int | None, Field(description="1 is next.")]
    checked_in_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class RegistrationOut:
    """A registration. Times are in the display zone."""

    id: UUID
    event_id: UUID
    name: str
    email: str
    status: Status
    waitlist_position: Annotated[int | None, Field(description="1 is next.")]
    ticket_code: Annotated[str, Field(examples=["7K3F9Q2MZX4T8B1C"])]
    checked_in_at: datetime | None
    created_at: datetime
    updated_at: datetime
    answers: Annotated[
        Mapping[str, Any], Field(description="Answers to the organizer's questions.")
    ]


@dataclass(frozen=True, slots=True)
class NewRegistrationOut(RegistrationOut):
    """A new registration, with what is told only once."""

    manage_token: Annotated[
        str | None,
        Field(description="With it a guest manages this registration; shown this once."),
    ]


@dataclass(frozen=True, slots=True)
class AttendeePage:
    """A page of an event's registrations, in the order they were made.

    The people at the door see names, but neither addresses nor ticket codes.
    """

    items: Sequence[RegistrationOut | DoorRegistrationOut]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class RegistrationPage:
    """A page of one's own registrations, the newest first."""

    items: list[RegistrationOut]
    next_cursor: str | None


def registration_out(registration: Registered, tickets: Tickets, zone: str) -> RegistrationOut:
    """The registration as it is answered, its times in `zone`."""
    return RegistrationOut(**_values(registration, tickets, zone))


def door_out(registration: Registered, zone: str) -> DoorRegistrationOut:
    """The registration as the people at the door see it, its times in `zone`."""
    checked_in = registration.checked_in_at
    return DoorRegistrationOut(
        registration.id,
        registration.event_id,
        registration.name,
        registration.status,
        registration.waitlist_position,
        None if checked_in is None else times.shown(checked_in, zone),
        times.shown(registration.created_at, zone),
        times.shown(registration.updated_at, zone),
    )


def new_registration_out(
    registration: Registered, manage_token: str | None, tickets: Tickets, zone: str
) -> NewRegistrationOut:
    """The new registration as it is answered, once, with its guest's token."""
    return NewRegistrationOut(**_values(registration, tickets, zone), manage_token=manage_token)


def _values(registration: Registered, tickets: Tickets, zone: str) -> dict[str, Any]:
    checked_in = registration.checked_in_at
    return {
        "id": registration.id,
        "event_id": registration.event_id,
        "name": registration.name,
        "email": registration.email,
        "status": registration.status,
        "waitlist_position": registration.waitlist_position,
        "ticket_code": tickets.code(registration.id),
        "checked_in_at": None if checked_in is None else times.shown(checked_in, zone),
        "created_at": times.shown(registration.created_at, zone),
        "updated_at": times.shown(registration.updated_at, zone),
        "answers": registration.answers,
    }
