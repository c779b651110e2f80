"""What can be wrong with an event, in words for people; it must not know HTTP."""

from turnout.errors import Conflict, Invalid


class InvalidTimezone(Invalid):
    """The time zone is not one of the IANA names that count here."""

    code = "invalid-timezone"
    title = "This is not a time zone that can be used"
    explanation = (
        "A time zone is named as the IANA database names it, with its capitals: Asia/Kolkata, "
        "Europe/Berlin, America/New_York, or UTC. Older names such as Asia/Calcutta are accepted "
        "and kept under their present name. Abbreviations (IST, EST) and fixed offsets are not, "
        "because they do not say when the clocks change."
    )


class NonexistentLocalTime(Invalid):
    """The wall clock falls into the hour that is skipped when the clocks go forward."""

    code = "nonexistent-local-time"
    title = "The clocks skip this time"
    explanation = (
        "In that time zone the clocks go forward over the time that was sent, so no clock on the "
        "wall ever shows it. Send one of the two neighbours that the answer names: `earlier` "
        "lies before the change and `later` after it."
    )


class AmbiguousLocalTime(Invalid):
    """The wall clock falls into the hour that is repeated when the clocks go back."""

    code = "ambiguous-local-time"
    title = "The clocks show this time twice"
    explanation = (
        "In that time zone the clocks go back over the time that was sent, so it happens twice. "
        "Say which one is meant by sending it with its offset: `earlier` and `later` in the "
        "answer are the two."
    )


class EventCancelled(Conflict):
    """The event was cancelled, and stays so."""

    code = "event-cancelled"
    title = "This event was cancelled"
    explanation = (
        "A cancelled event stays as it is, for those who were registered and for the record. "
        "Duplicate it if it is to take place after all."
    )


class EventOver(Conflict):
    """The event has ended, or would have."""

    code = "event-over"
    title = "This event is over"
    explanation = (
        "What has happened cannot be called off, and nothing is published that has ended already. "
        "Change the times first if they are wrong."
    )
