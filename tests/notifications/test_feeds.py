"""The link for one's calendar: made, shown once, made anew, ended; and what it leads to."""

from sqlalchemy import select, update
from tests.db import rows
from tests.discovery.calendar_readers import by_ical
from tests.registrations import scene
from tests.registrations.scene import Stage, code
from tests.support import cast
from tests.support.app import BASE_URL, RunningApp
from tests.support.cast import Person

from turnout.accounts.models import User
from turnout.audit.models import AuditEntry
from turnout.notifications.models import CalendarFeed

PATH = "/users/me/calendar-feed"


async def feed_of(app: RunningApp, person: Person) -> str:
    """The path of a new feed of theirs."""
    async with person.api(app) as api:
        answer = await api.post(PATH)
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["url"]
    assert url.startswith(f"{BASE_URL}/feeds/")
    return url.removeprefix(BASE_URL)


async def statuses(app: RunningApp, path: str) -> dict[str, str]:
    """What a calendar program reads: the status of each event, by its name."""
    async with app.client() as program:
        answer = await program.get(path)
    assert answer.status_code == 200, answer.text
    entries = answer.text.replace("\r\n ", "").split("BEGIN:VEVENT")[1:]
    return {_value(each, "SUMMARY"): _value(each, "STATUS") for each in entries}


def _value(entry: str, name: str) -> str:
    [line] = [each for each in entry.split("\r\n") if each.startswith(f"{name}:")]
    return line.partition(":")[2]


async def another(stage: Stage, **changes: object) -> Stage:
    return await scene.another(stage.app, stage.olive, **changes)


async def test_feed_has_what_someone_is_registered_for_and_nothing_else(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app, name="Mine")
    full = await another(stage, name="Full", max_capacity=1, waitlist_enabled=True)
    back, again, off = [await another(stage, name=name) for name in ("Back", "Again", "Off")]
    private = await another(stage, name="Private", visibility="private")
    await another(stage, name="Not mine")
    ada = await cast.ada(closed_app)
    await full.guests(1)
    for each in (full, back, again, off):
        await each.seat(ada)
    # As a guest, with the address that is verified now.
    made = await stage.seat(name="Ada", email="ADA@example.com")
    assert made["manage_token"] is not None
    async with stage.olive.api(closed_app) as olive:
        person = {"name": "Ada", "email": ada.email}
        await olive.post(f"/events/{private.event_id}/register", json=person)
    async with ada.api(closed_app) as api:
        mine = {each["event_id"]: each for each in (
            await api.get("/users/me/registrations")).json()["items"]}  # fmt: skip
        for each in (back, again):
            await api.post(f"/registrations/{mine[each.event_id]['id']}/cancel")
    await again.seat(ada)
    await rows.change_event(stage.database, off.event_id, status="cancelled")

    found = await statuses(closed_app, await feed_of(closed_app, ada))

    assert found == {
        "Mine": "CONFIRMED",
        "Full": "TENTATIVE",
        "Back": "CANCELLED",
        "Again": "CONFIRMED",
        "Off": "CANCELLED",
        "Private": "CONFIRMED",
    }


async def test_feed_is_read_without_a_credential_and_only_when_it_has_changed(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    ada = await cast.ada(closed_app)
    path = await feed_of(closed_app, ada)

    async with closed_app.client() as program:
        empty = await program.get(path)
        same = await program.get(path, headers={"If-None-Match": empty.headers["etag"]})
        await stage.seat(ada)
        full = await program.get(path, headers={"If-None-Match": empty.headers["etag"]})

    assert (empty.status_code, same.status_code, full.status_code) == (200, 304, 200)
    assert empty.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "set-cookie" not in empty.headers
    assert "BEGIN:VEVENT" not in empty.text
    assert [each.uid for each in by_ical(full.content)] == [f"{stage.event_id}@turnout"]


async def test_feed_made_anew_ends_the_former_and_an_ended_one_leads_nowhere(
    closed_app: RunningApp,
) -> None:
    ada, bob = await cast.ada(closed_app), await cast.join(closed_app, "Bob")
    database = closed_app.runtime.database
    first, others = await feed_of(closed_app, ada), await feed_of(closed_app, bob)
    second = await feed_of(closed_app, ada)

    async with closed_app.client() as program, ada.api(closed_app) as api:
        rotated = [(await program.get(path)).status_code for path in (first, second, others)]
        ended = [(await api.delete(PATH)).status_code for _ in range(2)]
        gone = await program.get(second)
        unknown = await program.get("/feeds/nothing.ics")
        still = (await program.get(others)).status_code

    assert rotated == [404, 200, 200]
    assert ended == [204, 404]
    assert code(gone) == code(unknown) == (404, "not-found")
    assert still == 200
    query = select(AuditEntry.action, AuditEntry.subject_id).where(
        AuditEntry.action.like("calendar-feed.%")
    )
    assert await rows.read(database, query.order_by(AuditEntry.id)) == [
        *(("calendar-feed.made", ada.id), ("calendar-feed.made", bob.id)),
        *(("calendar-feed.made", ada.id), ("calendar-feed.ended", ada.id)),
    ]


async def test_feed_of_a_disabled_account_leads_nowhere(closed_app: RunningApp) -> None:
    ada = await cast.ada(closed_app)
    path = await feed_of(closed_app, ada)
    disabled = update(User).where(User.id == ada.id).values(is_active=False)
    await rows.change(closed_app.runtime.database, disabled)

    async with closed_app.client() as program:
        answer = await program.get(path)

    assert code(answer) == (404, "not-found")


async def test_secret_of_a_feed_is_kept_nowhere(closed_app: RunningApp) -> None:
    ada = await cast.ada(closed_app)

    async with ada.api(closed_app) as api:
        key = {"Idempotency-Key": "once"}
        answers = [await api.post(PATH, headers=key) for _ in range(2)]

    secret = answers[0].json()["url"].rpartition("/")[2].removesuffix(".ics")
    assert answers[0].content == answers[1].content
    assert len(secret) == 43
    assert secret.encode() not in await rows.dump(closed_app.runtime.database)
    assert await rows.count(closed_app.runtime.database, CalendarFeed) == 1
