"""Many clients register without a pause, whatever happens to the server, and keep a ledger."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

from tests.races.wire import Client, Reply, Unanswered

CLIENTS = 64
MOST_CALLS = 20_000
"""Of one client; a load that nobody stops ends all the same."""
PAUSE_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 60.0


@dataclass
class Ledger:
    """What the clients were told, by the key (and name) of the request."""

    acknowledged: dict[str, Reply] = field(default_factory=dict)
    refused: dict[str, Reply] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    slowest_seconds: float = 0.0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, key: str, reply: Reply | None, seconds: float) -> None:
        """Write down one reply, or that there was none."""
        if reply is None:
            self.unanswered.add(key)
        elif reply.status == 201:
            self.acknowledged[key] = reply
        else:
            self.refused[key] = reply
        self.slowest_seconds = max(self.slowest_seconds, seconds if reply else 0.0)
        self.changed.set()

    @property
    def unsettled(self) -> list[str]:
        """The requests whose effect is not known: no answer, or that of a server in trouble."""
        return sorted({*self.unanswered, *self.refused})

    async def until(self, happens: Callable[[], bool]) -> None:
        """Wait until something holds that a reply brings about. Raises TimeoutError."""
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            while not happens():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def load(port: int, event_id: str, ledger: Ledger) -> AsyncIterator[None]:
    """The load, from entering to leaving; on leaving, everyone still waits for their last reply."""
    stopped = asyncio.Event()
    clients = [
        asyncio.create_task(_keep_asking(port, event_id, f"client-{n}", ledger, stopped))
        for n in range(CLIENTS)
    ]
    try:
        yield
    finally:
        stopped.set()
        await asyncio.gather(*clients)


async def register(client: Client, event_id: str, key: str) -> Reply:
    """The reply to the one request with that key, the same each time. Raises Unanswered."""
    person = {"name": key, "email": f"{key}@example.org"}
    return await client.post(f"/events/{event_id}/register", person, {"Idempotency-Key": key})


async def _keep_asking(
    port: int, event_id: str, name: str, ledger: Ledger, stopped: asyncio.Event
) -> None:
    async with Client(port) as client:
        for n in range(MOST_CALLS):
            if stopped.is_set():
                return
            try:
                await client.dial()
            except Unanswered:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            key, begun = f"{name}-{n}", monotonic()
            try:
                reply = await register(client, event_id, key)
            except Unanswered:
                reply = None
            ledger.note(key, reply, monotonic() - begun)
            if reply is not None and reply.status != 201:
                await asyncio.sleep(PAUSE_SECONDS)
