"""Sends the mails of one lane: claims some, writes them, hands them over, notes what came of it."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from turnout import clock
from turnout.db.errors import is_away
from turnout.notifications import facts, letters
from turnout.notifications.mailer import MailPostponed, MailRefused, ServerAway
from turnout.notifications.news import Facts
from turnout.outbox import deliveries
from turnout.outbox.deliveries import Claimed, Ended, Postponed
from turnout.outbox.models import Channel, Lane, Outcome
from turnout.runtime import Runtime
from turnout.structured import structlog

WINDOW = 80
"""Mails in hand at once, of which a crash may send some a second time."""
REFILL = 40
"""Few large turns: on SQLite each keeps everybody else from writing."""
LEASE, RENEWED_AFTER = timedelta(seconds=90), timedelta(seconds=30)
"""Whoever dies has their mails taken over soon; whoever lives renews while a slow server takes its
time."""
GRACE_SECONDS = 8.0
"""How long the end of the process waits for what is being handed over."""
WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
    timedelta(hours=24),
)
"""Between tries: three days and no more."""
JITTER = 0.2
OLDEST = timedelta(days=5)
"""After which nobody waits for a mail any more that no server would take (RFC 5321, 4.5.4.1)."""
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=1)

log = structlog.get_logger()

Result = Ended | Postponed


class MailLane:
    """One lane of mails. While the mail server is away nothing is claimed from it."""

    def __init__(self, runtime: Runtime, lane: Lane) -> None:
        self.lane = lane
        self.wake = asyncio.Event()
        self._runtime = runtime
        self._flying = dict[asyncio.Task[None], Claimed]()
        self._beginning: asyncio.Task[int] | None = None
        self._renewed_at = clock.now()
        self._results = list[Result]()
        self._pause = SHORTEST_PAUSE
        self._resumes_at = datetime.min.replace(tzinfo=clock.now().tzinfo)

    async def work(self) -> bool:
        """Note what was sent, and claim as many as there is room for; whether there is more."""
        await self._renew()
        room = WINDOW - len(self._flying)
        is_full = room < REFILL or clock.now() < self._resumes_at
        if is_full or not await self._is_any_due():
            await self._turn_over(0)
            return False
        # Whoever is stopped between the commit of a claim and its first mail would keep others
        # from these mails until the lease ends.
        self._beginning = asyncio.create_task(self._claim_and_begin(room))
        return await asyncio.shield(self._beginning) == room

    async def aclose(self) -> None:
        """Wait a moment for what is being handed over; the rest is due again at once."""
        if self._beginning is not None:
            await asyncio.gather(self._beginning, return_exceptions=True)
        if self._flying:
            await asyncio.wait(list(self._flying), timeout=GRACE_SECONDS)
        tasks = list(self._flying)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(
            Exception
        ):  # a database that is away: the leases end by themselves
            await self._turn_over(0)

    async def _claim_and_begin(self, room: int) -> int:
        """How many are in hand that were not before, at most `room`."""
        claimed = await self._turn_over(room)
        if claimed:
            await self._begin(claimed)
        return len(claimed)

    async def _is_any_due(self) -> bool:
        async with self._runtime.database.read() as db:
            return await deliveries.is_any_due(db, Channel.MAIL, self.lane, clock.now())

    async def _turn_over(self, room: int) -> list[Claimed]:
        """Write what came of those that were in hand, and take up to `room` others.

        In one transaction: on SQLite each keeps everybody else from writing.
        """
        results, self._results = self._results, []
        if not results and not room:
            return []
        now = clock.now()
        try:
            async with self._runtime.database.write() as db:
                deliveries.end(db, [x for x in results if isinstance(x, Ended)], now)
                deliveries.postpone(db, [x for x in results if isinstance(x, Postponed)])
                if not room:
                    return []
                return await deliveries.claim(db, Channel.MAIL, self.lane, room, now, LEASE)
        except BaseException:
            # Kept for the next time: what was sent must not be sent again.
            self._results = results + self._results
            raise

    async def _renew(self) -> None:
        now = clock.now()
        if self._flying and now - self._renewed_at > RENEWED_AFTER:
            self._renewed_at = now
            async with self._runtime.database.write() as db:
                deliveries.renew(db, list(self._flying.values()), now, LEASE)

    async def _begin(self, claimed: Sequence[Claimed]) -> None:
        for each, found in await self._known(claimed):
            if found is None:
                self._results.append(Ended(each, Outcome.MOOT))
                continue
            task = asyncio.create_task(self._fly(each, found))
            self._flying[task] = each
            task.add_done_callback(self._landed)

    async def _known(self, claimed: Sequence[Claimed]) -> list[tuple[Claimed, Facts | None]]:
        """What each is written from; one whose data make no sense is parked and holds up nobody."""
        try:
            async with self._runtime.database.read() as db:
                return list(zip(claimed, await facts.load(db, claimed, clock.now()), strict=True))
        except Exception as error:
            if is_away(error):
                raise
            if len(claimed) == 1:
                self._results.append(_unwritable(claimed[0], error))
                return []
        return [each for one in claimed for each in await self._known([one])]

    def _landed(self, task: asyncio.Task[None]) -> None:
        del self._flying[task]
        if len(self._flying) <= WINDOW - REFILL:
            self.wake.set()

    async def _fly(self, delivery: Claimed, found: Facts) -> None:
        """Send one mail and remember what came of it."""
        try:
            # Not as an argument of append: the list is another one after the await.
            result = await self._send(delivery, found)
        except asyncio.CancelledError:
            # The process ends: whether it arrived is not known, so it goes once more.
            again = Postponed(delivery, clock.now(), "the worker was stopped", counts=False)
            self._results.append(again)
            raise
        self._results.append(result)

    async def _send(self, delivery: Claimed, found: Facts) -> Result:
        if delivery.tries > len(WAITS) + 1:  # one more is of a mail whose workers did not live
            return Ended(delivery, Outcome.DEAD, "it was tried too often")
        try:
            letter = letters.write(self._runtime.letterhead, found, clock.now())
            await self._runtime.mailer.send(
                letter.recipient,
                letter.raw,
                is_utf8=letter.is_utf8,
                name=str(delivery.id),
                urgent=self.lane is Lane.DIRECT,
            )
        except MailRefused as error:
            return Ended(delivery, Outcome.DEAD, error.reason)
        except MailPostponed as error:
            return self._later(delivery, error.reason)
        except ServerAway as error:
            return self._paused(delivery, error.reason)
        except Exception as error:  # noqa: BLE001 - a mail that cannot be written holds up no other
            return _unwritable(delivery, error)
        self._pause = SHORTEST_PAUSE
        return Ended(delivery, Outcome.SENT)

    def _later(self, delivery: Claimed, reason: str) -> Result:
        if delivery.tries > len(WAITS):
            return Ended(delivery, Outcome.DEAD, reason)
        wait = WAITS[delivery.tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, keeps no secret
        return Postponed(delivery, clock.now() + wait, reason)

    def _paused(self, delivery: Claimed, reason: str) -> Result:
        """Nobody's mail can go now: wait, longer each time, and count no try of any."""
        now = clock.now()
        if now - delivery.created_at > OLDEST:
            return Ended(delivery, Outcome.DEAD, reason)
        if now >= self._resumes_at:
            log.warning("The mail server is away", lane=self.lane, reason=reason)
            self._resumes_at = now + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        return Postponed(delivery, self._resumes_at, reason, counts=False)


def _unwritable(delivery: Claimed, error: Exception) -> Ended:
    reason = f"it could not be written: {type(error).__name__}"
    log.warning("A mail went wrong", kind=delivery.kind, reason=reason)
    return Ended(delivery, Outcome.DEAD, reason)
