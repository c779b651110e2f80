"""Natural batching: while one transaction is in flight, arrivals wait; the next takes them all.

There is no timer. An idle server answers a single request at once, a busy one commits sets of
dozens, so that the price of a commit is shared. Knows no HTTP.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from turnout import clock
from turnout.db.errors import is_away
from turnout.db.session import Database
from turnout.idempotency.idempotency import Answer
from turnout.registrations import gate, statements
from turnout.registrations.errors import AlreadyRegistered, Overloaded
from turnout.registrations.gate import LockedElsewhere, Outcome
from turnout.registrations.records import Seated, Wish

MOST_WAITING = 4_000
LARGEST_SET = 128
# Of connections that wait for another process's lock: readers must find some free.
MOST_WAITING_LANES = 4
# Whoever waited longer than this is asked whether they are still there.
PATIENCE_SECONDS = 0.5

Gone = Callable[[], Awaitable[bool]]


class GaveUp(Exception):
    """Whoever asked has left before their set began; nothing was registered."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One who waits: the wish, where the answer goes, since when, and how to ask if they left."""

    wish: Wish
    answer: "asyncio.Future[Seated | Answer]"
    since: float
    gone: Gone | None


class Lane:
    """One queue with one transaction in flight at a time.

    The main lane takes whatever comes, but waits for no lock. A lane of one event waits for that
    event's lock, so that nobody waits for another event's.
    """

    def __init__(self, event_id: UUID | None) -> None:
        self.event_id = event_id
        self.queue: deque[Arrival] = deque()
        self.task: asyncio.Task[None] | None = None

    def next_set(self) -> list[Arrival]:
        """Those who go into the next transaction, in order of arrival."""
        return [self.queue.popleft() for _ in range(min(LARGEST_SET, len(self.queue)))]


class Desk:
    """Where everyone who wants a seat is answered; one for each process."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._secret = secret
        self._main = Lane(None)
        self._lanes: dict[UUID, Lane] = {}
        self._waiting_lanes = asyncio.Semaphore(MOST_WAITING_LANES)
        self._waiting = 0

    async def register(self, wish: Wish, *, gone: Gone | None = None) -> Seated | Answer:
        """A seat (committed) for the wish, or the kept answer of the same request before.

        Raises what the gate refuses with; Overloaded when the queue is full; GaveUp for whoever is
        `gone` before their set begins. After that the seat stands.
        """
        if self._waiting >= MOST_WAITING:
            raise Overloaded
        arrival = Arrival(wish, asyncio.get_running_loop().create_future(), monotonic(), gone)
        self._waiting += 1
        try:
            self._join(self._lanes.get(wish.event_id, self._main), arrival)
            return await arrival.answer
        finally:
            self._waiting -= 1
            # A refusal's traceback holds this frame, and the frame would hold the refusal: a cycle
            # a refusal, for a collector whose pauses then make the tail of all answers.
            del arrival

    async def aclose(self) -> None:
        """Wait until everyone in the queue is answered."""
        while tasks := [lane.task for lane in (self._main, *self._lanes.values()) if lane.task]:
            await asyncio.wait(tasks)

    def _join(self, lane: Lane, arrival: Arrival) -> None:
        lane.queue.append(arrival)
        if lane.task is None:
            lane.task = asyncio.create_task(self._serve(lane))

    async def _serve(self, lane: Lane) -> None:
        try:
            while lane.queue:
                await self._serve_set(lane, await self._still_here(lane.next_set()))
        finally:
            lane.task = None
            if lane.event_id is not None:
                del self._lanes[lane.event_id]

    async def _still_here(self, arrivals: list[Arrival]) -> list[Arrival]:
        long_ago = monotonic() - PATIENCE_SECONDS
        here: list[Arrival] = []
        for arrival in arrivals:
            if arrival.since < long_ago and arrival.gone is not None and await arrival.gone():
                _tell(arrival, GaveUp())
            if not arrival.answer.done():
                here.append(arrival)
        return here

    async def _serve_set(self, lane: Lane, arrivals: Sequence[Arrival]) -> None:
        if not arrivals:
            return
        try:
            outcomes = await self._decide(lane, arrivals)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is told to those it concerns
            if len(arrivals) == 1 or is_away(error):
                for arrival in arrivals:
                    _tell(arrival, error)
                return
            # One bad row never fails its neighbours.
            for arrival in arrivals:
                await self._serve_set(lane, [arrival])
            return
        locked: list[Arrival] = []
        for arrival, outcome in zip(arrivals, outcomes, strict=True):
            if isinstance(outcome, LockedElsewhere):
                locked.append(arrival)
            else:
                _tell(arrival, outcome)
        if locked:
            self._redirect(locked)

    async def _decide(self, lane: Lane, arrivals: Sequence[Arrival]) -> list[Outcome]:
        wishes = [arrival.wish for arrival in arrivals]
        if lane.event_id is None:
            return await self._commit(wishes, wait=False)
        async with self._waiting_lanes:
            return await self._commit(wishes, wait=True)

    async def _commit(self, wishes: Sequence[Wish], *, wait: bool) -> list[Outcome]:
        async with self._database.write() as db:
            return await gate.admit(db, wishes, clock.now(), secret=self._secret, wait=wait)

    def _redirect(self, locked: list[Arrival]) -> None:
        """Let them wait for the locks of their events, each event in a lane of its own.

        Whoever came later for these events and is still in the main lane follows, or someone who
        comes only now, and goes straight to the event's lane, would be before them.
        """
        events = {arrival.wish.event_id for arrival in locked}
        stay: deque[Arrival] = deque()
        for arrival in self._main.queue:
            (locked if arrival.wish.event_id in events else stay).append(arrival)
        self._main.queue = stay
        for arrival in locked:
            event_id = arrival.wish.event_id
            self._join(self._lanes.setdefault(event_id, Lane(event_id)), arrival)


def _tell(arrival: Arrival, outcome: Outcome | Exception) -> None:
    if arrival.answer.done():
        return
    if isinstance(outcome, IntegrityError) and statements.is_second_seat(outcome):
        # Alone and still refused by the index: there is a live row with this address.
        outcome = AlreadyRegistered()
    if isinstance(outcome, Exception):
        arrival.answer.set_exception(outcome)
    else:
        arrival.answer.set_result(outcome)
