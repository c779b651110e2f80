"""The values of a calendar's properties (RFC 5545, 3.3), each by itself; it knows no property."""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_DATE_TIME = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})")
_OFFSET = re.compile(r"([+-])([0-9]{2})([0-9]{2})([0-9]{2})?")
_DURATION = re.compile(
    r"\+?P(?:([0-9]{1,4})W)?(?:([0-9]{1,4})D)?"
    r"(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,9})S)?)?"
)
_DIGITS_OF_A_DEGREE = 6


@dataclass(frozen=True, slots=True)
class Length:
    """How long something lasts: days on the wall clock, and the rest by the watch."""

    days: timedelta = timedelta()
    exact: timedelta = timedelta()


def read_local(text: str) -> datetime | None:
    """The wall clock that a DATE-TIME without a `Z` says, or midnight of a DATE; else None."""
    found = _DATE_TIME.fullmatch(text) or _DATE.fullmatch(text)
    try:
        return datetime(*map(int, found.groups())) if found else None  # type: ignore[arg-type]  # noqa: DTZ001 - three or six numbers; a wall clock
    except ValueError:  # 30 February
        return None


def is_date(text: str) -> bool:
    """Whether it is a day without a time."""
    return _DATE.fullmatch(text) is not None


def read_offset(text: str) -> timedelta | None:
    """The distance from UTC that `+0530` says, less than a day; else None."""
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = (int(each or 0) for each in found.groups()[1:])
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if offset >= timedelta(days=1):
        return None
    return -offset if found[1] == "-" else offset


def read_duration(text: str) -> Length | None:
    """The length that `P1DT2H` says; None for another text, or for one that goes back."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    exact = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return Length(timedelta(weeks=weeks, days=days), exact)


def read_text(value: str) -> str:
    """TEXT without its escapes."""
    from icalendar.parser import unescape_backslash  # heavy: 10 MiB that a server does without

    return str(unescape_backslash(value))


def read_texts(value: str) -> list[str]:
    """A list of TEXT, without escapes."""
    from icalendar.parser import split_on_unescaped_comma  # heavy: as above

    return [str(each) for each in split_on_unescaped_comma(value)]


def read_geo(value: str) -> tuple[float, float] | None:
    """Latitude and longitude in WGS 84 degrees, or None for what is no place on Earth."""
    latitude, separator, longitude = value.replace("\\", "").partition(";")
    try:
        found = float(latitude), float(longitude)
    except ValueError:
        return None
    is_place = all(map(math.isfinite, found)) and abs(found[0]) <= 90 and abs(found[1]) <= 180
    if not separator or not is_place:
        return None
    return round(found[0], _DIGITS_OF_A_DEGREE), round(found[1], _DIGITS_OF_A_DEGREE)
