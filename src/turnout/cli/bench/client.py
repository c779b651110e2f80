"""The load client: many HTTP/1.1 connections at little cost; knows nothing of what it asks for.

`python -m turnout.cli.bench.client` reads a `Load` from its input and prints a `Measured`: it
always runs in a process of its own, so that client and server never share an interpreter.
"""

import asyncio
import gc
import json
import re
import sys
import time
from array import array
from collections import Counter, deque
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Any, cast

from turnout.cli import event_loop
from turnout.cli.bench.measured import Measured, percentile
from turnout.cli.bench.wire import DIGITS, Load, load_from_json

DRAIN_SECONDS = 10.0
"""How long answers still under way are waited for when the time is over."""

SAMPLE_BYTES = 2_000

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_BODILESS = frozenset({204, 304})


class MalformedAnswerError(Exception):
    """What came back is not an HTTP/1.1 answer with a length."""


def answer_size(data: bytes) -> tuple[int, int, int] | None:
    """(status, where the body begins, whole length) of the answer at the start of `data`.

    None while the head is not complete. Raises MalformedAnswerError for what cannot be measured
    this way: not HTTP/1.1, or a body without Content-Length.
    """
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return None
    if not data.startswith(b"HTTP/1.1 "):
        raise MalformedAnswerError
    status = int(data[9:12])
    if status in _BODILESS:
        return status, head + 4, head + 4
    length = _LENGTH.search(data, 0, head)
    if length is None:
        raise MalformedAnswerError
    return status, head + 4, head + 4 + int(length[1])


class Tally:
    """What has been answered so far, and when."""

    def __init__(self) -> None:
        self.latencies = array("d")
        self.statuses: Counter[int] = Counter()
        self.samples: dict[int, bytes] = {}
        self.broken = 0
        self.begin()

    def begin(self) -> None:
        """Let the time run from now."""
        self.started = self.last = time.perf_counter()

    def answered(self, status: int, due: float) -> bool:
        """Count one answer to a request that was due at `due`; True for the first of its status."""
        self.last = time.perf_counter()
        self.latencies.append(self.last - due)
        self.statuses[status] += 1
        return self.statuses[status] == 1

    def measured(self, expected: tuple[int, ...]) -> Measured:
        """The tally as a result; the time runs from the start to the last answer."""
        ordered = sorted(self.latencies)
        seconds = max(self.last - self.started, 1e-9)
        unexpected = sum(n for status, n in self.statuses.items() if status not in expected)
        return Measured(
            tool="turnout",
            requests=len(ordered),
            seconds=seconds,
            per_second=len(ordered) / seconds,
            p50_ms=percentile(ordered, 50) * 1000,
            p95_ms=percentile(ordered, 95) * 1000,
            p99_ms=percentile(ordered, 99) * 1000,
            max_ms=(ordered[-1] if ordered else 0.0) * 1000,
            statuses={str(status): n for status, n in sorted(self.statuses.items())},
            errors=self.broken + unexpected,
            samples={
                str(status): body.decode("utf-8", "replace")
                for status, body in self.samples.items()
            },
        )


class Run:
    """One load under way: hands the next request to a free connection, and knows when it is over.

    A request is due at a moment, and its latency counts from there. In a closed loop that moment
    is when a connection is free; in an open loop a clock sets it, and free connections wait.
    """

    def __init__(self, load: Load, *, drain_seconds: float = DRAIN_SECONDS) -> None:
        self.load = load
        self.drain_seconds = drain_seconds
        self.tally = Tally()
        self.over = asyncio.Event()
        self._requests = [each.parts(f"{load.host}:{load.port}") for each in load.requests]
        self._sent = 0
        self._most = load.most
        self._begun = False
        self._free: deque[Connection] = deque()
        self._open: set[Connection] = set()
        self._dialling = 0
        self._overdue: deque[float] = deque()
        # A server that hangs up on every request would otherwise be dialled for ever.
        self._redials = 10 * load.connections
        self._tasks: set[asyncio.Task[None]] = set()

    async def finish(self) -> Measured:
        """Do the whole load; what is not answered in time counts as an error."""
        await asyncio.gather(*(self._dial() for _ in range(self.load.connections)))
        self.tally.begin()
        self._begun = True
        if self.load.rate is not None:
            self._spawn(self._pace(self.load.rate))
        for _ in range(len(self._free)):
            self.serve(self._free.popleft())
        self._stop_when_idle()
        try:
            await asyncio.wait_for(self.over.wait(), self.load.seconds + self.drain_seconds)
        except TimeoutError:
            self.tally.broken += len(self._open) - len(self._free)
        self.over.set()
        self.tally.broken += len(self._overdue)
        for task in self._tasks:
            task.cancel()
        for connection in list(self._open):
            connection.close()
        return self.tally.measured(self.load.expected)

    def serve(self, connection: "Connection") -> None:
        """Give a free connection its next request, or let it wait for one."""
        if self._begun and self._overdue:
            connection.send(self._next_bytes(), self._overdue.popleft())
        elif self._begun and self.load.rate is None and not self._is_spent():
            connection.send(self._next_bytes(), time.perf_counter())
        else:
            self._free.append(connection)
            self._stop_when_idle()

    def opened(self, connection: "Connection") -> None:
        """A new connection is there."""
        self._open.add(connection)
        self.serve(connection)

    def lost(self, connection: "Connection", *, unanswered: bool) -> None:
        """A connection is gone: count what it owed, and dial again while there is work."""
        self._open.discard(connection)
        if self.over.is_set():
            return
        if connection in self._free:
            self._free.remove(connection)
        if unanswered:
            self.tally.broken += 1
        if self._redials > 0 and not self._is_spent():
            self._redials -= 1
            self._spawn(self._dial())
        else:
            self._stop_when_idle()

    def _is_spent(self) -> bool:
        """Whether everything that was to be sent has been sent."""
        if self._sent + len(self._overdue) >= self._most:
            return True
        return time.perf_counter() >= self.tally.started + self.load.seconds

    def _stop_when_idle(self) -> None:
        if not self._begun or self._dialling or len(self._free) < len(self._open):
            return
        if self._is_spent() or not self._open:
            self.over.set()

    def _next_bytes(self) -> bytes:
        number = self._sent
        parts = self._requests[number % len(self._requests)]
        self._sent += 1
        return parts[0] if len(parts) == 1 else (b"%0*d" % (DIGITS, number)).join(parts)

    async def _dial(self) -> None:
        """Open one connection; a refusal counts as an error."""
        loop, load = asyncio.get_running_loop(), self.load
        self._dialling += 1
        try:
            await loop.create_connection(lambda: Connection(self), load.host, load.port)
        except OSError:
            self.tally.broken += 1
        finally:
            self._dialling -= 1
            self._stop_when_idle()

    async def _pace(self, rate: float) -> None:
        """Make requests due at `rate` a second until everything is sent."""
        due = self.tally.started
        while not self._is_spent():
            self._overdue.append(due)
            if self._free:
                self.serve(self._free.popleft())
            due += 1 / rate
            await asyncio.sleep(due - time.perf_counter())
        self._stop_when_idle()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Connection(asyncio.Protocol):
    """One kept-alive connection with at most one request under way."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._transport: asyncio.Transport | None = None
        self._due: float | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Report for work."""
        self._transport = cast("asyncio.Transport", transport)
        self._run.opened(self)

    def send(self, request: bytes, due: float) -> None:
        """Send one request; its latency counts from `due`."""
        self._due = due
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Count an answer once it is whole, and ask for the next request."""
        if self._received:
            data = self._received + data
        try:
            size = answer_size(data)
        except MalformedAnswerError:
            self.close()
            return
        if size is None or len(data) < size[2]:
            self._received = data
            return
        status, body, end = size
        self._received = b""
        if self._due is None or len(data) > end:
            self.close()
            return
        tally = self._run.tally
        if tally.answered(status, self._due):
            tally.samples[status] = data[body : min(end, body + SAMPLE_BYTES)]
        self._due = None
        self._run.serve(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the run, with what is still owed."""
        del exc
        self._run.lost(self, unanswered=self._due is not None)

    def close(self) -> None:
        """Hang up at once; an answer that is still owed counts as an error."""
        if self._transport is not None:
            self._transport.abort()


def main() -> None:
    """Read a load, do it, print what was measured."""
    load = load_from_json(sys.stdin.read())
    # The run is short and makes no cycles; a collection would show as the server's latency.
    gc.disable()
    with asyncio.Runner(loop_factory=event_loop.new) as runner:
        measured = runner.run(Run(load).finish())
    print(json.dumps(asdict(measured)))


if __name__ == "__main__":
    main()
