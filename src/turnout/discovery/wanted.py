"""What somebody looks for among all events. Pure; knows no database."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from turnout.events.models import Status


class Sort(StrEnum):
    """In which order events are listed."""

    START_TIME = "start_time"
    LATEST = "-start_time"
    DISTANCE = "distance"
    RELEVANCE = "relevance"
    """Those that have every word in their name first, then the others; each soonest first."""


@dataclass(frozen=True, slots=True)
class Circle:
    """A place (WGS 84 degrees) and how far around it, in kilometres of great circle."""

    latitude: float
    longitude: float
    radius_km: float


@dataclass(frozen=True, slots=True)
class Own:
    """The events that an account works on: those it owns, those whose team it is in, or both."""

    user_id: UUID
    owned: bool = True
    helped: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """The events that are looked for: those for which all holds that is said here.

    `words` are lexemes of words, each the beginning of a word of the event; `facets` are lexemes
    that the event has. `since`: it ends after; `until`: it begins before.
    """

    since: datetime | None = None
    until: datetime | None = None
    words: tuple[str, ...] = ()
    facets: tuple[str, ...] = ()
    circle: Circle | None = None
    min_seats: int = 0
    is_online: bool | None = None
    own_of: Own | None = None
    """Only what this account works on, whoever else may see it."""
    status: Status | None = None
    """With `own_of`: which of them."""
    sort: Sort = Sort.START_TIME
    is_common: bool = False
    """Whether many events have all the words, as far as that is known."""
    is_common_name: bool = False
    """Whether many have them in their names."""
    is_among_soonest: bool = False
    """Only what is found among the first events in the order of their starts."""

    @property
    def is_plain(self) -> bool:
        """Whether only times are asked about: the index of starts answers at once."""
        return self == Wanted(since=self.since, until=self.until, sort=self.sort)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a list goes on: behind the row with these values of what it is sorted by."""

    tier: int
    value: str | float
    id: str | None
    """In hexadecimal; None where `value` alone says it."""
    start: str | None = None
    """When it begins, where `value` is a distance: of those as far the soonest come first."""
