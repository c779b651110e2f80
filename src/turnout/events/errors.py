"""What can be wrong with an event, in words for people; it must not know HTTP."""

from turnout.errors import Conflict, Invalid, Unready


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


class EventNotPublished(Conflict):
    """The event is a draft, which nobody knows of."""

    code = "event-not-published"
    title = "This event is not published"
    explanation = (
        "Only what people could know of is called off. Delete the draft, or publish it first."
    )


class EventOver(Conflict):
    """The event has ended, or would have."""

    code = "event-over"
    title = "This event is over"
    explanation = (
        "What has happened cannot be called off, and nothing is published that has ended already. "
        "Change the times first if they are wrong."
    )


class InvalidPicture(Invalid):
    """The bytes are no picture that can be decoded, or one with too many pixels."""

    code = "invalid-picture"
    title = "This picture cannot be used"
    explanation = (
        "The file begins as a JPEG, PNG or WebP does, but it is cut off or damaged, or it has more "
        "than 8,000 pixels in width or height or more than 40 million in all (20 million as WebP). "
        "Save it anew with a program for pictures, smaller if it is that large."
    )


class PicturesBusy(Unready):
    """So many pictures come in that this one could not be looked at in time."""

    code = "pictures-busy"
    title = "Too many pictures come in at once"
    explanation = (
        "A picture is written anew before it is kept, which takes a moment, and too many wait for "
        "that. Nothing was changed. Send it again after the time in Retry-After."
    )
    retry_after_seconds = 5


class InvalidRule(Invalid):
    """The rule of a series is none, gives too many events, or does not begin with the event."""

    code = "invalid-rule"
    title = "A series cannot be made by this rule"
    explanation = (
        "The rule is an RRULE as calendars have it (RFC 5545, 3.3.10), without DTSTART, for "
        "instance `FREQ=WEEKLY;BYDAY=TU;COUNT=10`. It is DAILY, WEEKLY, MONTHLY or YEARLY, ends "
        "by COUNT or UNTIL, and gives 500 events at most. The first of them is the event itself; "
        "where the rule would begin later, `first_start` says when."
    )


class AlreadyInSeries(Conflict):
    """The event is one of a series."""

    code = "already-in-series"
    title = "This event is in a series already"
    explanation = (
        "An event belongs to one series at most. Change the events of that series, or duplicate "
        "the event and let the copy repeat."
    )


class NotInSeries(Conflict):
    """The event stands for itself, so that nothing follows it."""

    code = "not-in-series"
    title = "This event is in no series"
    explanation = (
        "`scope=following` is about an event and those that follow it in its series, and this one "
        "has none. Leave `scope` out to change the event alone."
    )
