"""How the demo's conferences move along with the calendar; pure rules, which know no clock."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from turnout.cli.data.records import Taken
from turnout.events import times
from turnout.events.drafts import EventDraft

AHEAD = 600
"""How many conferences lie ahead in a new demo; half of them are left some nine months later."""

FEWEST_SEATS, MOST_SEATS, STEP = 30, 500, 10


def weeks(starts: Sequence[date], today: date) -> int:
    """By how many weeks to move conferences that start on these days; negative is back in time.

    Afterwards AHEAD of them (or all, where there are fewer) start two days after `today` or later:
    by then it is tomorrow everywhere on earth.
    """
    first_ahead = sorted(starts)[-min(AHEAD, len(starts))]
    days = (today + timedelta(days=2) - first_ahead).days
    return -(-days // 7)


def moved(row: Taken, by_weeks: int) -> Taken:
    """The same conference, that many weeks on: the same weekday and wall clock, with seats.

    Raises Invalid where that is outside the years 1970 to 2199.
    """
    event = _moved_event(row.event, timedelta(weeks=by_weeks), by_weeks)
    number = int(row.key[:8], 16)
    choices = (MOST_SEATS - FEWEST_SEATS) // STEP + 1
    capacity = FEWEST_SEATS + number % choices * STEP
    admission = replace(
        row.admission, capacity=capacity, waitlist_enabled=number // choices % 2 == 0
    )
    return replace(row, event=event, admission=admission)


def _moved_event(event: EventDraft, by: timedelta, by_weeks: int) -> EventDraft:
    note = f"(For this demo its dates were moved by {by_weeks} weeks.)"
    parts = [event.description, note] if event.description else [note]
    return replace(
        event,
        start=times.shift(event.start, by, event.timezone, field="start_time").moment,
        end=times.shift(event.end, by, event.timezone, field="end_time").moment,
        description="\n\n".join(parts),
    )
