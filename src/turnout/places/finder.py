"""Finds places by text: the kept answers first, then a geocoder, and the gazetteer whenever.

Knows no event. No transaction may be open around its calls: a geocoder may take seconds.
"""

import asyncio
import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from turnout.db.session import Database
from turnout.outside import OutsideError
from turnout.places import cache, gazetteer, offline
from turnout.places.candidates import Candidate
from turnout.places.geocoding import Geocoder, GeocodingFailed
from turnout.places.nearest import ZonesByPosition
from turnout.places.pace import Pace
from turnout.structured import structlog

SEARCH_SECONDS = 4.0
"""Somebody who types gets the gazetteer's answer after this time."""
TYPING_PATIENCE_SECONDS = 2.0
"""How long somebody who types waits for their turn at the geocoder."""
PATIENCE_SECONDS = 40.0
"""How long a look-up in the background does."""

T = TypeVar("T")

log = structlog.get_logger()


class PlaceFinder:
    """Finds places; one for each process. Without a geocoder it never touches the network."""

    def __init__(self, database: Database, geocoder: Geocoder | None, *, per_minute: int) -> None:
        self._database = database
        self._geocoder = geocoder
        self._pace = Pace(per_minute)
        self._failure: str | None = None

    async def search(self, query: str, limit: int, now: datetime) -> Sequence[Candidate]:
        """The places that somebody may mean who types `query`, at most `limit`.

        Where the geocoder fails or finds nothing, those that the gazetteer knows.
        """
        found: Sequence[Candidate] = ()
        try:
            async with asyncio.timeout(SEARCH_SECONDS):
                found = await self._ask(query, TYPING_PATIENCE_SECONDS, now)
        except (GeocodingFailed, TimeoutError):
            pass  # the first has been logged, and the other is only slow
        found = found or await _in_thread(lambda: offline.search(gazetteer.load(), query))
        return found[:limit]

    async def locate(self, location: str, timezone: str, now: datetime) -> Candidate | None:
        """Where an event with that location is, beyond doubt, or None. Raises GeocodingFailed."""
        if not offline.names_a_place(location):
            return None
        found = await self._ask(location, PATIENCE_SECONDS, now)
        if found and found[0].is_sure:
            return found[0]
        return await self.guess(location, timezone)

    async def guess(self, location: str, timezone: str) -> Candidate | None:
        """The same by the gazetteer alone, which never fails."""
        return await _in_thread(lambda: offline.guess(gazetteer.load(), location, timezone))

    async def _ask(self, query: str, patience: float, now: datetime) -> Sequence[Candidate]:
        """What the geocoder says, or has said; nothing without one. Raises GeocodingFailed."""
        geocoder, key = self._geocoder, cache.key_of(query)
        if geocoder is None or key is None:
            return ()
        async with self._database.read() as db:
            kept = await cache.read(db, geocoder.name, key, now)
        if kept is not None:
            return kept
        await self._pace.turn(patience)
        found = await self._answer(geocoder, query)
        async with self._database.write() as db:
            await cache.write(db, geocoder.name, key, found, now, geocoder.kept_for)
        return found

    async def _answer(self, geocoder: Geocoder, query: str) -> list[Candidate]:
        try:
            found = await geocoder.find(query)
        except (GeocodingFailed, OutsideError) as error:
            self._note_failure(geocoder, str(error))
            # What cannot be read or reached now may well be later; only a refusal is for good.
            is_permanent = isinstance(error, GeocodingFailed) and error.is_permanent
            raise GeocodingFailed(str(error), is_permanent=is_permanent) from None
        if self._failure is not None:
            self._failure = None
            log.info("The geocoder answers again", geocoder=geocoder.name)
        return await _in_thread(lambda: [_completed(each) for each in found])

    def _note_failure(self, geocoder: Geocoder, reason: str) -> None:
        """Log a failure once, and not for each event, until it is another or over."""
        if reason != self._failure:
            self._failure = reason
            log.warning("The geocoder fails", geocoder=geocoder.name, reason=reason)


def _completed(found: Candidate) -> Candidate:
    """With the zone of the place, and its country by the name that all events have."""
    country = gazetteer.load().country(found.country_code) if found.country_code else None
    return replace(
        found,
        country=country.name if country else found.country,
        timezone=_zones().at(found.latitude, found.longitude, found.country_code),
    )


@functools.cache
def _zones() -> ZonesByPosition:
    return ZonesByPosition(gazetteer.load())


async def _in_thread(work: Callable[[], T]) -> T:
    """The gazetteer is unpacked at its first use, and some searches take 20 ms: not in the loop."""
    return await asyncio.to_thread(work)
