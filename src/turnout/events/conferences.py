"""Conferences as lists give them, read into events; it must not know files, database or clock.

The fields are those of the public tech-conferences collection: name, url, startDate, endDate,
city, country, online, topics, cfpUrl, cfpEndDate. Such lists give days and no times of day, and
hold what people typed. So every conference is either taken, with a note on each thing that was
changed, guessed or not understood, or refused with its reasons.
"""

import hashlib
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time

from turnout.errors import Invalid
from turnout.events import times
from turnout.events.conference_cells import (
    read_date,
    read_deadline,
    read_flag,
    read_line,
    read_link,
    read_topics,
)
from turnout.events.conference_findings import Code, Conference, Findings, Refused
from turnout.events.conference_places import read_where
from turnout.events.drafts import LONGEST_EVENT, EventDraft, PlaceDraft
from turnout.events.times import Moment
from turnout.places.gazetteer import Gazetteer

DAY_STARTS, DAY_ENDS = time(9), time(18)
"""The wall clock of a conference day, where only dates are given; the end date is included."""

LONGEST_NAME = 200
LONGEST_CITY = 120

FIELDS = (
    *("name", "url", "startDate", "endDate", "city", "country", "online", "topics"),
    *("cfpUrl", "cfpEndDate"),
)


def read(raw: object, gazetteer: Gazetteer) -> Conference | Refused:
    """The conference in an object of a list, or why there is none; never raises."""
    findings = Findings()
    if not isinstance(raw, Mapping):
        findings.refuse(Code.NOT_AN_OBJECT, "", "This is not an object with fields.")
        return Refused("", tuple(findings.reasons))
    _note_unknown_fields(raw, findings)
    name = read_line(raw.get("name"), "name", LONGEST_NAME, findings)
    if not name and not findings.reasons:
        findings.refuse(Code.NAME_MISSING, "name", "A conference needs a name.")
    event = _event(name, raw, gazetteer, findings)
    if event is None:
        return Refused(name, tuple(findings.reasons))
    return Conference(event, tuple(findings.notes))


def _event(
    name: str, raw: Mapping[str, object], gazetteer: Gazetteer, findings: Findings
) -> EventDraft | None:
    days = _read_days(raw, findings)
    city = read_line(raw.get("city"), "city", LONGEST_CITY, findings)
    country = read_line(raw.get("country"), "country", LONGEST_CITY, findings)
    is_online = read_flag(raw.get("online"), "online", findings)
    where = read_where(city, country, gazetteer, findings, is_online=is_online)
    url = read_link(raw.get("url"), "url", findings)
    if not raw.get("url"):
        findings.note(Code.LINK_MISSING, "url", "There is no link.")
    description = _description(url, raw, findings)
    topics = read_topics(raw.get("topics"), "topics", findings)
    moments = _moments(days, where.timezone, findings) if days else None
    if findings.reasons or moments is None:
        return None
    start, end = moments
    return EventDraft(
        name=name,
        description=description,
        location=where.location,
        timezone=where.timezone,
        start=start,
        end=end,
        online_url=url if is_online and where.place is None else None,
        place=where.place or PlaceDraft(),
        tags=topics,
        import_key=_import_key(name, url or "", start.local.date().isoformat(), city),
    )


def _read_days(raw: Mapping[str, object], findings: Findings) -> tuple[date, date] | None:
    known = len(findings.reasons)
    first = read_date(raw.get("startDate"), "startDate", findings)
    last = read_date(raw.get("endDate"), "endDate", findings)
    if len(findings.reasons) > known:
        return None
    if first is None:
        findings.refuse(Code.DATE_MISSING, "startDate", "A conference needs a start date.")
        return None
    if last is None:
        sentence = "There is no end date: it is taken to last one day."
        findings.note(Code.END_DATE_MISSING, "endDate", sentence)
        return first, first
    if last < first:
        # Swapping them would be a guess: as often it is the year that was mistyped.
        sentence = f"It ends on {last} and starts later, on {first}."
        findings.refuse(Code.END_BEFORE_START, "endDate", sentence)
        return None
    return first, last


def _moments(
    days: tuple[date, date], zone: str, findings: Findings
) -> tuple[Moment, Moment] | None:
    start, end = datetime.combine(days[0], DAY_STARTS), datetime.combine(days[1], DAY_ENDS)
    if end - start > LONGEST_EVENT:
        sentence = f"It would last longer than {LONGEST_EVENT.days} days."
        findings.refuse(Code.TOO_LONG, "endDate", sentence)
        return None
    try:
        return (
            times.wall_clock(start, zone, field="startDate"),
            times.wall_clock(end, zone, field="endDate"),
        )
    except Invalid as error:  # Samoa left out a whole day, 30 December 2011
        field = error.fields[0].field
        findings.refuse(Code.NO_SUCH_TIME, field, error.fields[0].message)
        return None


def _description(url: str | None, raw: Mapping[str, object], findings: Findings) -> str:
    parts = [f"Website: <{url}>"] if url else []
    call = read_link(raw.get("cfpUrl"), "cfpUrl", findings)
    deadline = read_deadline(raw.get("cfpEndDate"), "cfpEndDate", findings)
    if call or deadline:
        until = f"until {deadline.isoformat()}" if deadline else ""
        at = f"<{call}>" if call else ""
        parts.append("Call for papers: " + ", ".join(each for each in (at, until) if each))
    return "\n\n".join(parts)


def _note_unknown_fields(raw: Mapping[str, object], findings: Findings) -> None:
    for field, value in raw.items():
        if field not in FIELDS and value not in (None, "", []):
            shown = read_line(field, "", LONGEST_NAME, Findings())
            findings.note(Code.FIELD_IGNORED, shown, "This field is not known; it was left out.")


def _import_key(name: str, url: str, start: str, city: str) -> str:
    """SHA-256 over what makes a conference this one, without its accidents of spelling."""
    address = url.rstrip("/").partition("://")[2]  # http and https are one address
    identity = (_plain(name), _plain(address), start, _plain(city))
    return hashlib.sha256("\x1f".join(identity).encode()).hexdigest()


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
