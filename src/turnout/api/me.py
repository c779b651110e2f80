"""The calls about oneself: profile, sign-ins, API tokens, second factor."""

from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts import api_tokens, passwords, sign_ins, sign_up, users
from turnout.accounts.actor import Actor, Scope
from turnout.accounts.api_tokens import TokenDraft
from turnout.accounts.errors import (
    Busy,
    LastAdmin,
    TooManyTokens,
    WeakPassword,
    WrongPassword,
)
from turnout.accounts.models import ApiToken, SignIn, User
from turnout.accounts.policy import require_account
from turnout.accounts.schemas import (
    ApiTokenIn,
    ApiTokenPage,
    NewApiTokenOut,
    ProfileIn,
    ProfileOut,
    SignInPage,
    api_token_out,
    profile_out,
    sign_in_out,
)
from turnout.api import bodies, describe, direct, once, pages, queries, responses
from turnout.api.events import cause_of, shown_in
from turnout.api.queries import PageQuery, ZoneQuery
from turnout.db.session import Db
from turnout.edge import forms, sign_in
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import FieldError, NotFound, NotSignedIn
from turnout.events import times, zones
from turnout.events.errors import InvalidTimezone
from turnout.fields import InvalidEmail, canonical_email
from turnout.idempotency.idempotency import Answer
from turnout.limiter import RESET
from turnout.notifications import erasing

router = direct.router("Accounts")

_ID = {"format": "uuid"}
SignInId = Annotated[str, Path(description="The sign-in's id.", json_schema_extra=_ID)]
TokenId = Annotated[str, Path(description="The API token's id.", json_schema_extra=_ID)]


class OwnQuery(PageQuery, ZoneQuery):
    """Which page of one's own things, in which zone."""


@router.get(
    "/users/me",
    summary="Read your profile",
    response_model=ProfileOut,
    **describe.read(NotSignedIn, InvalidTimezone, query=ZoneQuery),
)
async def read_profile(request: Request) -> Response:
    """The account that is signed in."""
    actor = await actor_of(request, Scope.PROFILE_READ)
    me, query = require_account(actor), queries.read(request, ZoneQuery)
    async with runtime_of(request).database.read() as db:
        user = await users.by_id(db, me)
    version = responses.version_at(user.updated_at)
    return responses.read(request, profile_out(user, shown_in(query, actor)), version=version)


@router.patch(
    "/users/me",
    summary="Change your profile",
    response_model=ProfileOut,
    **describe.change(
        NotSignedIn, InvalidTimezone, InvalidEmail, WeakPassword, WrongPassword, Busy,
        body=ProfileIn, matched=True,
    ),
)  # fmt: skip
async def change_profile(request: Request) -> Response:
    """Change what is sent. A new password ends every other sign-in."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.PROFILE_WRITE)
    me = require_account(actor)
    async with runtime.database.read() as db:
        _require_present(request, await users.by_id(db, me))
    body = await bodies.read(request, ProfileIn)
    hashed = await _checked_password(request, actor, body)
    cause, now = cause_of(request, actor), clock.now()
    async with runtime.database.write() as db:
        user = await users.locked(db, me)
        _require_present(request, user)
        await users.change(db, user, _plain_changes(body), cause, now)
        if hashed is not None:
            await users.set_password(db, user, hashed, cause, now, keep=actor.sign_in_id)
        # After the password, which ends the links that were asked for before.
        if body.email is not None and body.email != user.email:
            await sign_up.ask_for_email(db, user, body.email, cause, now)
    profile = profile_out(user, zones.zone(user.timezone or zones.UTC_NAME))
    return responses.changed(profile, responses.version_at(user.updated_at))


def _require_present(request: Request, user: User) -> None:
    responses.require_match(request, responses.version_at(user.updated_at))


def _plain_changes(body: ProfileIn) -> dict[str, object]:
    changes = body.model_dump(include={"name", "timezone", "locale"}, exclude_unset=True)
    if changes.get("name", "") is None:
        del changes["name"]
    if changes.get("timezone") is not None:
        changes["timezone"] = times.canonical_zone(changes["timezone"])
    return changes


async def _checked_password(request: Request, actor: Actor, body: ProfileIn) -> str | None:
    """The hash of the new password, once the present one was shown where that is needed."""
    runtime = runtime_of(request)
    if body.email is None and body.password is None:
        return None
    await actor_of(request, None)  # no API token may do this
    async with runtime.database.read() as db:
        user = await users.by_id(db, require_account(actor))
    if user.password_hash is not None:
        await _require_password(request, user, body.current_password)
    if body.email is not None and body.email != user.email:
        # A mail to somebody who may not have asked for it, as that of a reset.
        await runtime.limiter.hit(RESET, canonical_email(body.email))
    if body.password is None:
        return None
    passwords.check_strength(body.password, personal=(user.email, user.name))
    return await runtime.hasher.hash(body.password)


async def _require_password(request: Request, user: User, password: str | None) -> None:
    if password is None or not await sign_in.is_password_of(request, user, password):
        message = "Send the present password."
        wrong = FieldError("current_password", WrongPassword.code, message)
        raise WrongPassword(message, fields=(wrong,))


@router.delete(
    "/users/me",
    summary="Delete your account",
    **describe.done(NotSignedIn, LastAdmin, matched=True),
)
async def delete_account(request: Request) -> Response:
    """Take yourself out: seats are freed, and name and address are gone from everywhere.

    What you have published stays, without your name.
    """
    actor = await actor_of(request, None)
    me, cause = require_account(actor), cause_of(request, actor)
    async with runtime_of(request).database.write() as db:
        user = await users.locked_with_admins(db, me)
        _require_present(request, user)
        await erasing.erase(db, user, cause, clock.now())
    return Response(status_code=204)


@router.get(
    "/users/me/sign-ins",
    summary="List where you are signed in",
    response_model=SignInPage,
    **describe.read(NotSignedIn, InvalidTimezone, query=OwnQuery, paged=True),
)
async def list_sign_ins(request: Request) -> Response:
    """Your sign-ins that count, the newest first."""
    actor = await actor_of(request, Scope.PROFILE_READ)
    me, query = require_account(actor), queries.read(request, OwnQuery)
    zone = shown_in(query, actor)

    async def load(db: Db, position: str | None, limit: int) -> list[SignIn]:
        before = pages.id_at(position)
        return await sign_ins.page(db, actor, clock.now(), before=before, limit=limit)

    def show(row: SignIn) -> object:
        return sign_in_out(row, actor.sign_in_id, zone)

    name = pages.query_name(actor, "sign-ins", me)
    return await pages.listed(request, query, name, load, show, SignInPage)


@router.delete(
    "/users/me/sign-ins/{sign_in_id}",
    summary="Sign out somewhere",
    **describe.done(NotSignedIn, NotFound),
)
async def end_sign_in(sign_in_id: SignInId, request: Request) -> Response:
    """End one of your sign-ins; it counts no more from the next request on."""
    actor = await actor_of(request, None)
    require_account(actor)
    wanted = pages.id_of(sign_in_id)
    async with runtime_of(request).database.write() as db:
        await sign_ins.end(db, actor, wanted, cause_of(request, actor), clock.now())
    return Response(status_code=204)


@router.get(
    "/users/me/tokens",
    summary="List your API tokens",
    response_model=ApiTokenPage,
    **describe.read(NotSignedIn, InvalidTimezone, query=OwnQuery, paged=True),
)
async def list_tokens(request: Request) -> Response:
    """Your API tokens that count, the newest first; the tokens themselves are not kept."""
    actor = await actor_of(request, Scope.PROFILE_READ)
    me, query = require_account(actor), queries.read(request, OwnQuery)
    zone = shown_in(query, actor)

    async def load(db: Db, position: str | None, limit: int) -> list[ApiToken]:
        before = pages.id_at(position)
        return await api_tokens.page(db, actor, clock.now(), before=before, limit=limit)

    name = pages.query_name(actor, "tokens", me)
    show = partial(api_token_out, zone=zone)
    return await pages.listed(request, query, name, load, show, ApiTokenPage)


@router.post(
    "/users/me/tokens",
    summary="Make an API token",
    response_model=NewApiTokenOut,
    **describe.create(NotSignedIn, TooManyTokens, body=ApiTokenIn, located=False),
)
async def create_token(request: Request) -> Response:
    """A token for a program, shown this once. It may do what its scopes say, and you may do."""
    runtime, actor = runtime_of(request), await actor_of(request, None)
    require_account(actor)
    body = await bodies.read(request, ApiTokenIn)
    claim = once.claim_of(request, actor, await forms.raw(request))
    work = partial(_create_token, request, actor, body)
    return responses.respond(await once.write(runtime, claim, work))


async def _create_token(request: Request, actor: Actor, body: ApiTokenIn, db: Db) -> Answer:
    now, days = clock.now(), body.expires_in_days
    ends = None if days is None else now + timedelta(days=days)
    wanted = TokenDraft(body.name, tuple(body.scopes), ends)
    me, cause = require_account(actor), cause_of(request, actor)
    row, token = await api_tokens.create(db, me, cause, wanted, now)
    out = api_token_out(row, shown_in(ZoneQuery(), actor))
    return responses.created(
        NewApiTokenOut(out.id, out.name, out.scopes, out.created_at, out.expires_at, token), None
    )


@router.delete(
    "/users/me/tokens/{token_id}",
    summary="Revoke an API token",
    **describe.done(NotSignedIn, NotFound),
)
async def revoke_api_token(token_id: TokenId, request: Request) -> Response:
    """It counts no more from the next request on."""
    actor = await actor_of(request, None)
    require_account(actor)
    wanted = pages.id_of(token_id)
    async with runtime_of(request).database.write() as db:
        await api_tokens.revoke(db, actor, wanted, cause_of(request, actor), clock.now())
    return Response(status_code=204)
