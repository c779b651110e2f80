"""The calls by which administrators manage accounts."""

from functools import partial
from typing import Annotated

from fastapi import Path
from pydantic import Field
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts import passwords, second_factor, users
from turnout.accounts.actor import Actor, Role, Scope
from turnout.accounts.errors import Busy, EmailTaken, LastAdmin, WeakPassword
from turnout.accounts.models import User
from turnout.accounts.policy import require_manager
from turnout.accounts.schemas import ProfileOut, UserChangeIn, UserIn, UserPage, profile_out
from turnout.accounts.users import UserDraft, UserFilter
from turnout.api import bodies, describe, direct, once, pages, queries, responses
from turnout.api.events import cause_of, shown_in
from turnout.api.queries import PageQuery, ZoneQuery
from turnout.db.paging import Key, key_of
from turnout.db.session import Db
from turnout.edge import forms
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotAllowed, NotFound, NotSignedIn
from turnout.events import times
from turnout.events.errors import InvalidTimezone
from turnout.fields import InvalidEmail
from turnout.idempotency.idempotency import Answer
from turnout.notifications import erasing

router = direct.router("Users")

UserId = Annotated[str, Path(description="The account's id.", json_schema_extra={"format": "uuid"})]


class _NotMe(StringConvertor):
    """The id of an account in front of more: what is below `/users/me` is in `me`, with its 405."""

    regex = "(?!me/)[^/]+"


register_url_convertor("account", _NotMe())


class UsersQuery(PageQuery, ZoneQuery):
    """Which accounts, which page."""

    q: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="Part of the name or the address."
    )
    role: Role | None = None
    active: bool | None = None


@router.get(
    "/users",
    summary="List accounts",
    response_model=UserPage,
    **describe.read(NotSignedIn, NotAllowed, InvalidTimezone, query=UsersQuery, paged=True),
)
async def list_users(request: Request) -> Response:
    """Accounts by their address."""
    actor = await actor_of(request, Scope.ADMIN_READ)
    require_manager(actor)
    query = queries.read(request, UsersQuery)
    wanted = UserFilter(query.q, query.role, query.active)

    async def load(db: Db, position: str | None, limit: int) -> list[User]:
        return await users.page(db, wanted, after=position, limit=limit)

    name = pages.query_name(actor, "users", wanted)
    show = partial(profile_out, zone=shown_in(query, actor))
    return await pages.listed(request, query, name, load, show, UserPage, key=_by_address)


def _by_address(user: User) -> Key:
    return key_of(user.email_canonical)


@router.post(
    "/users",
    summary="Make an account",
    response_model=ProfileOut,
    **describe.create(
        NotSignedIn, NotAllowed, EmailTaken, WeakPassword, InvalidEmail, InvalidTimezone, Busy,
        body=UserIn,
    ),
)  # fmt: skip
async def create_user(request: Request) -> Response:
    """An account for somebody, who gets a link to verify the address."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.ADMIN_WRITE)
    require_manager(actor)
    body, hashed = await bodies.read(request, UserIn), None
    claim = once.claim_of(request, actor, await forms.raw(request))
    zone = None if body.timezone is None else times.canonical_zone(body.timezone)
    if body.password is not None:
        passwords.check_strength(body.password, personal=(body.email, body.name))
        hashed = await runtime.hasher.hash(body.password)
    wanted = UserDraft(body.email, body.name, body.role, zone, hashed)
    work = partial(_create, request, actor, wanted)
    return responses.respond(await once.write(runtime, claim, work))


async def _create(request: Request, actor: Actor, wanted: UserDraft, db: Db) -> Answer:
    user = await users.create(db, wanted, cause_of(request, actor), clock.now())
    out, version = profile_out(user, shown_in(ZoneQuery(), actor)), user.updated_at
    return responses.created(out, f"/users/{user.id}", responses.version_at(version))


@router.get(
    "/users/{user_id}",
    summary="Read an account",
    response_model=ProfileOut,
    **describe.read(NotSignedIn, NotAllowed, NotFound, InvalidTimezone, query=ZoneQuery),
)
async def read_user(user_id: UserId, request: Request) -> Response:
    """One account."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.ADMIN_READ)
    require_manager(actor)
    wanted = pages.id_of(user_id)
    async with runtime.database.read() as db:
        user = await users.by_id(db, wanted)
    out = profile_out(user, shown_in(queries.read(request, ZoneQuery), actor))
    return responses.read(request, out, version=responses.version_at(user.updated_at))


@router.patch(
    "/users/{user_id}",
    summary="Change an account",
    response_model=ProfileOut,
    **describe.change(
        NotSignedIn, NotAllowed, NotFound, LastAdmin, InvalidTimezone,
        body=UserChangeIn, matched=True,
    ),
)  # fmt: skip
async def change_user(user_id: UserId, request: Request) -> Response:
    """Change role, name and the rest, or disable it; it counts from the next request on."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.ADMIN_WRITE)
    require_manager(actor)
    wanted, cause, now = pages.id_of(user_id), cause_of(request, actor), clock.now()
    async with runtime.database.read() as db:
        _require_present(request, await users.by_id(db, wanted))
    changes = _changes(await bodies.read(request, UserChangeIn))
    async with runtime.database.write() as db:
        user = await users.locked_with_admins(db, wanted)
        _require_present(request, user)
        await users.change(db, user, changes, cause, now)
    out = profile_out(user, shown_in(ZoneQuery(), actor))
    return responses.changed(out, responses.version_at(user.updated_at))


def _require_present(request: Request, user: User) -> None:
    responses.require_match(request, responses.version_at(user.updated_at))


def _changes(body: UserChangeIn) -> dict[str, object]:
    changes = body.model_dump(exclude_unset=True)
    if changes.get("timezone") is not None:
        changes["timezone"] = times.canonical_zone(changes["timezone"])
    nullable = {"timezone", "locale"}
    return {name: value for name, value in changes.items() if value is not None or name in nullable}


@router.delete(
    "/users/{user_id}",
    summary="Delete an account",
    **describe.done(NotSignedIn, NotAllowed, NotFound, LastAdmin, matched=True),
)
async def delete_user(user_id: UserId, request: Request) -> Response:
    """Take the person out: seats are freed, name and address are gone from everywhere."""
    actor = await actor_of(request, Scope.ADMIN_WRITE)
    require_manager(actor)
    wanted, cause = pages.id_of(user_id), cause_of(request, actor)
    async with runtime_of(request).database.write() as db:
        user = await users.locked_with_admins(db, wanted)
        _require_present(request, user)
        await erasing.erase(db, user, cause, clock.now())
    return Response(status_code=204)


@router.delete(
    "/users/{user_id:account}/second-factor",
    summary="Take away an account's second factor",
    **describe.done(NotSignedIn, NotAllowed, NotFound),
)
async def remove_second_factor(user_id: UserId, request: Request) -> Response:
    """For somebody who has lost the authenticator and the recovery codes."""
    actor = await actor_of(request, Scope.ADMIN_WRITE)
    require_manager(actor)
    wanted, cause = pages.id_of(user_id), cause_of(request, actor)
    async with runtime_of(request).database.write() as db:
        await second_factor.remove(db, await users.locked(db, wanted), cause, clock.now())
    return Response(status_code=204)
