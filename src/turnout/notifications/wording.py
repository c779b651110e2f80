"""An organizer's own words for a mail: Markdown with placeholders from a closed set. Pure.

A placeholder is put in after the Markdown was turned into HTML, as text: whatever an attendee's
name is, it becomes no markup, and a placeholder within it is not looked at again.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from turnout.errors import FieldError
from turnout.events import markdown
from turnout.notifications import mime, periods
from turnout.notifications.errors import InvalidTemplate
from turnout.notifications.kinds import WORDABLE, MailKind
from turnout.notifications.news import EventFacts, Words

LONGEST_SUBJECT = 200
LONGEST_BODY = 5_000
"""Characters; longer ones take too long to be turned into HTML."""
PLACEHOLDERS = {
    "name": "whoever the mail is for",
    "event": "the name of the event",
    "start": "when it begins, with its time zone",
    "end": "when it ends, with its time zone",
    "location": "where it is",
    "organizer": "whose event it is",
    "event_link": "the address of its page",
    "ticket_code": "the code on the ticket",
}
_TICKETED = frozenset({MailKind.REGISTRATION_CONFIRMED, MailKind.EVENT_REMINDER})
_PLACEHOLDER = re.compile(r"\{\{ *([a-z_]+) *\}\}")
_BRACES = re.compile(r"\{\{|\}\}")
_LINK = "event_link"
SAMPLE_NAME = "Ada Lovelace"
"""Of whoever a mail is shown to before it is sent to anybody."""


@dataclass(frozen=True, slots=True)
class Said:
    """The words as one reader gets them. `html` is safe to be put into any page."""

    subject: str
    text: str
    html: Markup


def placeholders(kind: MailKind) -> tuple[str, ...]:
    """Those that may stand in words for `kind`: who waits for a seat has no ticket."""
    return tuple(name for name in PLACEHOLDERS if name != "ticket_code" or kind in _TICKETED)


def check(kind: MailKind, words: Words) -> None:
    """Raises InvalidTemplate about `subject` and `body` where a placeholder is none of `kind`."""
    known = placeholders(kind) if kind in WORDABLE else ()
    wrong = [
        FieldError(field, InvalidTemplate.code, _sentence(known))
        for field, text in (("subject", words.subject), ("body", words.body))
        if not _is_sound(text, known)
    ]
    if wrong:
        raise InvalidTemplate(_sentence(known), fields=tuple(wrong))


def values_of(event: EventFacts, base_url: str, name: str, ticket_code: str) -> dict[str, str]:
    """What the placeholders stand for in a mail to `name` about an event."""
    return {
        "name": mime.one_line(name),
        "event": mime.one_line(event.name),
        "start": periods.moment(event.start_at, event.timezone),
        "end": periods.moment(event.end_at, event.timezone),
        "location": mime.one_line(event.location),
        "organizer": mime.one_line(event.organizer_name),
        "event_link": f"{base_url}/e/{event.slug}",
        "ticket_code": ticket_code,
    }


def said(kind: MailKind, words: Words, values: Mapping[str, str]) -> Said:
    """The words with `values` in place of the placeholders; what is no placeholder stays.

    To be called in a thread where the body may be long: it is Markdown.
    """
    known = frozenset(placeholders(kind))

    def filled(text: str, shown: Callable[[str], str]) -> str:
        def value(found: re.Match[str]) -> str:
            return shown(found[1]) if found[1] in known else found[0]

        return _PLACEHOLDER.sub(value, text)

    def as_html(name: str) -> str:
        text = escape(values[name])
        return f'<a href="{text}">{text}</a>' if name == _LINK else text

    subject = mime.header_text(filled(words.subject, values.__getitem__))
    text = filled(words.body, values.__getitem__).strip()
    # Both the sanitizer's text and the values are escaped. It leaves no placeholder in a link.
    html = Markup(filled(markdown.to_html(words.body), as_html))  # noqa: S704 - see the line above
    return Said(subject, text, html)


def _is_sound(text: str, known: tuple[str, ...]) -> bool:
    rest = _PLACEHOLDER.sub(lambda found: "" if found[1] in known else found[0], text)
    return _BRACES.search(rest) is None


def _sentence(known: tuple[str, ...]) -> str:
    if not known:
        return "This kind of mail has no words of an organizer's own."
    names = ", ".join(f"{{{{{name}}}}}" for name in known)
    return f"Between double braces there may be only one of these: {names}."
