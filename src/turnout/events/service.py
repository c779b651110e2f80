"""What organizers do with events. Knows neither seats nor HTTP."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from types import SimpleNamespace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout import ids
from turnout.accounts.actor import Actor
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.db import sets
from turnout.events import drafts, finding, policy
from turnout.events.drafts import EventDraft, PlaceDraft, SlotDraft
from turnout.events.models import Event, Slot, Status
from turnout.outbox import outbox
from turnout.outbox.topics import Topic

SLUG_WORDS_LENGTH = 60


def create(
    db: AsyncSession,
    actor: Actor,
    cause: Cause,
    wanted: Sequence[EventDraft],
    now: datetime,
    *,
    owner: UUID | None = None,
) -> list[UUID]:
    """The ids of the new events, in order; `owner` owns them, or else the caller.

    Raises NotSignedIn, NotAllowed, or Invalid naming every field that contradicts another.
    """
    policy.require_creator(actor)
    for draft in wanted:
        drafts.check(draft)
    owner = owner or actor.user_id
    assert owner is not None  # noqa: S101 - require_creator has seen to it; narrows the type
    made = [(ids.new_id(), draft) for draft in wanted]
    rows = [_event_row(event_id, owner, draft, now) for event_id, draft in made]
    sets.insert(db, Event.__table__, rows)  # type: ignore[arg-type]  # a Table, though declared as FromClause
    slots = [_slot_row(event_id, slot) for event_id, draft in made for slot in draft.slots]
    sets.insert(db, Slot.__table__, slots)  # type: ignore[arg-type]  # as above
    outbox.add(db, [_message(n, made, now) for n in range(len(made))])
    audit.record(
        db, [audit.Entry(now, cause, "event.created", event_id, event_id) for event_id, _ in made]
    )
    return [event_id for event_id, _ in made]


async def known_import_keys(db: AsyncSession, keys: Sequence[str]) -> set[str]:
    """Those of `keys` (at most some hundreds) that an import has made events of before."""
    query = select(Event.import_key).where(Event.import_key.in_(keys))
    return {key for key in await db.scalars(query) if key is not None}


def slug_of(name: str, event_id: UUID) -> str:
    """A readable, unique part of an address: the words of the name and the end of the id."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_WORDS_LENGTH].strip("-")
    return f"{words or 'event'}-{event_id.hex[-12:]}"


def _event_row(event_id: UUID, owner: UUID, draft: EventDraft, now: datetime) -> tuple[object, ...]:
    place = draft.place
    values = {
        "id": event_id,
        "slug": slug_of(draft.name, event_id),
        "organizer_id": owner,
        "name": draft.name,
        "description": draft.description,
        "location": draft.location,
        "timezone": draft.timezone,
        "start_local": draft.start.local,
        "start_at": draft.start.instant,
        "end_local": draft.end.local,
        "end_at": draft.end.instant,
        "status": draft.status,
        "visibility": draft.visibility,
        "place_name": place.name,
        "place_address": place.address,
        "place_city": place.city,
        "place_country": place.country,
        "place_country_code": place.country_code,
        "place_latitude": place.latitude,
        "place_longitude": place.longitude,
        "online_url": draft.online_url,
        "tags": list(draft.tags),
        "import_key": draft.import_key,
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "sequence": 0,
        "cancelled_at": now if draft.status == Status.CANCELLED else None,
        "series_id": draft.series_id,
        "series_local": draft.series_local,
        "place_source": None if place == PlaceDraft() else draft.place_source,
        "place_lookup_at": now if place == PlaceDraft() else None,
        "place_lookups": 0,
    }
    values |= finding.columns_of(SimpleNamespace(**values))
    return tuple(values.get(column.name) for column in Event.__table__.columns)


def _slot_row(event_id: UUID, slot: SlotDraft) -> tuple[object, ...]:
    values = {
        "id": ids.new_id(),
        "event_id": event_id,
        "title": slot.title,
        "room": slot.room,
        "speaker": slot.speaker,
        "description": slot.description,
        "start_local": slot.start.local,
        "start_at": slot.start.instant,
        "end_local": slot.end.local,
        "end_at": slot.end.instant,
    }
    return tuple(values[column.name] for column in Slot.__table__.columns)


def _message(n: int, made: Sequence[tuple[UUID, EventDraft]], now: datetime) -> outbox.Message:
    event_id, draft = made[n]
    payload: dict[str, object] = {"event_id": str(event_id)}
    if draft.import_key is not None:
        payload["imported"] = True
    if draft.series_id is not None:
        # Said by the first of them, so that their organizer hears of it once.
        payload |= {"series_id": str(draft.series_id), "occurrences": 0 if n else len(made)}
    return outbox.Message(now, Topic.EVENT_CREATED, event_id, event_id, payload)
