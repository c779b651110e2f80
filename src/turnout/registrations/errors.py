"""What can go wrong when someone wants a seat."""

from turnout.errors import Conflict, Unready


class EventFull(Conflict):
    """Every seat is taken, and there is no waitlist."""

    code = "event-full"
    title = "The event is full"
    explanation = (
        "Every seat is taken and the event keeps no waitlist. A seat comes free when someone "
        "cancels or the organizer adds seats: try again later, or ask the organizer."
    )


class AlreadyRegistered(Conflict):
    """The person has a live registration for the event."""

    code = "already-registered"
    title = "This address is registered for the event already"
    explanation = (
        "One e-mail address holds one live registration an event; upper and lower case make no "
        "difference. Use the registration that exists, or cancel it first."
    )


class RegistrationClosed(Conflict):
    """The event takes no registrations now; the member `reason` says why."""

    code = "registration-closed"
    title = "Registration is closed"
    explanation = (
        "The event takes no registrations at this time. The member `reason` says why: "
        "`not-open-yet` (then `opens_at` says when), `window-over`, `over` or `cancelled`."
    )


class RegistrationCancelled(Conflict):
    """The registration was cancelled, and cannot be changed any more."""

    code = "registration-cancelled"
    title = "This registration was cancelled"
    explanation = (
        "A cancelled registration stays as it is. Register anew if you want to come after all."
    )


class Overloaded(Unready):
    """More people wait for a seat than can be answered in time."""

    code = "overloaded"
    title = "Too many people at once"
    explanation = (
        "So many registrations arrive that this one could not be answered in time. Nothing was "
        "registered. Send it again after the time in Retry-After, with the same Idempotency-Key."
    )


class CapacityTaken(Conflict):
    """More people hold a seat than the event would have; the member `seats_taken` says how many."""

    code = "capacity-taken"
    title = "More seats are taken than that"
    explanation = (
        "The capacity cannot be less than the seats that are taken, which the member "
        "`seats_taken` counts. Cancel registrations first, or choose a larger capacity."
    )


class EventHasRegistrations(Conflict):
    """People hold seats at the event, or wait for one."""

    code = "event-has-registrations"
    title = "People are registered for this event"
    explanation = (
        "An event is not deleted while people hold a seat or wait for one: cancel it first, so "
        "that they are told. A cancelled event can be deleted."
    )
