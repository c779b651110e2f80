"""The calls about one's second factor: set up, confirm, take away, codes for a rainy day."""

from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts import second_factor, totp
from turnout.accounts.actor import Scope
from turnout.accounts.errors import InvalidCode, SecondFactorState
from turnout.accounts.policy import require_account
from turnout.accounts.schemas import (
    CodeIn,
    NewSecondFactorOut,
    RecoveryCodesOut,
    SecondFactorOut,
)
from turnout.api import bodies, describe, direct, responses
from turnout.api.events import cause_of
from turnout.edge import sign_in
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotSignedIn

router = direct.router("Accounts")

ISSUER = "Turnout"
"""What an authenticator shows beside the account."""
_WRONG = (NotSignedIn, InvalidCode, SecondFactorState)


@router.get(
    "/users/me/second-factor",
    summary="Look at your second factor",
    response_model=SecondFactorOut,
    **describe.read(NotSignedIn),
)
async def read_second_factor(request: Request) -> Response:
    """Whether you have one, and how many recovery codes are left."""
    me = require_account(await actor_of(request, Scope.PROFILE_READ))
    async with runtime_of(request).database.read() as db:
        state = await second_factor.state(db, me)
    return responses.read(request, SecondFactorOut(state.is_enabled, state.recovery_codes_left))


@router.post(
    "/users/me/second-factor",
    summary="Set up a second factor",
    response_model=NewSecondFactorOut,
    **describe.change(NotSignedIn, SecondFactorState),
)
async def begin_second_factor(request: Request) -> Response:
    """A secret for an authenticator (RFC 6238), which counts once you confirm it by a code."""
    runtime, actor = runtime_of(request), await actor_of(request, None)
    me, cause = require_account(actor), cause_of(request, actor)
    async with runtime.database.write() as db:
        secret = await second_factor.begin(db, runtime.seals, me, cause, clock.now())
    uri = totp.uri(secret, actor.email or "", ISSUER)
    return responses.plain(NewSecondFactorOut(secret, uri, totp.qr_svg(uri)))


@router.post(
    "/users/me/second-factor/confirm",
    summary="Confirm your second factor",
    response_model=RecoveryCodesOut,
    **describe.change(*_WRONG, body=CodeIn),
)
async def confirm_second_factor(request: Request) -> Response:
    """From now on signing in asks for a code. Keep the recovery codes: they are shown this once."""
    runtime, actor = runtime_of(request), await actor_of(request, None)
    me, cause = require_account(actor), cause_of(request, actor)
    code = (await bodies.read(request, CodeIn)).code
    async with sign_in.counted_code(request, actor), runtime.database.write() as db:
        codes = await second_factor.confirm(db, runtime.seals, me, code, cause, clock.now())
    return responses.plain(RecoveryCodesOut(codes))


@router.post(
    "/users/me/second-factor/recovery-codes",
    summary="Get new recovery codes",
    response_model=RecoveryCodesOut,
    **describe.change(*_WRONG, body=CodeIn),
)
async def renew_recovery_codes(request: Request) -> Response:
    """The earlier ones count no more."""
    runtime, actor = runtime_of(request), await actor_of(request, None)
    me, cause = require_account(actor), cause_of(request, actor)
    code = (await bodies.read(request, CodeIn)).code
    async with sign_in.counted_code(request, actor), runtime.database.write() as db:
        codes = await second_factor.renew_recovery_codes(
            db, runtime.seals, me, code, cause, clock.now()
        )
    return responses.plain(RecoveryCodesOut(codes))


@router.post(
    "/users/me/second-factor/disable",
    summary="Take your second factor away",
    **describe.done(*_WRONG, body=CodeIn),
)
async def disable_second_factor(request: Request) -> Response:
    """By one last code, or a recovery code."""
    runtime, actor = runtime_of(request), await actor_of(request, None)
    me, cause = require_account(actor), cause_of(request, actor)
    code = (await bodies.read(request, CodeIn)).code
    async with sign_in.counted_code(request, actor), runtime.database.write() as db:
        await second_factor.disable(db, runtime.seals, me, code, cause, clock.now())
    return Response(status_code=204)
