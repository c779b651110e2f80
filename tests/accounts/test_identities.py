"""Accounts of people whom a provider knows: linked by an address that it has verified, or not."""

import asyncio
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select, update
from tests.accounts.calls import bearer, code_at, link_tokens, me, messages, sign_in, told
from tests.db import rows
from tests.support import cast
from tests.support.app import RunningApp
from tests.support.cast import CAUSE

from turnout import clock
from turnout.accounts import identities
from turnout.accounts.actor import Role
from turnout.accounts.errors import InvalidCredentials
from turnout.accounts.models import OpenIdIdentity, User
from turnout.accounts.openid import Identity, OpenIdFailed
from turnout.audit.models import AuditEntry
from turnout.outbox.topics import Topic

ISSUER = "https://id.example.org"
ADA = Identity(ISSUER, "248289761001", "ada@example.com", email_verified=True, name="Ada Lovelace")


def changed(**values: object) -> Identity:
    return Identity(**{**{name: getattr(ADA, name) for name in Identity.__slots__}, **values})


async def account_of(app: RunningApp, who: Identity) -> User:
    async with app.runtime.database.write() as db:
        return await identities.account_of(db, who, CAUSE, clock.now())


async def linked(app: RunningApp) -> list[tuple[str, str, UUID]]:
    columns = (OpenIdIdentity.issuer, OpenIdIdentity.subject, OpenIdIdentity.user_id)
    found = await rows.read(app.runtime.database, select(*columns).order_by(*columns[:2]))
    return [(issuer, subject, user_id) for issuer, subject, user_id in found]


async def actions(app: RunningApp, user_id: UUID) -> list[str]:
    query = select(AuditEntry.action).where(AuditEntry.subject_id == user_id)
    return [row[0] for row in await rows.read(app.runtime.database, query.order_by(AuditEntry.id))]


async def test_identity_of_somebody_new_makes_a_verified_attendee_once(
    closed_app: RunningApp,
) -> None:
    made = await account_of(closed_app, ADA)
    # From now on by issuer and subject alone, whatever the provider says of the rest.
    again = await account_of(closed_app, changed(email="other@example.com", name="Other"))
    without = await account_of(closed_app, changed(email=None, email_verified=False, name=None))

    assert (made.email, made.name, made.role) == (ADA.email, ADA.name, Role.ATTENDEE)
    assert (made.email_verified_at is None, made.password_hash) == (False, None)
    assert [again.id, without.id] == [made.id] * 2
    assert (again.email, again.name) == (ADA.email, ADA.name)
    assert await linked(closed_app) == [(ISSUER, ADA.subject, made.id)]
    assert await actions(closed_app, made.id) == ["user.created", "user.identity-linked"]
    assert await messages(closed_app) == []  # nothing to verify


async def test_identity_without_a_name_is_called_after_its_address(closed_app: RunningApp) -> None:
    made = await account_of(closed_app, changed(name=None))

    assert made.name == "ada"


async def test_identity_with_a_known_and_verified_address_is_linked(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.join(closed_app, "Ada", Role.ORGANIZER)

    found = await account_of(closed_app, changed(email="ADA@Example.com"))

    assert (found.id, found.name, found.role) == (ada.id, "Ada", Role.ORGANIZER)
    assert await linked(closed_app) == [(ISSUER, ADA.subject, ada.id)]
    assert await me(closed_api, ada.token) == (200, None)
    assert (await sign_in(closed_api, ada.email)).status_code == 200


async def test_identity_takes_an_account_from_whoever_never_verified_its_address(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    """Somebody signed up with her address and waits for her to come (pre-hijacking)."""
    thief = await cast.join(closed_app, "Ada", verified=False)
    wanted = {"name": "x", "scopes": ["profile:read"]}
    made = (await closed_api.post("/users/me/tokens", json=wanted, headers=thief.bearer)).json()
    begun = (await closed_api.post("/users/me/second-factor", headers=thief.bearer)).json()
    code = {"code": code_at(begun["secret"])}
    await closed_api.post("/users/me/second-factor/confirm", json=code, headers=thief.bearer)
    move = {"email": "thief@example.com", "current_password": cast.PASSWORD}
    await closed_api.patch("/users/me", json=move, headers=thief.bearer)
    credentials = [thief.bearer, thief.page, bearer(made["token"])]
    before = [(await closed_api.get("/users/me", headers=each)).status_code for each in credentials]

    found = await account_of(closed_app, ADA)

    after_it = [
        (await closed_api.get("/users/me", headers=each)).status_code for each in credentials
    ]
    links = [
        told(await closed_api.post("/auth/verify-email", json={"token": token}))
        for topic in (Topic.ACCOUNT_CREATED, Topic.EMAIL_CHANGE_ASKED)
        for token in await link_tokens(closed_app, topic)
    ]
    assert (found.id, found.password_hash, found.totp_confirmed_at) == (thief.id, None, None)
    assert found.email_verified_at is not None
    assert (before, after_it) == ([200] * 3, [401] * 3)
    assert links == [(404, "invalid-link")] * 2
    assert told(await sign_in(closed_api, thief.email)) == (401, "invalid-credentials")


@pytest.mark.parametrize(
    "who",
    [
        changed(email=None),
        changed(email_verified=False),
        changed(email="ada"),
        changed(email="ada@example.com, bob@example.com"),
        changed(email="ada@example.com\x00"),
        changed(email="organizer@turnout.invalid"),
    ],
)
async def test_identity_without_an_address_that_counts_is_refused(
    closed_app: RunningApp, who: Identity
) -> None:
    await cast.ada(closed_app)

    with pytest.raises(OpenIdFailed) as caught:
        await account_of(closed_app, who)

    assert "address" in caught.value.reason
    assert await linked(closed_app) == []
    assert await rows.count(closed_app.runtime.database, User) == 1


@pytest.mark.parametrize("is_known", [True, False])
async def test_identity_of_a_disabled_account_is_refused(
    closed_app: RunningApp, *, is_known: bool
) -> None:
    ada = await cast.ada(closed_app)
    if is_known:
        await account_of(closed_app, ADA)
    before = await linked(closed_app)
    await rows.change(closed_app.runtime.database, update(User).values(is_active=False))

    with pytest.raises(InvalidCredentials):
        await account_of(closed_app, ADA)

    assert before == ([(ISSUER, ADA.subject, ada.id)] if is_known else [])
    assert await linked(closed_app) == before


async def test_identities_that_differ_by_issuer_or_subject_are_different_people(
    closed_app: RunningApp,
) -> None:
    ada = await account_of(closed_app, ADA)
    same_subject = await account_of(
        closed_app, changed(issuer="https://other.example.org", email="bob@example.com")
    )
    same_issuer = await account_of(closed_app, changed(subject="x", email="eve@example.com"))

    assert len({ada.id, same_subject.id, same_issuer.id}) == 3
    assert len(await linked(closed_app)) == 3


@pytest.mark.parametrize("is_known", [True, False])
async def test_identity_that_comes_many_times_at_once_is_linked_once(
    closed_app: RunningApp, *, is_known: bool
) -> None:
    if is_known:
        await cast.ada(closed_app)

    found = await asyncio.gather(
        *(account_of(closed_app, ADA) for _ in range(6)), return_exceptions=True
    )

    users = {each.id for each in found if isinstance(each, User)}
    rest = [each for each in found if not isinstance(each, User)]
    assert len(users) == 1
    assert {type(each) for each in rest} <= {OpenIdFailed}
    assert await linked(closed_app) == [(ISSUER, ADA.subject, *users)]
    assert await rows.count(closed_app.runtime.database, User) == 1


async def test_identity_of_an_erased_account_is_somebody_new(
    closed_app: RunningApp, closed_api: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    await account_of(closed_app, ADA)
    await closed_api.delete("/users/me", headers=ada.bearer)

    new = await account_of(closed_app, ADA)

    assert new.id != ada.id
    assert await linked(closed_app) == [(ISSUER, ADA.subject, new.id)]
