"""Mails about events and registrations, from real rows: what they say, and when there is none."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
import time_machine
from sqlalchemy import update
from tests.discovery import calendar_readers
from tests.factories import make_event, register
from tests.notifications import composing
from tests.notifications.composing import a_delivery, is_moot, mail
from tests.support import cast
from tests.support.app import BASE_URL, RunningApp
from tests.support.cast import Person

from turnout.accounts.models import User
from turnout.events.calendar_uid import uid
from turnout.notifications import snapshots
from turnout.notifications.kinds import MailKind
from turnout.registrations import guests
from turnout.registrations.models import Registration

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
TIMES: dict[str, Any] = {
    "timezone": "Asia/Kolkata",
    "start_time": "2026-12-05T10:00:00",
    "end_time": "2026-12-05T12:00:00",
}
WHEN = "Sat 5 Dec 2026, 10:00–12:00, Asia/Kolkata (IST, UTC+05:30)"


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(NOW, tick=True):
        yield


async def an_event(olive: Person, app: RunningApp, **changes: Any) -> dict[str, Any]:
    async with olive.api(app) as api:
        return await make_event(api, **{**TIMES, **changes})


async def a_guest(app: RunningApp, event: dict[str, Any], **person: str) -> dict[str, Any]:
    async with app.client() as client:
        answer = await register(client, event["id"], **person)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def changed(api: httpx2.AsyncClient, event: dict[str, Any], **values: Any) -> None:
    answer = await api.patch(f"/events/{event['id']}", json=values)
    assert answer.status_code == 200, answer.text


async def cancelled(api: httpx2.AsyncClient, event: dict[str, Any]) -> None:
    answer = await api.post(f"/events/{event['id']}/cancel", json={"reason": "The roof leaks."})
    assert answer.status_code == 200, answer.text


def about(kind: MailKind, seat: dict[str, Any], **data: Any) -> Any:
    """A delivery to whoever has that registration."""
    return a_delivery(kind, seat["id"], event_id=seat["event_id"], **data)


async def test_confirmation_of_a_guest_has_ticket_calendar_and_link(
    closed_app: RunningApp,
) -> None:
    event = await an_event(await cast.olive(closed_app), closed_app)
    seat = await a_guest(closed_app, event)
    delivery = about(MailKind.REGISTRATION_CONFIRMED, seat)

    found = await mail(closed_app, delivery)

    assert found.message.keys() == composing.HEADERS
    assert (found.envelope, found.is_utf8) == ("ada@example.com", False)
    assert found.to == [("Ada Lovelace", "ada@example.com")]
    assert found.subject == "You have a seat: PyCon India"
    assert found.message["Message-ID"] == f"<{delivery.id}@testserver>"
    assert found.message["Auto-Submitted"] == "auto-generated"
    assert found.parts == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "multipart/related"),
        *("text/html", "image/png", "text/calendar", "application/ics"),
    ]
    lines = found.text.split("\n")
    assert f"  {WHEN}" in lines
    assert f"Your ticket code, to be shown at the door: {seat['ticket_code']}" in lines
    assert f"{BASE_URL}/r/{seat['manage_token']}" in lines
    assert f"The event: {BASE_URL}/e/{event['slug']}" in lines
    assert f'<a href="{BASE_URL}/r/{seat["manage_token"]}">' in found.html


async def test_confirmation_says_the_event_to_the_calendar_of_the_guest(
    closed_app: RunningApp,
) -> None:
    event = await an_event(await cast.olive(closed_app), closed_app)
    seat = await a_guest(closed_app, event)

    found = await mail(closed_app, about(MailKind.REGISTRATION_CONFIRMED, seat))

    [seen] = calendar_readers.read(found.calendar)
    assert (seen.uid, seen.sequence, seen.status) == (
        uid(calendar_id(event)),
        0,
        "CONFIRMED",
    )
    assert (seen.start, seen.end) == (
        datetime(2026, 12, 5, 4, 30, tzinfo=UTC),
        datetime(2026, 12, 5, 6, 30, tzinfo=UTC),
    )
    lines = found.calendar.decode().replace("\r\n ", "").split("\r\n")
    assert "METHOD:REQUEST" in lines
    assert "ORGANIZER;CN=Olive:mailto:turnout@testserver" in lines
    assert (
        'ATTENDEE;CN="Ada Lovelace";PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:'
        "mailto:ada@example.com"
    ) in lines
    part = next(p for p in found.message.walk() if p.get_content_type() == "text/calendar")
    assert str(part["Content-Type"]) == 'text/calendar; method="REQUEST"; charset="utf-8"'


def calendar_id(event: dict[str, Any]) -> UUID:
    return UUID(event["id"])


async def test_confirmation_shows_the_zone_of_an_account_and_no_link_for_guests(
    closed_app: RunningApp,
) -> None:
    event = await an_event(await cast.olive(closed_app), closed_app)
    ada = await cast.ada(closed_app)
    async with closed_app.runtime.database.write() as db:
        await db.execute(update(User).where(User.id == ada.id).values(timezone="America/New_York"))
    async with ada.api(closed_app) as api:
        seat = (await api.post(f"/events/{event['id']}/register", json={})).json()

    found = await mail(closed_app, about(MailKind.REGISTRATION_CONFIRMED, seat, moved_up=True))

    lines = found.text.split("\n")
    at = lines.index(f"  {WHEN}")
    assert lines[at + 1] == (
        "  For you: Fri 4 Dec 2026, 23:30 – Sat 5 Dec 2026, 01:30, "
        "America/New_York (EST, UTC-05:00)"
    )
    assert lines[2] == "A seat came free, and it is yours: you have moved up from the waitlist."
    assert f"{BASE_URL}/r/" not in found.text + found.html


async def test_confirmation_has_no_link_where_the_token_is_another(
    closed_app: RunningApp,
) -> None:
    event = await an_event(await cast.olive(closed_app), closed_app)
    seat = await a_guest(closed_app, event)
    async with closed_app.runtime.database.write() as db:
        await db.execute(update(Registration).values(manage_token_hash=guests.hash_of("another")))

    found = await mail(closed_app, about(MailKind.REGISTRATION_CONFIRMED, seat))

    assert f"{BASE_URL}/r/" not in found.text + found.html


async def test_waitlisted_mail_says_the_place_and_touches_no_calendar(
    closed_app: RunningApp,
) -> None:
    event = await an_event(
        await cast.olive(closed_app), closed_app, max_capacity=1, waitlist_enabled=True
    )
    await a_guest(closed_app, event, email="first@example.com")
    seat = await a_guest(closed_app, event)

    found = await mail(closed_app, about(MailKind.REGISTRATION_WAITLISTED, seat))

    assert found.parts == ["multipart/alternative", "text/plain", "text/html"]
    assert found.subject == "On the waitlist: PyCon India"
    assert "You are on the waitlist in place 1, and get a mail" in found.text
    assert await is_moot(closed_app, about(MailKind.REGISTRATION_CONFIRMED, seat))


async def test_cancelled_registration_leaves_the_calendar_by_the_events_own_sequence(
    closed_app: RunningApp,
) -> None:
    olive = await cast.olive(closed_app)
    event = await an_event(olive, closed_app)
    seat = await a_guest(closed_app, event)
    async with olive.api(closed_app) as api:
        await changed(api, event, location="Mysuru")
        await api.post(f"/registrations/{seat['id']}/cancel")
    delivery = about(MailKind.REGISTRATION_CANCELLED, seat, by="organizer")

    found = await mail(closed_app, delivery)

    [seen] = calendar_readers.read(found.calendar)
    assert (seen.uid, seen.sequence, seen.status) == (uid(calendar_id(event)), 1, "CANCELLED")
    assert "METHOD:CANCEL" in found.calendar.decode().split("\r\n")
    assert "The organizer has cancelled your registration for this event." in found.text


async def test_cancelled_registration_keeps_the_calendar_of_who_registered_again(
    closed_app: RunningApp,
) -> None:
    olive = await cast.olive(closed_app)
    event = await an_event(olive, closed_app)
    seat = await a_guest(closed_app, event)
    async with olive.api(closed_app) as api:
        await api.post(f"/registrations/{seat['id']}/cancel")
    await a_guest(closed_app, event)

    found = await mail(closed_app, about(MailKind.REGISTRATION_CANCELLED, seat, by="attendee"))

    assert found.parts == ["multipart/alternative", "text/plain", "text/html"]
    assert "You have registered again since, and that registration counts." in found.text


async def test_change_shows_what_is_and_what_was(closed_app: RunningApp) -> None:
    olive = await cast.olive(closed_app)
    event = await an_event(olive, closed_app)
    seat = await a_guest(closed_app, event)
    async with olive.api(closed_app) as api:
        await changed(api, event, start_time="2026-12-06T10:00:00+05:30", location="Mysuru")
    before = {
        "location": "Bengaluru",
        "start_time": "2026-12-05T04:30:00+00:00",
        "end_time": "2026-12-05T06:30:00+00:00",
    }

    found = await mail(closed_app, about(MailKind.EVENT_CHANGED, seat, before=before))

    lines = found.text.split("\n")
    at = lines.index("When:")
    assert lines[at : at + 6] == [
        "When:",
        "  Now:    Sun 6 Dec 2026, 10:00–12:00, Asia/Kolkata (IST, UTC+05:30)",
        f"  Before: {WHEN}",
        "Where:",
        "  Now:    Mysuru",
        "  Before: Bengaluru",
    ]
    [seen] = calendar_readers.read(found.calendar)
    assert (seen.sequence, seen.start) == (1, datetime(2026, 12, 6, 4, 30, tzinfo=UTC))


async def test_change_of_the_zone_alone_says_that_the_moment_is_the_same(
    closed_app: RunningApp,
) -> None:
    olive = await cast.olive(closed_app)
    event = await an_event(olive, closed_app)
    seat = await a_guest(closed_app, event)
    async with olive.api(closed_app) as api:
        await changed(api, event, timezone="Europe/Berlin")

    delivery = about(MailKind.EVENT_CHANGED, seat, before={"timezone": "Asia/Kolkata"})
    found = await mail(closed_app, delivery)

    lines = found.text.split("\n")
    at = lines.index("When:")
    assert lines[at + 1 : at + 3] == [
        "  Now:    Sat 5 Dec 2026, 05:30–07:30, Europe/Berlin (CET, UTC+01:00)",
        f"  Before: {WHEN}",
    ]
    assert "It begins and ends at the same moments as before." in found.text


async def test_change_that_was_taken_back_is_moot(closed_app: RunningApp) -> None:
    event = await an_event(await cast.olive(closed_app), closed_app)
    seat = await a_guest(closed_app, event)

    delivery = about(MailKind.EVENT_CHANGED, seat, before={"location": "Bengaluru"})

    assert await is_moot(closed_app, delivery)


async def test_cancelled_event_leaves_calendars_even_where_it_is_deleted(
    closed_app: RunningApp,
) -> None:
    olive = await cast.olive(closed_app)
    event = await an_event(olive, closed_app)
    seat = await a_guest(closed_app, event)
    async with olive.api(closed_app) as api:
        await cancelled(api, event)
    async with closed_app.runtime.database.read() as db:
        kept = await snapshots.take(db, calendar_id(event))
    gone = {"id": str(calendar_id(event)), "event_id": seat["event_id"]}

    [there, deleted] = await composing.composed(
        closed_app,
        [
            about(MailKind.EVENT_CANCELLED, seat, event=kept),
            # The registration of that id is not there: it is as if it had been deleted.
            about(MailKind.EVENT_CANCELLED, gone, event=kept, address="grace@example.com"),
        ],
    )

    assert there is not None
    assert deleted is not None
    assert (there.envelope, deleted.envelope) == ("ada@example.com", "grace@example.com")
    for found in (there, deleted):
        [seen] = calendar_readers.read(found.calendar)
        assert (seen.uid, seen.sequence, seen.status) == (uid(calendar_id(event)), 1, "CANCELLED")
        assert "METHOD:CANCEL" in found.calendar.decode().split("\r\n")
        assert "\nThe roof leaks.\n" in found.text
    assert await is_moot(closed_app, about(MailKind.REGISTRATION_CONFIRMED, seat))
    assert await is_moot(closed_app, about(MailKind.EVENT_REMINDER, seat))


async def test_reminder_has_a_way_out_and_no_calendar(closed_app: RunningApp) -> None:
    event = await an_event(await cast.olive(closed_app), closed_app)
    seat = await a_guest(closed_app, event)
    start = "2026-12-05T04:30:00+00:00"

    found = await mail(closed_app, about(MailKind.EVENT_REMINDER, seat, start_time=start))

    assert found.message.keys() == composing.OPTIONAL_HEADERS
    assert found.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert found.parts == ["multipart/alternative", "text/plain", "text/html"]
    assert f"Your ticket code: {seat['ticket_code']}" in found.text.split("\n")


async def test_reminder_of_what_has_begun_or_moved_is_moot(closed_app: RunningApp) -> None:
    event = await an_event(await cast.olive(closed_app), closed_app)
    seat = await a_guest(closed_app, event)
    begun = datetime(2026, 12, 5, 4, 30, tzinfo=UTC)
    other = about(MailKind.EVENT_REMINDER, seat, start_time="2026-12-04T04:30:00+00:00")

    assert await is_moot(closed_app, about(MailKind.EVENT_REMINDER, seat), begun)
    assert await is_moot(closed_app, other)
    assert not await is_moot(
        closed_app, about(MailKind.EVENT_REMINDER, seat), begun - timedelta(seconds=1)
    )


async def test_reminder_that_its_reader_can_do_without_is_moot(closed_app: RunningApp) -> None:
    event = await an_event(await cast.olive(closed_app), closed_app)
    seat = await a_guest(closed_app, event)
    await composing.choose(closed_app, "ada@example.com", MailKind.EVENT_REMINDER, is_wanted=False)

    assert await is_moot(closed_app, about(MailKind.EVENT_REMINDER, seat))
    assert not await is_moot(closed_app, about(MailKind.REGISTRATION_CONFIRMED, seat))


async def test_mails_to_an_erased_person_are_moot(closed_app: RunningApp) -> None:
    event = await an_event(await cast.olive(closed_app), closed_app)
    ada = await cast.ada(closed_app)
    async with ada.api(closed_app) as api:
        seat = (await api.post(f"/events/{event['id']}/register", json={})).json()
        answer = await api.request("DELETE", "/users/me", json={"password": cast.PASSWORD})
        assert answer.status_code == 204, answer.text

    assert await is_moot(closed_app, about(MailKind.REGISTRATION_CANCELLED, seat))
    assert await is_moot(closed_app, a_delivery(MailKind.PASSWORD_CHANGED, ada.id))
    forgotten = about(MailKind.EVENT_CANCELLED, seat, address=None)
    assert await is_moot(closed_app, forgotten)


async def test_organizer_hears_of_events_and_of_who_comes(closed_app: RunningApp) -> None:
    olive = await cast.olive(closed_app)
    event = await an_event(olive, closed_app)
    seat = await a_guest(closed_app, event)
    await composing.choose(closed_app, olive.email, MailKind.REGISTRATION_RECEIVED, is_wanted=True)

    [created, received] = await composing.composed(
        closed_app,
        [
            a_delivery(MailKind.EVENT_CREATED, olive.id, event_id=event["id"]),
            a_delivery(
                MailKind.REGISTRATION_RECEIVED,
                olive.id,
                event_id=event["id"],
                registration_id=seat["id"],
            ),
        ],
    )

    assert created is not None
    assert received is not None
    assert (created.envelope, received.envelope) == (olive.email, olive.email)
    assert created.subject == "Your event: PyCon India"
    assert received.subject == "Ada Lovelace has registered: PyCon India"
    assert "  1 of 50 taken" in received.text.split("\n")


async def test_whoever_joins_a_team_hears_of_it_while_it_is_so(closed_app: RunningApp) -> None:
    olive, mallory = await cast.olive(closed_app), await cast.mallory(closed_app)
    event = await an_event(olive, closed_app)
    async with olive.api(closed_app) as api:
        answer = await api.post(
            f"/events/{event['id']}/team", json={"user_id": str(mallory.id), "role": "door"}
        )
        assert answer.status_code == 201, answer.text

    found = await mail(
        closed_app, a_delivery(MailKind.TEAM_JOINED, mallory.id, event_id=event["id"], role="door")
    )

    assert found.subject == "You are in the team: PyCon India"
    assert "You let people in at the door, and see their names." in found.text
    other = a_delivery(MailKind.TEAM_JOINED, mallory.id, event_id=event["id"], role="editor")
    assert await is_moot(closed_app, other)
