"""Places by the gazetteer alone: without a network, and rather none than a wrong one."""

import re
from collections.abc import Iterator

from turnout.places.candidates import MOST_CANDIDATES, Candidate
from turnout.places.folding import fold
from turnout.places.gazetteer import STATES_KNOWN_OF, City, Gazetteer, How, Match

SOURCE = "gazetteer"

KNOWN_ALONE = 100_000
"""People of a city that is meant by its name alone, without its country: `Hall` is a town, too."""
OUTSHINES, OUTSHINES_AT_HOME = 10, 2
"""How many times bigger than its largest namesake a city must be to be meant, and how many times
where the event has its time zone."""
METROPOLIS = 1_000_000
"""People of a city that is meant by its name although its state has the same: New York."""

CITY_STATES = frozenset(("SG", "HK", "MO", "MC", "GI", "VA"))
"""Countries that are one city, by their ISO codes."""
NOWHERE = frozenset(
    fold(name)
    for name in (
        "online", "online event", "online only", "virtual", "virtual event", "remote", "web",
        "webinar", "internet", "livestream", "live stream", "zoom", "google meet",
        "microsoft teams", "tba", "tbd", "tbc", "to be announced", "to be defined",
        "to be decided", "anywhere", "everywhere", "worldwide", "unknown", "n/a", "none",
    )
)  # fmt: skip
"""What people write where an event has no place, or none yet."""

MOST_PARTS = 8
_BETWEEN_PARTS = re.compile(r"[,;\n]|\s[-–—|/]\s")
_POSTAL_CODE = re.compile(
    r"\b(?:\d{5}-\d{3,4}|\d{3}[- ]?\d{3,4}|\d{4,6}|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}"
    r"|[A-Z]\d[A-Z] \d[A-Z]\d)\b"
)
_OWN_NAME = frozenset((How.EXACT, How.PLAIN))
_BY_NAME = frozenset((How.EXACT, How.PLAIN, How.ALTERNATE))


def names_a_place(location: str) -> bool:
    """Whether a location is worth a look: not where people write that there is no place."""
    return fold(location) not in NOWHERE and any(each.isalpha() for each in location)


def search(gazetteer: Gazetteer, query: str) -> list[Candidate]:
    """The cities that may be meant by what was typed so far, at most MOST_CANDIDATES.

    Those of that very name come first, then those that begin so; of each the most populous first.
    """
    found: dict[City, None] = {}
    head, _, tail = query.rpartition(",")
    match = gazetteer.find(query)
    if match is not None and match.how is not How.PART:
        found[match.city] = None
    if not head.strip():
        found |= dict.fromkeys(gazetteer.named(query))
        found |= dict.fromkeys(gazetteer.beginning_with(query, MOST_CANDIDATES))
    elif country := gazetteer.country(tail):
        same = (city for city in gazetteer.named(head) if city.country_code == country.code)
        found |= dict.fromkeys(same)
    elif match is None or match.how is How.PART:
        sure = guess(gazetteer, query, None)
        return [sure] if sure else []
    return [_candidate(city) for city in list(found)[:MOST_CANDIDATES]]


def guess(gazetteer: Gazetteer, location: str, timezone: str | None) -> Candidate | None:
    """The city that a location names beyond doubt, or None.

    Its parts (between commas) are tried from the right, where people write the city and, behind it,
    its state or country: `Bengaluru International Centre, Bengaluru`. `timezone` is that of the
    event: a hint where cities have one name. With several cities in question there is none.
    """
    parts = list(_parts(location))[-MOST_PARTS:]
    if not parts or not names_a_place(location):
        return None
    named = _areas_behind(gazetteer, parts)
    heads, areas = parts[: len(parts) - named], parts[len(parts) - named :]
    for head in reversed(heads):
        match = gazetteer.find(", ".join((head, *areas)))
        if match is not None and match.how in _BY_NAME:
            # One that was not beyond doubt: what is left of it would be a hall or a street.
            is_sure = _is_beyond_doubt(gazetteer, head, match, timezone, alone=not areas)
            return _candidate(match.city) if is_sure else None
    city = _city_like_its_area(gazetteer, areas)
    return _candidate(city) if city else None


def _parts(location: str) -> Iterator[str]:
    for part in _BETWEEN_PARTS.split(location):
        name = " ".join(_POSTAL_CODE.sub(" ", part).split())
        if any(each.isalpha() for each in name):
            yield name


def _areas_behind(gazetteer: Gazetteer, parts: list[str]) -> int:
    """How many of the last parts are a state or country, at least one part being left."""
    named = 0
    if len(parts) > 1 and (country := gazetteer.country(parts[-1])):
        named, codes = 1, [country.code]
    else:
        codes = list(STATES_KNOWN_OF)
    before = parts[: len(parts) - named]
    is_state = any(gazetteer.is_state(before[-1], code) for code in codes)
    return named + 1 if len(before) > 1 and is_state else named


def _is_beyond_doubt(
    gazetteer: Gazetteer, head: str, match: Match, timezone: str | None, *, alone: bool
) -> bool:
    if match.is_sure and (not alone or match.city.population >= KNOWN_ALONE):
        return True
    if not alone or match.city.population < KNOWN_ALONE:
        return False
    rivals = [city.population for city in gazetteer.named(head) if city != match.city]
    is_at_home = match.city.timezone == timezone
    factor = OUTSHINES_AT_HOME if is_at_home else OUTSHINES
    return match.city.population >= factor * max(rivals, default=0)


def _city_like_its_area(gazetteer: Gazetteer, areas: list[str]) -> City | None:
    """The city behind a venue's name and nothing but `Singapore` or `New York`."""
    if not areas:
        return None
    country = gazetteer.country(areas[-1])
    if country is not None and country.code in CITY_STATES:
        match = gazetteer.find(country.name, country.code)
        return match.city if match is not None and match.how in _BY_NAME else None
    match = gazetteer.find(areas[0])
    is_metropolis = match is not None and match.city.population >= METROPOLIS and match.is_sure
    if match is None or not is_metropolis or match.city.country_code not in STATES_KNOWN_OF:
        return None
    return match.city


def _candidate(city: City) -> Candidate:
    state = city.region if city.country_code in STATES_KNOWN_OF else None
    return Candidate(
        name=city.name,
        address=", ".join(part for part in (city.name, state, city.country) if part),
        city=city.name,
        country=city.country,
        country_code=city.country_code,
        latitude=city.latitude,
        longitude=city.longitude,
        timezone=city.timezone,
        source=SOURCE,
    )
