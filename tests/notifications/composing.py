"""Mails composed from real rows, and read again as any program reads them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses
from typing import Any
from uuid import UUID

from tests.support.app import BASE_URL, RunningApp

from turnout import clock, ids
from turnout.notifications import facts, letters
from turnout.notifications.kinds import MailKind
from turnout.notifications.letterhead import Letterhead, sender_of
from turnout.notifications.models import MailChoice
from turnout.outbox.deliveries import Claimed

HEADERS = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("MIME-Version", "Content-Type"),
]
OPTIONAL_HEADERS = [*HEADERS[:6], "List-Unsubscribe", "List-Unsubscribe-Post", *HEADERS[6:]]
CALENDAR = "text/calendar"


@dataclass(frozen=True)
class Mail:
    """What a reader sees."""

    envelope: str
    is_utf8: bool
    message: EmailMessage
    parts: list[str] = field(init=False)
    contents: dict[str, bytes] = field(init=False)

    def __post_init__(self) -> None:
        parts = list(self.message.walk())
        object.__setattr__(self, "parts", [part.get_content_type() for part in parts])
        leaves = [part for part in parts if not part.is_multipart()]
        contents = {part.get_content_type(): part.get_payload(decode=True) for part in leaves}
        object.__setattr__(self, "contents", contents)

    @property
    def subject(self) -> str:
        """Decoded."""
        return str(self.message["Subject"])

    @property
    def to(self) -> list[tuple[str, str]]:
        """Name and address of everyone it goes to, decoded as RFC 2047 says.

        The library's own reader puts spaces between encoded words, and reads no UTF-8.
        """
        raw = str(dict(self.message.raw_items())["To"]).encode("ascii", "surrogateescape")
        found = getaddresses([raw.decode().replace("\r\n", "")])
        return [(str(make_header(decode_header(name))), each) for name, each in found]

    @property
    def text(self) -> str:
        """With plain line ends."""
        return self.contents["text/plain"].decode().replace("\r\n", "\n")

    @property
    def html(self) -> str:
        """As it is written."""
        return self.contents["text/html"].decode()

    @property
    def calendar(self) -> bytes:
        """What the reader's calendar is told; the file beside it says the same."""
        assert self.contents[CALENDAR] == self.contents["application/ics"]
        return self.contents[CALENDAR]


def read(composed: letters.Composed) -> Mail:
    """The mail as it arrives."""
    message = message_from_bytes(composed.raw, policy=default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return Mail(composed.recipient, composed.is_utf8, message)


def letterhead_of(app: RunningApp) -> Letterhead:
    """The letterhead of an installation without a mail address of its own."""
    runtime = app.runtime
    return Letterhead(BASE_URL, sender_of("", BASE_URL), runtime.seals, runtime.tickets)


def a_delivery(
    kind: MailKind,
    recipient_id: UUID | str,
    *,
    event_id: UUID | str | None = None,
    address: str | None = "stored@example.com",
    **data: Any,
) -> Claimed:
    """A delivery in our hands, as `dispatch` has made it."""
    return Claimed(
        id=ids.new_id(),
        message_id=ids.new_id(),
        kind=kind,
        event_id=None if event_id is None else UUID(str(event_id)),
        recipient_id=UUID(str(recipient_id)),
        address=address,
        name="Stored",
        data=data,
        created_at=clock.now(),
        tries=1,
        claim=ids.new_id(),
    )


async def composed(
    app: RunningApp, claimed: Sequence[Claimed], now: datetime | None = None
) -> list[Mail | None]:
    """The mails of the deliveries; None for what is pointless by now."""
    at = now or clock.now()
    async with app.runtime.database.read() as db:
        found = await facts.load(db, claimed, at)
    letterhead = letterhead_of(app)
    return [None if each is None else read(letters.write(letterhead, each, at)) for each in found]


async def mail(app: RunningApp, delivery: Claimed, now: datetime | None = None) -> Mail:
    """The one mail of a delivery that is worth sending."""
    [found] = await composed(app, [delivery], now)
    assert found is not None
    return found


async def is_moot(app: RunningApp, delivery: Claimed, now: datetime | None = None) -> bool:
    """Whether nothing is to be sent."""
    return await composed(app, [delivery], now) == [None]


async def choose(app: RunningApp, email: str, kind: MailKind, *, is_wanted: bool) -> None:
    """The reader of an address says what they want."""
    async with app.runtime.database.write() as db:
        db.add(
            MailChoice(
                email_canonical=email, kind=kind, is_wanted=is_wanted, updated_at=clock.now()
            )
        )
