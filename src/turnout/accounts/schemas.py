"""What requests say of accounts, and what answers say. Knows no HTTP."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from turnout.accounts.actor import Role, Scope
from turnout.accounts.models import ApiToken, SignIn, SignInKind, User
from turnout.accounts.passwords import PasswordText, TypedPassword
from turnout.fields import EmailText, Input, Line, WholeNumber, YesOrNo, ZoneText

DEFAULT_LOCALE = "en"
LONGEST_TOKEN_CHARACTERS = 4_096
LONGEST_LIFE_DAYS = 3_660

NameText = Annotated[str, Line(200), Field(examples=["Ada Lovelace"])]
TokenText = Annotated[str, Field(strict=True, max_length=LONGEST_TOKEN_CHARACTERS)]
CodeText = Annotated[str, Field(strict=True, max_length=64, examples=["492039"])]
Email = Annotated[EmailText, Field(examples=["ada@example.com"])]
LocaleText = Annotated[
    str,
    Field(
        strict=True,
        pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$",
        examples=["en", "hi-IN"],
        description="A language as BCP 47 names it.",
    ),
]


class SignUpIn(Input):
    """A new account."""

    email: Email
    password: PasswordText
    name: NameText
    timezone: ZoneText | None = Field(None, description="In which times are shown to you.")


class TokenIn(Input):
    """A token: one that is to count no more, or that of a link."""

    token: TokenText


class EmailIn(Input):
    """An address that somebody may have an account with."""

    email: Email


class ResetIn(Input):
    """A new password, by a link."""

    token: TokenText
    password: PasswordText


class ProfileIn(Input):
    """What to change of oneself; what is left out stays.

    A new `email` counts once the link that goes there is used. It, and a new `password`, need
    `current_password` where the account has a password.
    """

    name: NameText | None = None
    timezone: ZoneText | None = Field(None, description="null is each event's own zone.")
    locale: LocaleText | None = None
    email: Email | None = None
    password: PasswordText | None = None
    current_password: TypedPassword | None = None


class UserIn(Input):
    """A new account, made by an administrator."""

    email: Email
    name: NameText
    role: Role
    password: PasswordText | None = Field(
        None, description="Without one, its owner sets it by a link."
    )
    timezone: ZoneText | None = None


class UserChangeIn(Input):
    """What an administrator changes of an account; what is left out stays."""

    name: NameText | None = None
    role: Role | None = None
    is_active: YesOrNo | None = None
    timezone: ZoneText | None = None
    locale: LocaleText | None = None


class ApiTokenIn(Input):
    """A new API token."""

    name: Annotated[str, Line(100), Field(examples=["Nightly export"])]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    expires_in_days: Annotated[WholeNumber, Field(ge=1, le=LONGEST_LIFE_DAYS)] | None = Field(
        None, description="null is until it is revoked."
    )


class CodeIn(Input):
    """A code of the second factor, or a recovery code."""

    code: CodeText


@dataclass(frozen=True, slots=True)
class ProfileOut:
    """An account, as its owner and administrators see it."""

    id: UUID
    email: str
    name: str
    role: Role
    timezone: Annotated[str | None, Field(description="null is each event's own zone.")]
    locale: str
    is_active: bool
    email_verified: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class UserPage:
    """A page of accounts, by address."""

    items: list[ProfileOut]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class TokensOut:
    """The tokens of a sign-in (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: Annotated[int, Field(description="Seconds.")]
    refresh_token: Annotated[str, Field(description="Good for one use.")]


@dataclass(frozen=True, slots=True)
class SignInOut:
    """One place where an account is signed in."""

    id: UUID
    kind: SignInKind
    client: Annotated[str, Field(description="What the program says it is.")]
    address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_current: Annotated[bool, Field(description="Whether this request came by it.")]


@dataclass(frozen=True, slots=True)
class SignInPage:
    """A page of sign-ins, the newest first."""

    items: list[SignInOut]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ApiTokenOut:
    """An API token without the token."""

    id: UUID
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewApiTokenOut(ApiTokenOut):
    """A new API token, with what is told only once."""

    token: str


@dataclass(frozen=True, slots=True)
class ApiTokenPage:
    """A page of API tokens, the newest first."""

    items: list[ApiTokenOut]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class SecondFactorOut:
    """Whether there is a second factor."""

    enabled: bool
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class NewSecondFactorOut:
    """What an authenticator needs to know, told this once."""

    secret: str
    uri: Annotated[str, Field(description="otpauth://, as authenticators read it.")]
    qr_svg: Annotated[str, Field(description="The same as a picture to scan.")]


@dataclass(frozen=True, slots=True)
class RecoveryCodesOut:
    """Codes for when the authenticator is lost; each counts once, and they are told this once."""

    recovery_codes: list[str]


def profile_out(user: User, zone: tzinfo) -> ProfileOut:
    """The account as it is answered, its times in `zone`."""
    return ProfileOut(
        id=user.id,
        email=user.email,
        name=user.name,
        role=Role(user.role),
        timezone=user.timezone,
        locale=user.locale or DEFAULT_LOCALE,
        is_active=user.is_active,
        email_verified=user.email_verified_at is not None,
        created_at=user.created_at.astimezone(zone),
    )


def sign_in_out(sign_in: SignIn, current: UUID | None, zone: tzinfo) -> SignInOut:
    """The sign-in as it is answered; `current` is the one that asks."""
    return SignInOut(
        id=sign_in.id,
        kind=SignInKind(sign_in.kind),
        client=sign_in.client,
        address=sign_in.address,
        created_at=sign_in.created_at.astimezone(zone),
        last_used_at=sign_in.last_used_at.astimezone(zone),
        expires_at=sign_in.expires_at.astimezone(zone),
        is_current=sign_in.id == current,
    )


def api_token_out(token: ApiToken, zone: tzinfo) -> ApiTokenOut:
    """The API token as it is answered."""
    ends = token.expires_at
    return ApiTokenOut(
        token.id,
        token.name,
        [Scope(each) for each in token.scopes],
        token.created_at.astimezone(zone),
        None if ends is None else ends.astimezone(zone),
    )
