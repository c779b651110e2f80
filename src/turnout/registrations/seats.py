"""Who gets a seat: the pure decision of the gate. Knows neither the database nor the clock."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum


class Closed(StrEnum):
    """Why an event takes no registrations."""

    CANCELLED = "cancelled"
    OVER = "over"
    NOT_OPEN_YET = "not-open-yet"
    WINDOW_OVER = "window-over"


class Verdict(Enum):
    """What becomes of one who wants a seat."""

    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    DUPLICATE = "duplicate"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Seats:
    """The seats of one event, read under its lock.

    `capacity` None is no limit; `waiting` counts the waitlist and `last_position` is its end.
    """

    capacity: int | None
    taken: int
    waiting: int
    last_position: int
    waitlist_enabled: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one wish, with the place on the waitlist where there is one."""

    verdict: Verdict
    position: int | None = None


def decide(seats: Seats, people: Sequence[str], present: Collection[str]) -> list[Decision]:
    """One decision for each of `people`, in order of arrival.

    `people` are canonical addresses, `present` those of them that hold a live registration.
    Whoever arrives while others wait goes behind them, even when a seat has just come free: that
    seat is for the head of the waitlist.
    """
    taken, waiting, position = seats.taken, seats.waiting, seats.last_position
    here = set(present)
    decisions: list[Decision] = []
    for person in people:
        if person in here:
            decisions.append(Decision(Verdict.DUPLICATE))
            continue
        if waiting == 0 and (seats.capacity is None or taken < seats.capacity):
            taken += 1
            decisions.append(_CONFIRMED)
        elif seats.waitlist_enabled:
            waiting, position = waiting + 1, position + 1
            decisions.append(Decision(Verdict.WAITLISTED, position))
        else:
            decisions.append(Decision(Verdict.FULL))
            continue
        here.add(person)
    return decisions


def promotions(seats: Seats) -> int:
    """How many of those who wait, from the head on, have a seat now that some came free."""
    if seats.capacity is None:
        return seats.waiting
    return max(0, min(seats.waiting, seats.capacity - seats.taken))


_CONFIRMED = Decision(Verdict.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Window:
    """When an event takes registrations; None is no bound of its own."""

    opens_at: datetime | None
    closes_at: datetime | None
    ends_at: datetime
    is_cancelled: bool


def closed(window: Window, now: datetime) -> Closed | None:
    """Why the event takes no registration now, or None when it does."""
    if window.is_cancelled:
        return Closed.CANCELLED
    if now >= window.ends_at:
        return Closed.OVER
    if window.opens_at is not None and now < window.opens_at:
        return Closed.NOT_OPEN_YET
    if window.closes_at is not None and now >= window.closes_at:
        return Closed.WINDOW_OVER
    return None
