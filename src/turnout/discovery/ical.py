"""Events as iCalendar (RFC 5545, RFC 7986), for calendars that import or subscribe. Pure.

An event is its columns, as `EventView.row` has them. Folding and the form of each value are the
library's work, which is imported only once a calendar is asked for: it takes 10 MiB.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from turnout.discovery import ical_zones
from turnout.discovery.ical_zones import Observance, Span
from turnout.events import calendar_uid, times
from turnout.events.models import Status, Visibility
from turnout.events.zones import UTC_NAME

if TYPE_CHECKING:
    from icalendar import Component, vCalAddress

MEDIA_TYPE = "text/calendar; charset=utf-8"
PRODUCT = "-//Turnout//Turnout//EN"
REFRESH = timedelta(hours=1)
"""How long a program that subscribes may go by what it has."""
END = b"END:VCALENDAR\r\n"

_STATUS = {
    Status.PUBLISHED: "CONFIRMED",
    Status.CANCELLED: "CANCELLED",
    Status.DRAFT: "TENTATIVE",
}
_SECOND = timedelta(seconds=1)
_LINE_ENDS = dict.fromkeys(map(ord, "\v\f\x85\u2028\u2029"), "\n")
"""Of which some programs make a line end of the file, where only CR LF is one."""
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 0xA0)))


class _Written:
    """A value that is written as it stands here, for the library to fold."""

    def __init__(self, text: str) -> None:
        self._text = text

    def to_ical(self) -> bytes:
        """The value, as the library asks for it."""
        return self._text.encode()


def calendar(rows: Iterable[Any], base_url: str, name: str | None = None) -> bytes:
    """A whole calendar of these events; `name` is what programs call it."""
    known = list(rows)
    entries = [event(each, base_url) for each in known]
    return b"".join([head(name), zones(map(used, known)), *entries, END])


def head(name: str | None = None, method: str = "PUBLISH") -> bytes:
    """The beginning of a calendar, up to its zones and events; END ends it. `method`: RFC 5546."""
    from icalendar import Calendar  # heavy: see above

    begun = Calendar()
    begun.add("version", "2.0")
    begun.add("prodid", PRODUCT)
    begun.add("calscale", "GREGORIAN")
    begun.add("method", method)
    if name is not None:
        for field in ("name", "x-wr-calname"):
            begun.add(field, _text(name), encode=False)
        begun.add("refresh-interval", REFRESH, {"VALUE": "DURATION"})
        begun.add("x-published-ttl", _Written("PT1H"), encode=False)
    written: bytes = begun.to_ical()
    return written.removesuffix(END)


def used(row: Any) -> tuple[str, Span]:
    """The zone of an event, and when it needs it."""
    return row.timezone, (row.start_at, row.end_at)


def zones(usages: Iterable[tuple[str, Span]]) -> bytes:
    """The definition of every zone that is `used`, as far as it is."""
    spans: dict[str, list[Span]] = defaultdict(list)
    for zone_name, span in usages:
        spans[zone_name].append(span)
    return b"".join(
        _zone(name, ical_zones.observances(name, spans[name]))
        for name in sorted(spans)
        if name != UTC_NAME
    )


def event(row: Any, base_url: str) -> bytes:
    """The entry of one event; its page is below `base_url`."""
    entry = unsigned(row, base_url)
    entry.add("dtstamp", _whole(row.updated_at))
    entry.add("organizer", _organizer(row), encode=False)
    written: bytes = entry.to_ical()
    return written


def unsigned(row: Any, base_url: str, *, status: str | None = None) -> "Component":
    """The entry of one event, which still lacks who says so and when: ORGANIZER and DTSTAMP.

    `status` is that of RFC 5545, 3.8.1.11; without it what the event's own comes to.
    """
    from icalendar import Event  # heavy: see above

    entry = Event()
    entry.add("uid", calendar_uid.uid(row.id))
    _add_time(entry, "dtstart", _whole(row.start_at), row.timezone)
    # An event of less than a second must not end when it begins.
    _add_time(entry, "dtend", _whole(row.end_at + _SECOND - timedelta.resolution), row.timezone)
    entry.add("sequence", row.sequence)
    entry.add("status", status or _STATUS[row.status])
    entry.add("summary", _text(row.name), encode=False)
    if row.description:
        entry.add("description", _text(row.description), encode=False)
    entry.add("location", _text(row.location), encode=False)
    if row.place_latitude is not None:
        place = f"{row.place_latitude:.6f};{row.place_longitude:.6f}"
        entry.add("geo", _Written(place), encode=False)
    if row.tags:
        entry.add("categories", _Written(",".join(map(_escaped, row.tags))), encode=False)
    link = row.online_url or f"{base_url}/e/{row.slug}"
    entry.add("url", _Written("".join(_clean(link).split())), encode=False)
    if row.visibility == Visibility.PRIVATE:
        entry.add("class", "PRIVATE")
    entry.add("created", _whole(row.created_at))
    entry.add("last-modified", _whole(row.updated_at))
    return entry


def _zone(name: str, known: Iterable[Observance]) -> bytes:
    from icalendar import Timezone, TimezoneDaylight, TimezoneStandard  # heavy: see above

    zone = Timezone()
    zone.add("tzid", name)
    for each in known:
        part = TimezoneDaylight() if each.is_daylight else TimezoneStandard()
        part.add("dtstart", each.onset)
        part.add("tzoffsetfrom", each.before)
        part.add("tzoffsetto", each.after)
        part.add("tzname", each.name)
        zone.add_component(part)
    written: bytes = zone.to_ical()
    return written


def _add_time(entry: "Component", field: str, instant: datetime, zone_name: str) -> None:
    local = times.moment_at(instant, zone_name).local
    # A wall clock that occurs twice means its first time (RFC 5545, 3.3.5): the second can only
    # be said in UTC.
    if zone_name == UTC_NAME or local.fold:
        entry.add(field, instant.astimezone(UTC))
    else:
        entry.add(field, local, {"TZID": zone_name})


def _whole(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)


def _organizer(row: Any) -> "vCalAddress":
    """The name alone: an address is nobody's business, and iCalendar wants a URI."""
    return named(f"urn:uuid:{row.organizer_id}", row.organizer_name)


def named(uri: str, name: str) -> "vCalAddress":
    """Someone by a URI, and as what they are shown (CN, RFC 5545, 3.2.2)."""
    from icalendar import vCalAddress  # heavy: see above

    address = vCalAddress(uri)
    address.params["CN"] = " ".join(_clean(name).split())
    return address


def _text(text: str) -> _Written:
    return _Written(_escaped(text))


def _escaped(text: str) -> str:
    r"""TEXT (RFC 5545, 3.3.11). The library's own takes the `\N` in `C:\New` for a line end."""
    escaped = _clean(text).replace("\\", "\\\\").replace(";", r"\;").replace(",", r"\,")
    return escaped.replace("\n", r"\n")


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_LINE_ENDS).translate(_CONTROLS)
