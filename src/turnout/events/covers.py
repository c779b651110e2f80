"""The cover pictures of events: who may set and take away, and what is kept. Knows no HTTP."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, null, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.errors import NotFound
from turnout.events import policy, queries
from turnout.events.models import Cover, Event, Status, TeamMember
from turnout.events.pictures import Picture
from turnout.outbox import outbox
from turnout.outbox.topics import Topic


@dataclass(frozen=True, slots=True)
class CoverFacts:
    """What an event says of its cover; sides in pixels. `hash` names the bytes."""

    hash: str
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class CoveredEvent:
    """What decides about the cover of an event; `team_role` is the caller's."""

    id: UUID
    status: str
    visibility: str
    organizer_id: UUID
    version: int
    sequence: int
    cover: CoverFacts | None
    team_role: str | None


def facts_of(stored: Any) -> CoverFacts | None:
    """What the column `events.cover` says."""
    return None if stored is None else CoverFacts(**stored)


async def visible(db: AsyncSession, actor: Actor, event_id: UUID) -> tuple[CoverFacts, bytes]:
    """The cover of an event, and its bytes. Raises NotFound, also where there is none."""
    event = _event((await db.execute(_query(actor, event_id))).one_or_none())
    policy.require_visible(actor, event)
    # By one statement, so that the hash is always that of the bytes, whoever changes them now.
    query = select(Event.cover, Cover.content).join(Cover, Cover.event_id == Event.id)
    row = (await db.execute(query.where(Event.id == event_id))).one_or_none()
    facts = None if row is None else facts_of(row.cover)
    if row is None or facts is None:
        raise NotFound
    return facts, row.content


async def editable(
    db: AsyncSession, actor: Actor, event_id: UUID, *, locked: bool = False
) -> CoveredEvent:
    """An event whose cover is the caller's to choose; `locked` until the transaction ends.

    Raises NotSignedIn, NotFound, NotAllowed.
    """
    query = _query(actor, event_id)
    if locked:
        # Two pictures that come in at once are kept one after the other: the facts in the event
        # are always those of the bytes in `covers`.
        query = query.with_for_update(of=Event, key_share=True)
    event = _event((await db.execute(query)).one_or_none())
    policy.require_editor(actor, event)
    assert event is not None  # noqa: S101 - require_editor has seen to it; narrows the type
    return event


async def put(
    db: AsyncSession, event: CoveredEvent, picture: Picture, cause: Cause, now: datetime
) -> CoveredEvent:
    """The event with that cover; where it has just that one, nothing is written.

    The event must be locked (`editable`).
    """
    facts = CoverFacts(picture.hash, picture.media_type, picture.width, picture.height)
    if facts == event.cover:
        return event
    await db.execute(delete(Cover).where(Cover.event_id == event.id))
    db.add(
        Cover(
            event_id=event.id,
            media_type=picture.media_type,
            content=picture.content,
            created_at=now,
        )
    )
    return await _save(db, event, facts, cause, now)


async def remove(
    db: AsyncSession, event: CoveredEvent, cause: Cause, now: datetime
) -> CoveredEvent:
    """The event without a cover. It must be locked. Raises NotFound where it has none."""
    if event.cover is None:
        raise NotFound
    await db.execute(delete(Cover).where(Cover.event_id == event.id))
    return await _save(db, event, None, cause, now)


async def _save(
    db: AsyncSession, event: CoveredEvent, cover: CoverFacts | None, cause: Cause, now: datetime
) -> CoveredEvent:
    version = event.version + 1
    values = {
        "cover": null() if cover is None else asdict(cover),
        "version": version,
        "updated_at": now,
    }
    await db.execute(update(Event).where(Event.id == event.id).values(**values))
    action = "event.cover-removed" if cover is None else "event.cover-set"
    changes = None if cover is None else {"hash": cover.hash}
    audit.record(db, [audit.Entry(now, cause, action, event.id, event.id, changes)])
    if event.status != Status.DRAFT:  # of a draft nobody hears
        outbox.add(db, [_message(event, now)])
    return replace(event, version=version, cover=cover)


def _message(event: CoveredEvent, now: datetime) -> outbox.Message:
    """As of any other change; calendars show no cover, so that the sequence stays."""
    payload = {
        "event_id": str(event.id),
        "fields": ["cover"],
        "sequence": event.sequence,
        "before": dict[str, str](),
    }
    return outbox.Message(now, Topic.EVENT_CHANGED, event.id, event.id, payload)


def _query(actor: Actor, event_id: UUID) -> Select[Any]:
    return (
        select(
            Event.id,
            Event.status,
            Event.visibility,
            Event.organizer_id,
            Event.version,
            Event.sequence,
            Event.cover,
            TeamMember.role.label("team_role"),
        )
        .outerjoin(TeamMember, queries.in_team_of(actor.user_id))
        .where(Event.id == event_id)
    )


def _event(row: Row[Any] | None) -> CoveredEvent | None:
    if row is None:
        return None
    return CoveredEvent(
        row.id,
        row.status,
        row.visibility,
        row.organizer_id,
        row.version,
        row.sequence,
        facts_of(row.cover),
        row.team_role,
    )
