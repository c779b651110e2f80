"""A series as its organizer makes and changes it, over the doors; it knows no answer."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import select
from tests.db import rows
from tests.factories import a_person, make_event, register
from tests.support.app import RunningApp

from turnout import clock
from turnout.audit.models import AuditEntry
from turnout.db.session import Database
from turnout.events.models import Event
from turnout.outbox.models import OutboxMessage

CLASS: dict[str, Any] = {
    "name": "Yoga",
    "timezone": "Europe/Berlin",
    # The Saturday before the clocks go forward.
    "start_time": "2030-03-30T18:00:00",
    "end_time": "2030-03-30T20:00:00",
    "registration_closes_at": "2030-03-30T12:00:00",
    "slots": [
        {
            "title": "Warm-up",
            "start_time": "2030-03-30T18:00:00",
            "end_time": "2030-03-30T18:30:00",
            "room": "Hall",
        }
    ],
    "max_capacity": 3,
    "waitlist_enabled": True,
    "place": {"city": "Berlin", "latitude": 52.52, "longitude": 13.405},
    "tags": ["sport"],
}
DAILY = "FREQ=DAILY;COUNT=4"


@dataclass(frozen=True, slots=True)
class Course:
    """A series, as it was made, and the client of whoever organizes it."""

    app: RunningApp
    api: httpx2.AsyncClient
    made: dict[str, Any]

    @property
    def database(self) -> Database:
        """Where all of it is."""
        return self.app.runtime.database

    @property
    def ids(self) -> list[str]:
        """Of its events, in the order of the rule."""
        return [each["id"] for each in self.made["events"]]

    @property
    def path(self) -> str:
        """Where the series is."""
        return f"/series/{self.made['series_id']}"

    async def read(self) -> list[dict[str, Any]]:
        """Its events as they are read."""
        found = [await self.api.get(f"/events/{each}") for each in self.ids]
        return [answered(each) for each in found]

    async def names(self) -> list[str]:
        """What its events are called."""
        return [each["name"] for each in await self.read()]

    async def end(self, n: int) -> None:
        """Let the n-th event be over, as time does it."""
        now = clock.now()
        span = {"start_at": now - timedelta(hours=2), "end_at": now - timedelta(hours=1)}
        await rows.change_event(self.database, self.ids[n], **span)

    async def patch(self, n: int, body: Any, **query: str) -> httpx2.Response:
        """The answer to a change of the n-th event and those that follow."""
        params = {"scope": "following", **query}
        return await self.api.patch(f"/events/{self.ids[n]}", json=body, params=params)

    async def change(self, n: int, **fields: Any) -> dict[str, Any]:
        """What such a change does, that is taken."""
        return answered(await self.patch(n, fields))

    async def alone(self, n: int, **fields: Any) -> dict[str, Any]:
        """The n-th event, changed alone."""
        return answered(await self.api.patch(f"/events/{self.ids[n]}", json=fields))

    async def cancel(self, n: int, **query: str) -> httpx2.Response:
        """The answer to calling off the n-th event and those that follow."""
        params, body = {"scope": "following", **query}, {"reason": "No heating."}
        return await self.api.post(f"/events/{self.ids[n]}/cancel", json=body, params=params)

    async def delete(self, n: int) -> httpx2.Response:
        """The answer to taking away the n-th event and those that follow."""
        return await self.api.delete(f"/events/{self.ids[n]}", params={"scope": "following"})

    async def seat(self, n: int, count: int) -> None:
        """Let so many guests register for the n-th event."""
        for each in range(count):
            answered(await register(self.api, self.ids[n], **a_person(each)))

    async def messages(self) -> list[tuple[str, int]]:
        """The topic of each message so far, and which event it is about."""
        query = select(OutboxMessage.topic, OutboxMessage.event_id).order_by(OutboxMessage.id)
        query = query.where(OutboxMessage.event_id.is_not(None))
        found = await rows.read(self.database, query)
        return [(topic, self._number(event)) for topic, event in found]

    async def audit(self) -> list[tuple[str, int]]:
        """Each action that was recorded so far, and of which event."""
        query = select(AuditEntry.action, AuditEntry.event_id).order_by(AuditEntry.id)
        query = query.where(AuditEntry.event_id.is_not(None))
        found = await rows.read(self.database, query)
        return [(action, self._number(event)) for action, event in found]

    def _number(self, event_id: UUID) -> int:
        return self.ids.index(str(event_id))

    async def local(self) -> list[tuple[str, str]]:
        """The wall clock of each event that is left, and the one that the rule gave it."""
        query = select(Event.start_local, Event.series_local).order_by(Event.series_local)
        found = await rows.read(self.database, query)
        return [(f"{start:%d %H:%M}", f"{by:%d %H:%M}") for start, by in found]


async def repeat(
    app: RunningApp, api: httpx2.AsyncClient, rule: str = DAILY, **event: Any
) -> Course:
    """A new series of the client's."""
    first = await make_event(api, **{**CLASS, **event})
    answer = await api.post(f"/events/{first['id']}/series", json={"rule": rule})
    return Course(app, api, answered(answer))


def answered(answer: httpx2.Response) -> dict[str, Any]:
    """What a call answers that is taken."""
    assert answer.status_code in {200, 201}, answer.text
    content: dict[str, Any] = answer.json()
    return content


def starts(events: list[dict[str, Any]]) -> list[str]:
    """When each begins, without the month."""
    return [each["start_time"][8:] for each in events]


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """How a call is refused."""
    return answer.status_code, answer.json()["code"]
