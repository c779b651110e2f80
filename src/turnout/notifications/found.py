"""What the database says of a batch of deliveries: a few statements, however many they are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from turnout import ids
from turnout.accounts.models import Link, SignIn, User
from turnout.events.models import Event, TeamMember
from turnout.notifications import snapshots
from turnout.notifications.kinds import WORDABLE, MailKind
from turnout.notifications.models import Wording
from turnout.notifications.news import EventFacts, Reader, Seat, Seats, Words
from turnout.outbox.deliveries import Claimed
from turnout.registrations.models import Admission, Registration, Status

ATTENDEE_KINDS = frozenset(
    (
        MailKind.EVENT_CHANGED,
        MailKind.EVENT_CANCELLED,
        MailKind.EVENT_REMINDER,
        MailKind.REGISTRATION_CONFIRMED,
        MailKind.REGISTRATION_WAITLISTED,
        MailKind.REGISTRATION_CANCELLED,
    )
)
"""Their recipients are registrations, those of all others accounts."""
LINK_KINDS = frozenset(
    (
        MailKind.VERIFY_EMAIL,
        MailKind.INVITATION,
        MailKind.EMAIL_CHANGE,
        MailKind.RESET_PASSWORD,
    )
)

_REGISTRATION = Registration.__table__.c
_EVENT = Event.__table__.c
_USER = User.__table__.c
_SEATS = Admission.__table__.c
_TEAM = TeamMember.__table__.c
_WORDING = Wording.__table__.c
_LINK = Link.__table__.c
_SIGN_IN = SignIn.__table__.c
_OTHER = Registration.__table__.alias("other")
_WANTED: Any = bindparam("wanted", expanding=True)
_IS_SEATED_AGAIN = exists(
    select(_OTHER.c.id).where(
        _OTHER.c.event_id == _REGISTRATION.event_id,
        _OTHER.c.email_canonical == _REGISTRATION.email_canonical,
        _OTHER.c.id != _REGISTRATION.id,
        _OTHER.c.status != Status.CANCELLED,
    )
)
_PEOPLE: Any = (
    select(
        *(_REGISTRATION.id, _REGISTRATION.event_id, _REGISTRATION.name, _REGISTRATION.email),
        *(_REGISTRATION.email_canonical, _REGISTRATION.account_id, _REGISTRATION.status),
        *(_REGISTRATION.waitlist_position, _REGISTRATION.manage_token_hash),
        _REGISTRATION.updated_at,
        _USER.timezone,
        _IS_SEATED_AGAIN.label("is_seated_again"),
    )
    .outerjoin_from(Registration.__table__, User.__table__, _USER.id == _REGISTRATION.account_id)
    .where(_REGISTRATION.id.in_(_WANTED))
)
_EVENTS: Any = (
    select(*snapshots.COLUMNS, _SEATS.taken, _SEATS.capacity)
    .join_from(Event.__table__, User.__table__, _USER.id == _EVENT.organizer_id)
    .join(Admission.__table__, _SEATS.event_id == _EVENT.id)
    .where(_EVENT.id.in_(_WANTED))
)
_ACCOUNTS: Any = select(
    *(_USER.id, _USER.email, _USER.email_canonical, _USER.name, _USER.role, _USER.timezone),
    *(_USER.is_active, _USER.email_verified_at),
).where(_USER.id.in_(_WANTED))
_LINKS: Any = select(_LINK.id, _LINK.user_id, _LINK.email, _LINK.expires_at, _LINK.used_at).where(
    _LINK.id.in_(_WANTED)
)
_SIGN_INS: Any = select(_SIGN_IN.id, _SIGN_IN.client, _SIGN_IN.address, _SIGN_IN.created_at).where(
    _SIGN_IN.id.in_(_WANTED)
)
_WORDINGS: Any = select(_WORDING.event_id, _WORDING.kind, _WORDING.subject, _WORDING.body).where(
    _WORDING.event_id.in_(_WANTED)
)
_MEMBERS: Any = select(_TEAM.event_id, _TEAM.user_id, _TEAM.role)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with a registration, and the registration."""

    event_id: UUID
    reader: Reader
    seat: Seat


@dataclass(frozen=True, slots=True)
class Account:
    """An account that a mail goes to, or is about."""

    reader: Reader
    role: str
    is_active: bool
    is_verified: bool


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A link that a mail is to bring; `email` is the address it was made for."""

    id: UUID
    user_id: UUID
    email: str
    expires_at: datetime
    is_used: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One time that someone signed in."""

    client: str
    address: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """All of that, by ids; what is not in it is gone."""

    events: Mapping[UUID, tuple[EventFacts, Seats]] = field(default_factory=dict)
    people: Mapping[UUID, Person] = field(default_factory=dict)
    accounts: Mapping[UUID, Account] = field(default_factory=dict)
    links: Mapping[UUID, OneTimeLink] = field(default_factory=dict)
    entries: Mapping[UUID, Entry] = field(default_factory=dict)
    words: Mapping[tuple[UUID, str], Words] = field(default_factory=dict)
    roles: Mapping[tuple[UUID, UUID], str] = field(default_factory=dict)

    def event_of(self, delivery: Claimed) -> tuple[EventFacts, Seats] | tuple[None, None]:
        """The event of a delivery and its seats, or twice None."""
        if delivery.event_id is None:
            return None, None
        return self.events.get(delivery.event_id, (None, None))


def id_in(delivery: Claimed, name: str) -> UUID | None:
    """The id that a delivery's data has under that name."""
    return ids.parse_id(str(delivery.data.get(name)))


async def find(db: AsyncSession, claimed: Sequence[Claimed]) -> Found:
    """What is known of these deliveries, by at most seven statements."""
    connection = await db.connection()
    attendees = [each for each in claimed if each.kind in ATTENDEE_KINDS]
    others = [each for each in claimed if each.kind not in ATTENDEE_KINDS]
    taken = _named(claimed, "registration_id")
    worded = {each.event_id for each in claimed if each.kind in WORDABLE}
    joined = [each for each in others if each.kind == MailKind.TEAM_JOINED]
    events = {each.event_id for each in claimed}
    return Found(
        events=await _events(connection, events),
        people=await _people(connection, {*(each.recipient_id for each in attendees), *taken}),
        accounts=await _accounts(connection, {each.recipient_id for each in others}),
        links=await _links(connection, _named(others, "link_id")),
        entries=await _entries(connection, _named(others, "sign_in_id")),
        words=await _words(connection, worded),
        roles=await _roles(connection, joined),
    )


def _named(claimed: Sequence[Claimed], name: str) -> set[UUID | None]:
    return {id_in(each, name) for each in claimed if name in each.data}


async def _rows(
    connection: AsyncConnection, statement: Any, wanted: Iterable[UUID | None]
) -> Sequence[Any]:
    known = [each for each in wanted if each is not None]
    if not known:
        return []
    return (await connection.execute(statement, {"wanted": known})).all()


async def _events(
    connection: AsyncConnection, wanted: set[UUID | None]
) -> dict[UUID, tuple[EventFacts, Seats]]:
    return {
        row.id: (snapshots.facts_of(row), Seats(row.taken, row.capacity))
        for row in await _rows(connection, _EVENTS, wanted)
    }


async def _people(connection: AsyncConnection, wanted: set[UUID | None]) -> dict[UUID, Person]:
    return {row.id: _person(row) for row in await _rows(connection, _PEOPLE, wanted)}


def _person(row: Any) -> Person:
    has_account = row.account_id is not None
    reader = Reader(row.email, row.name, row.email_canonical, row.timezone, has_account)
    seat = Seat(
        row.id, row.name, row.status, row.waitlist_position, row.manage_token_hash,
        row.updated_at, bool(row.is_seated_again),
    )  # fmt: skip
    return Person(row.event_id, reader, seat)


async def _accounts(connection: AsyncConnection, wanted: set[UUID]) -> dict[UUID, Account]:
    return {
        row.id: Account(
            Reader(row.email, row.name, row.email_canonical, row.timezone, has_account=True),
            row.role,
            row.is_active,
            row.email_verified_at is not None,
        )
        for row in await _rows(connection, _ACCOUNTS, wanted)
    }


async def _links(connection: AsyncConnection, wanted: set[UUID | None]) -> dict[UUID, OneTimeLink]:
    return {
        row.id: OneTimeLink(
            row.id, row.user_id, row.email, row.expires_at, is_used=row.used_at is not None
        )
        for row in await _rows(connection, _LINKS, wanted)
    }


async def _entries(connection: AsyncConnection, wanted: set[UUID | None]) -> dict[UUID, Entry]:
    return {row[0]: Entry(*row[1:]) for row in await _rows(connection, _SIGN_INS, wanted)}


async def _words(
    connection: AsyncConnection, wanted: set[UUID | None]
) -> dict[tuple[UUID, str], Words]:
    return {
        (row.event_id, row.kind): Words(row.subject, row.body)
        for row in await _rows(connection, _WORDINGS, wanted)
    }


async def _roles(
    connection: AsyncConnection, joined: Sequence[Claimed]
) -> dict[tuple[UUID, UUID], str]:
    pairs = [(each.event_id, each.recipient_id) for each in joined if each.event_id is not None]
    if not pairs:
        return {}
    query = _MEMBERS.where(tuple_(_TEAM.event_id, _TEAM.user_id).in_(pairs))
    return {(row[0], row[1]): row[2] for row in await connection.execute(query)}
