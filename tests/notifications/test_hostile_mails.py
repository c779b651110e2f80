"""No name, title or address becomes a header, a recipient, markup or a property of a calendar."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from uuid import UUID

import pytest
from tests.discovery import calendar_readers
from tests.factories import make_event, register
from tests.notifications import composing, hostile, samples
from tests.notifications.composing import Mail, a_delivery
from tests.support.app import RunningApp

from turnout.notifications import letters, mime
from turnout.notifications.kinds import MailKind
from turnout.notifications.mime import header_text, one_line
from turnout.notifications.news import EventNews, Facts, Words

PROPERTIES = [
    *("BEGIN", "DTSTAMP", "ATTENDEE", "SUMMARY", "DTSTART", "DTEND", "UID", "SEQUENCE"),
    *("CREATED", "LAST-MODIFIED", "LOCATION", "ORGANIZER", "STATUS", "URL", "END"),
]
TAGS_OF_A_CONFIRMATION = [
    *("html", "head", "meta", "meta", "meta", "meta", "title", "body", "div", "h1", "p", "p"),
    *("dl", "dt", "dd", "dt", "dd", "dt", "dd", "p", "p", "img", "p", "strong", "p", "a", "p"),
    *("a", "div", "p", "a"),
]


class Tags(HTMLParser):
    """The tags that a browser would open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        del attrs
        self.names.append(tag)


def properties(calendar: bytes) -> list[str]:
    """The names of what the one event has, in their order."""
    lines = calendar.decode().replace("\r\n ", "").split("\r\n")
    names = [re.split("[;:]", line)[0] for line in lines]
    assert (lines.count("BEGIN:VEVENT"), lines.count("END:VCALENDAR")) == (1, 1)
    return names[lines.index("BEGIN:VEVENT") : lines.index("END:VEVENT") + 1]


def require_sound(found: Mail, text: str, address: str) -> None:
    """The mail to someone of that name, about an event of that name, is the one it should be."""
    assert found.message.keys() == composing.HEADERS, text
    assert found.to == [(header_text(text), address)], text
    subject = header_text(f"You have a seat: {one_line(text)}")
    assert found.subject == subject[: mime.LONGEST_SUBJECT].strip(), text
    assert found.envelope == address, text
    assert Tags(found.html).names == TAGS_OF_A_CONFIRMATION, text
    [seen] = calendar_readers.read(found.calendar)
    assert seen.status == "CONFIRMED", text
    assert properties(found.calendar) == PROPERTIES, text


async def test_hostile_names_through_the_api_stay_text(app: RunningApp) -> None:
    refused, seats = set[str](), list[tuple[str, dict[str, str]]]()
    async with app.client() as api:
        for number, text in enumerate(hostile.TEXTS):
            address = f"ada{number}@example.com"
            event = await make_event(api, name="Plain")
            answer = await api.patch(
                f"/events/{event['id']}", json={"name": text, "location": text}
            )
            if answer.status_code == 200:
                answer = await register(api, event["id"], name=text, email=address)
            if answer.status_code == 422:
                refused.add(text)
            else:
                assert answer.status_code == 201, (text, answer.text)
                seats.append((text, answer.json()))

    assert refused == hostile.REFUSED
    for text, seat in seats:
        delivery = a_delivery(
            MailKind.REGISTRATION_CONFIRMED, seat["id"], event_id=seat["event_id"]
        )
        require_sound(await composing.mail(app, delivery), text.strip(), seat["email"])


@pytest.mark.parametrize("text", hostile.TEXTS)
def test_hostile_names_that_came_another_way_stay_text(text: str) -> None:
    """As from an import or an older version: mails do not lean on what the doors refuse."""
    event = replace(
        samples.EVENT, name=text, location=text, organizer_name=text, place_name=None,
        place_address=None, place_city=None, place_country=None, online_url=None, tags=(),
        description="", place_latitude=None, place_longitude=None,
    )  # fmt: skip
    seat = replace(samples.SEAT, name=text)
    reader = replace(samples.GUEST, name=text)
    facts = Facts(
        samples.DELIVERY, MailKind.REGISTRATION_CONFIRMED, reader, EventNews(event, seat=seat)
    )

    found = composing.read(letters.write(samples.LETTERHEAD, facts, samples.NOW))

    require_sound(found, text, "ada@example.com")


@pytest.mark.parametrize("text", hostile.TEXTS)
def test_hostile_values_in_an_organizers_words_stay_text(text: str) -> None:
    event = replace(samples.EVENT, name=text, location=text, organizer_name=text)
    words = Words("{{name}}{{event}}", "*{{name}}* [{{event}}](https://x.example) {{location}}")
    reader = replace(samples.GUEST, name=text)
    news = EventNews(event, seat=samples.WAITING, words=words)
    facts = Facts(samples.DELIVERY, MailKind.REGISTRATION_WAITLISTED, reader, news)

    found = composing.read(letters.write(samples.LETTERHEAD, facts, samples.NOW))

    shown = header_text(one_line(text) * 2)[: mime.LONGEST_SUBJECT].strip()
    assert (found.message.keys(), found.subject) == (composing.HEADERS, shown)
    harmless = composing.read(letters.write(samples.LETTERHEAD, samples_with(words), samples.NOW))
    assert Tags(found.html).names == Tags(harmless.html).names


def samples_with(words: Words) -> Facts:
    return samples.facts(MailKind.REGISTRATION_WAITLISTED, words=words)


async def test_addresses_through_the_api_are_one_recipient_each(app: RunningApp) -> None:
    went: dict[str, str] = {}
    async with app.client() as api:
        for address in hostile.ADDRESSES:
            event = await make_event(api)
            answer = await register(api, event["id"], email=address)
            went[address] = ""
            if answer.status_code == 201:
                delivery = a_delivery(
                    MailKind.REGISTRATION_CONFIRMED,
                    UUID(answer.json()["id"]),
                    event_id=event["id"],
                )
                found = await composing.mail(app, delivery)
                assert found.message.keys() == composing.HEADERS
                assert found.is_utf8 != address.rpartition("@")[0].isascii()
                assert found.to == [("Ada Lovelace", found.envelope)]
                [_] = calendar_readers.read(found.calendar)
                went[address] = found.envelope

    assert went == hostile.ADDRESSES
