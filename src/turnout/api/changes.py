"""The call by which programs read what happened, in order and without a gap."""

from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from turnout.accounts.actor import Scope
from turnout.api import describe, direct, queries, responses
from turnout.api.events import shown_in
from turnout.api.queries import ZoneQuery
from turnout.db.paging import DEFAULT_LIMIT, MAX_LIMIT
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotAllowed, NotSignedIn
from turnout.events.errors import InvalidTimezone
from turnout.notifications import changes
from turnout.notifications.webhook_errors import ChangesGone
from turnout.notifications.webhook_schemas import ChangeItem, ChangesPage

router = direct.router("Integrations")


class ChangesQuery(ZoneQuery):
    """From where on, how many, in which zone."""

    after: Annotated[str, Field(max_length=100)] | None = Field(
        None, description="`next_after` of the answer before; without it from the oldest kept."
    )
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="Items an answer.")


@router.get(
    "/changes",
    summary="Read what happened",
    response_model=ChangesPage,
    **describe.read(NotSignedIn, NotAllowed, ChangesGone, InvalidTimezone, query=ChangesQuery),
)
async def list_changes(request: Request) -> Response:
    """What happened to your events, in the order in which it became known: none twice, none lost.

    Ask again with `next_after`; an empty list says that there is nothing new. Administrators read
    what happened to all events.
    """
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_READ)
    async with runtime.database.read() as db:
        await changes.require_reader(db, actor)
        query = queries.read(request, ChangesQuery)
        zone = shown_in(query, actor)
        after = None if query.after is None else changes.position_of(query.after)
        found, last = await changes.page(db, actor, after, query.limit)
    items = [
        ChangeItem(each.id, each.topic, each.at.astimezone(zone), each.payload, str(each.position))
        for each in found
    ]
    return responses.read(request, ChangesPage(items, str(last)))
