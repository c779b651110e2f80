"""The calls by which people get an account, get into it, and get back into it."""

from typing import Annotated, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts import access_tokens, api_tokens, passwords, sign_ins, sign_up
from turnout.accounts.errors import (
    Busy,
    InvalidCredentials,
    InvalidGrant,
    InvalidLink,
    SecondFactorRequired,
    TokenReuse,
    WeakPassword,
)
from turnout.accounts.models import SignInKind
from turnout.accounts.passwords import TypedPassword
from turnout.accounts.policy import require_account
from turnout.accounts.schemas import (
    CodeText,
    EmailIn,
    ResetIn,
    SignUpIn,
    TokenIn,
    TokensOut,
    TokenText,
)
from turnout.accounts.sign_ins import Opened
from turnout.accounts.users import UserDraft
from turnout.api import bodies, describe, direct, responses
from turnout.api.events import cause_of
from turnout.edge import forms, pace, sign_in
from turnout.edge.caller import actor_of, runtime_of
from turnout.edge.forms import Form
from turnout.errors import FieldError, Invalid, NotSignedIn, TurnoutError
from turnout.events import times
from turnout.events.errors import InvalidTimezone
from turnout.fields import InvalidEmail
from turnout.limiter import LINK, RESET_ADDRESS, SIGN_UP

router = direct.router("Accounts")


class GrantForm(Form):
    """How someone signs in: by password, or by the refresh token of a sign-in (RFC 6749)."""

    grant_type: Literal["password", "refresh_token"] | None = Field(
        None, description="Left out, it is `password`."
    )
    username: Annotated[str, Field(max_length=1_000, description="The e-mail address.")] | None = (
        None
    )
    password: TypedPassword | None = None
    otp: CodeText | None = Field(
        None, description="A code of the second factor, where there is one."
    )
    refresh_token: TokenText | None = None


@router.post(
    "/auth/sign-up",
    summary="Get an account",
    **describe.accepted(WeakPassword, InvalidEmail, InvalidTimezone, Busy, body=SignUpIn),
)
async def sign_up_(request: Request) -> Response:
    """A new account, which can sign in at once, as an attendee.

    The answer is the same for an address that has an account: its owner gets a mail instead.
    """
    runtime = runtime_of(request)
    await sign_in.begin(request, SIGN_UP)
    body = await bodies.read(request, SignUpIn)
    zone = None if body.timezone is None else times.canonical_zone(body.timezone)
    passwords.check_strength(body.password, personal=(body.email, body.name))
    async with pace.even():
        hashed = await runtime.hasher.hash(body.password)
        wanted = UserDraft(body.email, body.name, timezone=zone, password_hash=hashed)
        async with runtime.database.write() as db:
            await sign_up.sign_up(db, wanted, sign_in.cause_of(request), clock.now())
    return Response(status_code=202)


@router.post(
    "/auth/token",
    summary="Sign in",
    response_model=TokensOut,
    **describe.sign_in(
        InvalidCredentials, SecondFactorRequired, InvalidGrant, TokenReuse, Busy,
        form=GrantForm,
    ),
)  # fmt: skip
async def issue_tokens(request: Request) -> Response:
    """Tokens for a program: an access token for 15 minutes, and one to get the next with.

    A form as OAuth 2.0 has it, so that its libraries and the Authorize button of /docs work.
    """
    await sign_in.begin(request, None)
    form = await forms.read(request, GrantForm)
    match form:
        case GrantForm(grant_type="password" | None, username=str(name), password=str(password)):
            found = await sign_in.check_password(request, name, password)
            opened = await sign_in.open_(request, found, SignInKind.TOKENS, form.otp)
        case GrantForm(grant_type="refresh_token", refresh_token=str(token)):
            opened = await _refreshed(request, token)
        case _:
            raise _incomplete(form)
    return responses.plain(_tokens(request, opened))


async def _refreshed(request: Request, token: str) -> Opened:
    async with runtime_of(request).database.write() as db:
        found = await sign_ins.refresh(db, token, sign_in.cause_of(request), clock.now())
    if isinstance(found, TurnoutError):
        raise found
    return found


def _tokens(request: Request, opened: Opened) -> TokensOut:
    runtime = runtime_of(request)
    token = runtime.access_tokens.write(opened.user_id, opened.sign_in_id, clock.now())
    seconds = int(access_tokens.LIFETIME.total_seconds())
    return TokensOut(token, "bearer", seconds, opened.secret)


def _incomplete(form: GrantForm) -> Invalid:
    is_refresh = form.grant_type == "refresh_token"
    needed = ("refresh_token",) if is_refresh else ("username", "password")
    missing = [name for name in needed if getattr(form, name) is None]
    fields = tuple(FieldError(name, "missing", "Is required.") for name in missing)
    return Invalid(f"Refused: {', '.join(missing)}.", fields=fields)


@router.post(
    "/auth/revoke",
    summary="Sign out",
    **describe.done(NotSignedIn, body=TokenIn, status=200),
)
async def revoke_token(request: Request) -> Response:
    """End the sign-in that a refresh or access token of yours belongs to, or an API token of yours.

    The answer is the same for a token that is none, or somebody else's (RFC 7009, 2.2).
    """
    runtime = runtime_of(request)
    actor = await actor_of(request, None)
    require_account(actor)
    token = (await bodies.read(request, TokenIn)).token
    cause, now = cause_of(request, actor), clock.now()
    claims = runtime.access_tokens.read(token, now)
    async with runtime.database.write() as db:
        ending = claims.sign_in_id if claims else await sign_ins.of_refresh_token(db, token)
        if ending is not None:
            await sign_ins.end_by_token(db, actor, ending, cause, now)
        elif claims is None:
            await api_tokens.revoke_itself(db, actor, token, cause, now)
    return Response(status_code=200)


@router.post(
    "/auth/verify-email",
    summary="Verify an address",
    **describe.done(InvalidLink, body=TokenIn),
)
async def verify_email(request: Request) -> Response:
    """Show that an address is yours, by the token of the link that went there."""
    runtime = runtime_of(request)
    await sign_in.begin(request, LINK)
    body, cause = await bodies.read(request, TokenIn), sign_in.cause_of(request)
    async with runtime.database.write() as db:
        await sign_up.verify_email(db, runtime.seals, body.token, cause, clock.now())
    return Response(status_code=204)


@router.post(
    "/auth/forgot-password",
    summary="Ask for a link to set a new password",
    **describe.accepted(InvalidEmail, body=EmailIn),
)
async def forgot_password(request: Request) -> Response:
    """The answer is the same whether or not there is an account; the link goes to its address."""
    await sign_in.begin(request, RESET_ADDRESS)
    body = await bodies.read(request, EmailIn)
    await sign_in.ask_for_reset(request, body.email)
    return Response(status_code=202)


@router.post(
    "/auth/reset-password",
    summary="Set a new password by a link",
    **describe.done(InvalidLink, WeakPassword, Busy, body=ResetIn),
)
async def reset_password(request: Request) -> Response:
    """Set a new password; everything that is signed in to the account ends."""
    await sign_in.begin(request, LINK)
    body = await bodies.read(request, ResetIn)
    await sign_in.reset_password(request, body.token, body.password)
    return Response(status_code=204)
