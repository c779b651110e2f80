"""Mails about accounts, from real rows: the links they bring, and when there is none."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from tests.db import rows
from tests.notifications import composing
from tests.notifications.composing import a_delivery, is_moot, mail
from tests.registrations.scene import NOBODYS_ID
from tests.support import cast
from tests.support.app import BASE_URL, RunningApp
from tests.support.cast import Person

from turnout import clock
from turnout.accounts import links as issuing
from turnout.accounts.actor import Role
from turnout.accounts.models import Link, LinkPurpose, SignIn, User
from turnout.notifications.kinds import CHOICES, MailKind
from turnout.web import links

PURPOSES = {
    MailKind.VERIFY_EMAIL: LinkPurpose.VERIFY_EMAIL,
    MailKind.INVITATION: LinkPurpose.INVITATION,
    MailKind.EMAIL_CHANGE: LinkPurpose.CHANGE_EMAIL,
    MailKind.RESET_PASSWORD: LinkPurpose.RESET_PASSWORD,
}
PLAIN = {
    MailKind.ACCOUNT_KNOWN: ("You have an account already", {}),
    MailKind.EMAIL_CHANGED: (
        "Your account has another address",
        {"former_email": "former@example.com"},
    ),
    MailKind.PASSWORD_CHANGED: ("Your password has changed", {}),
    MailKind.SECOND_FACTOR_CHANGED: (
        "Your account has no second factor any more",
        {"what": "removed"},
    ),
    MailKind.ROLE_CHANGED: ("You have another role", {"role": "attendee"}),
    MailKind.WEBHOOK_DISABLED: (
        "A webhook was switched off",
        {"webhook_id": NOBODYS_ID, "host": "hooks.example.com", "reason": "It was gone."},
    ),
}


async def a_link(app: RunningApp, user_id: UUID, purpose: LinkPurpose, email: str) -> UUID:
    async with app.runtime.database.write() as db:
        return await issuing.issue(db, user_id, purpose, email, clock.now())


async def a_mail_with_link(app: RunningApp, kind: MailKind) -> tuple[Person, Any]:
    """Someone, and the delivery that brings them a link."""
    ada = await cast.join(app, "Ada", verified=False)
    email = "new@example.com" if kind is MailKind.EMAIL_CHANGE else ada.email
    link_id = await a_link(app, ada.id, PURPOSES[kind], email)
    return ada, a_delivery(kind, ada.id, link_id=str(link_id))


@pytest.mark.parametrize("kind", PURPOSES)
async def test_mail_brings_the_link_that_the_page_redeems(
    closed_app: RunningApp, kind: MailKind
) -> None:
    ada, delivery = await a_mail_with_link(closed_app, kind)
    token = closed_app.runtime.seals.link_token(UUID(delivery.data["link_id"]))
    address = links.address_of(BASE_URL, token, PURPOSES[kind])

    found = await mail(closed_app, delivery)

    to = "new@example.com" if kind is MailKind.EMAIL_CHANGE else ada.email
    assert (found.envelope, found.to) == (to, [("Ada", to)])
    assert found.message.keys() == composing.HEADERS
    assert address in found.text.split("\n")
    assert found.html.count(f'href="{address}"') == 2


@pytest.mark.parametrize("kind", PURPOSES)
async def test_mail_with_a_link_that_counts_no_more_is_moot(
    closed_app: RunningApp, kind: MailKind
) -> None:
    ada, delivery = await a_mail_with_link(closed_app, kind)
    late = clock.now() + timedelta(days=7, seconds=1)
    other = a_delivery(kind, ada.id, link_id="01a202ff-5615-70aa-b0c3-9e4d2f6a8c11")

    assert not await is_moot(closed_app, delivery)
    assert await is_moot(closed_app, delivery, late)
    assert await is_moot(closed_app, other)
    assert await is_moot(closed_app, replace(delivery, address=None))
    await a_link(closed_app, ada.id, PURPOSES[kind], ada.email)
    assert await is_moot(closed_app, delivery)


@pytest.mark.parametrize("kind", PLAIN)
async def test_mail_about_an_account_is_essential(closed_app: RunningApp, kind: MailKind) -> None:
    ada = await cast.ada(closed_app)
    subject, data = PLAIN[kind]
    await composing.choose(closed_app, ada.email, kind, is_wanted=False)

    found = await mail(closed_app, a_delivery(kind, ada.id, **data))

    assert (found.subject, found.message.keys()) == (subject, composing.HEADERS)
    to = data.get("former_email", ada.email)
    assert (found.envelope, found.to) == (to, [("Ada", to)])
    assert (ada.email in found.text) == (kind is not MailKind.EMAIL_CHANGED)


@pytest.mark.parametrize("kind", [*PLAIN, MailKind.NEW_SIGN_IN])
async def test_mail_about_a_disabled_account_is_moot(
    closed_app: RunningApp, kind: MailKind
) -> None:
    ada = await cast.ada(closed_app)
    async with closed_app.runtime.database.write() as db:
        await db.execute(update(User).where(User.id == ada.id).values(is_active=False))

    assert await is_moot(closed_app, a_delivery(kind, ada.id, **PLAIN.get(kind, ("", {}))[1]))


async def test_mail_about_a_role_that_is_another_by_now_is_moot(closed_app: RunningApp) -> None:
    root = await cast.root(closed_app)

    said = await mail(closed_app, a_delivery(MailKind.ROLE_CHANGED, root.id, role=Role.ADMIN))

    assert "is an administrator now." in said.text
    assert await is_moot(closed_app, a_delivery(MailKind.ROLE_CHANGED, root.id, role="organizer"))


async def test_mail_about_a_sign_in_says_when_and_from_where(closed_app: RunningApp) -> None:
    ada = await cast.ada(closed_app)
    database = closed_app.runtime.database
    [(sign_in_id, at), *_] = await rows.read(database, select(SignIn.id, SignIn.created_at))

    found = await mail(
        closed_app, a_delivery(MailKind.NEW_SIGN_IN, ada.id, sign_in_id=str(sign_in_id))
    )

    lines = found.text.split("\n")
    assert f"{at:%H:%M}, UTC" in lines[lines.index("When:") + 1]
    assert lines[lines.index("With:") + 1] == "  test"
    assert lines[lines.index("From the address:") + 1] == "  127.0.0.1"
    assert MailKind.NEW_SIGN_IN in CHOICES
    assert found.message.keys() == composing.OPTIONAL_HEADERS


async def test_verification_of_an_address_that_is_verified_is_moot(
    closed_app: RunningApp,
) -> None:
    ada = await cast.ada(closed_app)
    link_id = await a_link(closed_app, ada.id, LinkPurpose.VERIFY_EMAIL, ada.email)

    delivery = a_delivery(MailKind.VERIFY_EMAIL, ada.id, link_id=str(link_id))

    assert await is_moot(closed_app, delivery)


async def test_links_are_in_no_row(closed_app: RunningApp) -> None:
    _, delivery = await a_mail_with_link(closed_app, MailKind.RESET_PASSWORD)
    token = closed_app.runtime.seals.link_token(UUID(delivery.data["link_id"]))

    stored = await rows.read(closed_app.runtime.database, select(Link))

    assert len(stored) == 1 + 1  # the one for verifying, and this
    assert token not in str([vars(row[0]) for row in stored])
