"""One event of Olive's and those who want something of it; and what is written down of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import insert, select
from tests.db import rows
from tests.factories import a_person, make_event
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import Person

from turnout import clock
from turnout.audit.models import AuditEntry
from turnout.db.session import Database
from turnout.events.models import TeamMember, TeamRole
from turnout.outbox.models import OutboxMessage
from turnout.registrations.models import Admission, Registration

NOBODYS_ID = "0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"
UNLIKE_EACH_TIME = {"x-request-id", "date", "ratelimit"}
"""Headers that differ between any two answers."""
CALLS = {"read": "GET", "rename": "PATCH", "cancel": "POST"}

Credential = Person | Mapping[str, Any] | None
"""An account, a registration with its guest's token, or nothing."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The product, and an event of Olive's."""

    app: RunningApp
    olive: Person
    event: dict[str, Any]

    @property
    def database(self) -> Database:
        """Where all of it is."""
        return self.app.runtime.database

    @property
    def event_id(self) -> str:
        """The event's id."""
        event_id: str = self.event["id"]
        return event_id

    async def helper(self, name: str, role: TeamRole) -> Person:
        """Someone new in the event's team."""
        person = await cast.join(self.app, name)
        await self.let_in(person, role)
        return person

    async def let_in(self, person: Person, role: TeamRole) -> None:
        """Put an account into the event's team."""
        member = {"event_id": UUID(self.event_id), "user_id": person.id, "role": role}
        await rows.change(
            self.database, insert(TeamMember).values(**member, created_at=clock.now())
        )

    async def ask(self, by: Credential, /, **wish: str) -> httpx2.Response:
        """The answer to one who wants a seat."""
        async with self.app.client(headers=headers_of(by)) as api:
            return await api.post(f"/events/{self.event_id}/register", json=wish)

    async def seat(self, by: Credential = None, /, **wish: str) -> dict[str, Any]:
        """A new registration."""
        answer = await self.ask(by, **wish)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def guests(self, count: int) -> list[dict[str, Any]]:
        """The registrations of so many guests, in their order."""
        return [await self.seat(**a_person(n)) for n in range(count)]

    async def call(
        self, what: str, registration_id: str, by: Credential, **headers: str
    ) -> httpx2.Response:
        """The answer to one of CALLS; a rename is to "Ada King"."""
        path = f"/registrations/{registration_id}" + ("/cancel" if what == "cancel" else "")
        body = {"name": "Ada King"} if what == "rename" else None
        async with self.app.client(headers={**headers_of(by), **headers}) as api:
            return await api.request(CALLS[what], path, json=body)

    async def cancel(self, made: dict[str, Any], by: Credential = None) -> dict[str, Any]:
        """The registration, cancelled by its guest or by someone else."""
        answer = await self.call("cancel", made["id"], by or made)
        assert answer.status_code == 200, answer.text
        cancelled: dict[str, Any] = answer.json()
        return cancelled

    async def counters(self) -> tuple[int, int]:
        """How many seats are taken, and how many people wait."""
        of_event = Admission.event_id == UUID(self.event_id)
        query = select(Admission.taken, Admission.waiting).where(of_event)
        [(taken, waiting)] = await rows.read(self.database, query)
        return taken, waiting

    async def people(self) -> list[tuple[str, str, int | None]]:
        """Address, status and position of everyone, in the order in which they came."""
        columns = Registration.email, Registration.status, Registration.waitlist_position
        of_event = Registration.event_id == UUID(self.event_id)
        found = await rows.read(
            self.database, select(*columns).where(of_event).order_by(Registration.id)
        )
        return [(email, status, position) for email, status, position in found]

    async def messages(self, *, after: int = 0) -> list[tuple[str, str]]:
        """Topic and subject of what was said of the event, behind the first `after`."""
        of_event = OutboxMessage.event_id == UUID(self.event_id)
        query = select(OutboxMessage.topic, OutboxMessage.subject_id).where(of_event)
        found = await rows.read(self.database, query.order_by(OutboxMessage.id))
        return [(topic, str(subject)) for topic, subject in found[after:]]

    async def audit(self, *, after: int = 0) -> list[tuple[str, str]]:
        """Action and subject of what was recorded of the event, behind the first `after`."""
        of_event = AuditEntry.event_id == UUID(self.event_id)
        query = select(AuditEntry.action, AuditEntry.subject_id).where(of_event)
        found = await rows.read(self.database, query.order_by(AuditEntry.id))
        return [(action, str(subject)) for action, subject in found[after:]]


async def stage(app: RunningApp, **event: Any) -> Stage:
    """The event, as Olive wants it."""
    olive = await cast.olive(app)
    return await another(app, olive, **event)


async def another(app: RunningApp, olive: Person, **event: Any) -> Stage:
    """Another event of hers."""
    async with olive.api(app) as api:
        return Stage(app, olive, await make_event(api, **event))


def headers_of(by: Credential) -> dict[str, str]:
    """The credential: an account's token, a guest's, or none."""
    match by:
        case None:
            return {}
        case Person():
            return by.bearer
        case made:
            return {"Authorization": f"Ticket {made['manage_token']}"}


def plain(made: dict[str, Any]) -> dict[str, Any]:
    """A registration without what is told only once."""
    return {name: value for name, value in made.items() if name != "manage_token"}


def told(answer: httpx2.Response) -> tuple[int, dict[str, Any], dict[str, str]]:
    """An answer without what differs between any two: the request's id, the time."""
    headers = {k: v for k, v in answer.headers.items() if k not in UNLIKE_EACH_TIME}
    return answer.status_code, {**answer.json(), "instance": None}, headers


def code(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["code"]
