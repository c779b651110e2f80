"""The calls about who helps with an event."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Actor, Scope
from turnout.api import bodies, describe, direct, once, pages, queries, responses
from turnout.api.events import EventId, cause_of, display_zone
from turnout.api.queries import PageQuery, ZoneQuery
from turnout.api.users import UserId
from turnout.db.paging import Key, key_of
from turnout.db.session import Db
from turnout.edge import forms
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotAllowed, NotFound, NotSignedIn
from turnout.events import policy, team, times
from turnout.events.errors import InvalidTimezone
from turnout.events.models import TeamRole
from turnout.events.team import Invited, Member
from turnout.fields import EmailText, Input, InvalidEmail
from turnout.idempotency.idempotency import Answer

router = direct.router("Team")


class TeamQuery(PageQuery, ZoneQuery):
    """Which page of a team, in which zone."""


class MemberIn(Input):
    """Who helps, by address or by id, and as what."""

    email: Annotated[EmailText, Field(examples=["grace@example.com"])] | None = None
    user_id: UUID | None = None
    role: TeamRole

    @model_validator(mode="after")
    def _one_person(self) -> Self:
        if (self.email is None) == (self.user_id is None):
            raise PydanticCustomError("one-person", "Send either email or user_id.")
        return self


@dataclass(frozen=True, slots=True)
class MemberOut:
    """One of a team; the people at the door see no addresses."""

    user_id: UUID
    name: str
    email: str | None
    role: TeamRole
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TeamPage:
    """A page of a team."""

    items: list[MemberOut]
    next_cursor: str | None


def _out(member: Member, zone: str, *, with_address: bool) -> MemberOut:
    email = member.email if with_address else None
    joined = times.shown(member.created_at, zone)
    return MemberOut(member.user_id, member.name, email, member.role, joined)


@router.get(
    "/events/{event_id}/team",
    summary="List who helps",
    response_model=TeamPage,
    **describe.read(NotSignedIn, NotFound, InvalidTimezone, query=TeamQuery, paged=True),
)
async def list_team(event_id: EventId, request: Request) -> Response:
    """The team of an event, for those who work on it; its owner is not in it."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_READ)
    policy.require_known(actor)
    wanted = pages.id_of(event_id)
    name = pages.query_name(actor, "team", wanted)
    async with runtime.database.read() as db:
        event = await team.event_of(db, actor, wanted)
        query = queries.read(request, TeamQuery)
        after = pages.id_after(runtime.cursors, name, query.cursor)
        found = await team.members(db, wanted, after=after, limit=query.limit + 1)
    rows, cursor = pages.cut(found, query.limit, runtime.cursors, name, _key)
    zone = display_zone(query, actor) or event.timezone
    sees_addresses = policy.may_edit(actor, event)
    page = TeamPage([_out(row, zone, with_address=sees_addresses) for row in rows], cursor)
    return responses.read(request, page, link=responses.next_link(request, cursor))


def _key(row: Member) -> Key:
    return key_of(row.user_id)


@router.post(
    "/events/{event_id}/team",
    summary="Let someone help",
    response_model=MemberOut,
    **describe.create(
        NotSignedIn, NotAllowed, NotFound, InvalidEmail, body=MemberIn, located=False
    ),
)
async def add_member(event_id: EventId, request: Request) -> Response:
    """An editor does what the owner does from day to day; the door sees who comes, by name.

    For someone who is in the team already, the role is set.
    """
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_WRITE)
    policy.require_known(actor)
    wanted = pages.id_of(event_id)
    async with runtime.database.read() as db:
        await team.owned(db, actor, wanted)
    body = await bodies.read(request, MemberIn)
    claim = once.claim_of(request, actor, await forms.raw(request))
    work = partial(_add, request, actor, wanted, body)
    return responses.respond(await once.write(runtime, claim, work))


async def _add(request: Request, actor: Actor, event_id: UUID, body: MemberIn, db: Db) -> Answer:
    who, cause = Invited(body.role, body.email, body.user_id), cause_of(request, actor)
    event, member = await team.add(db, actor, event_id, who, cause, clock.now())
    zone = actor.timezone or event.timezone
    return responses.created(_out(member, zone, with_address=True), None)


@router.delete(
    "/events/{event_id}/team/{user_id}",
    summary="Let someone help no more",
    **describe.done(NotSignedIn, NotAllowed, NotFound),
)
async def remove_member(event_id: EventId, user_id: UserId, request: Request) -> Response:
    """It counts from the next request on."""
    actor = await actor_of(request, Scope.EVENTS_WRITE)
    policy.require_known(actor)
    event, member, cause = pages.id_of(event_id), pages.id_of(user_id), cause_of(request, actor)
    async with runtime_of(request).database.write() as db:
        await team.remove(db, actor, event, member, cause, clock.now())
    return Response(status_code=204)
