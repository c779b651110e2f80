"""What must be true of the seats after a load, seen over the API alone; knows no database."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from turnout.cli.bench.calls import Caller
from turnout.cli.bench.measured import Measured

_TAKES_A_SEAT = frozenset({"confirmed", "pending", "offered"})


@dataclass(frozen=True, slots=True)
class Seats:
    """An event and everyone who is registered for it, as the API tells them."""

    event: dict[str, Any]
    attendees: list[dict[str, Any]]

    @property
    def seated(self) -> int:
        """How many attendees hold a seat."""
        return sum(each["status"] in _TAKES_A_SEAT for each in self.attendees)


def seats_of(caller: Caller, event_id: str) -> Seats:
    """Reads the event and every page of its attendees: a request for each hundred."""
    event = caller.expect(200, "GET", f"/events/{event_id}").json()
    return Seats(event, list(caller.pages(f"/events/{event_id}/attendees")))


def broken_promises(seats: Seats, *, acknowledged: int = 0, refused: int = 0) -> list[str]:
    """One sentence for each promise about these seats that does not hold.

    `acknowledged` is how many clients were told they have a seat, `refused` how many that the
    event is full.
    """
    taken, capacity = seats.event["seats_taken"], seats.event["max_capacity"]
    live = [each for each in seats.attendees if each["status"] != "cancelled"]
    people = Counter(each["email"].casefold() for each in live)
    twice = sum(count > 1 for count in people.values())
    is_limited = capacity is not None
    found = {
        f"seats_taken is {taken}, {seats.seated} hold a seat": taken != seats.seated,
        f"{taken} of {capacity} seats are taken": is_limited and taken > capacity,
        f"{twice} people are registered twice": twice > 0,
        f"{acknowledged} were told they hold a seat, {seats.seated} do": seats.seated
        < acknowledged,
        f"{refused} were refused with {taken} of {capacity} seats taken": refused > 0
        and is_limited
        and taken < capacity,
    }
    return [f"event {seats.event['id']}: {what}" for what, holds in found.items() if holds]


def broken_by(measured: Measured, seats: Seats) -> list[str]:
    """One sentence for each promise that this load on one event, seen after it, has broken."""
    refusal = measured.samples.get("409", "")
    found = broken_promises(
        seats, acknowledged=measured.answered(201), refused=measured.answered(409)
    )
    if refusal and '"event-full"' not in refusal:
        found.append(f"event {seats.event['id']}: refused for another reason: {refusal}")
    return found
