"""A place that may be the one that was meant, as every geocoder tells it. Knows none of them."""

import unicodedata
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

MOST_CANDIDATES = 10

Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
"""Degrees (WGS 84), finite and on the globe."""
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
"""Degrees (WGS 84), finite and on the globe."""

_UNSAFE = frozenset(("Cc", "Cs", "Zl", "Zp"))
_DIRECTIONS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place with its position.

    `country_code` is ISO 3166-1 alpha-2 in capitals, `timezone` an IANA name, `source` the name of
    the geocoder. `is_sure` says that an event may be put there without anybody looking at it.
    """

    name: str | None
    address: str | None
    city: str | None
    country: str | None
    country_code: str | None
    latitude: Latitude
    longitude: Longitude
    timezone: str | None = None
    source: str = ""
    is_sure: bool = field(default=True, kw_only=True)


def line(text: str | None, most: int) -> str | None:
    """What others wrote as one line of at most `most` characters; None where nothing is left.

    Control characters, ends of lines and marks that turn the direction of text become spaces.
    """
    kept = (" " if _is_unsafe(each) else each for each in text or "")
    return " ".join("".join(kept).split())[:most].rstrip() or None


def country_code(text: str | None) -> str | None:
    """The code in capitals, or None for what has not the form of one."""
    code = (text or "").upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None


def _is_unsafe(character: str) -> bool:
    return character in _DIRECTIONS or unicodedata.category(character) in _UNSAFE
