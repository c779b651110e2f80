"""Facts of every kind of mail, for looking at mails without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from turnout.accounts.opaque import Seals
from turnout.notifications.kinds import MailKind
from turnout.notifications.letterhead import Letterhead, sender_of
from turnout.notifications.news import (
    AccountNews,
    Before,
    EventFacts,
    EventNews,
    Facts,
    News,
    Reader,
    Seat,
    Seats,
    WebhookNews,
    Words,
)
from turnout.registrations import guests
from turnout.registrations.tickets import Tickets

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
SECRET = b"a secret key that only tests have, 32 or more"
BASE_URL = "https://events.example.com"
DELIVERY = UUID("01a202ff-5948-758f-a146-73e7a86a48d0")
REGISTRATION = UUID("01a202ff-5948-758f-a146-73e7a86a48d1")
LINK = UUID("01a202ff-5615-70aa-b0c3-9e4d2f6a8c11")
LETTERHEAD = Letterhead(BASE_URL, sender_of("", BASE_URL), Seals(SECRET), Tickets(SECRET))
EVENT = EventFacts(
    id=UUID("01a202ff-5858-7344-a5f9-a038e1760637"),
    slug="pycon-india",
    name="PyCon India",
    description="Two *days*",
    location="Bengaluru",
    timezone="Asia/Kolkata",
    start_at=datetime(2026, 12, 5, 4, 30, tzinfo=UTC),
    end_at=datetime(2026, 12, 5, 6, 30, tzinfo=UTC),
    status="published",
    visibility="public",
    place_name="NIMHANS Convention Centre",
    place_address="Hosur Road",
    place_city="Bengaluru",
    place_country="India",
    place_latitude=12.94,
    place_longitude=77.59,
    online_url="https://meet.example.com/pycon",
    tags=("python",),
    sequence=2,
    cancel_reason=None,
    organizer_id=UUID("01a202ff-5614-7c1e-8d2b-3f9a1c5e7b24"),
    organizer_name="Olive",
    created_at=NOW - timedelta(days=9),
    updated_at=NOW - timedelta(days=1),
)
CANCELLED = replace(
    EVENT,
    status="cancelled",
    sequence=3,
    cancel_reason="The roof of the hall is leaking.\nWe look for another one.",
)
GUEST = Reader("ada@example.com", "Ada Lovelace", "ada@example.com", None, has_account=False)
MEMBER = replace(GUEST, zone="Europe/Berlin", has_account=True)
SEAT = Seat(
    id=REGISTRATION,
    name="Ada Lovelace",
    status="confirmed",
    position=None,
    manage_token_hash=guests.hash_of(guests.derived_token(SECRET, REGISTRATION)),
    updated_at=NOW - timedelta(hours=1),
    is_seated_again=False,
)
WAITING = replace(SEAT, status="waitlisted", position=3)
GIVEN_BACK = replace(SEAT, status="cancelled")
BEFORE = Before(
    name="PyCon",
    location="Mysuru",
    timezone="Asia/Kathmandu",
    start_at=datetime(2026, 12, 6, 4, 30, tzinfo=UTC),
    end_at=datetime(2026, 12, 6, 6, 30, tzinfo=UTC),
)
WORDS = Words(
    "See you at {{event}}",
    "Dear {{name}},\n\n**bring your laptop** and a charger.\n\n- Doors open at {{start}}\n"
    "- {{location}}\n\nAll of it: {{event_link}}",
)
ACCOUNT = AccountNews("ada@example.com")
LINKED = replace(ACCOUNT, link_id=LINK, link_expires_at=NOW + timedelta(hours=1))
SIGN_IN = replace(
    ACCOUNT, client="Mozilla/5.0 Firefox/152.0", client_address="192.0.2.7", signed_in_at=NOW
)
WEBHOOK = WebhookNews(
    "01a20301-7d2e-7a4b-8f10-5b9c2d7e6a31",
    "hooks.example.com",
    "Nothing was taken for five days.",
)
Sample = tuple[str, MailKind, Reader, News]
SAMPLES: tuple[Sample, ...] = (
    ("", MailKind.EVENT_CREATED, MEMBER, EventNews(replace(EVENT, status="draft"), occurrences=9)),
    ("", MailKind.EVENT_CHANGED, MEMBER, EventNews(EVENT, seat=SEAT, before=BEFORE)),
    ("", MailKind.EVENT_CANCELLED, MEMBER, EventNews(CANCELLED, seat=SEAT)),
    ("", MailKind.EVENT_REMINDER, MEMBER, EventNews(EVENT, seat=SEAT)),
    ("", MailKind.REGISTRATION_CONFIRMED, GUEST, EventNews(EVENT, seat=SEAT)),
    (
        "-worded",
        MailKind.REGISTRATION_CONFIRMED,
        MEMBER,
        EventNews(EVENT, seat=SEAT, words=WORDS, moved_up=True),
    ),
    ("", MailKind.REGISTRATION_WAITLISTED, GUEST, EventNews(EVENT, seat=WAITING)),
    ("", MailKind.REGISTRATION_CANCELLED, GUEST, EventNews(EVENT, seat=GIVEN_BACK, by="organizer")),
    ("", MailKind.REGISTRATION_RECEIVED, MEMBER, EventNews(EVENT, seat=SEAT, seats=Seats(12, 50))),
    ("", MailKind.TEAM_JOINED, MEMBER, EventNews(EVENT, role="door")),
    ("", MailKind.VERIFY_EMAIL, MEMBER, LINKED),
    ("", MailKind.INVITATION, MEMBER, LINKED),
    ("", MailKind.ACCOUNT_KNOWN, MEMBER, ACCOUNT),
    ("", MailKind.EMAIL_CHANGE, replace(MEMBER, address="ada.l@example.org"), LINKED),
    ("", MailKind.EMAIL_CHANGED, replace(MEMBER, address="former@example.com"), ACCOUNT),
    ("", MailKind.RESET_PASSWORD, MEMBER, LINKED),
    ("", MailKind.PASSWORD_CHANGED, MEMBER, ACCOUNT),
    ("", MailKind.SECOND_FACTOR_CHANGED, MEMBER, replace(ACCOUNT, what="confirmed")),
    ("", MailKind.ROLE_CHANGED, MEMBER, replace(ACCOUNT, role="organizer")),
    ("", MailKind.NEW_SIGN_IN, MEMBER, SIGN_IN),
    ("", MailKind.WEBHOOK_DISABLED, MEMBER, replace(ACCOUNT, webhook=WEBHOOK)),
)
"""What tells two of a kind apart, the kind, its reader, and what it tells."""


def facts(kind: MailKind, **changes: Any) -> Facts:
    """The first sample of a kind, with other members of its news."""
    reader, news = next((r, n) for _, known, r, n in SAMPLES if known is kind)
    return Facts(DELIVERY, kind, reader, replace(news, **changes))
