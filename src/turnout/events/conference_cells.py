"""The cells of a list of conferences, each read by itself; it must not know what they add up to."""

import re
import sys
import unicodedata
from datetime import date
from urllib.parse import quote, urlsplit

from turnout.events.conference_findings import Code, Findings
from turnout.events.times import FIRST_YEAR, LAST_YEAR

LONGEST_LINK = 2000
ANY_LENGTH = sys.maxsize
LONGEST_TOPIC = 50
MOST_TOPICS = 20

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNESCAPED = r"\s<>\"\\^`{|}"
"""What a browser escapes by itself in an address that was typed (WHATWG URL, 1.3)."""

_LINK = re.compile(rf"https?://[^/?#%@{_UNESCAPED}]+([/?#].*)?", re.IGNORECASE)
"""A host, and no name or password before it, with which a link can be made to look like another."""

_DIRECTION_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_YES_OR_NO = {
    **dict.fromkeys(("true", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "no", "n", "0", ""), False),
}


def read_line(value: object, field: str, longest: int, findings: Findings) -> str:
    """Text of one line with something to see in it, `longest` characters at most; else empty.

    Control characters and direction overrides go, spaces become single, and both are noted.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        findings.refuse(Code.NOT_TEXT, field, "This must be text.")
        return ""
    tidy = " ".join("".join(each for each in value if _is_safe(each)).split())
    if not any(_is_seen(each) for each in tidy):
        tidy = ""
    if tidy != value:
        sentence = "Needless spaces or characters that cannot be seen were taken out."
        findings.note(Code.TEXT_TIDIED, field, sentence)
    if len(tidy) <= longest:
        return tidy
    findings.note(Code.TEXT_CUT, field, f"This was cut to {longest} characters.")
    return tidy[: longest - 1].rstrip() + "…"


def read_link(value: object, field: str, findings: Findings) -> str | None:
    """A web address with a host, http or https, that may stand between angle brackets; or None.

    Spaces and the like are escaped, which is noted, as is an address that is of another kind.
    """
    text = read_line(value, field, ANY_LENGTH, findings)
    if not text:
        return None
    if not _LINK.fullmatch(text) or not _has_host(text):
        findings.note(Code.LINK_NOT_HTTP, field, "This is not an http(s) address; left out.")
        return None
    link = re.sub(f"[{_UNESCAPED}]", lambda found: quote(found[0]), text)
    if len(link) > LONGEST_LINK:
        sentence = f"This is longer than {LONGEST_LINK} characters; left out."
        findings.note(Code.LINK_TOO_LONG, field, sentence)
        return None
    if link != text:
        findings.note(Code.LINK_ESCAPED, field, "Characters that links may not hold were escaped.")
    return link


def read_date(value: object, field: str, findings: Findings) -> date | None:
    """A day of the years 1970 to 2199 written as ISO 8601 does (2026-12-05), or a reason why not.

    None without a reason for a blank.
    """
    text = read_line(value, field, longest=40, findings=findings)
    if not text:
        return None
    day = _date(text)
    if day is None:
        findings.refuse(Code.DATE_INVALID, field, f"“{text}” is not a date such as 2026-12-05.")
    elif not FIRST_YEAR <= day.year <= LAST_YEAR:
        sentence = f"Dates lie in the years {FIRST_YEAR} to {LAST_YEAR}."
        findings.refuse(Code.DATE_OUT_OF_RANGE, field, sentence)
        return None
    return day


def read_deadline(value: object, field: str, findings: Findings) -> date | None:
    """A date that a conference can do without: what is wrong with it is only noted."""
    apart = Findings()
    day = read_date(value, field, apart)
    findings.notes += apart.notes
    if apart.reasons:
        sentence = f"{apart.reasons[0].sentence} The deadline was left out."
        findings.note(Code.CFP_DATE_UNCLEAR, field, sentence)
    return day


def read_flag(value: object, field: str, findings: Findings) -> bool:
    """Yes or no, as JSON or as a spreadsheet writes it; a blank, or what is neither, is no."""
    if isinstance(value, bool) or value is None:
        return bool(value)
    known = _YES_OR_NO.get(value.strip().lower()) if isinstance(value, str) else None
    if known is None:
        findings.note(Code.ONLINE_UNCLEAR, field, "This is neither yes nor no; taken for no.")
    return bool(known)


def read_topics(value: object, field: str, findings: Findings) -> tuple[str, ...]:
    """The topics in the order given, each once: a list, or text with `;` between."""
    listed = value.split(";") if isinstance(value, str) else value
    if listed is None:
        return ()
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        findings.note(Code.TOPICS_UNCLEAR, field, "This is not a list of texts; left out.")
        return ()
    if len(listed) > MOST_TOPICS:
        findings.note(Code.TOPICS_CUT, field, f"The first {MOST_TOPICS} topics were taken.")
    stripped = (each.strip() for each in listed[:MOST_TOPICS])
    read = [read_line(each, field, LONGEST_TOPIC, findings) for each in stripped]
    topics = dict.fromkeys(each for each in read if each)
    if len(topics) < sum(map(bool, read)):
        findings.note(Code.TOPIC_REPEATED, field, "A topic that was there twice was taken once.")
    return tuple(topics)


def _is_safe(character: str) -> bool:
    if character.isspace():
        return True
    is_control = unicodedata.category(character) in {"Cc", "Cs"}
    return not is_control and character not in _DIRECTION_OVERRIDES


def _is_seen(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS"


def _has_host(link: str) -> bool:
    try:
        return bool(urlsplit(link).hostname)
    except ValueError:  # a bracket without its other half
        return False


def _date(text: str) -> date | None:
    try:
        # fromisoformat alone would read 20261205 and 2026-W49-6 as well.
        return date.fromisoformat(text) if _ISO_DATE.fullmatch(text) else None
    except ValueError:
        return None
