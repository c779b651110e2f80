"""Who may send next: urgent mails before others, at an even pace, and no more at once than allowed.

Knows neither mails nor servers.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

LATE_SECONDS = 0.1
"""So much of what late timers took is given back at most."""
LONGEST_WAIT_SECONDS = 300.0

Waiter = asyncio.Future[None]


class NoTurn(Exception):
    """One waited so long that it is better to come back."""


class Gate:
    """Lets at most `size` through at once, and `per_second` of them in a second (0: any number).

    Urgent ones go first. The others never hold the last `reserved` places, so that however slow
    their mails are, an urgent one finds a place. The pace is even: after a pause there is no burst
    of what was not used. For one event loop.
    """

    def __init__(self, size: int, reserved: int, per_second: float) -> None:
        self._full_size = size
        self._size = size
        self._reserved = reserved
        self._interval = 1 / per_second if per_second else 0.0
        self._urgent: deque[Waiter] = deque()
        self._others: deque[Waiter] = deque()
        self._inside = 0
        self._others_inside = 0
        self._next_at = 0.0
        self._is_held = False  # by the pace alone
        self._timer: asyncio.TimerHandle | None = None
        self._widening: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def turn(self, *, urgent: bool) -> AsyncIterator[None]:
        """A place inside, for as long as the context lasts.

        Raises NoTurn when there is none for LONGEST_WAIT_SECONDS, and what dismiss() makes.
        """
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self._enter(urgent=urgent)
        except TimeoutError:
            raise NoTurn from None
        try:
            yield
        finally:
            self._leave(urgent=urgent)

    def dismiss(self, error: Callable[[], Exception]) -> None:
        """Send away all who wait, each with an error of its own."""
        for queue in (self._urgent, self._others):
            while queue:
                waiter = queue.popleft()
                if not waiter.done():
                    waiter.set_exception(error())

    def narrow(self, size: int, seconds: float) -> None:
        """Let only `size` in at once from now on, and one more after each `seconds`."""
        self._size = max(1, min(size, self._size))
        if self._widening is not None:
            self._widening.cancel()
        self._widen_later(seconds)

    def close(self) -> None:
        """Leave no timer behind."""
        for timer in (self._timer, self._widening):
            if timer is not None:
                timer.cancel()
        self._timer = self._widening = None

    def _widen_later(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._widening = loop.call_later(seconds, self._widen, seconds)

    def _widen(self, seconds: float) -> None:
        self._widening = None
        self._size += 1
        if self._size < self._full_size:
            self._widen_later(seconds)
        self._let_in()

    async def _enter(self, *, urgent: bool) -> None:
        waiter: Waiter = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._others).append(waiter)
        self._let_in()
        try:
            await waiter
        except asyncio.CancelledError:
            # Cancelled in the moment between being let in and going on.
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._leave(urgent=urgent)
            raise

    def _leave(self, *, urgent: bool) -> None:
        self._inside -= 1
        self._others_inside -= not urgent
        self._let_in()

    def _let_in(self) -> None:
        while (queue := self._next()) is not None:
            now = asyncio.get_running_loop().time()
            if now < self._next_at:
                self._is_held = True
                self._let_in_at(self._next_at)
                return
            # What a late timer took from one who waited for it is given back; a pause is not.
            base = max(self._next_at, now - LATE_SECONDS) if self._is_held else now
            self._next_at = base + self._interval
            self._inside += 1
            self._others_inside += queue is self._others
            queue.popleft().set_result(None)
        self._is_held = False

    def _next(self) -> deque[Waiter] | None:
        """The queue whose first may come in as far as places go; None when nobody may."""
        for queue in (self._urgent, self._others):
            while queue and queue[0].done():
                queue.popleft()
        if self._inside >= self._size:
            return None
        if self._urgent:
            return self._urgent
        if self._others and self._others_inside < max(1, self._size - self._reserved):
            return self._others
        return None

    def _let_in_at(self, when: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(when, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._let_in()
