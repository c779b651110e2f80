"""Events whose location is to be looked up: claims them one by one, writes what was found.

A claim is a lease: `place_lookup_at` moves to its end. Whoever claimed and died leaves an event
that is due again then; whoever comes late finds another time there than its own, and writes
nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Standing
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.events import finding
from turnout.events.models import Event, PlaceSource
from turnout.places.candidates import Candidate

LEASE = timedelta(seconds=60)
"""Longer than waiting for a turn at a geocoder and asking it together."""

_SYSTEM = Cause(Standing.SYSTEM)


@dataclass(frozen=True, slots=True)
class Claim:
    """An event to look up until `until`, for the `tries`-th time."""

    event_id: UUID
    location: str
    timezone: str
    tries: int
    until: datetime


async def is_any_due(db: AsyncSession, now: datetime) -> bool:
    """Whether there is anything to claim: one look at an index that is nearly always empty."""
    query = select(Event.id).where(Event.place_lookup_at <= now)
    # Sorted, though any will do: without it SQLite may rather read the table than the index.
    return await db.scalar(query.order_by(Event.place_lookup_at).limit(1)) is not None


async def claim(db: AsyncSession, now: datetime) -> Claim | None:
    """The event that has been due for the longest time, leased; None where none is."""
    due = select(Event.id, Event.location, Event.timezone, Event.place_lookups)
    query = due.where(Event.place_lookup_at <= now).order_by(Event.place_lookup_at).limit(1)
    # Two workers: on PostgreSQL the other passes over a row that is being claimed. SQLite has one
    # writer at a time (and no row locks): it finds the row leased already.
    row = (await db.execute(query.with_for_update(key_share=True, skip_locked=True))).one_or_none()
    if row is None:
        return None
    claimed = Claim(row.id, row.location, row.timezone, row.place_lookups + 1, now + LEASE)
    await db.execute(
        update(Event)
        .where(Event.id == claimed.event_id)
        .values(place_lookup_at=claimed.until, place_lookups=claimed.tries)
    )
    return claimed


async def place(db: AsyncSession, claimed: Claim, found: Candidate, now: datetime) -> bool:
    """Put the event where it was found to be; False where the claim does not count any more.

    Nobody is told: what the organizer wrote is as it was, and so is the calendar entry.
    """
    event = await _locked(db, claimed)
    if event is None:
        return False
    kept = _kept(found)
    event.place_name, event.place_address = kept.name, kept.address
    event.place_city, event.place_country = kept.city, kept.country
    event.place_country_code = kept.country_code
    event.place_latitude, event.place_longitude = kept.latitude, kept.longitude
    event.place_source, event.place_lookup_at = PlaceSource.GEOCODER, None
    is_elsewhere = found.timezone != event.timezone
    event.suggested_timezone = found.timezone if is_elsewhere else None
    for name, value in finding.columns_of(event).items():
        setattr(event, name, value)
    event.version += 1
    event.updated_at = now
    await db.flush()
    changes = {"source": found.source, "suggested_timezone": event.suggested_timezone}
    entry = audit.Entry(now, _SYSTEM, "event.placed", event.id, event.id, changes)
    audit.record(db, [entry])
    return True


async def look_again(db: AsyncSession, claimed: Claim, at: datetime | None) -> bool:
    """Let the event be due again at that time, or never (None); False as for `place`."""
    is_mine = Event.id == claimed.event_id, Event.place_lookup_at == claimed.until
    changed = update(Event).where(*is_mine).values(place_lookup_at=at).returning(Event.id)
    return (await db.scalar(changed)) is not None


async def _locked(db: AsyncSession, claimed: Claim) -> Event | None:
    """The event, locked until the transaction ends; None where it is gone or not ours any more."""
    query = (
        select(Event)
        .where(Event.id == claimed.event_id, Event.place_lookup_at == claimed.until)
        .with_for_update(key_share=True)
    )
    event = await db.scalar(query)
    if event is None or event.location != claimed.location:
        return None
    return None if event.place_source == PlaceSource.ORGANIZER else event


def _kept(found: Candidate) -> Candidate:
    """What an event keeps: the name of a city is that of no venue, and a region no address."""
    if found.name != found.city:
        return found
    is_bare_city = found.source == "gazetteer"
    return replace(found, name=None, address=None if is_bare_city else found.address)
