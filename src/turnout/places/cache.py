"""Keeps what geocoders said, in the database. Knows no geocoder and asks none."""

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.places.candidates import Candidate
from turnout.places.models import Geocoding

NOTHING_KEPT_FOR = timedelta(days=1)
"""How long it is believed that there is no such place: what is new comes onto the maps."""
LONGEST_KEY = 400

_CANDIDATES = TypeAdapter(list[Candidate])


def key_of(query: str) -> str | None:
    """The text as it is compared: without case and needless spaces; None where it is too long."""
    key = " ".join(unicodedata.normalize("NFC", query.casefold()).split())
    return key if len(key) <= LONGEST_KEY else None


async def read(
    db: AsyncSession, provider: str, key: str, now: datetime
) -> Sequence[Candidate] | None:
    """What was kept and still counts; None where nothing was."""
    query = select(Geocoding.candidates).where(
        Geocoding.provider == provider, Geocoding.query == key, Geocoding.expires_at > now
    )
    kept = await db.scalar(query)
    if kept is None:
        return None
    try:
        return _CANDIDATES.validate_python(kept)
    except ValidationError:
        return None  # written by a version that had another form of it


async def write(
    db: AsyncSession,
    provider: str,
    key: str,
    candidates: Sequence[Candidate],
    now: datetime,
    kept_for: timedelta,
) -> None:
    """Keep an answer; of two at once the later one stays."""
    lasts = kept_for if candidates else min(kept_for, NOTHING_KEPT_FOR)
    values = {
        "candidates": [asdict(each) for each in candidates],
        "created_at": now,
        "expires_at": now + lasts,
    }
    # Not read before it is written: two processes may ask the same at the same time.
    dialect = (await db.connection()).dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = insert(Geocoding).values(provider=provider, query=key, **values)
    await db.execute(
        statement.on_conflict_do_update(index_elements=["provider", "query"], set_=values)
    )


async def forget_expired(db: AsyncSession, now: datetime) -> None:
    """Remove what does not count any more."""
    await db.execute(delete(Geocoding).where(Geocoding.expires_at <= now))
