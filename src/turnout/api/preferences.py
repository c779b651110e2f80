"""The calls about which mails one wants: those that are not essential."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, create_model
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts import users
from turnout.accounts.actor import Scope
from turnout.accounts.policy import require_account
from turnout.api import bodies, describe, direct, responses
from turnout.api.events import cause_of
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotSignedIn
from turnout.fields import Input, YesOrNo
from turnout.notifications import choices
from turnout.notifications.choices import Chosen
from turnout.notifications.errors import EmailNotVerified
from turnout.notifications.kinds import CHOICES, MailKind

router = direct.router("Accounts")


def _described(kind: MailKind) -> Any:
    choice = CHOICES[kind]
    default = "unless you say no" if choice.is_wanted_unasked else "only if you ask for it"
    text = f"{choice.explanation} Sent {default}."
    return Field(alias=kind.value, description=text)


def _fields(of: Any, default: Any) -> dict[str, Any]:
    """The field of each kind that has a choice, for a model."""
    return {
        kind.value.replace("-", "_"): (Annotated[of, _described(kind)], default) for kind in CHOICES
    }


PreferencesOut: Any = create_model(
    "PreferencesOut",
    __doc__="For each kind of mail that has a choice, whether you get it.",
    **_fields(bool, ...),
)
PreferencesIn: Any = create_model(
    "PreferencesIn",
    __base__=Input,
    __doc__="Which of the mails that have a choice you want; what is left out stays.",
    **_fields(YesOrNo | None, None),
)


@router.get(
    "/users/me/preferences",
    summary="Read which mails you get",
    response_model=PreferencesOut,
    **describe.read(NotSignedIn),
)
async def read_preferences(request: Request) -> Response:
    """By kind, whether you get it. Kinds that are not here are essential: you always get them.

    What you have chosen belongs to your address, and counts for what you do as a guest as well.
    """
    me = require_account(await actor_of(request, Scope.PROFILE_READ))
    async with runtime_of(request).database.read() as db:
        chosen = await choices.of_account(db, await users.by_id(db, me))
    return responses.read(request, _shown(chosen), version=_version(chosen))


@router.patch(
    "/users/me/preferences",
    summary="Choose which mails you get",
    response_model=PreferencesOut,
    **describe.change(NotSignedIn, EmailNotVerified, body=PreferencesIn, matched=True),
)
async def change_preferences(request: Request) -> Response:
    """Set what is sent; it counts for every mail that is not on its way yet."""
    actor = await actor_of(request, Scope.PROFILE_WRITE)
    me, cause = require_account(actor), cause_of(request, actor)
    body = await bodies.read(request, PreferencesIn)
    given: Mapping[str, bool | None] = body.model_dump(by_alias=True, exclude_unset=True)
    wanted = {MailKind(name): value for name, value in given.items() if value is not None}
    async with runtime_of(request).database.write() as db:
        user = await users.locked(db, me)
        before = await choices.of_account(db, user)
        responses.require_match(request, _version(before))
        chosen = await choices.choose_as(db, user, wanted, cause, clock.now())
    return responses.changed(_shown(chosen), _version(chosen))


def _shown(chosen: Chosen) -> dict[str, bool]:
    return {kind.value: is_wanted for kind, is_wanted in chosen.wanted.items()}


def _version(chosen: Chosen) -> int:
    return 0 if chosen.updated_at is None else responses.version_at(chosen.updated_at)
