"""The page of a registration: by the link of a mail, by the account; the seat back, data erased."""

from datetime import timedelta
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select, update
from tests.db import rows
from tests.registrations import scene
from tests.registrations.scene import NOBODYS_ID, Stage
from tests.support import cast
from tests.support.app import RunningApp, running
from tests.web.pages import shown

from turnout import clock
from turnout.events.models import TeamRole
from turnout.registrations.models import Registration
from turnout.settings import Settings

NOT_HERE = "There is nothing here"
OURS = {"Sec-Fetch-Site": "same-origin"}


async def opened(browser: httpx2.AsyncClient, token: str) -> httpx2.Response:
    """The page behind the link, as a browser comes to it."""
    entered = await browser.get(f"/r/{token}")
    assert entered.status_code == 303, entered.text
    return await browser.get(entered.headers["location"])


def page_of(made: dict[str, str]) -> str:
    """The path of the page."""
    return f"/registration/{made['id']}"


async def status_of(stage: Stage, made: dict[str, str]) -> str:
    """How the registration stands."""
    this = Registration.id == UUID(made["id"])
    [(status,)] = await rows.read(stage.database, select(Registration.status).where(this))
    return str(status)


async def test_link_is_exchanged_for_a_cookie_of_that_page_alone(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="ada@example.com")

    async with closed_app.client() as browser:
        entered = await browser.get(f"/r/{made['manage_token']}")

    assert (entered.status_code, entered.headers["location"]) == (303, page_of(made))
    assert entered.headers["set-cookie"] == (
        f"turnout_ticket={made['manage_token']}; HttpOnly; Max-Age=86400; Path={page_of(made)}; "
        "SameSite=lax"
    )
    assert entered.headers["referrer-policy"] == "no-referrer"
    assert entered.headers["cache-control"] == "no-store"


async def test_link_on_https_gives_a_cookie_that_only_https_carries(
    closed_settings: Settings,
) -> None:
    settings = closed_settings.model_copy(update={"base_url": "https://testserver"})
    async with running(settings) as app:
        stage = await scene.stage(app)
        made = await stage.seat(name="Ada", email="ada@example.com")
        async with app.client() as browser:
            entered = await browser.get(f"/r/{made['manage_token']}")

    cookie = entered.headers["set-cookie"]
    assert cookie.startswith(f"__Secure-turnout_ticket={made['manage_token']};")
    assert cookie.endswith("; Secure")


async def test_page_shows_event_and_ticket_by_the_clocks_of_the_event(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(
        closed_app, name="Clocks", timezone="Asia/Kathmandu", location="<i>Patan</i>",
        start_time="2030-12-07T10:00:00", end_time="2030-12-07T12:30:00",
    )  # fmt: skip
    made = await stage.seat(name="Ada & Co", email="ada@example.com")

    async with closed_app.client() as browser:
        answer = await opened(browser, made["manage_token"])

    assert shown(answer).heading == "Clocks"
    assert f'<p class="code">{made["ticket_code"]}</p>' in answer.text
    assert '<time datetime="2030-12-07T10:00:00+05:45">Saturday, 7 December 2030, 10:00' in (
        answer.text
    )
    assert "Asia/Kathmandu, UTC+05:45" in answer.text
    assert "<dd>&lt;i&gt;Patan&lt;/i&gt;</dd>" in answer.text
    assert "Ada &amp; Co" in answer.text
    assert "<script" not in answer.text
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("token", ["x", "A" * 56, "%C3%A4", "changed"])
async def test_link_that_is_wrong_leads_nowhere(closed_app: RunningApp, token: str) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="ada@example.com")
    if token == "changed":
        known = made["manage_token"]
        token = known[:-1] + ("A" if known[-1] != "A" else "B")

    async with closed_app.client() as browser:
        wrong = await browser.get(f"/r/{token}")
        unknown = await browser.get("/e/nothing")

    assert (wrong.status_code, shown(wrong).heading) == (404, NOT_HERE)
    assert "set-cookie" not in wrong.headers
    assert wrong.text.replace(wrong.headers["x-request-id"], "") == unknown.text.replace(
        unknown.headers["x-request-id"], ""
    )


async def test_page_of_another_registration_is_not_opened_by_the_link(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    mine, others = await stage.guests(2)
    cookie = {"Cookie": f"turnout_ticket={mine['manage_token']}"} | OURS

    async with closed_app.client(headers=cookie) as browser:
        own = await browser.get(page_of(mine))
        other = await browser.get(page_of(others))
        nobodys = await browser.get(f"/registration/{NOBODYS_ID}")
        cancelled = await browser.post(f"{page_of(others)}/cancel")

    assert own.status_code == 200
    assert [each.status_code for each in (other, nobodys, cancelled)] == [303] * 3
    assert other.headers["location"] == f"/login?next={page_of(others)}"
    assert await status_of(stage, others) == "confirmed"


async def test_page_is_opened_by_the_account_it_belongs_to_and_by_no_other(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    ada, mallory = await cast.ada(closed_app), await cast.mallory(closed_app)
    door = await stage.helper("Don", TeamRole.DOOR)
    made = await stage.seat(ada)

    answers = {}
    for person in (ada, mallory, door, stage.olive):
        async with closed_app.client(headers=person.page) as browser:
            answers[person.name] = (await browser.get(page_of(made))).status_code

    assert answers == {"Ada": 200, "Mallory": 404, "Don": 404, "Olive": 404}


async def test_seat_given_back_on_the_page_is_free_for_who_waits(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app, max_capacity=1, waitlist_enabled=True)
    made, waiting = await stage.guests(2)

    async with closed_app.client(headers=OURS) as browser:
        before = await opened(browser, made["manage_token"])
        done = await browser.post(f"{page_of(made)}/cancel")
        after = await browser.get(done.headers["location"])
        again = await browser.post(f"{page_of(made)}/cancel")

    assert f'action="{page_of(made)}/cancel"' in before.text
    assert (done.status_code, done.headers["location"]) == (303, page_of(made))
    assert "This registration is cancelled" in after.text
    assert f'action="{page_of(made)}/cancel"' not in after.text
    assert again.status_code == 303
    assert await status_of(stage, waiting) == "confirmed"


async def test_seat_is_not_given_back_by_another_sites_page(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="ada@example.com")

    async with closed_app.client() as browser:
        await opened(browser, made["manage_token"])
        foreign = {"Sec-Fetch-Site": "cross-site"}
        refused = [
            await browser.post(f"{page_of(made)}/{what}", headers=foreign)
            for what in ("cancel", "erase")
        ]

    assert [each.status_code for each in refused] == [403, 403]
    assert await status_of(stage, made) == "confirmed"
    assert (await stage.people())[0][0] == "ada@example.com"


async def test_waitlist_and_past_event_are_said(closed_app: RunningApp) -> None:
    stage = await scene.stage(closed_app, max_capacity=1, waitlist_enabled=True)
    _, waiting = await stage.guests(2)

    async with closed_app.client() as browser:
        waits = await opened(browser, waiting["manage_token"])
        now = clock.now()
        over = {"start_at": now - timedelta(hours=2), "end_at": now - timedelta(hours=1)}
        await rows.change_event(stage.database, stage.event_id, **over)
        past = await browser.get(page_of(waiting))

    assert "You are number 1 on the waitlist" in waits.text
    assert waiting["ticket_code"] not in waits.text
    assert shown(past).told == ["This event is over."]
    assert "/cancel" not in past.text


async def test_data_erased_on_the_page_is_gone_and_the_seat_is_free(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app, max_capacity=1, waitlist_enabled=True)
    made = await stage.seat(name="Zebedee", email="zebedee@example.com")
    next_ = await stage.seat(name="Carl", email="carl@example.com")

    async with closed_app.client(headers=OURS) as browser:
        await opened(browser, made["manage_token"])
        erased = await browser.post(f"{page_of(made)}/erase")
        again = await browser.get(page_of(made))
        link = await browser.get(f"/r/{made['manage_token']}")

    assert (erased.status_code, shown(erased).heading) == (200, "Erased")
    assert (
        f'turnout_ticket=""; HttpOnly; Max-Age=0; Path={page_of(made)}'
        in (erased.headers["set-cookie"])
    )
    assert (again.status_code, link.status_code) == (303, 404)
    assert await status_of(stage, next_) == "confirmed"
    assert await stage.audit() == [
        *(("event.created", stage.event_id), ("registration.created", made["id"])),
        *(("registration.created", next_["id"]), ("registration.cancelled", made["id"])),
        *(("registration.promoted", next_["id"]), ("registration.erased", made["id"])),
    ]
    assert b"zebedee" not in (await rows.dump(stage.database)).lower()
    assert await rows.drifts(stage.database) == []


async def test_page_of_a_token_that_was_changed_behind_it_opens_no_more(
    closed_app: RunningApp,
) -> None:
    stage = await scene.stage(closed_app)
    made = await stage.seat(name="Ada", email="ada@example.com")

    async with closed_app.client() as browser:
        first = await opened(browser, made["manage_token"])
        here = update(Registration).where(Registration.id == UUID(made["id"]))
        await rows.change(stage.database, here.values(manage_token_hash=b"x" * 32))
        later = await browser.get(page_of(made))

    assert (first.status_code, later.status_code) == (200, 303)
