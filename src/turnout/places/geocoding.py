"""What a geocoder is, how it fails, and how its answers are read. Knows none in particular."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Protocol, TypeVar

from pydantic import BaseModel, Field, ValidationError

from turnout.outside import OutsideError, Reply
from turnout.places.candidates import MOST_CANDIDATES, Candidate, country_code, line

M = TypeVar("M", bound=BaseModel)

Text = Annotated[str, Field(strict=True)]

_MAY_PASS = (408, 425, 429)
"""Statuses of a refusal that says nothing against the request itself (RFC 9110, RFC 8470)."""


class GeocodingFailed(Exception):
    """A geocoder gave no answer that can be used.

    The text names the geocoder or its host, and never the query or the key: it ends up in logs.
    `is_permanent` says that the same question will not be answered later either.
    """

    def __init__(self, message: str, *, is_permanent: bool = False) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent


class Geocoder(Protocol):
    """Finds places by text."""

    name: str
    """One word, for people, logs and the kept answers."""
    kept_for: timedelta
    """How long its answers may be kept."""

    async def find(self, query: str) -> list[Candidate]:
        """The places that may be meant, the likeliest first; empty when there is none.

        Raises GeocodingFailed, OutsideError.
        """
        ...


def read(model: type[M], reply: Reply, name: str) -> M:
    """What an answer of status 200 says. Raises GeocodingFailed for any other, and for nonsense."""
    require_ok(reply, name)
    try:
        return model.model_validate(reply.json())
    except (ValidationError, OutsideError):
        # The texts are left out: they hold what the other side wrote. What answers with a page of
        # HTML now (a proxy, a notice of maintenance) may well answer properly later.
        raise GeocodingFailed(f"{name}: an answer that makes no sense") from None


def require_ok(reply: Reply, name: str) -> None:
    """Raises GeocodingFailed for every status but 200: a redirect is no answer either."""
    if reply.status != 200:
        is_refused = 400 <= reply.status < 500 and reply.status not in _MAY_PASS
        raise GeocodingFailed(f"{name}: status {reply.status}", is_permanent=is_refused)


def first(texts: Iterable[str | None]) -> str | None:
    """The first that says anything."""
    return next((text for text in texts if text and text.strip()), None)


def few(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The first candidates, for nobody looks at more."""
    return [each for each, _ in zip(candidates, range(MOST_CANDIDATES), strict=False)]


def candidate(
    source: str,
    position: tuple[float, float],
    *,
    name: str | None,
    address: str | None,
    city: str | None,
    country: tuple[str | None, str | None],
    is_sure: bool,
) -> Candidate:
    """A candidate of what a geocoder wrote: lengths as the columns of an event have them.

    `position` is latitude and longitude, `country` name and code. The zone is found elsewhere.
    """
    return Candidate(
        name=line(name, 200),
        address=line(address, 300),
        city=line(city, 120),
        country=line(country[0], 120),
        country_code=country_code(country[1]),
        latitude=position[0],
        longitude=position[1],
        source=source,
        is_sure=is_sure,
    )
