"""Who may see an event's attendees."""

from turnout.accounts.actor import Actor
from turnout.errors import NotFound
from turnout.events import policy
from turnout.events.policy import SomeEvent


def may_list(actor: Actor, event: SomeEvent) -> bool:
    """Whether the caller may see who comes."""
    return policy.may_edit(actor, event)


def require_lister(actor: Actor, event: SomeEvent | None) -> None:
    """Raises NotSignedIn for the anonymous, NotFound for whom the list is none of their business.

    To others it is not to be known whether the event exists, has attendees, or how many.
    """
    policy.require_known(actor)
    if event is None or not may_list(actor, event):
        raise NotFound
