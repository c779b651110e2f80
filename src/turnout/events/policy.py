"""Who may see and change an event: a predicate for one, a filter for many."""

from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, true

from turnout.accounts.actor import Actor
from turnout.accounts.policy import refused
from turnout.errors import NotFound, NotSignedIn
from turnout.events.models import Event, Status, TeamMember, TeamRole, Visibility


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

    @property
    def team_role(self) -> str | None:
        """What the caller does in its team: one of TeamRole, or None."""
        ...


def may_create(actor: Actor) -> bool:
    """Whether the caller may have events of their own."""
    return actor.may_organize


def may_own(actor: Actor, event: SomeEvent) -> bool:
    """Whether the event is the caller's, or the caller an administrator."""
    return actor.is_admin or (actor.may_organize and actor.user_id == event.organizer_id)


def may_edit(actor: Actor, event: SomeEvent) -> bool:
    """Whether the caller may do with the event what its owner does from day to day."""
    return may_own(actor, event) or _is_in_team(actor, event, TeamRole.EDITOR)


def may_work_door(actor: Actor, event: SomeEvent) -> bool:
    """Whether the caller may see who comes and let them in."""
    return may_edit(actor, event) or _is_in_team(actor, event, TeamRole.DOOR)


def may_help(actor: Actor) -> bool:
    """Whether the caller's places in the teams of others' events count."""
    return not actor.must_enrol


def _is_in_team(actor: Actor, event: SomeEvent, role: TeamRole) -> bool:
    return event.team_role == role and may_help(actor)


def is_hidden(event: SomeEvent) -> bool:
    """Whether only those who work on the event may know that it exists."""
    return event.status == Status.DRAFT or event.visibility == Visibility.PRIVATE


def may_see(actor: Actor, event: SomeEvent) -> bool:
    """Whether the caller may know that the event exists."""
    return not is_hidden(event) or may_work_door(actor, event)


def listed_events() -> ColumnElement[bool]:
    """The filter of what everyone finds: published and public."""
    # In the words of the partial index ix_events_listed, or it would not be used.
    return and_(Event.status == Status.PUBLISHED, Event.visibility == Visibility.PUBLIC)


def met_events(actor: Actor) -> ColumnElement[bool]:
    """The filter of what the caller may come upon among others, without a link to it.

    That is what is public and no draft, and what they work on. An unlisted event is not shown to
    whoever knows another one of its series: its id is the secret by which it is seen.
    """
    if actor.is_admin:
        return true()
    ways = [and_(Event.status != Status.DRAFT, Event.visibility == Visibility.PUBLIC)]
    if actor.may_organize:
        ways.append(Event.organizer_id == actor.user_id)
    if actor.user_id is not None and may_help(actor):
        mine = TeamMember.event_id == Event.id, TeamMember.user_id == actor.user_id
        ways.append(exists().where(*mine))
    return or_(*ways)


def require_creator(actor: Actor) -> None:
    """Raises NotSignedIn or NotAllowed unless the caller may have events of their own."""
    require_known(actor)
    if not may_create(actor):
        detail = "Only organizers create events; ask an administrator to make you one."
        raise refused(actor, detail)


def require_known(actor: Actor) -> None:
    """Raises NotSignedIn for the anonymous."""
    if actor.is_anonymous:
        raise NotSignedIn


def require_visible(actor: Actor, event: SomeEvent | None) -> None:
    """Raises NotFound unless there is an event and the caller may know of it."""
    if event is None or not may_see(actor, event):
        raise NotFound


def require_editor(actor: Actor, event: SomeEvent | None) -> None:
    """Raises NotSignedIn, NotFound for what is hidden, NotAllowed for who may only look."""
    require_known(actor)
    require_visible(actor, event)
    if event is None or not may_edit(actor, event):
        raise refused(actor, "Only the organizers of the event may do this.")


def require_owner(actor: Actor, event: SomeEvent | None) -> None:
    """Raises NotAllowed for who does not own it, and what require_editor raises."""
    require_editor(actor, event)
    if event is None or not may_own(actor, event):
        raise refused(actor, "Only the owner of the event may do this.")
