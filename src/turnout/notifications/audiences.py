"""Who hears of a message: one delivery a reader. Knows neither words nor how mails travel."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from turnout.accounts.models import Link, LinkPurpose, SignIn, User
from turnout.events.models import Event
from turnout.fields import canonical_email
from turnout.notifications import kinds
from turnout.notifications.kinds import MailKind
from turnout.notifications.models import MailChoice
from turnout.outbox.deliveries import NewDelivery
from turnout.outbox.models import Channel
from turnout.outbox.outbox import Written
from turnout.outbox.topics import Topic
from turnout.registrations.models import Registration, Status

NOWHERE = "@turnout.invalid"
"""The end of addresses that nobody has: of erased people and the built-in organizer (RFC 2606)."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Someone who is to have a mail because of a message."""

    message: Written
    kind: MailKind
    recipient_id: UUID
    address: str
    name: str
    person: str
    """The canonical address, by which people say what they want."""
    data: dict[str, Any] = field(default_factory=dict)

    def delivery(self) -> NewDelivery:
        """The mail to them."""
        return NewDelivery(
            self.message.id, Channel.MAIL, kinds.lane(self.kind), self.kind,
            self.message.event_id, self.recipient_id, self.address, self.name, self.data,
        )  # fmt: skip


Messages = Sequence[Written]
Audience = Callable[[AsyncSession, Messages], Coroutine[Any, Any, list[Reader]]]

_OF_REGISTRATION = {
    Topic.REGISTRATION_CONFIRMED: MailKind.REGISTRATION_CONFIRMED,
    Topic.REGISTRATION_WAITLISTED: MailKind.REGISTRATION_WAITLISTED,
    Topic.REGISTRATION_CANCELLED: MailKind.REGISTRATION_CANCELLED,
}
_OF_ACCOUNT = {
    Topic.ACCOUNT_KNOWN: MailKind.ACCOUNT_KNOWN,
    Topic.PASSWORD_RESET_ASKED: MailKind.RESET_PASSWORD,
    Topic.PASSWORD_CHANGED: MailKind.PASSWORD_CHANGED,
    Topic.SECOND_FACTOR_CHANGED: MailKind.SECOND_FACTOR_CHANGED,
    Topic.ROLE_CHANGED: MailKind.ROLE_CHANGED,
    Topic.TEAM_JOINED: MailKind.TEAM_JOINED,
    Topic.WEBHOOK_DISABLED: MailKind.WEBHOOK_DISABLED,
}
_OF_NEW_ACCOUNT = {
    LinkPurpose.VERIFY_EMAIL: MailKind.VERIFY_EMAIL,
    LinkPurpose.INVITATION: MailKind.INVITATION,
}


async def readers(db: AsyncSession, messages: Messages) -> list[Reader]:
    """Everyone who is to hear of these, but for crowds, whatever they want to hear of."""
    found = list[Reader]()
    for audience, topics in _AUDIENCES:
        concerned = [each for each in messages if each.topic in topics]
        if concerned:
            found += await audience(db, concerned)
    return [reader for reader in found if not reader.address.endswith(NOWHERE)]


async def _people(db: AsyncSession, messages: Messages) -> list[Reader]:
    """Those whose registrations the messages are about."""
    ids = [each.subject_id for each in messages]
    events = list({each.event_id for each in messages})
    query = select(
        Registration.id, Registration.email, Registration.name, Registration.email_canonical
    ).where(Registration.event_id.in_(events), Registration.id.in_(ids))
    known = {row[0]: row for row in await db.execute(query)}
    return [
        Reader(message, _OF_REGISTRATION[Topic(message.topic)], *row, _facts(message))
        for message in messages
        if message.subject_id is not None and (row := known.get(message.subject_id)) is not None
    ]


def _facts(message: Written) -> dict[str, Any]:
    """What a mail is to say of the message beside what the database says when it is written."""
    aside = {"event_id", "user_id", "registration_id"}
    return {name: value for name, value in message.payload.items() if name not in aside}


async def _organizers(db: AsyncSession, messages: Messages) -> list[Reader]:
    """The owners of the events, of those who want to hear of each who comes."""
    query = (
        select(Event.id, User.id, User.email, User.name, User.email_canonical)
        .join(User, User.id == Event.organizer_id)
        .join(MailChoice, MailChoice.email_canonical == User.email_canonical)
        .where(
            Event.id.in_({each.event_id for each in messages}),
            MailChoice.kind == MailKind.REGISTRATION_RECEIVED,
            MailChoice.is_wanted,
        )
    )
    owners = {row[0]: row[1:] for row in await db.execute(query)}
    return [
        Reader(
            message,
            MailKind.REGISTRATION_RECEIVED,
            *owner,
            {"registration_id": str(message.subject_id)},
        )
        for message in messages
        if message.event_id is not None and (owner := owners.get(message.event_id)) is not None
    ]


async def _creators(db: AsyncSession, messages: Messages) -> list[Reader]:
    """The organizers of new events: of a series once, and of what came from a file not at all."""
    told = [
        each
        for each in messages
        if not each.payload.get("imported") and each.payload.get("occurrences", 1)
    ]
    query = (
        select(Event.id, User.id, User.email, User.name, User.email_canonical)
        .join(User, User.id == Event.organizer_id)
        .where(Event.id.in_([each.event_id for each in told]))
    )
    owners = {row[0]: row[1:] for row in await db.execute(query)}
    return [
        Reader(message, MailKind.EVENT_CREATED, *owner, _facts(message))
        for message in told
        if message.event_id is not None and (owner := owners.get(message.event_id)) is not None
    ]


async def _accounts(db: AsyncSession, messages: Messages) -> list[Reader]:
    """The accounts that the messages are about."""
    query = select(User.id, User.email, User.name, User.email_canonical).where(
        User.id.in_([each.subject_id for each in messages])
    )
    known = {row[0]: row for row in await db.execute(query)}
    return [
        Reader(message, kind, *row, _facts(message))
        for message in messages
        if (kind := _account_kind(message)) is not None
        and message.subject_id is not None
        and (row := known.get(message.subject_id)) is not None
    ]


def _account_kind(message: Written) -> MailKind | None:
    if message.topic == Topic.ACCOUNT_CREATED:
        return _OF_NEW_ACCOUNT.get(message.payload["purpose"])
    return _OF_ACCOUNT[Topic(message.topic)]


async def _new_addresses(db: AsyncSession, messages: Messages) -> list[Reader]:
    """The addresses that accounts want instead of theirs: they are those of the links."""
    links = [UUID(each.payload["link_id"]) for each in messages]
    query = (
        select(Link.id, User.id, Link.email, User.name)
        .join(User, User.id == Link.user_id)
        .where(Link.id.in_(links))
    )
    known = {row[0]: row[1:] for row in await db.execute(query)}
    return [
        Reader(message, MailKind.EMAIL_CHANGE, *row, canonical_email(row[1]), _facts(message))
        for message in messages
        if (row := known.get(UUID(message.payload["link_id"]))) is not None
    ]


async def _former_addresses(db: AsyncSession, messages: Messages) -> list[Reader]:
    """The addresses that accounts had until now."""
    query = select(User.id, User.name).where(User.id.in_([each.subject_id for each in messages]))
    names = {row[0]: row[1] for row in await db.execute(query)}
    return [
        Reader(
            message, MailKind.EMAIL_CHANGED, message.subject_id, former, name,
            canonical_email(former),
        )
        for message in messages
        if message.subject_id is not None
        and (former := message.payload.get("former_email"))
        and (name := names.get(message.subject_id)) is not None
    ]  # fmt: skip


async def _signed_in(db: AsyncSession, messages: Messages) -> list[Reader]:
    """Accounts that were entered from somewhere new: with a program that they have not used."""
    earlier = aliased(SignIn)
    before = select(earlier.id).where(earlier.user_id == SignIn.user_id, earlier.id < SignIn.id)
    same = before.where(earlier.client == SignIn.client)
    query = (
        select(SignIn.id, User.id, User.email, User.name, User.email_canonical)
        .join(User, User.id == SignIn.user_id)
        .where(
            SignIn.id.in_([UUID(each.payload["sign_in_id"]) for each in messages]),
            # The first one of all is no news to whoever has just made the account.
            exists(before),
            ~exists(same),
        )
    )
    known = {row[0]: row[1:] for row in await db.execute(query)}
    return [
        Reader(message, MailKind.NEW_SIGN_IN, *row, _facts(message))
        for message in messages
        if (row := known.get(UUID(message.payload["sign_in_id"]))) is not None
    ]


_AUDIENCES: tuple[tuple[Audience, frozenset[str]], ...] = (
    (_people, frozenset(_OF_REGISTRATION)),
    (_organizers, frozenset((Topic.REGISTRATION_CONFIRMED,))),
    (_creators, frozenset((Topic.EVENT_CREATED,))),
    (_accounts, frozenset((*_OF_ACCOUNT, Topic.ACCOUNT_CREATED))),
    (_new_addresses, frozenset((Topic.EMAIL_CHANGE_ASKED,))),
    (_former_addresses, frozenset((Topic.EMAIL_CHANGED,))),
    (_signed_in, frozenset((Topic.SIGN_IN_OPENED,))),
)

CROWDS = {
    Topic.EVENT_SETTLED: MailKind.EVENT_CHANGED,
    Topic.EVENT_CANCELLED: MailKind.EVENT_CANCELLED,
    Topic.EVENT_REMINDER_DUE: MailKind.EVENT_REMINDER,
}
"""What everyone registered hears of."""


async def crowd(
    db: AsyncSession, message: Written, data: dict[str, Any], limit: int
) -> list[Reader]:
    """The next ones registered for the event, at most `limit`, in the order of their ids.

    Reminded are those alone who have a seat, and had registered when the reminder was due.
    """
    kind = CROWDS[Topic(message.topic)]
    query = (
        select(Registration.id, Registration.email, Registration.name, Registration.email_canonical)
        .where(Registration.event_id == message.event_id, Registration.status != Status.CANCELLED)
        .order_by(Registration.id)
        .limit(limit)
    )
    if message.reached is not None:
        query = query.where(Registration.id > message.reached)
    if kind is MailKind.EVENT_REMINDER:
        due_at = datetime.fromisoformat(message.payload["due_at"])
        query = query.where(
            Registration.status == Status.CONFIRMED, Registration.created_at <= due_at
        )
        data = {"start_time": message.payload["start_time"]}
    return [Reader(message, kind, *row, data) for row in await db.execute(query)]
