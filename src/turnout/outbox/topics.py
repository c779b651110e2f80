"""What can happen inside the system that others may want to hear of."""

from enum import StrEnum


class Topic(StrEnum):
    """The kinds of messages; docs/reference/messages.md describes the payload of each."""

    ACCOUNT_CREATED = "account.created"
    """With a link by which the address is verified."""
    ACCOUNT_KNOWN = "account.known"
    """Someone wanted to sign up with an address that has an account: told to that address alone."""
    EMAIL_CHANGE_ASKED = "account.email-change-asked"
    EMAIL_CHANGED = "account.email-changed"
    """Told to the former address as well."""
    PASSWORD_RESET_ASKED = "account.password-reset-asked"  # noqa: S105 - a topic, no password
    PASSWORD_CHANGED = "account.password-changed"  # noqa: S105 - a topic, no password
    SECOND_FACTOR_CHANGED = "account.second-factor-changed"
    ROLE_CHANGED = "account.role-changed"
    SIGN_IN_OPENED = "sign-in.opened"
    TEAM_JOINED = "team.joined"
    EVENT_CREATED = "event.created"
    EVENT_PUBLISHED = "event.published"
    EVENT_CHANGED = "event.changed"
    """With what differs, and the times and the place as they were."""
    EVENT_CANCELLED = "event.cancelled"
    EVENT_DELETED = "event.deleted"
    EVENT_SETTLED = "event.settled"
    """Its changes of the last minutes are over: whoever comes is told, with what was before."""
    EVENT_REMINDER_DUE = "event.reminder-due"
    WEBHOOK_TEST = "webhook.test"
    """To one webhook alone, whose owner wants to see whether it arrives."""
    WEBHOOK_DISABLED = "webhook.disabled"
    """It was switched off by itself: told to its owner."""
    REGISTRATION_CONFIRMED = "registration.confirmed"
    REGISTRATION_WAITLISTED = "registration.waitlisted"
    REGISTRATION_CANCELLED = "registration.cancelled"
