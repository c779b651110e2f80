"""Which time zones there are, by the pinned tz database; it must not know the clock or a table."""

import zoneinfo
from collections.abc import Iterator
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from turnout.errors import FieldError
from turnout.events.errors import InvalidTimezone

# A machine's own copy can be years old. It must lose even where nothing else has been imported
# yet, and zones that somebody loaded from it before must not be found again.
zoneinfo.reset_tzpath(to=())
ZoneInfo.clear_cache()

UTC_NAME = "UTC"

ABBREVIATIONS = frozenset(
    {
        *("CET", "EET", "EST", "HST", "MET", "MST", "WET"),
        *("CST6CDT", "EST5EDT", "MST7MDT", "PST8PDT"),
    }
)
"""Names that say an offset, not a place; the database links them to one place among many."""

SAME_PLACE = {
    "Africa/Asmera": "Africa/Asmara",
    "Africa/Timbuktu": "Africa/Bamako",
    "America/Coral_Harbour": "America/Atikokan",
    "America/Virgin": "America/St_Thomas",
    "Antarctica/South_Pole": "Antarctica/McMurdo",
    "Atlantic/Jan_Mayen": "Arctic/Longyearbyen",
    "Iceland": "Atlantic/Reykjavik",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
    "Pacific/Yap": "Pacific/Chuuk",
}
"""Aliases that the database links to another country with the same clocks (Iceland to Abidjan);
whoever asks for their own place gets the name that zone.tab lists for it."""


def canonical_zone(name: object, *, field: str = "timezone") -> str:
    """The name under which a zone is kept: `Asia/Calcutta` gives `Asia/Kolkata`.

    A name that stands for a place today is kept as it is (`Europe/Stockholm`, although the
    database makes it a link to Berlin). Anything but a known name, of whatever type, raises
    InvalidTimezone about `field`. Source: tzdata.zi, zone.tab and zone1970.tab of the tz database.
    """
    known = _canonical_names().get(name) if isinstance(name, str) else None
    if known is None:
        message = f"Send the IANA name of a time zone, such as {_suggestion(name)}."
        detail = f"This is not the name of a time zone. {message}"
        raise InvalidTimezone(detail, fields=(FieldError(field, InvalidTimezone.code, message),))
    return known


def all_zones() -> tuple[str, ...]:
    """Every name that `canonical_zone` answers with, sorted: about 420."""
    return _sorted_names()


@cache
def zone(name: str) -> ZoneInfo:
    """The rules of a zone, from the pinned database; loaded once.

    Names that were canonical when they were stored keep working after the database renames them.
    Raises InvalidTimezone for a name that `canonical_zone` refuses.
    """
    return ZoneInfo(canonical_zone(name))


@cache
def tzdata_version() -> str:
    """The release of the tz database in use, as IANA names it: `2026f`."""
    return _read("tzdata.zi")[0].removeprefix("# version ")


@cache
def _sorted_names() -> tuple[str, ...]:
    return tuple(sorted(set(_canonical_names().values())))


@cache
def _canonical_names() -> dict[str, str]:
    """Each accepted name and the one it is kept under."""
    places = {line.split("\t")[2] for line in _rows("zone.tab", "zone1970.tab")}
    links = dict(_links())
    names = {name: name for name in places}
    for alias in links.keys() - places - ABBREVIATIONS:
        target = SAME_PLACE.get(alias, alias)
        while target not in places and target in links:
            target = links[target]
        if target in places:
            names[alias] = target
    return names | {UTC_NAME: UTC_NAME, "Etc/UTC": UTC_NAME}


def _links() -> Iterator[tuple[str, str]]:
    for line in _rows("tzdata.zi"):
        match line.split():
            case ["L", target, alias]:
                yield alias, target
            case _:
                pass


def _rows(*files: str) -> Iterator[str]:
    for file in files:
        yield from (line for line in _read(file) if not line.startswith("#"))


def _read(file: str) -> list[str]:
    return resources.files("tzdata").joinpath("zoneinfo", file).read_text("utf-8").splitlines()


def _suggestion(name: object) -> str:
    """The known name that differs from `name` only in its case, or two examples.

    What was sent is never repeated: it can be of any length and hold anything.
    """
    wanted = name.lower() if isinstance(name, str) else None
    alike = (known for known in all_zones() if known.lower() == wanted)
    return next(alike, "Asia/Kolkata or Europe/Berlin")
