"""The calls by which administrators see what is on its way, and what was erased after its time."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Scope
from turnout.accounts.policy import require_manager
from turnout.api import describe, direct, pages, queries, responses
from turnout.api.events import cause_of, shown_in
from turnout.api.queries import PageQuery, ZoneQuery
from turnout.db.session import Db
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotAllowed, NotFound, NotSignedIn
from turnout.events.errors import InvalidTimezone
from turnout.notifications import outgoing, retention
from turnout.notifications.errors import DeliveryEnded
from turnout.notifications.outgoing import Backlog, Outgoing, State
from turnout.notifications.retention import Done
from turnout.outbox.models import Channel

router = direct.router("Operation")

DeliveryId = Annotated[
    str, Path(description="The delivery's id.", json_schema_extra={"format": "uuid"})
]


class OutboxQuery(PageQuery, ZoneQuery):
    """Which deliveries, which page, in which zone."""

    state: State | None = Field(None, description="Those alone that stand so.")
    channel: Channel | None = Field(None, description="Mails or webhooks alone.")


class LogQuery(PageQuery, ZoneQuery):
    """Which page of the log, in which zone."""


@dataclass(frozen=True, slots=True)
class OutgoingOut:
    """Something on its way to a person or a program, or that has ended."""

    id: UUID
    channel: Channel
    kind: Annotated[str, Field(description="The kind of mail; of a webhook, the topic.")]
    event_id: UUID | None
    to: Annotated[
        str | None, Field(description="The address, or the webhook's; null once it is forgotten.")
    ]
    state: State
    tries: int
    due_at: Annotated[datetime, Field(description="When it is tried next, or was due.")]
    created_at: datetime
    finished_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class BacklogOut:
    """How much is left to do. What was sent is not counted: it is as much as there ever was."""

    waiting: int
    retrying: int
    dead: int
    undispatched: Annotated[int, Field(description="Messages whose readers are not found yet.")]


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """A page of what is on its way, the newest first."""

    items: list[OutgoingOut]
    next_cursor: str | None
    backlog: BacklogOut


@dataclass(frozen=True, slots=True)
class AnonymizationOut:
    """That the people of an event were taken out of it: when, and how many registrations."""

    event_id: UUID
    at: datetime
    registrations: int


@dataclass(frozen=True, slots=True)
class AnonymizationPage:
    """A page of the log, the newest event first."""

    items: list[AnonymizationOut]
    next_cursor: str | None


@router.get(
    "/admin/outbox",
    summary="See what is on its way",
    response_model=OutboxPage,
    **describe.read(NotSignedIn, NotAllowed, InvalidTimezone, query=OutboxQuery, paged=True),
)
async def list_outbox(request: Request) -> Response:
    """Mails and calls of webhooks, the newest first; `backlog` is about all of them."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.ADMIN_READ)
    require_manager(actor)
    query = queries.read(request, OutboxQuery)
    async with runtime.database.read() as db:
        backlog = await outgoing.backlog(db)

    async def load(db: Db, position: str | None, limit: int) -> list[Outgoing]:
        before = pages.id_at(position)
        return await outgoing.page(
            db, state=query.state, channel=query.channel, before=before, limit=limit
        )

    def page(items: list[OutgoingOut], cursor: str | None) -> OutboxPage:
        return OutboxPage(items, cursor, _backlog_out(backlog))

    name = pages.query_name(actor, "outbox", query.state, query.channel)
    show = partial(_out, zone=shown_in(query, actor))
    return await pages.listed(request, query, name, load, show, page)


@router.post(
    "/admin/outbox/{delivery_id}/retry",
    summary="Try once more",
    response_model=OutgoingOut,
    **describe.change(NotSignedIn, NotAllowed, NotFound, DeliveryEnded, tagged=True),
)
async def retry_delivery(delivery_id: DeliveryId, request: Request) -> Response:
    """Let what was given up, or waits for its next try, be tried at once."""
    actor = await actor_of(request, Scope.ADMIN_WRITE)
    require_manager(actor)
    wanted, cause = pages.id_of(delivery_id), cause_of(request, actor)
    async with runtime_of(request).database.write() as db:
        found = await outgoing.retry(db, wanted, cause, clock.now())
    return responses.changed(_out(found, shown_in(ZoneQuery(), actor)))


@router.get(
    "/admin/anonymizations",
    summary="See which events have no people any more",
    response_model=AnonymizationPage,
    **describe.read(NotSignedIn, NotAllowed, InvalidTimezone, query=LogQuery, paged=True),
)
async def list_anonymizations(request: Request) -> Response:
    """Events whose registrations were anonymized after `TURNOUT_RETENTION_DAYS`, and when."""
    actor = await actor_of(request, Scope.ADMIN_READ)
    require_manager(actor)
    query = queries.read(request, LogQuery)

    async def load(db: Db, position: str | None, limit: int) -> list[Done]:
        return await retention.page(db, before=pages.id_at(position), limit=limit)

    def show(done: Done) -> AnonymizationOut:
        return AnonymizationOut(done.event_id, done.at.astimezone(zone), done.registrations)

    name, zone = pages.query_name(actor, "anonymizations"), shown_in(query, actor)
    return await pages.listed(request, query, name, load, show, AnonymizationPage)


def _backlog_out(backlog: Backlog) -> BacklogOut:
    return BacklogOut(backlog.waiting, backlog.retrying, backlog.dead, backlog.undispatched)


def _out(found: Outgoing, zone: tzinfo) -> OutgoingOut:
    ended = found.finished_at
    return OutgoingOut(
        found.id, found.channel, found.kind, found.event_id, found.to, found.state, found.tries,
        found.due_at.astimezone(zone), found.created_at.astimezone(zone),
        None if ended is None else ended.astimezone(zone), found.last_error,
    )  # fmt: skip
