"""What loads of reads ask for: which paths there are to read; measures nothing."""

import itertools
import zoneinfo
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

from turnout import clock
from turnout.cli.bench.bench import UNLIMITED, Bench, new_event
from turnout.cli.bench.calls import Caller, CannotMeasureError

LIST = "/events?limit=20"
PAGES = 300
UNCACHED = 30_000
"""Requests of a round of which no two are alike: more than a round is expected to get through."""


def first_listed(bench: Bench) -> str:
    """The path of the event that starts next; makes one where there is none."""
    with bench.calls() as caller:
        items = caller.expect(200, "GET", LIST).json()["items"]
        event = items[0] if items else new_event(caller, capacity=UNLIMITED)
    return f"/events/{event['id']}"


def uncached(caller: Caller) -> Iterator[str]:
    """Without end, each another page of the list in another zone, so that no kept answer fits.

    Raises CannotMeasureError where there are too few pages.
    """
    pages = list(itertools.islice(_cursors(caller), PAGES))
    if len(pages) < PAGES:
        raise CannotMeasureError(f"takes {PAGES} pages of events, and there are {len(pages)}")
    # One page after the other in the first zone, then all of them in the next one.
    return itertools.cycle(f"{LIST}&cursor={page}&tz={zone}" for zone in zones() for page in pages)


def filtered() -> Iterator[str]:
    """Without end, each the list from another second on: another filter that finds much the same.

    As people do who all look for what is on this week.
    """
    now = clock.now().replace(microsecond=0)
    later = (now + timedelta(seconds=number) for number in itertools.count(60))
    return (f"{LIST}&from={quote(time.isoformat(), safe='')}" for time in later)


def zones() -> list[str]:
    """The zones that a list can be asked for in, as a query holds them."""
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name)
    return [quote(name, safe="") for name in names]


def _cursors(caller: Caller) -> Iterator[str]:
    """The cursor of the second page of the list, and of each one after it."""
    cursor = caller.expect(200, "GET", LIST).json()["next_cursor"]
    while cursor is not None:
        yield quote(cursor, safe="")
        cursor = caller.expect(200, "GET", f"{LIST}&cursor={quote(cursor, safe='')}").json()[
            "next_cursor"
        ]
