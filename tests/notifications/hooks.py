"""Webhooks that lead to a receiver in the test's own loop, and the work that calls them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2
from sqlalchemy import select
from tests.db import rows
from tests.support.app import RunningApp, running
from tests.support.outside import SmallServer, answer, small_server

from turnout import clock
from turnout.notifications import dispatch
from turnout.notifications.webhook_sending import Calls
from turnout.outbox.models import Delivery
from turnout.outside import OutsideOfUsers
from turnout.settings import Settings

NETWORKS = ("127.0.0.0/8", "::1/128")
"""What the operator allows in these tests: the receiver is on this machine."""
TAKEN = answer(b"", "204 No Content")


@dataclass
class Hooks:
    """The product, a receiver, and whoever does the worker's part when the test says so."""

    app: RunningApp
    receiver: SmallServer
    shift: timedelta = field(default_factory=timedelta)
    calls: Calls = field(init=False)

    def __post_init__(self) -> None:
        """Begin to work."""
        self.calls = self.worker()

    def worker(self, outside: OutsideOfUsers | None = None) -> Calls:
        """Another one that does the worker's part, by the same clock."""
        runtime = self.app.runtime
        allowed = outside or runtime.outside_of_users
        return Calls(runtime.database, runtime.seals, allowed, now=self.now)

    def now(self) -> datetime:
        """The worker's clock, ahead by what the test has waited for."""
        return clock.now() + self.shift

    async def make(self, api: httpx2.AsyncClient, path: str = "/hook", **body: Any) -> Any:
        """A webhook that leads to that path of the receiver, as it was answered."""
        made = await api.post("/webhooks", json={"url": self.receiver.url + path, **body})
        assert made.status_code == 201, made.text
        return made.json()

    async def dispatch(self) -> None:
        """Let every message become what has to reach someone."""
        while True:
            async with self.app.runtime.database.write() as db:
                done = await dispatch.dispatch(db, self.now(), timedelta(0))
            if done.is_all:
                return

    async def work(self, after: timedelta = timedelta(0)) -> None:
        """Send all that is due, with what comes due meanwhile, after a time has passed."""
        self.shift += after
        await self.dispatch()
        while True:
            await self.calls.work()
            tasks = list(self.calls._tasks)
            if not tasks:
                return
            await asyncio.gather(*tasks)

    async def log(self, api: httpx2.AsyncClient, webhook: dict[str, Any]) -> list[dict[str, Any]]:
        """The deliveries to a webhook, the oldest first."""
        answered = await api.get(f"/webhooks/{webhook['id']}/deliveries?limit=100")
        assert answered.status_code == 200, answered.text
        items: list[dict[str, Any]] = answered.json()["items"]
        return items[::-1]

    async def outcomes(self) -> list[str | None]:
        """What became of every delivery to a webhook, in their order."""
        query = select(Delivery.outcome).where(Delivery.channel == "webhook").order_by(Delivery.id)
        return [found for (found,) in await rows.read(self.app.runtime.database, query)]


@asynccontextmanager
async def hooked(settings: Settings) -> AsyncIterator[Hooks]:
    """The product with a receiver that takes everything at `/hook`."""
    allowed = settings.model_copy(update={"webhook_networks": NETWORKS})
    async with small_server() as receiver, running(allowed) as app:
        receiver.answers["/hook"] = TAKEN
        found = Hooks(app, receiver)
        yield found
        await found.calls.aclose()


def told(receiver: SmallServer) -> list[str]:
    """The types of the messages that came, in their order."""
    return [json.loads(request.body)["type"] for request in receiver.asked]
