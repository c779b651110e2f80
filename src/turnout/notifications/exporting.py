"""Everything that is known of a person, for the person. Reads in pages; knows no HTTP."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts import users
from turnout.accounts.actor import Actor
from turnout.accounts.models import ApiToken, OpenIdIdentity, SignIn, User
from turnout.accounts.policy import require_account
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.audit.models import AuditEntry
from turnout.events.models import Event, TeamMember
from turnout.notifications import choices
from turnout.notifications.models import CalendarFeed, Webhook
from turnout.outbox.models import Channel, Delivery
from turnout.registrations.models import Registration

PAGE = 200
"""Rows of a section that are read at once."""


@dataclass(frozen=True, slots=True)
class ExportedProfile:
    """The account itself. Of passwords and secrets there is only that they exist."""

    id: UUID
    email: str
    email_verified_at: datetime | None
    name: str
    role: str
    timezone: str | None
    locale: str | None
    is_active: bool
    has_password: bool
    second_factor_since: datetime | None
    calendar_feed_since: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ExportedIdentity:
    """Who the person is at a provider by which they sign in."""

    issuer: str
    subject: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ExportedSignIn:
    """A time the person signed in."""

    id: UUID
    kind: str
    client: str
    address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExportedToken:
    """An API token, without the token."""

    id: UUID
    name: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExportedRegistration:
    """A registration, by the account or as a guest under its verified address."""

    id: UUID
    event_id: UUID
    event_name: str
    name: str
    email: str
    status: str
    waitlist_position: int | None
    answers: Mapping[str, Any]
    checked_in_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ExportedEvent:
    """An event of the person's own."""

    id: UUID
    slug: str
    name: str
    status: str
    timezone: str
    start_time: datetime
    end_time: datetime
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ExportedMembership:
    """A place in the team of another's event."""

    event_id: UUID
    event_name: str
    role: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ExportedWebhook:
    """A webhook of the person's, without its secret."""

    id: UUID
    event_id: UUID | None
    url: str
    description: str
    topics: Sequence[str]
    is_active: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ExportedMail:
    """A mail to the person: about what, when, and what became of it (null: on its way)."""

    id: UUID
    kind: str
    event_id: UUID | None
    address: str | None
    created_at: datetime
    finished_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class ExportedAction:
    """Something the person did, as the audit has it."""

    id: UUID
    at: datetime
    action: str
    event_id: UUID | None
    subject_id: UUID | None
    changes: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Everything that is known of a person. Times are in UTC."""

    exported_at: datetime
    profile: ExportedProfile
    identities: list[ExportedIdentity]
    preferences: Mapping[str, bool]
    sign_ins: list[ExportedSignIn]
    api_tokens: list[ExportedToken]
    registrations: list[ExportedRegistration]
    events: list[ExportedEvent]
    teams: list[ExportedMembership]
    webhooks: list[ExportedWebhook]
    mails: list[ExportedMail]
    actions: list[ExportedAction]


@dataclass(frozen=True, slots=True)
class Person:
    """The part of someone's data that is one row each, and what finds the rest."""

    user_id: UUID
    profile: ExportedProfile
    identities: Sequence[ExportedIdentity]
    preferences: Mapping[str, bool]
    own: ColumnElement[bool]
    """The condition that finds the registrations."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the data that may have very many rows: read by `rows`, page after page."""

    name: str
    query: Callable[[Person], Any]
    key: Any
    make: Callable[..., object]


async def begin(db: AsyncSession, actor: Actor, cause: Cause, now: datetime) -> Person:
    """Whose data it is, recorded in the audit. Raises NotSignedIn."""
    user = await users.by_id(db, require_account(actor))
    audit.record(db, [audit.Entry(now, cause, "user.exported", subject_id=user.id)])
    feed = select(CalendarFeed.created_at).where(CalendarFeed.user_id == user.id)
    identities = select(
        OpenIdIdentity.issuer, OpenIdIdentity.subject, OpenIdIdentity.created_at
    ).where(OpenIdIdentity.user_id == user.id)
    chosen = await choices.of_account(db, user)
    return Person(
        user.id,
        _profile(user, await db.scalar(feed)),
        [ExportedIdentity(*row) for row in await db.execute(identities)],
        {kind.value: is_wanted for kind, is_wanted in chosen.wanted.items()},
        _own(user),
    )


def _profile(user: User, feed_since: datetime | None) -> ExportedProfile:
    return ExportedProfile(
        user.id, user.email, user.email_verified_at, user.name, user.role, user.timezone,
        user.locale, user.is_active, user.password_hash is not None, user.totp_confirmed_at,
        feed_since, user.created_at, user.updated_at,
    )  # fmt: skip


def _own(user: User) -> ColumnElement[bool]:
    mine = Registration.account_id == user.id
    if user.email_verified_at is None:
        return mine
    as_guest = Registration.email_canonical == user.email_canonical
    return or_(mine, as_guest & Registration.account_id.is_(None))


async def rows(
    db: AsyncSession, section: Section, person: Person, after: UUID | None
) -> tuple[list[object], UUID | None]:
    """The next rows of a section, and the key behind which it goes on; None where it has ended."""
    query = section.query(person).add_columns(section.key.label("position"))
    query = query.order_by(section.key).limit(PAGE)
    if after is not None:
        query = query.where(section.key > after)
    found = [tuple(row) for row in await db.execute(query)]
    last: UUID | None = found[-1][-1] if len(found) == PAGE else None
    return [section.make(*row[:-1]) for row in found], last


def _sign_ins(person: Person) -> Any:
    return select(
        *(SignIn.id, SignIn.kind, SignIn.client, SignIn.address, SignIn.created_at),
        *(SignIn.last_used_at, SignIn.expires_at, SignIn.ended_at),
    ).where(SignIn.user_id == person.user_id)


def _api_tokens(person: Person) -> Any:
    return select(
        *(ApiToken.id, ApiToken.name, ApiToken.scopes, ApiToken.created_at),
        *(ApiToken.expires_at, ApiToken.revoked_at),
    ).where(ApiToken.user_id == person.user_id)


def _registrations(person: Person) -> Any:
    return (
        select(
            *(Registration.id, Registration.event_id, Event.name, Registration.name),
            *(Registration.email, Registration.status, Registration.waitlist_position),
            *(Registration.answers, Registration.checked_in_at, Registration.created_at),
            Registration.updated_at,
        )
        .join(Event, Event.id == Registration.event_id)
        .where(person.own)
    )


def _events(person: Person) -> Any:
    return select(
        *(Event.id, Event.slug, Event.name, Event.status, Event.timezone, Event.start_at),
        *(Event.end_at, Event.created_at, Event.updated_at),
    ).where(Event.organizer_id == person.user_id)


def _teams(person: Person) -> Any:
    columns = TeamMember.event_id, Event.name, TeamMember.role, TeamMember.created_at
    mine = TeamMember.user_id == person.user_id
    return select(*columns).join(Event, Event.id == TeamMember.event_id).where(mine)


def _webhooks(person: Person) -> Any:
    return select(
        *(Webhook.id, Webhook.event_id, Webhook.url, Webhook.description, Webhook.topics),
        *(Webhook.is_active, Webhook.created_at, Webhook.updated_at),
    ).where(Webhook.owner_id == person.user_id)


def _mails(person: Person) -> Any:
    seats = select(Registration.id).where(person.own)
    mine = or_(Delivery.recipient_id == person.user_id, Delivery.recipient_id.in_(seats))
    return select(
        *(Delivery.id, Delivery.kind, Delivery.event_id, Delivery.address),
        *(Delivery.created_at, Delivery.finished_at, Delivery.outcome),
    ).where(Delivery.channel == Channel.MAIL, mine)


def _actions(person: Person) -> Any:
    return select(
        *(AuditEntry.id, AuditEntry.at, AuditEntry.action, AuditEntry.event_id),
        *(AuditEntry.subject_id, AuditEntry.changes),
    ).where(AuditEntry.actor_id == person.user_id)


SECTIONS = (
    Section("sign_ins", _sign_ins, SignIn.id, ExportedSignIn),
    Section("api_tokens", _api_tokens, ApiToken.id, ExportedToken),
    Section("registrations", _registrations, Registration.id, ExportedRegistration),
    Section("events", _events, Event.id, ExportedEvent),
    Section("teams", _teams, TeamMember.event_id, ExportedMembership),
    Section("webhooks", _webhooks, Webhook.id, ExportedWebhook),
    Section("mails", _mails, Delivery.id, ExportedMail),
    Section("actions", _actions, AuditEntry.id, ExportedAction),
)
