"""What can happen inside the system that others may want to hear of."""

from enum import StrEnum


class Topic(StrEnum):
    """The kinds of messages; docs/reference/messages.md describes the payload of each."""

    EVENT_CREATED = "event.created"
    REGISTRATION_CONFIRMED = "registration.confirmed"
    REGISTRATION_WAITLISTED = "registration.waitlisted"
