"""An application with a geocoder of the test's own, and events that wait to be looked up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from tests.db import rows
from tests.factories import make_event
from tests.support.app import RunningApp, running
from tests.support.outside import SmallServer, small_server

from turnout import clock
from turnout.audit.models import AuditEntry
from turnout.events.models import Event
from turnout.outbox.models import OutboxMessage
from turnout.settings import Settings

LOCATION = "Bengaluru International Centre"
KEY = "canary-key-of-google"


@dataclass(frozen=True)
class Scene:
    """The application, and the server that it takes for the geocoder."""

    app: RunningApp
    server: SmallServer

    async def event(self, **changes: Any) -> str:
        """The id of a new event that is due to be looked up."""
        event_id = await self.made(**changes)
        await self.change(event_id, place_lookup_at=clock.now(), place_lookups=0)
        return event_id

    async def made(self, **changes: Any) -> str:
        """The id of a new event, as the product leaves it."""
        async with self.app.client() as api:
            made = await make_event(api, **{"location": LOCATION, **changes})
        return str(made["id"])

    async def change(self, event_id: str, **values: Any) -> None:
        """Change columns behind the product's back."""
        await rows.change_event(self.app.runtime.database, event_id, **values)

    async def row(self, event_id: str) -> Event:
        """The event as it is in the database."""
        async with self.app.runtime.database.read() as db:
            return await db.get_one(Event, UUID(event_id))

    async def audited(self, event_id: str) -> list[tuple[Any, ...]]:
        """What was recorded of it but its making: standing, actor, action, changes."""
        columns = (
            *(AuditEntry.standing, AuditEntry.actor_id),
            *(AuditEntry.action, AuditEntry.changes),
        )
        query = select(*columns).where(
            AuditEntry.event_id == UUID(event_id), AuditEntry.action != "event.created"
        )
        return await rows.read(self.app.runtime.database, query)

    async def messages(self, event_id: str) -> int:
        """How many messages there are about it."""
        mine = OutboxMessage.event_id == UUID(event_id)
        return await rows.count(self.app.runtime.database, OutboxMessage, mine)

    async def come_due(self, event_id: str) -> timedelta:
        """Let a wait be over; how long it would have been."""
        row = await self.row(event_id)
        assert row.place_lookup_at is not None
        now = clock.now()
        await self.change(event_id, place_lookup_at=now)
        return row.place_lookup_at - now


def asking(settings: Settings, kind: str, url: str) -> Settings:
    """The settings with that geocoder, at that address."""
    given = {
        "geocoder": kind,
        "geocoder_url": url,
        "geocoder_key": KEY if kind == "google" else "",
        "geocoder_per_minute": 3000,
    }
    return Settings.model_validate({**settings.model_dump(), **given})


@asynccontextmanager
async def scene(settings: Settings, kind: str = "nominatim") -> AsyncIterator[Scene]:
    """The application with such a geocoder; no background work runs but what the test runs."""
    async with small_server() as server, running(asking(settings, kind, server.url)) as app:
        yield Scene(app, server)
