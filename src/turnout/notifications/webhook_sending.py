"""Calls webhooks: many at once, few at one receiver, and nobody waits for another's slow one."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from turnout import clock
from turnout.accounts.opaque import Seals
from turnout.db.session import Database
from turnout.notifications import signing, trying, webhook_facts, webhook_results
from turnout.notifications.trying import Meaning, Tried
from turnout.notifications.webhook_facts import Facts
from turnout.notifications.webhook_results import Attempt, Result
from turnout.outbox import deliveries
from turnout.outbox.deliveries import Claimed, Ended, Postponed
from turnout.outbox.models import Channel, Lane, Outcome
from turnout.outside import OutsideError, OutsideOfUsers
from turnout.structured import structlog

MOST_AT_ONCE = 20
MOST_AT_ONE_WEBHOOK = 2
LARGEST_CLAIM = 50
MOST_IN_HAND = 200
"""Deliveries that one process has claimed; more would only wait here instead of there."""
LEASE = timedelta(minutes=3)
LONGEST_IN_HAND_SECONDS = 90.0
"""After which a delivery that was not begun is given back: no lease shall end during a call."""
PAUSE = timedelta(seconds=5)
LONG_PAUSE = timedelta(minutes=5)
"""For how long nothing else is sent to who was away; long for who was so before."""

log = structlog.get_logger()


class Calls:
    """Calls webhooks for as long as it is open; `aclose` it in the loop that used it.

    What is being sent when a process ends is due again when its lease ends: a receiver may hear of
    a message twice, by the same webhook-id.
    """

    def __init__(
        self,
        database: Database,
        seals: Seals,
        outside: OutsideOfUsers,
        *,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._database = database
        self._seals = seals
        self._outside = outside
        self._now = now
        self._places = asyncio.Semaphore(MOST_AT_ONCE)
        self._lines: list[_Line] = []
        self._unwritten: list[Result] = []
        self._writing = asyncio.Lock()
        self._tasks = set[asyncio.Task[None]]()

    async def work(self) -> bool:
        """Claim what is due and begin to send it; whether there may be more to begin with.

        Receivers that have something in hand here are passed over: what waits for a slow one
        takes no place from others.
        """
        busy, now = {line.webhook_id for line in self._lines}, self._now()
        limit = min(LARGEST_CLAIM, MOST_IN_HAND - sum(len(line.queue) for line in self._lines))
        if limit <= 0:
            return False
        channel, lane = Channel.WEBHOOK, Lane.DIRECT
        async with self._database.read() as db:
            if not await deliveries.is_any_due(db, channel, lane, now, passing_over=busy):
                return False
        async with self._database.write() as db:
            claimed = await deliveries.claim(
                db, channel, lane, limit, now, LEASE, passing_over=busy
            )
        if not claimed:
            return False
        task = asyncio.create_task(self._send(self._lined_up(claimed)))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return len(claimed) == limit

    async def send(self, claimed: Sequence[Claimed]) -> None:
        """Send what was claimed, and write what became of it; returns when all is written."""
        await self._send(self._lined_up(claimed))

    async def aclose(self) -> None:
        """Cut calls off, for whoever takes over to make again, and give back what was not begun."""
        lines, tasks = list(self._lines), list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        unsent = [each for line in lines for each in line.queue]
        back = [Postponed(each, self._now(), "It was not begun.", counts=False) for each in unsent]
        if back:
            async with self._database.write() as db:
                deliveries.postpone(db, back)

    def _lined_up(self, claimed: Sequence[Claimed]) -> "list[_Line]":
        grouped = groupby(sorted(claimed, key=_RECIPIENT), key=_RECIPIENT)
        lines = [_Line(webhook_id, deque(own)) for webhook_id, own in grouped]
        self._lines += lines
        return lines

    async def _send(self, lines: "Sequence[_Line]") -> None:
        try:
            claimed = [each for line in lines for each in line.queue]
            async with self._database.read() as db:
                facts = await webhook_facts.load(db, self._seals, claimed, self._now())
            async with asyncio.TaskGroup() as group:
                for line in lines:
                    group.create_task(self._through(line, facts))
        finally:
            self._lines = [line for line in self._lines if line not in lines]

    async def _through(self, line: "_Line", facts: Mapping[UUID, Facts]) -> None:
        """All of a line; two at once, but one who was away is asked by one call alone."""
        is_failing = any(facts[each.id].is_failing for each in line.queue if each.id in facts)
        async with asyncio.TaskGroup() as group:
            for _ in range(1 if is_failing else MOST_AT_ONE_WEBHOOK):
                group.create_task(self._empty(line, facts))
        self._lines.remove(line)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("Webhooks could not be called", reason=type(error).__name__)

    async def _empty(self, line: "_Line", facts: Mapping[UUID, Facts]) -> None:
        while True:
            async with self._places:
                if not line.queue:
                    return
                delivery = line.queue.popleft()
                result = await self._result(line, delivery, facts.get(delivery.id))
            await self._write(result)

    async def _result(self, line: "_Line", delivery: Claimed, facts: Facts | None) -> Result:
        """What became of the delivery."""
        if facts is None:
            return Result(Ended(delivery, Outcome.MOOT, "The webhook is gone."))
        if not facts.is_active:
            return Result(Ended(delivery, Outcome.DEAD, "The webhook was switched off."))
        if line.free_at is not None:
            return Result(Postponed(delivery, line.free_at, line.why, counts=False))
        if time.monotonic() - line.began > LONGEST_IN_HAND_SECONDS:
            why = "Others were in front of it."
            return Result(Postponed(delivery, self._now(), why, counts=False))
        return await self._call(line, facts)

    async def _call(self, line: "_Line", facts: Facts) -> Result:
        at, began = self._now(), time.monotonic()
        tried = await self._try(facts, at)
        attempt = Attempt(at, int((time.monotonic() - began) * 1000), tried)
        result = Result(_outcome(facts, tried, self._now()), attempt, facts.is_failing)
        if tried.meaning in {Meaning.AWAY, Meaning.GONE}:
            pause = max(LONG_PAUSE if facts.is_failing else PAUSE, tried.wait)
            line.free_at, line.why = self._now() + pause, tried.error or ""
        return result

    async def _try(self, facts: Facts, at: datetime) -> Tried:
        headers = signing.headers(facts.secrets, facts.delivery.message_id, at, facts.body)
        try:
            reply = await self._outside.post(facts.url, facts.body, headers)
        except OutsideError as error:
            return trying.of_silence(str(error))
        return trying.of_answer(reply.status, reply.headers, self._now())

    async def _write(self, result: Result) -> None:
        """Write a result, with all others that came while the last ones were written."""
        self._unwritten.append(result)
        async with self._writing:
            batch, self._unwritten = self._unwritten, []
            if batch:
                async with self._database.write() as db:
                    await webhook_results.write(db, batch, self._now())


class _Line:
    """What waits for one webhook."""

    def __init__(self, webhook_id: UUID, queue: deque[Claimed]) -> None:
        self.webhook_id = webhook_id
        self.queue = queue
        self.began = time.monotonic()
        self.free_at: datetime | None = None
        """When the receiver may be asked again that was away; None while it is there."""
        self.why = ""


_RECIPIENT = attrgetter("recipient_id")


def _outcome(facts: Facts, tried: Tried, now: datetime) -> Ended | Postponed:
    delivery = facts.delivery
    match tried.meaning:
        case Meaning.DONE:
            return Ended(delivery, Outcome.SENT)
        case Meaning.GONE:
            return Ended(delivery, Outcome.DEAD, tried.error)
        case Meaning.FAILED | Meaning.AWAY:
            chance = random.random()  # noqa: S311 - spreads retries, nobody gains by guessing it
            at = trying.next_try(delivery.tries, tried.wait, now, chance)
            error = tried.error or ""
            if at is None:
                return Ended(delivery, Outcome.DEAD, error)
            return Postponed(delivery, at, error)
