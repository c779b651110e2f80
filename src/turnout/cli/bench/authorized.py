"""What accounts cost: the same load by somebody and by nobody, in turns on one server."""

import itertools
from dataclasses import replace

from turnout.cli.bench import accounts, checks, figure, reads
from turnout.cli.bench.bench import UNLIMITED, Bench, LoadOf, new_event, registration
from turnout.cli.bench.figure import Figure, Goal
from turnout.cli.bench.reads import LIST, UNCACHED
from turnout.cli.bench.wire import Headers, Load, Request

AT_MOST_DEARER = Goal(1 / 1.15)
"""Who calls may add 15 % to a request's time."""
MANY_ACCOUNTS = 64
PEOPLE_AT_ONCE = 50
READERS = 4
"""Connections that read while people sign in: few, as p95 is to show the wait and not a queue."""
TIMES_QUIET = 3.0


def read(bench: Bench, name: str, path: str) -> Figure:
    """A GET by one account."""
    return _by(bench, name, [path], [accounts.bearer(bench, accounts.attendees(bench, 1)[0])])


def read_by_many(bench: Bench) -> Figure:
    """The list by one account after the other, each in a zone of its own.

    Nobody asks for the same zones, so that as many answers are kept for both: what so many bytes
    cost a processor's cache is no authorization.
    """
    people = accounts.attendees(bench, MANY_ACCOUNTS)
    paths = [f"{LIST}&tz={zone}" for zone in reads.zones()[:MANY_ACCOUNTS]]
    bearers = [accounts.bearer(bench, each) for each in people]
    return _by(bench, "list-bearer-many", paths, bearers)


def _by(bench: Bench, name: str, paths: list[str], bearers: list[Headers]) -> Figure:
    nobody = bench.load(*map(Request, paths))
    pairs = zip(paths, bearers, strict=True)
    somebody = bench.load(*(Request(path, headers=each) for path, each in pairs))
    return _of_anonymous(bench.in_turns(name, AT_MOST_DEARER, lambda _: nobody, lambda _: somebody))


def read_uncached(bench: Bench) -> Figure:
    """Pages of the list that nobody has asked for before, by one account."""
    authorization = accounts.bearer(bench, accounts.attendees(bench, 1)[0])

    def unread(headers: Headers) -> LoadOf:
        # A cursor is good for whoever got it.
        with bench.calls(headers) as caller:
            paths = reads.uncached(caller)
        return lambda _: bench.load(
            *(Request(path, headers=headers) for path in itertools.islice(paths, UNCACHED))
        )

    found = bench.in_turns(
        "list-uncached-bearer", AT_MOST_DEARER, unread(()), unread(authorization)
    )
    return _of_anonymous(found)


def register(bench: Bench) -> Figure:
    """Guests who come by themselves, and guests whom the owner of the event registers.

    An account takes seats for others on events it edits alone, and one for itself elsewhere.
    """
    owner = accounts.bearer(bench, accounts.organizer(bench))
    events: list[tuple[str, Headers]] = []

    def load(headers: Headers) -> Load:
        with bench.calls(headers) as caller:
            event_id = new_event(caller, capacity=UNLIMITED)["id"]
        events.append((event_id, headers))
        return bench.load(registration(event_id, headers=headers), expected=(201,))

    found = bench.in_turns(
        "register-bearer", AT_MOST_DEARER, lambda _: load(()), lambda _: load(owner)
    )
    measured = itertools.chain.from_iterable(zip(found.floor, found.real, strict=True))
    for (event_id, headers), each in zip(events[2:], measured, strict=True):
        with bench.calls(headers) as caller:
            bench.broken += checks.broken_by(each, checks.seats_of(caller, event_id))
    return _of_anonymous(found)


def read_beside_sign_ins(bench: Bench) -> Figure:
    """The list from few connections, alone and while many people sign in, again and again."""
    people = accounts.attendees(bench, PEOPLE_AT_ONCE)
    reading = replace(bench.load(Request(LIST)), connections=READERS)
    signing_in = replace(
        bench.load(*(each.sign_in() for each in people)), connections=PEOPLE_AT_ONCE
    )
    turns = bench.turns(lambda _: reading, lambda _: reading, beside=lambda _: signing_in)
    return figure.slowdown("sign-ins", TIMES_QUIET, turns)


def _of_anonymous(found: Figure) -> Figure:
    return replace(found, unit="of anonymous")
