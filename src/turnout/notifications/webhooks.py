"""Webhooks: whose they are, what they hear of, and what they are signed by. Knows no HTTP."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout import ids
from turnout.accounts.actor import Actor, Role
from turnout.accounts.models import User
from turnout.accounts.opaque import Seals
from turnout.accounts.policy import refused
from turnout.addresses import UncallableError
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.errors import FieldError, NotFound, NotSignedIn
from turnout.events import policy, queries
from turnout.events.models import Event
from turnout.notifications.models import Webhook
from turnout.notifications.webhook_errors import TooManyWebhooks, UrlNotAllowed
from turnout.outbox.deliveries import NewDelivery
from turnout.outbox.models import Channel, Delivery, Lane, Outcome
from turnout.outbox.outbox import Written
from turnout.outbox.topics import Topic
from turnout.outside import OutsideOfUsers

MOST_WEBHOOKS = 50
FORMER_FOR = timedelta(hours=24)
"""How long after a new secret calls are signed by the former one as well."""
_PURPOSE = b"webhook"


@dataclass(frozen=True, slots=True)
class WebhookDraft:
    """A webhook that someone wants; without an `event_id` it is for all of their events."""

    url: str
    secret: bytes
    description: str = ""
    topics: tuple[str, ...] = ()
    event_id: UUID | None = None


def require_keeper(actor: Actor) -> UUID:
    """The account that the caller's webhooks belong to. Raises NotSignedIn, NotAllowed."""
    policy.require_known(actor)
    if actor.user_id is None:
        raise NotSignedIn
    if not actor.may_organize:
        raise refused(actor, "Only organizers have webhooks.")
    return actor.user_id


def check_url(outside: OutsideOfUsers, url: str) -> None:
    """Raises UrlNotAllowed for what would not be called, whatever DNS says."""
    try:
        outside.check(url)
    except UncallableError as error:
        field = FieldError("url", UrlNotAllowed.code, str(error))
        raise UrlNotAllowed(str(error), fields=(field,)) from None


async def require_event(db: AsyncSession, actor: Actor, event_id: UUID) -> None:
    """Raises NotFound for whoever does not edit the event, NotAllowed for who does not own it."""
    event = await queries.brief(db, actor, event_id)
    if event is None or not policy.may_edit(actor, event):
        raise NotFound
    if not policy.may_own(actor, event):
        raise refused(actor, "Only the owner of the event may have webhooks for it.")


async def create(
    db: AsyncSession, actor: Actor, seals: Seals, wanted: WebhookDraft, cause: Cause, now: datetime
) -> Webhook:
    """The new webhook. Raises TooManyWebhooks, and what require_keeper and require_event raise."""
    owner = require_keeper(actor)
    if wanted.event_id is not None:
        await require_event(db, actor, wanted.event_id)
    # The lock lets those who make the last ones at once go one by one.
    await db.execute(select(User.id).where(User.id == owner).with_for_update(key_share=True))
    count = select(func.count()).select_from(Webhook).where(Webhook.owner_id == owner)
    if (await db.execute(count)).scalar_one() >= MOST_WEBHOOKS:
        raise TooManyWebhooks
    new = ids.new_id()
    row = Webhook(
        id=new,
        owner_id=owner,
        event_id=wanted.event_id,
        url=wanted.url,
        description=wanted.description,
        topics=sorted(set(wanted.topics)),
        sealed_secret=_sealed(seals, new, wanted.secret),
        is_active=True,
        version=1,
        created_at=now,
        updated_at=now,
    )
    db.add(row)
    await db.flush()
    _record(db, row, "webhook.created", cause, now, {"owner_id": str(owner)})
    return row


async def page(db: AsyncSession, actor: Actor, *, before: UUID | None, limit: int) -> list[Webhook]:
    """The caller's webhooks, an administrator's all, the newest first, older than `before`."""
    owner = require_keeper(actor)
    query = select(Webhook)
    if not actor.is_admin:
        query = query.where(Webhook.owner_id == owner)
    if before is not None:
        query = query.where(Webhook.id < before)
    return list(await db.scalars(query.order_by(Webhook.id.desc()).limit(limit)))


async def visible(
    db: AsyncSession, actor: Actor, webhook_id: UUID, *, lock: bool = False
) -> Webhook:
    """A webhook of the caller's, or any for an administrator; with `lock`, to be changed.

    Raises NotSignedIn; NotAllowed for an editor of the event it is about, NotFound for others.
    """
    policy.require_known(actor)
    query = select(Webhook).where(Webhook.id == webhook_id)
    row = await db.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound
    if actor.is_admin or (actor.may_organize and row.owner_id == actor.user_id):
        return row
    if row.event_id is not None:
        event = await queries.brief(db, actor, row.event_id)
        if event is not None and policy.may_edit(actor, event):
            raise refused(actor, "Only its owner may see and change the webhook.")
    raise NotFound


async def change(
    db: AsyncSession, row: Webhook, changes: dict[str, Any], cause: Cause, now: datetime
) -> None:
    """Set fields of a locked webhook; what is as it was already changes nothing.

    One that is switched on again has failed at nothing yet.
    """
    if "topics" in changes:
        changes["topics"] = sorted(set(changes["topics"]))
    changed = {name: value for name, value in changes.items() if getattr(row, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(row, name, value)
    if changed.get("is_active"):
        row.disabled_reason = row.failing_since = None
    await _touch(db, row, now)
    # Names alone: an address can hold a secret.
    _record(db, row, "webhook.changed", cause, now, {"fields": sorted(changed)})


async def rotate(
    db: AsyncSession, row: Webhook, seals: Seals, secret: bytes, cause: Cause, now: datetime
) -> None:
    """Give a locked webhook that secret; the one before it signs as well for a while."""
    row.former_sealed_secret, row.former_until = row.sealed_secret, now + FORMER_FOR
    row.sealed_secret = _sealed(seals, row.id, secret)
    await _touch(db, row, now)
    _record(db, row, "webhook.secret-rotated", cause, now)


async def remove(db: AsyncSession, row: Webhook, cause: Cause, now: datetime) -> None:
    """Take a locked webhook away; what was still to be sent is not sent any more."""
    await end_open(db, [row.id], Outcome.MOOT, None, now)
    await db.execute(delete(Webhook).where(Webhook.id == row.id))
    _record(db, row, "webhook.deleted", cause, now)


async def end_open(
    db: AsyncSession,
    webhook_ids: Collection[UUID],
    outcome: Outcome,
    why: str | None,
    now: datetime,
) -> None:
    """End all deliveries to these webhooks that are still to be tried."""
    theirs = Delivery.recipient_id.in_(list(webhook_ids)), Delivery.finished_at.is_(None)
    values = {"finished_at": now, "outcome": outcome, "last_error": why, "claim": None}
    await db.execute(update(Delivery).where(*theirs).values(**values))


def secrets_of(seals: Seals, row: Webhook, now: datetime) -> list[bytes]:
    """The secrets by which calls are signed now, the newest first."""
    sealed = [row.sealed_secret]
    if row.former_sealed_secret and row.former_until is not None and now < row.former_until:
        sealed.append(row.former_sealed_secret)
    found = [seals.unseal(_PURPOSE, each, row.id.bytes) for each in sealed]
    return [each for each in found if each is not None]


async def targets(db: AsyncSession, messages: Sequence[Written]) -> list[NewDelivery]:
    """A delivery for each message and each webhook that hears of it; a few statements for all."""
    told = [each for each in messages if each.event_id is not None]
    active = select(Webhook.id).where(Webhook.is_active).limit(1)
    if not told or await db.scalar(active) is None:
        return []
    owners = await _owners(db, told)
    hooks = await _listening(db, owners)
    return [
        NewDelivery(
            message.id, Channel.WEBHOOK, Lane.DIRECT, message.topic, message.event_id, hook.id
        )
        for message in told
        for hook in hooks
        if message.event_id is not None and hook.hears(message, owners.get(message.event_id))
    ]


@dataclass(frozen=True, slots=True)
class _Listener:
    """What decides of what a webhook hears."""

    id: UUID
    owner_id: UUID
    event_id: UUID | None
    topics: Sequence[str]
    role: str

    def hears(self, message: Written, event_owner: UUID | None) -> bool:
        """Whether a message about an event of that account is for it."""
        if self.topics and message.topic not in self.topics:
            return False
        if self.event_id is not None and self.event_id != message.event_id:
            return False
        # An administrator's is for events of others only where it names the one.
        is_of_admin = self.event_id is not None and self.role == Role.ADMIN
        return self.owner_id == event_owner or is_of_admin


async def _owners(db: AsyncSession, messages: Sequence[Written]) -> dict[UUID, UUID]:
    """Whose the events are; of those that are gone, whose they were."""
    wanted = {each.event_id for each in messages if each.event_id is not None}
    rows = await db.execute(select(Event.id, Event.organizer_id).where(Event.id.in_(wanted)))
    owners = {row[0]: row[1] for row in rows}
    for message in messages:
        if message.topic == Topic.EVENT_DELETED and message.event_id is not None:
            former = message.payload.get("organizer_id")
            if former is not None:
                owners.setdefault(message.event_id, UUID(former))
    return owners


async def _listening(db: AsyncSession, owners: dict[UUID, UUID]) -> list[_Listener]:
    """The webhooks that may hear of these events, of accounts that may still have any."""
    of_owner = and_(Webhook.owner_id.in_(set(owners.values())), Webhook.event_id.is_(None))
    query = (
        select(Webhook.id, Webhook.owner_id, Webhook.event_id, Webhook.topics, User.role)
        .join(User, User.id == Webhook.owner_id)
        .where(
            or_(of_owner, Webhook.event_id.in_(set(owners))),
            Webhook.is_active,
            User.is_active,
            User.role.in_((Role.ADMIN, Role.ORGANIZER)),
        )
        .order_by(Webhook.id)
    )
    return [_Listener(*row) for row in await db.execute(query)]


def _sealed(seals: Seals, webhook_id: UUID, secret: bytes) -> bytes:
    # Of no use in another row.
    return seals.seal(_PURPOSE, secret, webhook_id.bytes)


async def _touch(db: AsyncSession, row: Webhook, now: datetime) -> None:
    row.version += 1
    row.updated_at = now
    await db.flush()


def _record(
    db: AsyncSession,
    row: Webhook,
    action: str,
    cause: Cause,
    now: datetime,
    changes: dict[str, Any] | None = None,
) -> None:
    audit.record(db, [audit.Entry(now, cause, action, row.event_id, row.id, changes)])
