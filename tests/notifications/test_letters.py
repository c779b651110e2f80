"""Every kind of mail as it is written, and what all of them have in common."""

from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from io import BytesIO
from uuid import uuid4

import pytest
import zxingcpp
from PIL import Image
from tests.notifications import composing, samples

from turnout.accounts.opaque import Seals
from turnout.notifications import letters, mime, periods, ticket_picture, unsubscribe
from turnout.notifications.kinds import CHOICES, MailKind
from turnout.notifications.letterhead import host_of, sender_of
from turnout.notifications.mime import Letter, Tampered
from turnout.notifications.news import Facts

ALLOWED_TAGS = {
    *("html", "head", "meta", "title", "body", "div", "h1", "p", "a", "dl", "dt", "dd", "strong"),
    *("img", "blockquote", "br", "ul", "li"),
}
VOID = {"meta", "img", "br"}


class Outline(HTMLParser):
    """What a page consists of: its tags, whether they nest, and what they ask elsewhere."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it, and that it is open."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the one that was opened last."""
        assert self.open.pop() == tag


def written(kind: MailKind, **changes: object) -> composing.Mail:
    return composing.read(
        letters.write(samples.LETTERHEAD, samples.facts(kind, **changes), samples.NOW)
    )


def test_samples_are_of_every_kind() -> None:
    assert {kind for _, kind, _, _ in samples.SAMPLES} == set(MailKind)


@pytest.mark.parametrize("sample", samples.SAMPLES, ids=lambda s: f"{s[1]}{s[0]}")
def test_every_mail_is_plain_accessible_and_asks_nobody_elsewhere(sample: samples.Sample) -> None:
    _, kind, reader, news = sample
    facts = Facts(samples.DELIVERY, kind, reader, news)

    found = composing.read(letters.write(samples.LETTERHEAD, facts, samples.NOW))

    outline = Outline(found.html)
    assert outline.open == []
    assert set(outline.tags) <= ALLOWED_TAGS
    assert outline.tags.count("h1") == 1
    assert ("html", "lang", "en") in outline.attributes
    sources = [value for _, name, value in outline.attributes if name == "src"]
    picture = [f"cid:ticket.{samples.DELIVERY}@events.example.com"]
    assert sources == (picture if "image/png" in found.parts else [])
    assert all(
        value is None or value.startswith(("https://", "mailto:"))
        for _, name, value in outline.attributes
        if name == "href"
    )
    assert "url(" not in found.html
    headers = composing.OPTIONAL_HEADERS if kind in CHOICES else composing.HEADERS
    assert found.message.keys() == headers
    assert ("no more mails of this kind" in found.html) == (kind in CHOICES)
    assert found.text.startswith(f"Hello {reader.name},\n\n")
    assert "\n\n\n" not in found.text
    assert all("—" not in each and "!" not in each for each in found.text.split("\n"))


def test_mail_is_the_same_in_every_try_but_for_its_date() -> None:
    facts = samples.facts(MailKind.REGISTRATION_CONFIRMED)
    later = samples.NOW + timedelta(hours=1)

    first = letters.write(samples.LETTERHEAD, facts, samples.NOW).raw
    second = letters.write(samples.LETTERHEAD, facts, later).raw

    date = b"Date: Tue, 24 Nov 2026 0%d:00:00 +0000\r\n"
    assert first.replace(date % 8, b"") == second.replace(date % 9, b"")
    assert first != second


def test_lines_of_a_mail_end_with_cr_lf_and_are_not_too_long() -> None:
    facts = samples.facts(MailKind.REGISTRATION_CONFIRMED)

    raw = letters.write(samples.LETTERHEAD, facts, samples.NOW).raw

    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert all(b"\n" not in line and b"\r" not in line for line in lines)
    assert max(map(len, lines)) <= 78


def test_picture_is_read_as_the_code() -> None:
    code = "B8CY289034A4G5M3"

    with Image.open(BytesIO(ticket_picture.png(code))) as picture:
        assert (picture.mode, picture.size) == ("1", (232, 232))
        read = zxingcpp.read_barcodes(picture.convert("L"))

    assert [(each.text, each.ec_level) for each in read] == [(code, "M")]


def test_picture_in_a_mail_is_that_of_its_code() -> None:
    found = written(MailKind.REGISTRATION_CONFIRMED)
    code = samples.LETTERHEAD.tickets.code(samples.REGISTRATION)

    assert found.contents["image/png"] == ticket_picture.png(code)
    assert f'alt="QR code of your ticket {code}"' in found.html


@pytest.mark.parametrize(
    ("changed", "to"),
    [
        (b"Subject: ", b"Bcc: eve@evil.example\r\nSubject: "),
        (b"To: Ada Lovelace <ada@", b"To: Ada Lovelace <eve@"),
        (b"<ada@example.com>", b"<ada@example.com>, eve@evil.example"),
        (b"Date: ", b"\r\nDate: "),
        (
            b"--=_turnout_alternative--",
            b"--=_turnout_alternative\r\n\r\nx\r\n--=_turnout_alternative--",
        ),
        (b"Auto-Submitted: auto-generated\r\n", b""),
    ],
)
def test_bytes_that_do_not_read_as_they_were_meant_are_refused(changed: bytes, to: bytes) -> None:
    letter = a_letter()
    raw = mime.write(letter)
    assert raw.count(changed) == 1

    with pytest.raises(Tampered):
        mime.check(
            raw.replace(changed, to),
            letter.recipient,
            composing.HEADERS,
            ["multipart/alternative", "text/plain", "text/html"],
        )


def a_letter() -> Letter:
    return Letter(
        delivery_id=samples.DELIVERY,
        host="events.example.com",
        date=samples.NOW,
        sender=samples.LETTERHEAD.sender,
        recipient=mime.address("ada@example.com", "Ada Lovelace"),
        subject="Hello",
        text="Hello\n",
        html="<p>Hello",
    )


def test_unsubscribe_token_is_read_by_the_same_installation_alone() -> None:
    seals, other = Seals(samples.SECRET), Seals(b"another secret of 32 characters or more")

    token = unsubscribe.token_of(seals, "ådå@example.com", MailKind.EVENT_REMINDER)

    assert unsubscribe.read(seals, token) == ("ådå@example.com", MailKind.EVENT_REMINDER)
    assert unsubscribe.read(other, token) is None
    assert token.replace("-", "").replace("_", "").isalnum()
    essential = unsubscribe.token_of(seals, "a@example.com", MailKind.RESET_PASSWORD)
    assert unsubscribe.read(seals, essential) is None


@pytest.mark.parametrize("token", ["", "x", "ä", "=", "A" * 10_000, "A" * 41, "....", "\ud800"])
def test_other_texts_are_no_unsubscribe_token(token: str) -> None:
    assert unsubscribe.read(Seals(samples.SECRET), token) is None


def test_unsubscribe_header_leads_to_the_choice_of_its_reader() -> None:
    found = written(MailKind.EVENT_REMINDER)

    address = str(found.message["List-Unsubscribe"])
    prefix = f"<{samples.BASE_URL}/unsubscribe/"
    assert address.startswith(prefix)
    token = address.removeprefix(prefix).removesuffix(">")
    read = unsubscribe.read(samples.LETTERHEAD.seals, token)
    assert read == ("ada@example.com", MailKind.EVENT_REMINDER)


@pytest.mark.parametrize(
    ("zone", "hours", "text"),
    [
        ("UTC", 2, "Sat 5 Dec 2026, 04:30–06:30, UTC"),
        ("Asia/Kathmandu", 2, "Sat 5 Dec 2026, 10:15–12:15, Asia/Kathmandu (UTC+05:45)"),
        (
            "America/New_York",
            2,
            "Fri 4 Dec 2026, 23:30 – Sat 5 Dec 2026, 01:30, America/New_York (EST, UTC-05:00)",
        ),
        (
            "Europe/Berlin",
            24 * 120,
            "Sat 5 Dec 2026, 05:30 – Sun 4 Apr 2027, 06:30, "
            "Europe/Berlin (CET, UTC+01:00, at the end CEST, UTC+02:00)",
        ),
    ],
)
def test_period_names_its_zone(zone: str, hours: int, text: str) -> None:
    start = samples.EVENT.start_at

    assert periods.period(start, start + timedelta(hours=hours), zone) == text


@pytest.mark.parametrize(
    ("base_url", "host", "sender"),
    [
        ("https://events.example.com", "events.example.com", "turnout@events.example.com"),
        ("https://bücher.de", "xn--bcher-kva.de", "turnout@xn--bcher-kva.de"),
        ("http://127.0.0.1:8000", "[127.0.0.1]", "turnout@[127.0.0.1]"),
        ("http://[::1]:8000", "[IPv6:::1]", "turnout@[IPv6:::1]"),
    ],
)
def test_letterhead_of_any_host_makes_mails(base_url: str, host: str, sender: str) -> None:
    letterhead = replace(samples.LETTERHEAD, base_url=base_url, sender=sender_of("", base_url))
    facts = samples.facts(MailKind.REGISTRATION_CONFIRMED)

    found = composing.read(letters.write(letterhead, facts, samples.NOW))

    assert host_of(base_url) == host
    assert str(found.message["From"]) == f"Turnout <{sender}>"
    assert str(found.message["Message-ID"]) == f"<{samples.DELIVERY}@{host}>"


def test_sender_is_as_it_was_set() -> None:
    sender = sender_of('"Events, Inc." <events@example.com>', samples.BASE_URL)

    assert (sender.display_name, sender.addr_spec) == ("Events, Inc.", "events@example.com")
    with pytest.raises(ValueError, match="no address"):
        sender_of("nobody", samples.BASE_URL)


def test_mails_to_many_of_one_event_differ_by_the_attendee_alone() -> None:
    facts = samples.facts(MailKind.EVENT_CHANGED)
    grace = replace(facts.reader, address="grace@example.com", name="Grace")

    one = composing.read(letters.write(samples.LETTERHEAD, facts, samples.NOW)).calendar
    other = composing.read(
        letters.write(
            samples.LETTERHEAD, replace(facts, delivery_id=uuid4(), reader=grace), samples.NOW
        )
    ).calendar

    def lines(calendar: bytes) -> list[str]:
        return calendar.decode().replace("\r\n ", "").split("\r\n")

    differing = [(a, b) for a, b in zip(lines(one), lines(other), strict=True) if a != b]
    end = "PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:"
    assert differing == [
        (
            f'ATTENDEE;CN="Ada Lovelace";{end}ada@example.com',
            f"ATTENDEE;CN=Grace;{end}grace@example.com",
        )
    ]
