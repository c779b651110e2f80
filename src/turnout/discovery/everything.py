"""All events in full, for an export and what reads it back; it must not know who asks."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.models import User
from turnout.discovery.queries import SlotView
from turnout.events.models import Event, Slot
from turnout.registrations.models import Admission

_EVENT = Event.__table__.c
_SEATS = Admission.__table__.c
_SLOT = Slot.__table__.c
_USER = User.__table__.c
# The organizer, the slug and the dates of the record belong to this database, not to the event:
# calendars have them, and rows do without.
_WHOLE: Any = select(
    *(_EVENT.id, _EVENT.import_key, _EVENT.name, _EVENT.description, _EVENT.location),
    *(_EVENT.timezone, _EVENT.start_at, _EVENT.end_at, _EVENT.status, _EVENT.visibility),
    *(_EVENT.place_name, _EVENT.place_address, _EVENT.place_city, _EVENT.place_country),
    *(_EVENT.place_country_code, _EVENT.place_latitude, _EVENT.place_longitude),
    *(_EVENT.online_url, _EVENT.tags, _SEATS.capacity, _SEATS.waitlist_enabled),
    *(_SEATS.opens_at, _SEATS.closes_at),
    *(_EVENT.slug, _EVENT.sequence, _EVENT.created_at, _EVENT.updated_at),
    *(_EVENT.organizer_id, _USER.name.label("organizer_name")),
).join_from(Event.__table__, Admission.__table__, _SEATS.event_id == _EVENT.id)
_WHOLE = _WHOLE.join(User.__table__, _USER.id == _EVENT.organizer_id)
_PAGE = _WHOLE.order_by(_EVENT.id).limit(bindparam("limit"))
_PAGE_AFTER = _PAGE.where(_EVENT.id > bindparam("after", type_=_EVENT.id.type))
_SLOTS = (
    select(
        *(_SLOT.event_id, _SLOT.id, _SLOT.title, _SLOT.start_at, _SLOT.end_at),
        *(_SLOT.room, _SLOT.speaker, _SLOT.description),
    )
    .where(_SLOT.event_id.in_(bindparam("event_ids", expanding=True)))
    .order_by(_SLOT.event_id, _SLOT.start_at, _SLOT.id)
)


@dataclass(frozen=True, slots=True)
class WholeEvent:
    """An event with its agenda; `row` has the columns that `_WHOLE` names."""

    row: Row[Any]
    slots: Sequence[SlotView]


async def page(db: AsyncSession, *, after: UUID | None, limit: int) -> list[WholeEvent]:
    """Events of every status, visibility and owner, oldest id first, at most `limit` of them.

    No policy is asked: this is for those who have the database in their hands anyway.
    """
    values: dict[str, object] = {"limit": limit} if after is None else {
        "limit": limit, "after": after
    }  # fmt: skip
    rows = (await db.execute(_PAGE if after is None else _PAGE_AFTER, values)).all()
    slots: dict[UUID, list[SlotView]] = defaultdict(list)
    for slot in await db.execute(_SLOTS, {"event_ids": [row.id for row in rows]}):
        slots[slot.event_id].append(SlotView(*slot[1:]))
    return [WholeEvent(row, slots[row.id]) for row in rows]


async def known_ids(db: AsyncSession, ids: Collection[UUID]) -> set[UUID]:
    """Those of `ids` (at most some hundreds) that are events here."""
    return set(await db.scalars(select(_EVENT.id).where(_EVENT.id.in_(ids))))
