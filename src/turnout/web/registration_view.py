"""What the page of a registration says, in words; knows no request and no template."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from turnout.events import policy
from turnout.events.models import Status as EventStatus
from turnout.registrations.models import Status
from turnout.registrations.records import Held
from turnout.web import event_view
from turnout.web.event_view import Period
from turnout.web.links import event_path


@dataclass(frozen=True, slots=True)
class Shown:
    """All that the page says."""

    event: str
    event_path: str | None
    """None where its page is not for everyone."""
    notices: list[str]
    standing: str
    when: list[Period]
    """By the event's own clocks, and by those of whoever looks, where they are others."""
    where: list[str]
    online_url: str | None
    organizer: str
    name: str
    email: str
    ticket_code: str | None
    calendar: str | None
    may_cancel: bool
    has_seat: bool


def shown(held: Held, row: Any, ticket_code: str, zone: str | None, now: datetime) -> Shown:
    """What the page says of a registration for the event `row`, to somebody in `zone`."""
    registration, is_over = held.registration, row.end_at <= now
    is_cancelled = registration.status == Status.CANCELLED
    takes_place = row.status != EventStatus.CANCELLED and not is_over
    is_hidden = policy.is_hidden(held.event)
    zones = dict.fromkeys((row.timezone, zone or row.timezone))
    has_seat = registration.status in {Status.CONFIRMED, Status.OFFERED, Status.PENDING}
    return Shown(
        event=row.name,
        event_path=None if is_hidden else event_path(row.slug),
        notices=list(_notices(row, now)),
        standing=_standing(held),
        when=[event_view.period(row.start_at, row.end_at, each) for each in zones],
        where=list(dict.fromkeys(event_view.where(row))),
        online_url=row.online_url,
        organizer=row.organizer_name,
        name=registration.name,
        email=registration.email,
        ticket_code=ticket_code if registration.status == Status.CONFIRMED else None,
        calendar=None if is_hidden or is_cancelled else f"/events/{row.id}.ics",
        may_cancel=takes_place and not is_cancelled,
        has_seat=has_seat,
    )


def _notices(row: Any, now: datetime) -> Iterable[str]:
    if row.status == EventStatus.CANCELLED:
        reason = row.cancel_reason
        yield f"This event is cancelled: {reason}" if reason else "This event is cancelled."
    elif row.end_at <= now:
        yield "This event is over."


def _standing(held: Held) -> str:
    match Status(held.registration.status):
        case Status.CONFIRMED:
            return "You have a seat"
        case Status.WAITLISTED:
            return f"You are number {held.registration.waitlist_position} on the waitlist"
        case Status.OFFERED | Status.PENDING:
            return "A seat is held for you"
        case Status.CANCELLED:
            return "This registration is cancelled"
