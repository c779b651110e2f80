"""What the templates may say, in words and addresses that are whole. Pure: no markup here."""

from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from turnout.notifications import mime, unsubscribe
from turnout.notifications.kinds import CHOICES
from turnout.notifications.letterhead import Letterhead
from turnout.notifications.news import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What every mail says."""

    subject: str
    name: str
    why: str
    """Why somebody gets it, in a sentence."""
    base_url: str
    host: str
    unsubscribe_url: str | None


def common(letterhead: Letterhead, facts: Facts, subject: str, why: str) -> dict[str, Any]:
    """The values of `Said`, to be given to one of its subclasses beside their own."""
    said = Said(
        subject=subject,
        name=mime.one_line(facts.reader.name),
        why=why,
        base_url=letterhead.base_url,
        host=urlsplit(letterhead.base_url).netloc,
        unsubscribe_url=_unsubscribe_url(letterhead, facts),
    )
    return {each.name: getattr(said, each.name) for each in fields(Said)}


def _unsubscribe_url(letterhead: Letterhead, facts: Facts) -> str | None:
    if facts.kind not in CHOICES:
        return None
    token = unsubscribe.token_of(letterhead.seals, facts.reader.person, facts.kind)
    return f"{letterhead.base_url}/unsubscribe/{token}"
