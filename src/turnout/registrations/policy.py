"""Who may take a seat for whom, see an event's attendees, and change a registration."""

from typing import Protocol
from uuid import UUID

from turnout.accounts.actor import Actor
from turnout.accounts.policy import refused
from turnout.errors import NotFound, NotSignedIn
from turnout.events import policy
from turnout.events.policy import SomeEvent


class SomeRegistration(Protocol):
    """What the rules need to know of a registration."""

    @property
    def id(self) -> UUID:
        """Its id."""
        ...

    @property
    def account_id(self) -> UUID | None:
        """The account that holds it; guests have none."""
        ...

    @property
    def person(self) -> str:
        """The canonical address."""
        ...

    @property
    def event(self) -> SomeEvent:
        """What it is for."""
        ...


def may_seat(actor: Actor, person: str, event: SomeEvent) -> bool:
    """Whether the caller may take a seat for the person with that canonical address.

    Without an account everyone is a guest, whatever address they give; an account is one person,
    unless it edits the event.
    """
    return not actor.is_account or actor.person == person or policy.may_edit(actor, event)


def may_list(actor: Actor, event: SomeEvent) -> bool:
    """Whether the caller may see who comes."""
    return policy.may_work_door(actor, event)


def sees_addresses(actor: Actor, event: SomeEvent) -> bool:
    """Whether the caller may see more of who comes than their names."""
    return policy.may_edit(actor, event)


def require_lister(actor: Actor, event: SomeEvent | None) -> None:
    """Raises NotSignedIn for the anonymous, NotFound for whom the list is none of their business.

    To others it is not to be known whether the event exists, has attendees, or how many.
    """
    policy.require_known(actor)
    if event is None or not may_list(actor, event):
        raise NotFound


def is_own(actor: Actor, registration: SomeRegistration) -> bool:
    """Whether it is the caller's: by a guest's token, by the account, or by a verified address."""
    if actor.registration_id is not None:
        return actor.registration_id == registration.id
    if not actor.is_account:
        return False
    if registration.account_id is not None:
        return registration.account_id == actor.user_id
    return actor.is_verified and registration.person == actor.person


def may_change(actor: Actor, registration: SomeRegistration) -> bool:
    """Whether the caller may change or cancel it."""
    return is_own(actor, registration) or policy.may_edit(actor, registration.event)


def may_read(actor: Actor, registration: SomeRegistration) -> bool:
    """Whether the caller may know of it."""
    return is_own(actor, registration) or policy.may_work_door(actor, registration.event)


def require_known(actor: Actor) -> None:
    """Raises NotSignedIn for whoever has neither an account nor a guest's token."""
    if actor.is_anonymous and actor.registration_id is None:
        raise NotSignedIn


def require_changer(actor: Actor, registration: SomeRegistration) -> None:
    """Raises NotAllowed for whoever may only look at it."""
    if not may_change(actor, registration):
        raise refused(actor, "Only the attendee and the organizers of the event may do this.")
