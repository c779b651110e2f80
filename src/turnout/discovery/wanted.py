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
class Share:
    """The share of events that have a word with some beginning, and between what it is known.

    `words`: all that begin so, where they are few.
    """

    least: float = 0.0
    most: float = 1.0
    words: tuple[str, ...] | None = None


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
    shares: tuple[Share, ...] = ()
    """Of each word the share of events that have it, as far as that is known."""
    shares_of_names: tuple[Share, ...] = ()
    """The shares of those that have it in their names."""
    rare_word: str | None = None
    """Of several words one that few events have: in these the others are looked for."""
    are_few_long: bool = False
    """Whether few of the long events are going on at `since`, whatever else is wanted of them."""

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
