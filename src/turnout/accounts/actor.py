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
    GUEST = "guest"
    """No account, but the token of one registration, which it may read, change and cancel."""
    ACCOUNT = "account"
    SYSTEM = "system"
    """The command line and the worker: whoever runs them owns the machine."""


class Scope(StrEnum):
    """What a personal API token may be used for; it never allows more than its account may."""

    EVENTS_READ = "events:read"
    EVENTS_WRITE = "events:write"
    REGISTRATIONS_READ = "registrations:read"
    REGISTRATIONS_WRITE = "registrations:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    PROFILE_READ = "profile:read"
    PROFILE_WRITE = "profile:write"
    ADMIN_READ = "admin:read"
    ADMIN_WRITE = "admin:write"


@dataclass(frozen=True, slots=True)
class Actor:
    """One caller. `user_id` and `role` are None for the anonymous and for guests."""

    standing: Standing
    user_id: UUID | None = None
    name: str | None = None
    role: Role | None = None
    timezone: str | None = None
    email: str | None = None
    person: str | None = None
    """The canonical address of the account: what makes two addresses one person's."""
    is_verified: bool = False
    """Whether the account has shown that the address is its own."""
    must_enrol: bool = False
    """The role asks for a second factor that the account does not have: until it has one, the
    role does not count."""
    sign_in_id: UUID | None = None
    """The sign-in that the credential belongs to; API tokens have none."""
    scopes: frozenset[Scope] | None = None
    """What an API token is for; None where nothing narrows the account."""
    registration_id: UUID | None = None
    """The one registration that a guest's token is for."""

    @property
    def is_anonymous(self) -> bool:
        """Whether no account is known to be calling."""
        return self.user_id is None and self.standing is not Standing.SYSTEM

    @property
    def is_account(self) -> bool:
        """Whether the caller signed in to an account of their own."""
        return self.standing is Standing.ACCOUNT

    @property
    def is_admin(self) -> bool:
        """Whether the caller may do everything."""
        return self.standing is Standing.SYSTEM or (self.role is Role.ADMIN and not self.must_enrol)

    @property
    def may_organize(self) -> bool:
        """Whether the caller may have events of their own."""
        return self.is_admin or (self.role is Role.ORGANIZER and not self.must_enrol)


ANONYMOUS = Actor(Standing.ANONYMOUS)
"""A caller without a credential."""
SYSTEM = Actor(Standing.SYSTEM, name="command line")
"""Whoever runs the program on the machine."""
