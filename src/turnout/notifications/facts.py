"""What each of a batch of mails is to tell, by what the database says now.

A mail that has become pointless is None: whatever waits in a queue for hours must not say what is
not so any more. Each rule stands where it is looked at.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from turnout.events.models import Status as EventStatus
from turnout.fields import canonical_email
from turnout.notifications import choices, found, snapshots
from turnout.notifications.found import ATTENDEE_KINDS, LINK_KINDS, Account, Found, Person
from turnout.notifications.kinds import MailKind
from turnout.notifications.news import (
    AccountNews,
    Before,
    EventFacts,
    EventNews,
    Facts,
    Reader,
    WebhookNews,
)
from turnout.outbox.deliveries import Claimed
from turnout.registrations.models import Status

NOWHERE = "@turnout.invalid"
"""The end of addresses that nobody has: of erased people and the built-in organizer (RFC 2606)."""


async def load(db: AsyncSession, claimed: Sequence[Claimed], now: datetime) -> list[Facts | None]:
    """The facts of each delivery in its order, None for a mail that is to be sent no more.

    At most eight statements, however many they are.
    """
    known = await found.find(db, claimed)
    facts = [_facts(each, known, now) for each in claimed]
    asked = [(each.reader.person, each.kind) for each in facts if each is not None]
    unwanted = await choices.unwanted(db, asked)
    # Whoever has said meanwhile that they can do without it gets it no more.
    return [
        None if each is None or (each.reader.person, each.kind) in unwanted else each
        for each in facts
    ]


def _facts(delivery: Claimed, known: Found, now: datetime) -> Facts | None:
    if delivery.address is None:
        return None  # forgotten with the person
    kind = MailKind(delivery.kind)
    if kind in ATTENDEE_KINDS:
        facts = _for_attendee(kind, delivery, known, now)
    else:
        facts = _for_account(kind, delivery, known, now)
    if facts is None or facts.reader.address.endswith(NOWHERE):
        return None  # the person was erased, and their row alone is left
    return facts


def _for_attendee(kind: MailKind, delivery: Claimed, known: Found, now: datetime) -> Facts | None:
    person = known.people.get(delivery.recipient_id)
    if kind is MailKind.EVENT_CANCELLED:
        return _event_cancelled(delivery, known, person, now)
    event, seats = known.event_of(delivery)
    if person is None or event is None:
        return None  # the event was deleted, and the registration with it
    if event.end_at <= now:
        return None  # what was is no news
    rule = _ATTENDEE_RULES[kind]
    news = rule(delivery, event, person, now)
    if news is None:
        return None
    words = known.words.get((event.id, kind))
    news = replace(news, seat=person.seat, seats=seats, words=words)
    return Facts(delivery.id, kind, person.reader, news)


def _confirmed(
    delivery: Claimed, event: EventFacts, person: Person, now: datetime
) -> EventNews | None:
    del now
    if event.status != EventStatus.PUBLISHED or person.seat.status != Status.CONFIRMED:
        return None  # it was called off or given back: other mails say so
    return EventNews(event, moved_up=bool(delivery.data.get("moved_up")))


def _waitlisted(
    delivery: Claimed, event: EventFacts, person: Person, now: datetime
) -> EventNews | None:
    del delivery, now
    if event.status != EventStatus.PUBLISHED or person.seat.status != Status.WAITLISTED:
        return None  # has moved up or given up meanwhile
    return EventNews(event)


def _registration_cancelled(
    delivery: Claimed, event: EventFacts, person: Person, now: datetime
) -> EventNews | None:
    del now
    if person.seat.status != Status.CANCELLED:
        return None
    return EventNews(event, by=delivery.data.get("by"))


def _changed(
    delivery: Claimed, event: EventFacts, person: Person, now: datetime
) -> EventNews | None:
    del now
    before = _before(delivery.data.get("before") or {}, event)
    if event.status != EventStatus.PUBLISHED or person.seat.status == Status.CANCELLED:
        return None  # a cancellation is told by a mail of its own
    if before == _before({}, event):
        return None  # it was put back as it had been
    return EventNews(event, before=before)


def _reminder(
    delivery: Claimed, event: EventFacts, person: Person, now: datetime
) -> EventNews | None:
    if event.status != EventStatus.PUBLISHED or person.seat.status != Status.CONFIRMED:
        return None
    meant = delivery.data.get("start_time")
    if event.start_at <= now or (meant and datetime.fromisoformat(meant) != event.start_at):
        return None  # has begun, or begins at another time, of which there is another reminder
    return EventNews(event)


_AttendeeRule = Callable[[Claimed, EventFacts, Person, datetime], EventNews | None]
_ATTENDEE_RULES: Mapping[MailKind, _AttendeeRule] = {
    MailKind.REGISTRATION_CONFIRMED: _confirmed,
    MailKind.REGISTRATION_WAITLISTED: _waitlisted,
    MailKind.REGISTRATION_CANCELLED: _registration_cancelled,
    MailKind.EVENT_CHANGED: _changed,
    MailKind.EVENT_REMINDER: _reminder,
}


def _event_cancelled(
    delivery: Claimed, known: Found, person: Person | None, now: datetime
) -> Facts | None:
    """By what was kept of the event: it and its registrations may be deleted by now."""
    kept = delivery.data.get("event")
    event = snapshots.read(kept) if kept else known.event_of(delivery)[0]
    if event is None or event.end_at <= now:
        return None
    if person is None:
        address = delivery.address or ""
        reader = Reader(address, delivery.name or "", canonical_email(address), None, False)  # noqa: FBT003 - has no account that is known
        return Facts(delivery.id, MailKind.EVENT_CANCELLED, reader, EventNews(event))
    if person.seat.status == Status.CANCELLED:
        return None  # did not mean to come any more
    news = EventNews(event, seat=person.seat)
    return Facts(delivery.id, MailKind.EVENT_CANCELLED, person.reader, news)


def _for_account(kind: MailKind, delivery: Claimed, known: Found, now: datetime) -> Facts | None:
    account = known.accounts.get(delivery.recipient_id)
    if account is None or not account.is_active:
        return None  # the account was erased or disabled
    if kind in LINK_KINDS:
        return _with_link(kind, delivery, account, known, now)
    news: EventNews | AccountNews | None
    reader = account.reader
    match kind:
        case MailKind.EVENT_CREATED | MailKind.REGISTRATION_RECEIVED | MailKind.TEAM_JOINED:
            news = _for_team(kind, delivery, known, now)
        case MailKind.ROLE_CHANGED:
            is_so = delivery.data.get("role") == account.role
            # Another mail tells of what came after.
            news = AccountNews(reader.address, role=account.role) if is_so else None
        case MailKind.EMAIL_CHANGED:
            former = delivery.data.get("former_email") or delivery.address or ""
            news = AccountNews(reader.address)
            reader = Reader(former, reader.name, canonical_email(former), reader.zone, True)  # noqa: FBT003 - has an account
        case MailKind.NEW_SIGN_IN:
            news = _sign_in(delivery, known, account)
        case MailKind.WEBHOOK_DISABLED:
            data = delivery.data
            webhook = WebhookNews(data["webhook_id"], data["host"], data["reason"])
            news = AccountNews(reader.address, webhook=webhook)
        case _:
            news = AccountNews(reader.address, what=delivery.data.get("what"))
    return None if news is None else Facts(delivery.id, kind, reader, news)


def _for_team(kind: MailKind, delivery: Claimed, known: Found, now: datetime) -> EventNews | None:
    event, seats = known.event_of(delivery)
    if event is None or event.status == EventStatus.CANCELLED or event.end_at <= now:
        return None
    if kind is MailKind.TEAM_JOINED:
        role = known.roles.get((event.id, delivery.recipient_id))
        # Has left the team again, or does something else in it, of which another mail tells.
        return EventNews(event, role=role) if role == delivery.data.get("role") else None
    if event.organizer_id != delivery.recipient_id:
        return None  # the event is another's now
    if kind is MailKind.EVENT_CREATED:
        return EventNews(event, occurrences=int(delivery.data.get("occurrences") or 1))
    registration_id = found.id_in(delivery, "registration_id")
    person = None if registration_id is None else known.people.get(registration_id)
    if person is None or person.seat.status == Status.CANCELLED:
        return None  # does not come any more
    return EventNews(event, seat=person.seat, seats=seats)


def _with_link(
    kind: MailKind, delivery: Claimed, account: Account, known: Found, now: datetime
) -> Facts | None:
    link_id = found.id_in(delivery, "link_id")
    link = None if link_id is None else known.links.get(link_id)
    if link is None or link.is_used or link.expires_at <= now:
        return None  # it leads nowhere: used, run out, or a newer one took its place
    if link.user_id != delivery.recipient_id:
        return None
    reader = account.reader
    if kind is MailKind.EMAIL_CHANGE:
        reader = Reader(
            link.email, reader.name, canonical_email(link.email), reader.zone, True  # noqa: FBT003 - has an account
        )  # fmt: skip
    elif link.email != reader.address:
        return None  # made for an address that is not the account's any more
    if kind is MailKind.VERIFY_EMAIL and account.is_verified:
        return None  # nothing is left to verify
    news = AccountNews(account.reader.address, link_id=link.id, link_expires_at=link.expires_at)
    return Facts(delivery.id, kind, reader, news)


def _sign_in(delivery: Claimed, known: Found, account: Account) -> AccountNews | None:
    sign_in_id = found.id_in(delivery, "sign_in_id")
    entry = None if sign_in_id is None else known.entries.get(sign_in_id)
    if entry is None:
        return None
    return AccountNews(
        account.reader.address,
        client=entry.client,
        client_address=entry.address,
        signed_in_at=entry.at,
    )


def _before(told: Mapping[str, Any], event: EventFacts) -> Before:
    """What the event was: where nothing else is told, what it is."""

    def instant(name: str, now: datetime) -> datetime:
        return datetime.fromisoformat(told[name]) if name in told else now

    return Before(
        name=told.get("name", event.name),
        location=told.get("location", event.location),
        timezone=told.get("timezone", event.timezone),
        start_at=instant("start_time", event.start_at),
        end_at=instant("end_time", event.end_at),
    )
