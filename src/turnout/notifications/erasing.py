"""Takes a person out of everything, what was sent to them included. Knows no HTTP."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.accounts.models import User
from turnout.audit import queries as audit
from turnout.audit.audit import Cause
from turnout.audit.models import AuditEntry
from turnout.fields import canonical_email
from turnout.notifications import choices
from turnout.notifications.models import CalendarFeed, Webhook
from turnout.outbox import deliveries
from turnout.outbox.models import OutboxMessage
from turnout.outbox.topics import Topic
from turnout.registrations import erasing
from turnout.registrations.models import Registration


async def erase(db: AsyncSession, user: User, cause: Cause, now: datetime) -> None:
    """Erase an account, its registrations, and what is on the way to the person or went there.

    Of an address that was never verified nothing is erased but what the account itself had: it may
    be another's. Raises LastAdmin.
    """
    is_verified, addresses = user.email_verified_at is not None, {user.email, user.email_canonical}
    person = user.email_canonical
    erased = await erasing.erase(db, user, cause, now)
    webhooks = list(await db.scalars(select(Webhook.id).where(Webhook.owner_id == user.id)))
    await deliveries.forget(db, [user.id, *webhooks, *erased.registration_ids], now)
    await db.execute(delete(Webhook).where(Webhook.owner_id == user.id))
    await db.execute(delete(CalendarFeed).where(CalendarFeed.user_id == user.id))
    former = await _forget_former_addresses(db, user.id)
    if is_verified:
        await deliveries.forget_addresses(db, addresses | set(erased.emails), now)
        await choices.forget(db, person)
    for email in former:
        await _forget_address(db, email, now)


async def erase_registration(
    db: AsyncSession, actor: Actor, registration_id: UUID, cause: Cause, now: datetime
) -> None:
    """Erase a registration for whoever it is for, and what was sent because of it.

    Raises NotSignedIn, NotFound.
    """
    found = await erasing.erase_one(db, actor, registration_id, cause, now)
    await deliveries.forget(db, [registration_id], now)
    await _forget_address(db, found.registration.email, now)


async def _forget_address(db: AsyncSession, email: str, now: datetime) -> None:
    """Forget what went to an address, unless something is there under it that may be another's."""
    person = canonical_email(email)
    seat = exists().where(Registration.email_canonical == person)
    account = exists().where(User.email_canonical == person)
    if not await db.scalar(select(seat | account)):
        await deliveries.forget_addresses(db, {email, person}, now)
        await choices.forget(db, person)


async def _forget_former_addresses(db: AsyncSession, user_id: UUID) -> set[str]:
    """Take the addresses that an account had before out of what was said of them; which they were.

    Messages have no index of whom they are about: the audit has, and says when they were written.
    """
    entries = select(AuditEntry.at).where(
        AuditEntry.subject_id == user_id,
        AuditEntry.event_id.is_(None),
        AuditEntry.action == "user.email-changed",
    )
    former = set[str]()
    for at in await db.scalars(entries):
        messages = select(OutboxMessage.id, OutboxMessage.payload).where(
            OutboxMessage.id.between(audit.first_id(at), audit.last_id(at)),
            OutboxMessage.topic == Topic.EMAIL_CHANGED,
            OutboxMessage.subject_id == user_id,
        )
        for message_id, payload in (await db.execute(messages)).all():
            former |= {payload["former_email"]} if "former_email" in payload else set()
            rest = {name: value for name, value in payload.items() if name != "former_email"}
            this = OutboxMessage.id == message_id
            await db.execute(update(OutboxMessage).where(this).values(payload=rest))
    return former
