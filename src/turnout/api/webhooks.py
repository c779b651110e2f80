"""The calls about webhooks: which there are, their secrets, and what became of their messages."""

from functools import partial
from typing import Annotated

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Actor, Scope
from turnout.api import bodies, describe, direct, once, pages, queries, responses
from turnout.api.events import cause_of, shown_in
from turnout.api.queries import PageQuery, ZoneQuery
from turnout.db.session import Db
from turnout.edge import forms
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotAllowed, NotFound, NotSignedIn
from turnout.events import policy
from turnout.events.errors import InvalidTimezone
from turnout.idempotency.idempotency import Answer
from turnout.notifications import signing, webhook_log, webhooks
from turnout.notifications.models import Webhook
from turnout.notifications.webhook_errors import TooManyWebhooks, UrlNotAllowed, WebhookDisabled
from turnout.notifications.webhook_log import Logged, delivery_out
from turnout.notifications.webhook_schemas import (
    NewWebhookOut,
    WebhookDeliveryOut,
    WebhookDeliveryPage,
    WebhookIn,
    WebhookOut,
    WebhookPage,
    WebhookPatch,
    new_webhook_out,
    webhook_out,
)
from turnout.notifications.webhooks import WebhookDraft

router = direct.router("Integrations")

_ID = {"format": "uuid"}
WebhookId = Annotated[str, Path(description="The webhook's id.", json_schema_extra=_ID)]
DeliveryId = Annotated[str, Path(description="The delivery's id.", json_schema_extra=_ID)]
_REFUSED = (NotSignedIn, NotAllowed, NotFound)


class WebhooksQuery(PageQuery, ZoneQuery):
    """Which page, in which zone."""


@router.get(
    "/webhooks",
    summary="List webhooks",
    response_model=WebhookPage,
    **describe.read(NotSignedIn, NotAllowed, InvalidTimezone, query=WebhooksQuery, paged=True),
)
async def list_webhooks(request: Request) -> Response:
    """Your webhooks, the newest first; administrators see those of everyone."""
    actor = await actor_of(request, Scope.WEBHOOKS_READ)
    webhooks.require_keeper(actor)
    query = queries.read(request, WebhooksQuery)

    async def load(db: Db, position: str | None, limit: int) -> list[Webhook]:
        return await webhooks.page(db, actor, before=pages.id_at(position), limit=limit)

    name = pages.query_name(actor, "webhooks")
    show = partial(webhook_out, zone=shown_in(query, actor))
    return await pages.listed(request, query, name, load, show, WebhookPage)


@router.post(
    "/webhooks",
    summary="Make a webhook",
    response_model=NewWebhookOut,
    **describe.create(*_REFUSED, UrlNotAllowed, TooManyWebhooks, body=WebhookIn),
)
async def create_webhook(request: Request) -> Response:
    """From now on your program is told what happens to your events. The secret is shown once."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.WEBHOOKS_WRITE)
    webhooks.require_keeper(actor)
    body = await bodies.read(request, WebhookIn)
    claim = once.claim_of(request, actor, await forms.raw(request))
    webhooks.check_url(runtime.outside_of_users, body.url)
    secret = signing.read(body.secret or "") or signing.new_secret()
    wanted = WebhookDraft(body.url, secret, body.description, tuple(body.topics), body.event_id)
    work = partial(_create, request, actor, wanted)
    return responses.respond(await once.write(runtime, claim, work))


async def _create(request: Request, actor: Actor, wanted: WebhookDraft, db: Db) -> Answer:
    cause, seals = cause_of(request, actor), runtime_of(request).seals
    row = await webhooks.create(db, actor, seals, wanted, cause, clock.now())
    out = new_webhook_out(row, wanted.secret, shown_in(ZoneQuery(), actor))
    return responses.created(out, f"/webhooks/{row.id}", row.version)


@router.get(
    "/webhooks/{webhook_id}",
    summary="Read a webhook",
    response_model=WebhookOut,
    **describe.read(*_REFUSED, InvalidTimezone, query=ZoneQuery),
)
async def read_webhook(webhook_id: WebhookId, request: Request) -> Response:
    """One webhook, without its secret."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.WEBHOOKS_READ)
    async with runtime.database.read() as db:
        row = await _visible(db, actor, webhook_id)
    out = webhook_out(row, shown_in(queries.read(request, ZoneQuery), actor))
    return responses.read(request, out, version=row.version)


async def _visible(db: Db, actor: Actor, webhook_id: str, *, lock: bool = False) -> Webhook:
    policy.require_known(actor)
    return await webhooks.visible(db, actor, pages.id_of(webhook_id), lock=lock)


@router.patch(
    "/webhooks/{webhook_id}",
    summary="Change a webhook",
    response_model=WebhookOut,
    **describe.change(*_REFUSED, UrlNotAllowed, body=WebhookPatch, matched=True),
)
async def change_webhook(webhook_id: WebhookId, request: Request) -> Response:
    """Call another address, hear of other things, or switch it off and on again."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.WEBHOOKS_WRITE)
    async with runtime.database.read() as db:
        responses.require_match(request, (await _visible(db, actor, webhook_id)).version)
    changes = (await bodies.read(request, WebhookPatch)).model_dump(exclude_unset=True)
    if "url" in changes:
        webhooks.check_url(runtime.outside_of_users, changes["url"])
    async with runtime.database.write() as db:
        row = await _visible(db, actor, webhook_id, lock=True)
        responses.require_match(request, row.version)
        await webhooks.change(db, row, changes, cause_of(request, actor), clock.now())
    return responses.changed(webhook_out(row, shown_in(ZoneQuery(), actor)), row.version)


@router.delete(
    "/webhooks/{webhook_id}",
    summary="Delete a webhook",
    **describe.done(*_REFUSED, matched=True),
)
async def delete_webhook(webhook_id: WebhookId, request: Request) -> Response:
    """It is called no more; what was still to be sent is not sent."""
    actor = await actor_of(request, Scope.WEBHOOKS_WRITE)
    async with runtime_of(request).database.write() as db:
        row = await _visible(db, actor, webhook_id, lock=True)
        responses.require_match(request, row.version)
        await webhooks.remove(db, row, cause_of(request, actor), clock.now())
    return Response(status_code=204)


@router.post(
    "/webhooks/{webhook_id}/rotate-secret",
    summary="Give a webhook a new secret",
    response_model=NewWebhookOut,
    **describe.change(*_REFUSED, matched=True),
)
async def rotate_secret(webhook_id: WebhookId, request: Request) -> Response:
    """The new secret is shown once; for 24 hours calls are signed by the former one as well."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.WEBHOOKS_WRITE)
    secret, cause = signing.new_secret(), cause_of(request, actor)
    async with runtime.database.write() as db:
        row = await _visible(db, actor, webhook_id, lock=True)
        responses.require_match(request, row.version)
        await webhooks.rotate(db, row, runtime.seals, secret, cause, clock.now())
    out = new_webhook_out(row, secret, shown_in(ZoneQuery(), actor))
    return responses.changed(out, row.version)


@router.post(
    "/webhooks/{webhook_id}/test",
    summary="Send a test message",
    response_model=WebhookDeliveryOut,
    **describe.change(*_REFUSED, WebhookDisabled),
)
async def test_webhook(webhook_id: WebhookId, request: Request) -> Response:
    """A message of the type `webhook.test` is on its way; the deliveries say what becomes of it."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.WEBHOOKS_WRITE)
    async with runtime.database.write() as db:
        row = await _visible(db, actor, webhook_id)
        logged = await webhook_log.test(db, row, cause_of(request, actor), clock.now())
    return responses.plain(delivery_out(logged, shown_in(ZoneQuery(), actor)))


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    summary="See what became of the messages",
    response_model=WebhookDeliveryPage,
    **describe.read(*_REFUSED, InvalidTimezone, query=WebhooksQuery, paged=True),
)
async def list_deliveries(webhook_id: WebhookId, request: Request) -> Response:
    """What was sent to a webhook or is to be sent, the newest first, with every call."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.WEBHOOKS_READ)
    async with runtime.database.read() as db:
        wanted = (await _visible(db, actor, webhook_id)).id
    query = queries.read(request, WebhooksQuery)

    async def load(db: Db, position: str | None, limit: int) -> list[Logged]:
        return await webhook_log.page(db, wanted, before=pages.id_at(position), limit=limit)

    name = pages.query_name(actor, "deliveries", wanted)
    show = partial(delivery_out, zone=shown_in(query, actor))
    return await pages.listed(request, query, name, load, show, WebhookDeliveryPage)


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
    summary="Send a message again",
    response_model=WebhookDeliveryOut,
    **describe.change(*_REFUSED, WebhookDisabled),
)
async def redeliver(webhook_id: WebhookId, delivery_id: DeliveryId, request: Request) -> Response:
    """From the first try on, whatever became of it, under the same webhook-id."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.WEBHOOKS_WRITE)
    cause = cause_of(request, actor)
    async with runtime.database.write() as db:
        row = await _visible(db, actor, webhook_id)
        wanted = pages.id_of(delivery_id)
        logged = await webhook_log.redeliver(db, row, wanted, cause, clock.now())
    return responses.plain(delivery_out(logged, shown_in(ZoneQuery(), actor)))
