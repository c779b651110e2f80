"""Who is calling, as every rule of authorization sees it. Knows no credential and no HTTP."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What an account may do at most."""

    ADMIN = "admin"
    ORGANIZER = "organizer"
    ATTENDEE = "attendee"


class Standing(StrEnum):
    """How the caller came to be who they are."""

    ANONYMOUS = "anonymous"
    OPEN = "open"
    """No credential, in open mode: acts as the built-in organizer."""
    ACCOUNT = "account"
    SYSTEM = "system"
    """The command line and the worker: whoever runs them owns the machine."""


@dataclass(frozen=True, slots=True)
class Actor:
    """One caller. `user_id` and `role` are None for the anonymous."""

    standing: Standing
    user_id: UUID | None = None
    name: str | None = None
    role: Role | None = None
    timezone: str | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody is known to be calling."""
        return self.standing is Standing.ANONYMOUS

    @property
    def is_account(self) -> bool:
        """Whether the caller signed in to an account of their own."""
        return self.standing is Standing.ACCOUNT

    @property
    def is_admin(self) -> bool:
        """Whether the caller may do everything."""
        return self.standing is Standing.SYSTEM or self.role is Role.ADMIN

    @property
    def may_organize(self) -> bool:
        """Whether the caller may have events of their own."""
        return self.is_admin or self.role is Role.ORGANIZER


ANONYMOUS = Actor(Standing.ANONYMOUS)
"""A caller without a credential."""
