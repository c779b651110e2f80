"""Who may do what with accounts; other features build their own rules on these."""

from uuid import UUID

from turnout.accounts.actor import Actor
from turnout.accounts.errors import SecondFactorMissing
from turnout.errors import NotAllowed, NotSignedIn


def may_manage_users(actor: Actor) -> bool:
    """Whether the caller may see and change the accounts of others."""
    return actor.is_admin


def require_account(actor: Actor) -> UUID:
    """The account that is the caller's own. Raises NotSignedIn unless one signed in."""
    if not actor.is_account or actor.user_id is None:
        raise NotSignedIn
    return actor.user_id


def require_manager(actor: Actor) -> None:
    """Raises NotSignedIn or NotAllowed unless the caller is an administrator."""
    if actor.is_anonymous:
        raise NotSignedIn
    if not may_manage_users(actor):
        raise refused(actor, "Only administrators may do this.")


def refused(actor: Actor, detail: str) -> NotAllowed:
    """Why a caller who is known may not do something: what their role lacks, or `detail`."""
    if actor.must_enrol:
        return SecondFactorMissing()
    return NotAllowed(detail)
