"""What an entry of a calendar says of an event beside its times: texts, place, links. Pure."""

from dataclasses import dataclass

from turnout.events.conference_cells import read_line, read_link, read_topics
from turnout.events.conference_findings import Findings
from turnout.events.conference_places import NOT_SAID, ONLINE
from turnout.events.conferences import LONGEST_NAME
from turnout.events.drafts import PlaceDraft
from turnout.events.ical_findings import Code
from turnout.events.ical_lines import Component, Property
from turnout.events.ical_values import read_geo, read_text, read_texts
from turnout.events.models import Status, Visibility

LONGEST_LOCATION = 300
LONGEST_DESCRIPTION = 20_000
_CALLS = ("CONFERENCE", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL")
"""Properties with the link of a call: RFC 7986, Google, Outlook."""
_HIDDEN = frozenset(("PRIVATE", "CONFIDENTIAL"))
_UNSAFE = {
    **dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160))),
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A))),
}
"""What a description may not hold: control characters and direction overrides."""


@dataclass(frozen=True, slots=True)
class Texts:
    """All of an event but its times."""

    name: str
    description: str
    location: str
    place: PlaceDraft
    online_url: str | None
    tags: tuple[str, ...]
    status: Status
    visibility: Visibility


def name_of(entry: Component) -> str:
    """The name as it can be shown on one line, empty where there is none."""
    return read_line(_text(entry.first("SUMMARY")), "", LONGEST_NAME, Findings())


def read(entry: Component, findings: Findings) -> Texts:
    """The texts of an entry; remarks go into `findings`, a missing name as a reason."""
    name = read_line(_text(entry.first("SUMMARY")), "SUMMARY", LONGEST_NAME, findings)
    if not name:
        findings.refuse(Code.NAME_MISSING, "SUMMARY", "An event needs a name.")
    location, online_url, website = _where(entry, findings)
    if entry.first("ATTENDEE") is not None:
        sentence = "Those who were invited are not taken over."
        findings.note(Code.PEOPLE_LEFT_OUT, "ATTENDEE", sentence)
    hidden = _word(entry.first("CLASS")) in _HIDDEN
    return Texts(
        name=name,
        description=_description(entry, website, findings),
        location=location,
        place=_place(entry, findings),
        online_url=online_url,
        tags=_tags(entry, findings),
        status=_status(entry, findings),
        visibility=Visibility.PRIVATE if hidden else Visibility.PUBLIC,
    )


def is_cancelled(entry: Component) -> bool:
    """Whether it was called off."""
    return _word(entry.first("STATUS")) == "CANCELLED"


def _where(entry: Component, findings: Findings) -> tuple[str, str | None, str | None]:
    """The location, the link by which one takes part, and that of a page about it."""
    text = _text(entry.first("LOCATION")).replace("\n", ", ")
    website = read_link(_text(entry.first("URL")), "URL", findings)
    calls = (read_link(_text(entry.first(name)), name, findings) for name in _CALLS)
    call = next(filter(None, calls), None)
    # A call's link is often put where the place should be.
    if text.strip().lower().startswith(("https://", "http://")):
        call, text = call or read_link(text.split()[0].rstrip(","), "LOCATION", findings), ONLINE
    location = read_line(text, "LOCATION", LONGEST_LOCATION, findings)
    if call is None and website is not None and location in ("", ONLINE):
        call, website = website, None
    if not location:
        location = NOT_SAID if call is None else ONLINE
        sentence = f"There is no place; “{location}” was taken."
        findings.note(Code.PLACE_MISSING, "LOCATION", sentence)
    return location, call, website


def _place(entry: Component, findings: Findings) -> PlaceDraft:
    given = entry.first("GEO")
    if given is None:
        return PlaceDraft()
    found = read_geo(given.value)
    if found is None:
        findings.note(Code.GEO_UNCLEAR, "GEO", "This is no place on Earth; left out.")
        return PlaceDraft()
    return PlaceDraft(latitude=found[0], longitude=found[1])


def _description(entry: Component, website: str | None, findings: Findings) -> str:
    text = _text(entry.first("DESCRIPTION")).replace("\r\n", "\n").replace("\r", "\n")
    text = text.translate(_UNSAFE).strip()
    if website is not None and website not in text:
        text = f"{text}\n\nWebsite: <{website}>".strip()
    if len(text) <= LONGEST_DESCRIPTION:
        return text
    sentence = f"This was cut to {LONGEST_DESCRIPTION:,} characters."
    findings.note(Code.TEXT_CUT, "DESCRIPTION", sentence)
    return text[: LONGEST_DESCRIPTION - 1].rstrip() + "…"


def _tags(entry: Component, findings: Findings) -> tuple[str, ...]:
    listed = [each for given in entry.all("CATEGORIES") for each in read_texts(given.value)]
    return read_topics(listed, "CATEGORIES", findings)


def _status(entry: Component, findings: Findings) -> Status:
    if _word(entry.first("STATUS")) != "TENTATIVE":
        return Status.PUBLISHED
    findings.note(Code.TENTATIVE, "STATUS", "It is not certain yet; kept as a draft.")
    return Status.DRAFT


def _text(given: Property | None) -> str:
    return "" if given is None else read_text(given.value)


def _word(given: Property | None) -> str:
    return "" if given is None else given.value.strip().upper()
