"""What the calls of organizers share: who may, how far a change goes, and its rehearsal."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import Field
from starlette.requests import Request

from turnout.accounts.actor import Actor, Scope
from turnout.api import pages, responses
from turnout.api.queries import Query, ZoneQuery
from turnout.db.session import Db
from turnout.discovery import queries as discovery
from turnout.edge.caller import actor_of, runtime_of
from turnout.events import policy
from turnout.runtime import Runtime

F = TypeVar("F")


class Reach(StrEnum):
    """How far a change of an event goes."""

    THIS = "this"
    FOLLOWING = "following"


class ReachQuery(Query):
    """Whether it is about an event alone, or also about those that follow it in its series."""

    scope: Reach = Field(
        default=Reach.THIS,
        description="`following`: this event and those after it in its series, all or none.",
    )


class RehearsalQuery(ReachQuery, ZoneQuery):
    """Whether to do it, or to say what it would do."""

    dry_run: bool = Field(
        default=False, description="Only say what would change, who is affected and who is told."
    )


class _Rehearsed(Exception, Generic[F]):
    """Takes back all that a rehearsal wrote, and carries what it found."""

    def __init__(self, found: F) -> None:
        super().__init__()
        self.found = found


async def organizer(
    event_id: str, request: Request, *, owner: bool = False, match: bool = True
) -> tuple[Actor, UUID]:
    """The caller, who may change the event as they know it; asked before its body is looked at.

    What is asked here is asked again under the lock, where it counts.
    """
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_WRITE)
    policy.require_known(actor)
    found = pages.id_of(event_id)
    async with runtime.database.read() as db:
        row = (await discovery.event(db, actor, found)).row
    (policy.require_owner if owner else policy.require_editor)(actor, row)
    if match:
        responses.require_match(request, row.version)
    return actor, found


async def changed(
    runtime: Runtime, change: Callable[[Db], Awaitable[F]], *, dry_run: bool = False
) -> F:
    """What the change found, in one transaction; a rehearsal does the same and takes it back."""
    if dry_run:
        return await _rehearsed(runtime, change)
    async with runtime.database.write() as db:
        return await change(db)


async def _rehearsed(runtime: Runtime, change: Callable[[Db], Awaitable[F]]) -> F:
    try:
        async with runtime.database.write() as db:
            found = await change(db)
            raise _Rehearsed(found)  # noqa: TRY301 - leaving the block by an error takes it all back
    except _Rehearsed as rehearsed:
        again: F = rehearsed.found
        return again
