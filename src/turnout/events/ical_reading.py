"""Calendars of other programs (RFC 5545) read into events; it must not know files or the database.

A series becomes separate events, each at the same wall clock. Every entry is taken, with a note on
each thing that was guessed or left out, or refused with its reason, or passed over with one.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from turnout.errors import FieldError, Invalid
from turnout.events import calendar_uid, drafts, ical_texts, ical_times, times
from turnout.events.conference_findings import Findings, Remark
from turnout.events.drafts import EventDraft
from turnout.events.ical_findings import Code, Entry, Refused, Skipped, Unreadable
from turnout.events.ical_lines import Component
from turnout.events.ical_texts import Texts, name_of
from turnout.events.ical_times import MOST_TIMES, When
from turnout.events.ical_values import read_text
from turnout.events.ical_zones import Zones

MOST_EVENTS = 50_000
"""That one file may become."""
MOST_ENTRIES = 2 * MOST_EVENTS
"""In one file, with those that are refused or passed over."""
MOST_SERIES = 2_000
MOST_NEVER = 20
"""Rules, in one file, that no day fits: it takes some tenths of a second to see that."""

Result = Entry | Refused | Skipped


@dataclass(slots=True)
class _Group:
    """The entries with one UID: the event, and single times of its series that were changed."""

    main: Component | None
    changed: list[Component]


def read(calendars: Sequence[Component], default_zone: str, now: datetime) -> Iterator[Result]:
    """Each entry of the calendars of a file as what it became.

    `default_zone` is for times that name none, `now` (aware) what a series is followed from. What
    is wrong within an entry never raises. Raises Invalid about `file` for one that has too much.
    """
    if sum(len(each.parts) for each in calendars) > MOST_ENTRIES:
        raise _too_much(f"it has more than {MOST_ENTRIES:,} entries")
    taken = series = never = 0
    for calendar in calendars:
        series += sum(each.first("RRULE") is not None for each in calendar.parts)
        if series > MOST_SERIES:
            raise _too_much(f"it has more than {MOST_SERIES:,} events that repeat")
        for result in _read_calendar(calendar, default_zone, now):
            taken += isinstance(result, Entry)
            if taken > MOST_EVENTS:
                raise _too_much(f"it would become more than {MOST_EVENTS:,} events")
            never += isinstance(result, Refused) and _never_comes(result)
            if never > MOST_NEVER:
                raise _too_much(f"it has more than {MOST_NEVER} events whose rule no day fits")
            yield result


def _never_comes(refused: Refused) -> bool:
    return any(each.code == Code.NEVER_COMES for each in refused.reasons)


def _read_calendar(calendar: Component, default_zone: str, now: datetime) -> Iterator[Result]:
    method = calendar.first("METHOD")
    is_cancelled = method is not None and method.value.strip().upper() == "CANCEL"
    zones, groups = Zones(calendar, default_zone), dict[str, _Group]()
    for part in calendar.parts:
        if part.name in ("VTODO", "VJOURNAL"):
            sentence = "This is a task or a note, and no event."
            yield _skipped(part, Code.NOT_AN_EVENT, "", sentence)
        elif part.name == "VEVENT":
            if is_cancelled or (ical_texts.is_cancelled(part) and not _is_changed_time(part)):
                yield _skipped(part, Code.CANCELLED, "STATUS", "This was called off.")
            else:
                yield from _grouped(part, groups)
    for group in groups.values():
        yield from _read_group(group, zones, now)


def _grouped(entry: Component, groups: dict[str, _Group]) -> Iterator[Refused]:
    """Put an entry to those with its UID; of two that are the same event the later one counts."""
    uid = _uid(entry) or f"line {entry.line}"
    group = groups.setdefault(uid, _Group(None, []))
    if _is_changed_time(entry):
        group.changed.append(entry)
        return
    older = group.main
    group.main = entry
    if older is not None:
        if _sequence(older) > _sequence(entry):
            group.main, older = older, entry
        sentence = f"The entry on line {group.main.line} has the same UID, and is the newer one."
        yield Refused(older.line, name_of(older), (Remark(Code.DUPLICATE, "UID", sentence),))


def _read_group(group: _Group, zones: Zones, now: datetime) -> Iterator[Result]:
    main, changed = group.main, dict[datetime, Component]()
    when = None
    if main is not None:
        with suppress(Unreadable):  # it is read once more below, where that is reported
            when = ical_times.read(main, zones, lambda *_: None)
    for entry in group.changed:
        try:
            changed[_changed_time(entry, when, zones)] = entry
        except Unreadable as error:
            yield Refused(entry.line, name_of(entry), (error.remark,))
    if main is not None:
        yield from _read_entry(main, zones, now, without=frozenset(changed))
    for local, entry in changed.items():
        if ical_texts.is_cancelled(entry):
            sentence = f"The time of the series at {local} was called off."
            yield _skipped(entry, Code.CANCELLED, "STATUS", sentence)
        else:
            yield from _read_entry(entry, zones, now, at=local)


def _changed_time(entry: Component, when: When | None, zones: Zones) -> datetime:
    """The wall clock that the rule of its series gave a time that was changed since."""
    given = next(entry.all("RECURRENCE-ID"))
    zone = when.zone if when is not None else ical_times.read(entry, zones, lambda *_: None).zone
    local = ical_times.local_of(given, zone, zones)
    if when is not None and given.parameters.get("VALUE", "").upper() == "DATE":
        return datetime.combine(local.date(), when.start.local.time())
    return local


def _read_entry(
    entry: Component,
    zones: Zones,
    now: datetime,
    *,
    without: frozenset[datetime] = frozenset(),
    at: datetime | None = None,
) -> Iterator[Result]:
    """An entry as its events, `without` those times of a series that others stand for.

    `at` is the time of the series that it stands for itself.
    """
    findings = Findings()
    try:
        _require_whole(entry)
        when = ical_times.read(entry, zones, findings.note)
        texts = ical_texts.read(entry, findings)
        starts = _starts(entry, when, zones, now, findings) if at is None else None
    except Unreadable as error:
        yield Refused(entry.line, name_of(entry), (*findings.reasons, error.remark))
        return
    if findings.reasons:
        yield Refused(entry.line, texts.name, tuple(findings.reasons))
        return
    _note_kind(entry, findings)
    draft = _draft(entry, texts, when, at)
    if starts is None:
        yield _checked(entry, draft, tuple(findings.notes))
    elif starts:
        own = [each for each in starts if each not in without]
        yield from _read_series(entry, draft, when, own, findings)
    else:
        sentence = "It begins more than two years ahead; import it again later."
        yield _skipped(entry, Code.BEYOND_HORIZON, "RRULE", sentence)


def _read_series(
    entry: Component, draft: EventDraft, when: When, starts: Sequence[datetime], findings: Findings
) -> Iterator[Result]:
    notes, uid = tuple(findings.notes), _uid(entry)
    for start in starts:
        yield _checked(entry, _time_of_series(draft, when, uid, start), notes)
        notes = ()  # once is enough


def _draft(entry: Component, texts: Texts, when: When, at: datetime | None) -> EventDraft:
    draft = EventDraft(
        name=texts.name,
        location=texts.location,
        timezone=when.zone,
        start=when.start,
        end=when.end,
        description=texts.description,
        place=texts.place,
        online_url=texts.online_url,
        tags=texts.tags,
        status=texts.status,
        visibility=texts.visibility,
    )
    return replace(draft, import_key=_key(_uid(entry), at, draft))


def _starts(
    entry: Component, when: When, zones: Zones, now: datetime, findings: Findings
) -> tuple[datetime, ...] | None:
    found = ical_times.series(entry, when, zones, now)
    if found is None:
        return None
    if found.is_cut:
        sentence = (
            f"{len(found.starts)} times of this series were taken, up to two years ahead and "
            f"{MOST_TIMES} at most; there are more."
        )
        findings.note(Code.SERIES_CUT, "RRULE", sentence)
    return found.starts


def _time_of_series(draft: EventDraft, when: When, uid: str, local: datetime) -> EventDraft:
    near = when.start.instant + (local - when.start.local.replace(fold=0))
    start = times.derive(local, when.zone, near=near).moment
    end = ical_times.ending(start, when.length, when.zone)
    fresh = replace(draft, start=start, end=end)
    return replace(fresh, import_key=_key(uid, local, fresh))


def _checked(entry: Component, draft: EventDraft, notes: tuple[Remark, ...]) -> Entry | Refused:
    try:
        drafts.check(draft)
    except Invalid as error:
        return Refused(entry.line, draft.name, tuple(map(_remark, error.fields)))
    return Entry(entry.line, draft, notes)


def _remark(error: FieldError) -> Remark:
    return Remark(error.code, "DTEND", error.message)


def _require_whole(entry: Component) -> None:
    if not entry.is_ended:
        raise Unreadable(Code.NOT_ENDED, "", "The entry has no END:VEVENT.")
    if entry.unclear:
        raise Unreadable(Code.LINE_UNCLEAR, "", f"Line {entry.unclear[0]} is no property.")


def _note_kind(entry: Component, findings: Findings) -> None:
    if not _uid(entry):
        sentence = "There is no UID: it is known again by its name, start and place."
        findings.note(Code.UID_MISSING, "UID", sentence)
    changed = entry.first("RECURRENCE-ID")
    if changed is not None and "RANGE" in changed.parameters:
        sentence = "The change is meant for all times that follow; it was made for this one alone."
        findings.note(Code.RANGE_IGNORED, "RECURRENCE-ID", sentence)


def _key(uid: str, at: datetime | None, draft: EventDraft) -> str:
    """What an event is known again by; one that we wrote ourselves by its id."""
    own = calendar_uid.event_id_of(uid)
    if own is not None and at is None:
        return str(own)
    identity = (uid,) if uid else (draft.name, draft.start.instant.isoformat(), draft.location)
    parts = ("ics", *identity, at.isoformat() if at is not None else "")
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _is_changed_time(entry: Component) -> bool:
    return entry.first("RECURRENCE-ID") is not None


def _uid(entry: Component) -> str:
    given = entry.first("UID")
    return read_text(given.value).strip() if given is not None else ""


def _sequence(entry: Component) -> int:
    given = entry.first("SEQUENCE")
    text = given.value.strip() if given is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _skipped(entry: Component, code: Code, field: str, sentence: str) -> Skipped:
    return Skipped(entry.line, name_of(entry), (Remark(code, field, sentence),))


def _too_much(sentence: str) -> Invalid:
    return Invalid(sentence, fields=(FieldError("file", "too-much", sentence),))
