"""When an entry of a calendar takes place: DTSTART, DTEND, DURATION and a series' times. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from turnout.events import ical_rules, times
from turnout.events.ical_findings import Code, Unreadable
from turnout.events.ical_lines import Component, Property
from turnout.events.ical_values import Length, is_date, read_duration, read_local
from turnout.events.ical_zones import Zones
from turnout.events.times import Moment, Note

HORIZON = timedelta(days=731)
MOST_TIMES = 500
"""Of one series."""
USUAL_LENGTH = Length(exact=timedelta(hours=1))
"""Where an entry does not say when it ends; a day ends when it is over."""
ONE_DAY = Length(days=timedelta(days=1))

_EARLY = datetime(1900, 1, 1, tzinfo=UTC)
"""Nearer to the first of two readings of a wall clock, which is what counts (3.3.5)."""

Tell = Callable[[Code, str, str], None]
"""Takes the code, the property and the sentence of a remark."""


@dataclass(frozen=True, slots=True)
class When:
    """Start and end of an entry in its zone; `is_date` says that whole days were given."""

    zone: str
    start: Moment
    end: Moment
    length: Length
    is_date: bool


@dataclass(frozen=True, slots=True)
class Series:
    """The naive wall clocks at which a series begins anew, and what was left out of it."""

    starts: tuple[datetime, ...]
    is_cut: bool
    """By HORIZON or by MOST_TIMES."""


def read(entry: Component, zones: Zones, note: Tell) -> When:
    """When an entry takes place, the first time if it repeats. Raises Unreadable."""
    begins = entry.first("DTSTART")
    if begins is None:
        raise Unreadable(Code.START_MISSING, "DTSTART", "There is no start.")
    text, zone = begins.value.strip(), _zone(begins, zones, note)
    start = _moment(begins, text, zone, zones, note)
    end, length = _end(entry, start, zone, zones, note, is_day=is_date(text))
    return When(zone, start, end, length, is_date(text))


def local_of(given: Property, zone: str, zones: Zones) -> datetime:
    """The wall clock in `zone` of a single time, such as a RECURRENCE-ID. Raises Unreadable."""
    return _moment(given, given.value.strip(), zone, zones, _unheard).local.replace(fold=0)


def ending(start: Moment, length: Length, zone: str) -> Moment:
    """The end of what lasts that long: days on the wall clock, the rest by the watch."""
    end = start
    if length.days:
        near = start.instant + length.days
        end = times.derive(start.local + length.days, zone, near=near).moment
    return times.moment_at(end.instant + length.exact, zone) if length.exact else end


def series(entry: Component, when: When, zones: Zones, now: datetime) -> Series | None:
    """All times of an entry that repeats, or None for one that does not. Raises Unreadable.

    At most MOST_TIMES of them, up to HORIZON from `now`: what has not ended goes before what has.
    """
    if entry.first("EXRULE") is not None:
        sentence = "Exceptions by a rule (EXRULE) are not read, and would be lost."
        raise Unreadable(Code.RULE_UNCLEAR, "EXRULE", sentence)
    rules = [each.value for each in entry.all("RRULE")]
    dates = [each for given in entry.all("RDATE") for each in _locals(given, when.zone, zones)]
    if not rules and not dates:
        return None
    last = times.moment_at(now + HORIZON, when.zone).local
    found, is_cut = _all_starts(rules, dates, when, last)
    for given in entry.all("EXDATE"):
        found -= _excepted(given, found, when.zone, zones)
    if not found and not is_cut:
        raise Unreadable(Code.NO_OCCURRENCE, "RRULE", "The rule never comes to a time.")
    kept = _kept(sorted(found), times.moment_at(now, when.zone).local)
    return Series(tuple(kept), is_cut or len(kept) < len(found))


def _all_starts(
    rules: list[str], dates: list[datetime], when: When, last: datetime
) -> tuple[set[datetime], bool]:
    first = when.start.local.replace(fold=0)
    found = {each for each in dates if each <= last}
    is_cut = len(found) < len(set(dates))
    if not rules and first <= last:
        found.add(first)
    for rule in rules:
        starts, goes_on = ical_rules.starts(rule, first, when.zone, last)
        found.update(starts)
        is_cut = is_cut or goes_on
    return found, is_cut


def _kept(starts: list[datetime], now: datetime) -> list[datetime]:
    if len(starts) <= MOST_TIMES:
        return starts
    ahead = [each for each in starts if each >= now]
    return ahead[:MOST_TIMES] if len(ahead) >= MOST_TIMES else starts[-MOST_TIMES:]


def _excepted(given: Property, starts: set[datetime], zone: str, zones: Zones) -> set[datetime]:
    """Those of `starts` that are taken out again; a day takes out all that begins on it."""
    if given.parameters.get("VALUE", "").upper() == "DATE" or is_date(given.value.split(",")[0]):
        days = {each.date() for each in _locals(given, zone, zones)}
        return {each for each in starts if each.date() in days}
    return set(_locals(given, zone, zones))


def _locals(given: Property, zone: str, zones: Zones) -> Iterator[datetime]:
    for text in given.value.split(","):
        begins = text.strip().partition("/")[0]  # of a period its start
        yield _moment(given, begins, zone, zones, _unheard).local.replace(fold=0)


def _end(
    entry: Component, start: Moment, zone: str, zones: Zones, note: Tell, *, is_day: bool
) -> tuple[Moment, Length]:
    ends, lasts = entry.first("DTEND"), entry.first("DURATION")
    if ends is not None:
        end = _moment(ends, ends.value.strip(), zone, zones, note)
        if not is_day or end.local > start.local:
            return end, Length(days=end.local - start.local)
    if lasts is not None:
        length = read_duration(lasts.value.strip().upper())
        if length is None:
            sentence = "This is not a length of time such as PT1H30M."
            raise Unreadable(Code.TIME_INVALID, "DURATION", sentence)
    elif is_day:  # also where it says that it ends on the day itself, which many programs do
        length = ONE_DAY
    else:
        length = USUAL_LENGTH
        note(Code.END_MISSING, "DTEND", "There is no end: it is taken to last one hour.")
    return ending(start, length, zone), length


def _zone(given: Property, zones: Zones, note: Tell) -> str:
    """The zone in which an entry is told: that of its start."""
    tzid, text = given.parameters.get("TZID"), given.value.strip()
    local = read_local(text.removesuffix("Z"))
    if tzid is not None and local is not None and not text.endswith("Z"):
        found = zones.find(tzid, local)
        if found.by_offset:
            sentence = f"The zone is known by its offsets alone: {found.name} was taken."
            note(Code.ZONE_BY_OFFSET, given.name, sentence)
        return found.name
    if not zones.is_default_said:
        note(Code.ZONE_GUESSED, given.name, f"No zone is named: {zones.default} was taken.")
    return zones.default


def _moment(given: Property, text: str, zone: str, zones: Zones, note: Tell) -> Moment:
    """A time as a moment of `zone`; what names another zone is converted. Raises Unreadable."""
    local = read_local(text.removesuffix("Z"))
    if local is None:
        sentence = "This is not a time such as 20261205T100000."
        raise Unreadable(Code.TIME_INVALID, given.name, sentence)
    if not times.FIRST_YEAR < local.year < times.LAST_YEAR:
        sentence = f"Times lie in the years {times.FIRST_YEAR + 1} to {times.LAST_YEAR - 1}."
        raise Unreadable(Code.OUT_OF_RANGE, given.name, sentence)
    if text.endswith("Z"):
        return times.moment_at(local.replace(tzinfo=UTC), zone)
    tzid = given.parameters.get("TZID")
    own = zones.find(tzid, local).name if tzid is not None and not is_date(text) else zone
    derived = times.derive(local, own, near=_EARLY)
    if derived.note is Note.AMBIGUOUS:
        sentence = f"The clocks show {local} twice; the first time was taken."
        note(Code.TIME_TWICE, given.name, sentence)
    elif derived.note is Note.MOVED and not is_date(text):
        sentence = f"The clocks skip {local}; {derived.moment.local} was taken."
        note(Code.TIME_SKIPPED, given.name, sentence)
    return times.moment_at(derived.moment.instant, zone)


def _unheard(_: Code, __: str, ___: str) -> None:
    """Of single times of a series nothing is noted: there can be hundreds."""
