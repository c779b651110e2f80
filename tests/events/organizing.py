"""One event, as its organizer changes it, and what is written down of that; it knows no answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import select
from tests.db import rows
from tests.factories import a_person, make_event, register
from tests.support import cast
from tests.support.app import RunningApp

from turnout import clock
from turnout.audit.models import AuditEntry
from turnout.db.session import Database
from turnout.events.models import Event
from turnout.outbox.models import OutboxMessage

BERLIN: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    # The Friday before the clocks go forward, in the night to 31 March 2030.
    "start_time": "2030-03-29T18:00:00",
    "end_time": "2030-03-29T23:00:00",
    "slots": [
        {
            "title": "Talk",
            "start_time": "2030-03-29T19:00:00",
            "end_time": "2030-03-29T20:30:00",
            "room": "Great hall",
            "speaker": "Ada",
            "description": "About hours",
        },
        {
            "title": "Walk",
            "start_time": "2030-03-29T21:00:00",
            "end_time": "2030-03-29T22:00:00",
        },
    ],
}
"""An evening with two slots, in a zone whose clocks change."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is stored of an event's changes: the numbers of its row, audit and messages in order."""

    version: int
    sequence: int
    audit: list[str]
    topics: list[str]


@dataclass(frozen=True, slots=True)
class Organizing:
    """The event, as it was made, and the client of whoever organizes it."""

    app: RunningApp
    api: httpx2.AsyncClient
    event: dict[str, Any]

    @property
    def database(self) -> Database:
        """Where all of it is."""
        return self.app.runtime.database

    @property
    def id(self) -> str:
        """The event's id."""
        event_id: str = self.event["id"]
        return event_id

    @property
    def path(self) -> str:
        """Where the event is."""
        return f"/events/{self.id}"

    async def patch(self, body: Any, query: str = "", **headers: str) -> httpx2.Response:
        """The answer to a change."""
        return await self.api.patch(self.path + query, json=body, headers=headers)

    async def change(self, **fields: Any) -> dict[str, Any]:
        """The event after a change that is taken."""
        return answered(await self.patch(fields))

    async def refused(self, **fields: Any) -> list[tuple[str, str]]:
        """Field and code of each error of a change that is refused for what was sent."""
        answer = await self.patch(fields)
        assert answer.status_code == 422, answer.text
        return [(each["field"], each["code"]) for each in answer.json()["errors"]]

    async def rehearse(self, **fields: Any) -> dict[str, Any]:
        """What a change would do."""
        return answered(await self.patch(fields, "?dry_run=true"))

    async def post(self, what: str, body: Any = None, **headers: str) -> httpx2.Response:
        """The answer to `publish`, `cancel`, `timezone` or `duplicate`."""
        return await self.api.post(f"{self.path}/{what}", json=body, headers=headers)

    async def cancel(self, reason: str = "No power.") -> dict[str, Any]:
        """The event, called off."""
        return answered(await self.post("cancel", {"reason": reason}))

    async def read(self) -> dict[str, Any]:
        """The event as it is read."""
        return answered(await self.api.get(self.path))

    async def seat(self, count: int) -> list[str]:
        """The ids of the registrations of so many guests, in their order."""
        found = [await register(self.api, self.id, **a_person(n)) for n in range(count)]
        assert {each.status_code for each in found} <= {201}
        return [each.json()["id"] for each in found]

    async def end(self) -> None:
        """Let the event be over, as time does it."""
        now = clock.now()
        start, end = now - timedelta(days=2), now - timedelta(days=1)
        await rows.change_event(self.database, self.id, start_at=start, end_at=end)

    async def written(self) -> Written:
        """What is stored by now."""
        of_event = Event.id == UUID(self.id)
        found = await rows.read(
            self.database, select(Event.version, Event.sequence).where(of_event)
        )
        [(version, sequence)] = found or [(0, 0)]
        return Written(version, sequence, await self.audit(), await self.topics())

    async def audit(self) -> list[str]:
        """The actions that were recorded of the event."""
        of_event = AuditEntry.event_id == UUID(self.id)
        query = select(AuditEntry.action).where(of_event).order_by(AuditEntry.id)
        return [action for (action,) in await rows.read(self.database, query)]

    async def topics(self) -> list[str]:
        """The topics of the messages about the event."""
        of_event = OutboxMessage.event_id == UUID(self.id)
        query = select(OutboxMessage.topic).where(of_event).order_by(OutboxMessage.id)
        return [topic for (topic,) in await rows.read(self.database, query)]

    async def payloads(self, topic: str) -> list[dict[str, Any]]:
        """What the messages of a topic hold."""
        wanted = OutboxMessage.event_id == UUID(self.id), OutboxMessage.topic == topic
        query = select(OutboxMessage.payload).where(*wanted).order_by(OutboxMessage.id)
        return [payload for (payload,) in await rows.read(self.database, query)]


async def olives(app: RunningApp, **event: Any) -> Organizing:
    """A new event of Olive's, on a server that knows her."""
    olive = await cast.olive(app)
    return await organizing(app, olive.api(app), **event)


async def organizing(app: RunningApp, api: httpx2.AsyncClient, **event: Any) -> Organizing:
    """A new event of the client's."""
    return Organizing(app, api, await make_event(api, **event))


def answered(answer: httpx2.Response) -> dict[str, Any]:
    """What a call answers that is taken."""
    assert answer.status_code in {200, 201}, answer.text
    content: dict[str, Any] = answer.json()
    return content


def differing(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The members of `after` that are others than in `before`, but for when it was changed."""
    return {k: v for k, v in after.items() if before[k] != v and k != "updated_at"}


def spans(event: dict[str, Any]) -> list[tuple[str, str]]:
    """When the event and each of its slots begins and ends."""
    return [(each["start_time"], each["end_time"]) for each in (event, *event["slots"])]


def titles(slots: Sequence[dict[str, Any]]) -> list[str]:
    """What the slots are called."""
    return [each["title"] for each in slots]
