"""The words that organizers have for the mails about an event: kept, removed, and tried out."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from turnout.accounts.actor import Actor
from turnout.audit import audit
from turnout.audit.audit import Cause
from turnout.db import upserts
from turnout.errors import NotFound
from turnout.events import policy, queries, whole
from turnout.notifications import letters, snapshots, wording
from turnout.notifications.kinds import WORDABLE, MailKind
from turnout.notifications.letterhead import Letterhead
from turnout.notifications.letters import Readable
from turnout.notifications.models import Wording
from turnout.notifications.news import EventFacts, EventNews, Facts, Reader, Seat, Words
from turnout.registrations.models import Status

_NOBODY = "preview@turnout.invalid"
"""An address that nobody has (RFC 2606): a link in a mail to it changes nothing for anyone."""
_NO_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Worded:
    """An organizer's words for one kind of mail; `version` counts how often they were written."""

    kind: MailKind
    words: Words
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where words go, under the event's lock; `worded` is what is there."""

    event_id: UUID
    kind: MailKind
    worded: Worded | None

    @property
    def version(self) -> int:
        """That of the words; 0 where there are none."""
        return 0 if self.worded is None else self.worded.version


def kind_of(text: str) -> MailKind:
    """The kind of that name. Raises NotFound for one that nobody can put into words."""
    found = next((kind for kind in WORDABLE if kind.value == text), None)
    if found is None:
        raise NotFound
    return found


async def of_event(db: AsyncSession, event_id: UUID) -> dict[MailKind, Worded]:
    """What was written for an event; kinds that have the product's own words are left out."""
    query = select(
        Wording.kind, Wording.subject, Wording.body, Wording.version, Wording.updated_at
    ).where(Wording.event_id == event_id)
    found = [
        Worded(MailKind(row.kind), Words(row.subject, row.body), row.version, row.updated_at)
        for row in await db.execute(query)
    ]
    return {each.kind: each for each in found}


async def locked(db: AsyncSession, actor: Actor, event_id: UUID, kind: MailKind) -> Place:
    """The present words, the event being held. Raises NotSignedIn, NotFound, NotAllowed."""
    await whole.locked(db, actor, event_id)
    return Place(event_id, kind, (await of_event(db, event_id)).get(kind))


async def put(db: AsyncSession, place: Place, words: Words, cause: Cause, now: datetime) -> Worded:
    """The words from now on. Raises InvalidTemplate."""
    wording.check(place.kind, words)
    if place.worded is not None and place.worded.words == words:
        return place.worded
    version = place.version + 1
    row = {
        "event_id": place.event_id, "kind": place.kind.value, "subject": words.subject,
        "body": words.body, "version": version, "updated_at": now,
    }  # fmt: skip
    await upserts.put(db, Wording, [row], key=("event_id", "kind"))
    _record(db, "event.wording-set", place, cause, now)
    return Worded(place.kind, words, version, now)


async def remove(db: AsyncSession, place: Place, cause: Cause, now: datetime) -> None:
    """Let the product's own words count again. Raises NotFound where they do already."""
    if place.worded is None:
        raise NotFound
    these = Wording.event_id == place.event_id, Wording.kind == place.kind.value
    await db.execute(delete(Wording).where(*these))
    _record(db, "event.wording-removed", place, cause, now)


async def event_of(db: AsyncSession, actor: Actor, event_id: UUID) -> EventFacts:
    """The event as mails show it. Raises NotSignedIn, NotFound, NotAllowed unless they edit it."""
    policy.require_editor(actor, await queries.brief(db, actor, event_id))
    found = await snapshots.facts(db, event_id)
    if found is None:
        raise NotFound
    return found


def preview(
    letterhead: Letterhead, event: EventFacts, kind: MailKind, words: Words, now: datetime
) -> Readable:
    """The mail as somebody would get it, with a sample name and ticket. Raises InvalidTemplate.

    To be called in a thread: it turns Markdown into HTML.
    """
    wording.check(kind, words)
    waits = kind is MailKind.REGISTRATION_WAITLISTED
    seat = Seat(
        id=_NO_ID,
        name=wording.SAMPLE_NAME,
        status=Status.WAITLISTED if waits else Status.CONFIRMED,
        position=1 if waits else None,
        manage_token_hash=None,
        updated_at=now,
        is_seated_again=False,
    )
    reader = Reader(_NOBODY, wording.SAMPLE_NAME, _NOBODY, None, has_account=False)
    news = EventNews(event, seat=seat, words=words)
    return letters.readable(letterhead, Facts(_NO_ID, kind, reader, news))


def _record(db: AsyncSession, action: str, place: Place, cause: Cause, now: datetime) -> None:
    changes, event_id = {"kind": place.kind.value}, place.event_id
    audit.record(db, [audit.Entry(now, cause, action, event_id, event_id, changes)])
