"""Where a conference is and which clock it keeps, from what was typed; it must not know files."""

from dataclasses import dataclass

from turnout.events.conference_findings import Code, Findings
from turnout.events.drafts import PlaceDraft
from turnout.events.zones import UTC_NAME
from turnout.places.countries import Area
from turnout.places.gazetteer import Gazetteer, How, Match

ONLINE = "Online"
NOT_SAID = "To be announced"

_HOW: dict[How, tuple[Code, str]] = {
    How.ALTERNATE: (Code.CITY_OTHER_NAME, "“{typed}” is another name of {found}."),
    How.REGION: (Code.CITY_STAND_IN, "“{typed}” is not a city; it is put on the map at {found}."),
    How.PART: (Code.CITY_IN_PART, "Of “{typed}” only {found} was recognised."),
}


@dataclass(frozen=True, slots=True)
class Where:
    """The location as text, the zone, and the place if there is one."""

    location: str
    timezone: str
    place: PlaceDraft | None


def read_where(
    city: str, country: str, gazetteer: Gazetteer, findings: Findings, *, is_online: bool
) -> Where:
    """Where a conference is that gives its city and country so (either may be empty)."""
    if not city and not country:
        return _nowhere(findings, is_online=is_online)
    if is_online:
        sentence = "It takes place in a city and online; the link is in the description."
        findings.note(Code.HYBRID, "online", sentence)
    area = gazetteer.country(country) if country else None
    match = gazetteer.find(city, country) if city else None
    _note_country(country, area, match, findings)
    _note_city(city, match, findings)
    code = match.city.country_code if match else None
    place = PlaceDraft(
        city=city or None,
        country=country or None,
        country_code=code or (area.code if area else None),
        latitude=match.city.latitude if match else None,
        longitude=match.city.longitude if match else None,
    )
    zone = match.city.timezone if match else _zone_of(city, area, gazetteer, findings)
    return Where(_location(city, country), zone, place)


def _nowhere(findings: Findings, *, is_online: bool) -> Where:
    if is_online:
        sentence = "An online conference without a place: its times are taken for UTC."
        findings.note(Code.ONLINE_IN_UTC, "online", sentence)
        return Where(ONLINE, UTC_NAME, None)
    sentence = "There is no place, and it is not said to be online; its times are taken for UTC."
    findings.note(Code.PLACE_MISSING, "city", sentence)
    return Where(NOT_SAID, UTC_NAME, None)


def _note_country(country: str, area: Area | None, match: Match | None, findings: Findings) -> None:
    if country and area is None:
        sentence = f"There is no country known as “{country}”."
        findings.note(Code.COUNTRY_UNKNOWN, "country", sentence)
    elif not country:
        taken = f"taken for {match.city.country} by its city" if match else "and none was found"
        findings.note(Code.COUNTRY_MISSING, "country", f"The country is not given, {taken}.")


def _note_city(city: str, match: Match | None, findings: Findings) -> None:
    if not city:
        findings.note(Code.CITY_MISSING, "city", "The city is not given.")
    elif match is None:
        findings.note(Code.CITY_UNKNOWN, "city", f"“{city}” is not among the cities known.")
    else:
        found = _described(match)
        code, sentence = _HOW.get(match.how, (None, ""))
        if code is not None:
            findings.note(code, "city", sentence.format(typed=city, found=found))
        if match.others:
            sentence = f"Several cities are called “{city}”; {found} was taken."
            findings.note(Code.CITY_AMBIGUOUS, "city", sentence)


def _described(match: Match) -> str:
    """The city with what tells it from its namesakes."""
    city = match.city
    region = f", {city.region}" if city.region and city.region.isalpha() else ""
    return f"{city.name}{region} ({city.country_code})"


def _zone_of(city: str, area: Area | None, gazetteer: Gazetteer, findings: Findings) -> str:
    """The zone of the state or country, where the city does not tell it."""
    if area is None:
        sentence = "Neither city nor country tell the time zone: UTC was taken."
        findings.note(Code.ZONE_GUESSED, "city", sentence)
        return UTC_NAME
    nearest = gazetteer.state(city, area.code) or area
    if not nearest.has_one_zone:
        sentence = (
            f"{nearest.name} has several time zones; {nearest.timezone}, that of its biggest "
            "city, was taken."
        )
        findings.note(Code.ZONE_GUESSED, "city", sentence)
    return nearest.timezone


def _location(city: str, country: str) -> str:
    if city.casefold() == country.casefold():  # Singapore
        return city
    return ", ".join(each for each in (city, country) if each)
