"""The kinds of mails, and what holds for each: who may do without it, and who goes first. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from turnout.outbox.models import Lane


class MailKind(StrEnum):
    """What a mail is about; its templates have the same name."""

    EVENT_CREATED = "event-created"
    """To its organizer."""
    EVENT_CHANGED = "event-changed"
    """Its time, zone or place is another: what was and what is."""
    EVENT_CANCELLED = "event-cancelled"
    EVENT_REMINDER = "event-reminder"
    REGISTRATION_CONFIRMED = "registration-confirmed"
    REGISTRATION_WAITLISTED = "registration-waitlisted"
    REGISTRATION_CANCELLED = "registration-cancelled"
    REGISTRATION_RECEIVED = "registration-received"
    """To the organizer: someone takes a seat."""
    TEAM_JOINED = "team-joined"
    VERIFY_EMAIL = "verify-email"
    INVITATION = "invitation"
    """To an account that an administrator made: with a link that sets its password."""
    ACCOUNT_KNOWN = "account-known"
    EMAIL_CHANGE = "email-change"
    """To the new address, with the link that makes it the account's."""
    EMAIL_CHANGED = "email-changed"
    """To the former address."""
    RESET_PASSWORD = "reset-password"  # noqa: S105 - a kind of mail, no password
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - a kind of mail, no password
    SECOND_FACTOR_CHANGED = "second-factor-changed"
    ROLE_CHANGED = "role-changed"
    NEW_SIGN_IN = "new-sign-in"
    WEBHOOK_DISABLED = "webhook-disabled"
    """To the owner of a webhook that was switched off by itself."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind that its reader may do without, or has to ask for."""

    is_wanted_unasked: bool
    name: str
    """What its reader calls it, as in "You get ... ."."""
    explanation: str
    """When it comes, in a sentence."""


CHOICES = {
    MailKind.EVENT_CREATED: Choice(
        is_wanted_unasked=True,
        name="confirmations of your new events",
        explanation="When an event of yours was made.",
    ),
    MailKind.EVENT_REMINDER: Choice(
        is_wanted_unasked=True,
        name="reminders before events begin",
        explanation="Some time before an event begins at which you have a seat.",
    ),
    MailKind.NEW_SIGN_IN: Choice(
        is_wanted_unasked=True,
        name="warnings of new sign-ins",
        explanation="When someone signs in to your account from somewhere new.",
    ),
    MailKind.REGISTRATION_RECEIVED: Choice(
        is_wanted_unasked=False,
        name="news of each registration",
        explanation="When someone takes a seat at an event of yours.",
    ),
}
"""Every other kind is essential: who waits for it, or is warned by it, always gets it."""

WORDABLE = (
    MailKind.REGISTRATION_CONFIRMED,
    MailKind.REGISTRATION_WAITLISTED,
    MailKind.EVENT_REMINDER,
)
"""Those that an organizer may put into words of their own."""

TO_MANY = frozenset(
    (
        MailKind.EVENT_CHANGED,
        MailKind.EVENT_CANCELLED,
        MailKind.EVENT_REMINDER,
        MailKind.REGISTRATION_RECEIVED,
    )
)


def lane(kind: MailKind) -> Lane:
    """Where mails of the kind queue: no mailing to many delays what one person waits for."""
    return Lane.BULK if kind in TO_MANY else Lane.DIRECT
