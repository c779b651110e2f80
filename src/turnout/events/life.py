"""The life of an event: published, cancelled, deleted, made again. Knows neither seats nor HTTP."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete as sql_delete
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.events import saving
from turnout.events.drafts import EventDraft, PlaceDraft, SlotDraft
from turnout.events.errors import EventCancelled, EventNotPublished, EventOver
from turnout.events.models import Event, PlaceSource, Status
from turnout.events.whole import Whole
from turnout.outbox import outbox
from turnout.outbox.topics import Topic


async def publish(db: AsyncSession, cause: Cause, event: Whole, now: datetime) -> Whole:
    """The event, published; one that is already comes back as it is.

    Raises EventCancelled, and EventOver for a draft that would end before it is seen.
    """
    if event.status == Status.CANCELLED:
        raise EventCancelled("A cancelled event stays cancelled; duplicate it to hold it again.")
    if event.status == Status.DRAFT and event.end.instant <= now:
        raise EventOver("The event would be over already; give it another time first.")
    after = replace(event, status=Status.PUBLISHED)
    return await saving.save(
        db, cause, event, after, now, action="event.published", topic=Topic.EVENT_PUBLISHED
    )


async def cancel(
    db: AsyncSession, cause: Cause, event: Whole, reason: str | None, now: datetime
) -> Whole:
    """The event, cancelled, with what its people are told; a second time it stays as it is.

    Raises EventOver, as what has happened cannot be called off, and EventNotPublished: nobody
    knows of a draft, and a cancelled event can be seen.
    """
    if event.status == Status.CANCELLED:
        return event
    if event.status == Status.DRAFT:
        raise EventNotPublished("A draft is not cancelled but deleted; nobody knows of it.")
    if event.end.instant <= now:
        raise EventOver("The event is over; it cannot be cancelled any more.")
    after = replace(event, status=Status.CANCELLED, cancelled_at=now, cancel_reason=reason)
    return await saving.save(
        db, cause, event, after, now, action="event.cancelled", topic=Topic.EVENT_CANCELLED
    )


async def delete(db: AsyncSession, cause: Cause, event: Whole, now: datetime) -> None:
    """Take the event away, with its agenda; whoever holds it must have looked at its seats."""
    await db.execute(sql_delete(Event).where(Event.id == event.id))
    audit.record(db, [audit.Entry(now, cause, "event.deleted", event.id, event.id)])
    # Afterwards nothing else says whose it was, and its owner wants to hear of it.
    payload = {"event_id": str(event.id), "organizer_id": str(event.organizer_id)}
    outbox.add(db, [outbox.Message(now, Topic.EVENT_DELETED, event.id, event.id, payload)])


def drafted(event: Whole) -> EventDraft:
    """A draft of an event like this one; a place that was found for it is to be found anew."""
    is_found = event.place_source != PlaceSource.ORGANIZER
    return EventDraft(
        name=event.name,
        location=event.location,
        timezone=event.timezone,
        start=event.start,
        end=event.end,
        description=event.description,
        place=PlaceDraft() if is_found else event.place,
        online_url=event.online_url,
        tags=event.tags,
        status=Status.DRAFT,
        visibility=event.visibility,  # type: ignore[arg-type]  # a text of that enumeration
        slots=tuple(
            SlotDraft(s.title, s.start, s.end, s.room, s.speaker, s.description)
            for s in event.slots
        ),
    )
