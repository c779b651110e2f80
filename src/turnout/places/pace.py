"""How fast one process may ask a geocoder: evenly, and never two at a time. Asks none itself."""

import asyncio

from turnout.places.geocoding import GeocodingFailed

MINUTE_SECONDS = 60


class TooBusy(GeocodingFailed):
    """So many wait already that the turn would come too late."""


class Pace:
    """Turns, each the same time after the one before.

    A window of a minute would let sixty go in its first second, which a public server takes for
    an attack.
    """

    def __init__(self, per_minute: int) -> None:
        self._interval_seconds = MINUTE_SECONDS / per_minute
        self._next_at = 0.0

    async def turn(self, patience_seconds: float) -> None:
        """Wait for the next turn. Raises TooBusy, at once, when that would be too long."""
        now = asyncio.get_running_loop().time()
        wait = max(0.0, self._next_at - now)
        if wait > patience_seconds:
            raise TooBusy("too many questions wait for their turn")
        self._next_at = now + wait + self._interval_seconds
        await asyncio.sleep(wait)
