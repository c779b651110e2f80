"""What the calls about an event answer with `scope=following`: it and those after it at once."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Actor
from turnout.api import organizing, responses
from turnout.api.events import cause_of, display_zone
from turnout.api.organizing import RehearsalQuery
from turnout.audit.audit import Cause
from turnout.db.session import Db
from turnout.discovery.series import FollowingOut, following_out
from turnout.edge.caller import runtime_of
from turnout.events.patches import EventPatch
from turnout.notifications import dispatch
from turnout.registrations import series
from turnout.registrations.series import Followed, Reached

Work = Callable[[Db, Cause, Reached], Awaitable[Sequence[Followed]]]


async def change(
    request: Request, actor: Actor, event_id: UUID, patch: EventPatch, query: RehearsalQuery
) -> Response:
    """The events with what was sent, or what that would do to them."""

    async def work(db: Db, cause: Cause, reached: Reached) -> Sequence[Followed]:
        return await series.edit(db, cause, reached, patch, clock.now())

    return await _answer(request, actor, event_id, query, work, owner=False)


async def cancel(
    request: Request, actor: Actor, event_id: UUID, reason: str, query: RehearsalQuery
) -> Response:
    """The events, called off, or how many that concerns."""

    async def work(db: Db, cause: Cause, reached: Reached) -> Sequence[Followed]:
        return await series.cancel(db, cause, reached, reason, clock.now())

    return await _answer(request, actor, event_id, query, work, owner=True)


async def delete(request: Request, actor: Actor, event_id: UUID) -> Response:
    """Nothing: the events are gone."""
    async with runtime_of(request).database.write() as db:
        await dispatch.hold(db)
        reached = await series.reach(db, actor, event_id, owner=True)
        responses.require_match(request, reached.target.event.version)
        events = [each.event.id for each in (reached.target, *reached.others)]
        await dispatch.tell_before_deletion(db, events, clock.now())
        await series.delete(db, cause_of(request, actor), reached, clock.now())
    return Response(status_code=204)


async def _answer(
    request: Request,
    actor: Actor,
    event_id: UUID,
    query: RehearsalQuery,
    work: Work,
    *,
    owner: bool,
) -> Response:
    zone = display_zone(query, actor)

    async def do(db: Db) -> tuple[FollowingOut, int]:
        reached = await series.reach(db, actor, event_id, owner=owner)
        before = reached.target.event
        responses.require_match(request, before.version)
        found = await work(db, cause_of(request, actor), reached)
        out = following_out(reached.series_id, found, zone, dry_run=query.dry_run)
        return out, before.version if query.dry_run else found[0].change.after.event.version

    done = partial(organizing.changed, runtime_of(request), do)
    return responses.changed(*await done(dry_run=query.dry_run))
