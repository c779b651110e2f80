"""The page behind "no more mails like this": by a person, and by a mail program (RFC 8058)."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from tests.db import rows
from tests.support.app import RunningApp
from tests.web.pages import shown

from turnout.audit.models import AuditEntry
from turnout.notifications import unsubscribe
from turnout.notifications.kinds import MailKind
from turnout.notifications.models import MailChoice

ADA = "ada@example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def page_of(app: RunningApp, kind: MailKind = MailKind.EVENT_REMINDER, email: str = ADA) -> str:
    """The path of the link in a mail."""
    return f"/unsubscribe/{unsubscribe.token_of(app.runtime.seals, email, kind)}"


async def chosen(app: RunningApp) -> list[tuple[Any, ...]]:
    """All choices there are."""
    columns = MailChoice.email_canonical, MailChoice.kind, MailChoice.is_wanted
    query = select(*columns).order_by(*columns)
    return await rows.read(app.runtime.database, query)


async def test_link_shows_what_it_is_about_and_changes_nothing(closed_app: RunningApp) -> None:
    path = page_of(closed_app)

    async with closed_app.client() as browser:
        answer = await browser.get(path)
        head = await browser.head(path)

    page = shown(answer)
    assert (page.status, page.heading) == (200, "No more of these mails?")
    assert page.told == []
    assert f"<strong>{ADA}</strong> gets reminders before events begin." in answer.text
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert (head.status_code, head.content) == (200, b"")
    assert await chosen(closed_app) == []


@pytest.mark.parametrize(
    "sent",
    [
        {"data": ONE_CLICK},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"data": ONE_CLICK, "headers": {"Origin": "https://mail.example.net"}},
        {"data": ONE_CLICK, "headers": {"Origin": "null", "Sec-Fetch-Site": "cross-site"}},
        {},
    ],
    ids=["form", "multipart", "another origin", "no origin of its own", "nothing"],
)
async def test_mail_program_that_presses_it_needs_no_page_of_ours(
    closed_app: RunningApp, sent: dict[str, Any]
) -> None:
    async with closed_app.client() as program:
        answer = await program.post(page_of(closed_app), **sent)

    entries = select(AuditEntry.action, AuditEntry.standing, AuditEntry.changes)
    recorded = await rows.read(closed_app.runtime.database, entries)
    assert (answer.status_code, shown(answer).heading) == (200, "Done")
    assert "set-cookie" not in answer.headers
    assert await chosen(closed_app) == [(ADA, "event-reminder", False)]
    assert recorded == [("mail-choice.changed", "anonymous", {"event-reminder": False})]


async def test_way_back_is_on_the_page(closed_app: RunningApp) -> None:
    path = page_of(closed_app)

    async with closed_app.client() as browser:
        done = await browser.post(path, data=ONE_CLICK)
        later = await browser.get(page_of(closed_app))
        back = await browser.post(path, data=shown(done).fields)
        again = await browser.get(path)

    assert shown(done).fields == {"again": "yes"}
    assert [shown(each).heading for each in (done, later, back, again)] == [
        "Done", "You do not get them", "You get them again", "No more of these mails?",
    ]  # fmt: skip
    assert await chosen(closed_app) == [(ADA, "event-reminder", True)]


async def test_link_is_about_one_kind_and_one_address(closed_app: RunningApp) -> None:
    async with closed_app.client() as program:
        await program.post(page_of(closed_app), data=ONE_CLICK)
        of_kind = await program.get(page_of(closed_app, MailKind.NEW_SIGN_IN))
        of_other = await program.get(page_of(closed_app, email="bob@example.com"))

    assert [shown(each).heading for each in (of_kind, of_other)] == ["No more of these mails?"] * 2


async def test_link_that_is_none_of_ours_leads_nowhere(closed_app: RunningApp) -> None:
    path = page_of(closed_app)
    wrong = [f"{path}A", path[:-2], "/unsubscribe/x", "/unsubscribe/%C3%A4"]

    async with closed_app.client() as browser:
        answers = [await browser.get(each) for each in wrong]
        answers += [await browser.post(each, data=ONE_CLICK) for each in wrong]

    assert {each.status_code for each in answers} == {404}
    assert {shown(each).heading for each in answers} == {"There is nothing here"}
    assert await chosen(closed_app) == []


async def test_page_shows_a_hostile_address_as_text(closed_app: RunningApp) -> None:
    hostile = "<b>ada</b>@example.com"

    async with closed_app.client() as browser:
        answer: httpx2.Response = await browser.get(page_of(closed_app, email=hostile))

    assert "&lt;b&gt;ada&lt;/b&gt;@example.com" in answer.text
    assert "<b>ada" not in answer.text
