"""Who may see and change an event: a predicate for one, a filter for many."""

from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_

from turnout.accounts.actor import Actor
from turnout.errors import NotAllowed, NotFound, NotSignedIn
from turnout.events.models import Event, Status, Visibility


class SomeEvent(Protocol):
    """What the rules need to know of an event."""

    @property
    def status(self) -> str:
        """One of Status."""
        ...

    @property
    def visibility(self) -> str:
        """One of Visibility."""
        ...

    @property
    def organizer_id(self) -> UUID:
        """The account that owns it."""
        ...


def may_create(actor: Actor) -> bool:
    """Whether the caller may have events of their own."""
    return actor.may_organize


def may_edit(actor: Actor, event: SomeEvent) -> bool:
    """Whether the event is the caller's, or the caller an administrator."""
    return actor.is_admin or (actor.may_organize and actor.user_id == event.organizer_id)


def may_see(actor: Actor, event: SomeEvent) -> bool:
    """Whether the caller may know that the event exists."""
    if event.status != Status.DRAFT and event.visibility != Visibility.PRIVATE:
        return True
    return may_edit(actor, event)


def listed_events() -> ColumnElement[bool]:
    """The filter of what everyone finds: published and public."""
    # In the words of the partial index ix_events_listed, or it would not be used.
    return and_(Event.status == Status.PUBLISHED, Event.visibility == Visibility.PUBLIC)


def require_creator(actor: Actor) -> None:
    """Raises NotSignedIn or NotAllowed unless the caller may have events of their own."""
    require_known(actor)
    if not may_create(actor):
        raise NotAllowed("Only organizers create events; ask an administrator to make you one.")


def require_known(actor: Actor) -> None:
    """Raises NotSignedIn for the anonymous."""
    if actor.is_anonymous:
        raise NotSignedIn


def require_visible(actor: Actor, event: SomeEvent | None) -> None:
    """Raises NotFound unless there is an event and the caller may know of it."""
    if event is None or not may_see(actor, event):
        raise NotFound
