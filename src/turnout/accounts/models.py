"""The tables of accounts and of everything that lets someone in.

Of secrets that others hold (cookies, refresh tokens, API tokens, recovery codes) there are only
hashes here; of passwords argon2id hashes; the second factor's secret is sealed with the
installation's key. One-time links are derived from their id and that key: nothing of them is here.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from turnout.accounts.actor import Role
from turnout.db.base import Base, JsonDocument, one_of

HASH_BYTES = 32
_THERE = text("erased_at IS NULL")


class User(Base):
    """An account. `email_canonical` is what makes an address the same person."""

    __tablename__ = "users"
    __table_args__ = (
        one_of("role", Role),
        # Administrators are few among very many, and so are the disabled.
        *(
            Index(
                f"ix_users_{column}",
                column,
                "email_canonical",
                sqlite_where=_THERE,
                postgresql_where=_THERE,
            )
            for column in ("role", "is_active")
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    email_canonical: Mapped[str] = mapped_column(String(320), unique=True)
    email_verified_at: Mapped[datetime | None]
    name: Mapped[str] = mapped_column(String(200))
    search_text: Mapped[str] = mapped_column(String(600))
    """Name and address, case-folded: what an administrator's search looks into."""
    role: Mapped[str] = mapped_column(String(16))
    timezone: Mapped[str | None] = mapped_column(String(64))
    locale: Mapped[str | None] = mapped_column(String(35))
    is_active: Mapped[bool]
    password_hash: Mapped[str | None] = mapped_column(String(255))
    totp_sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary(128))
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)
    """The time step of the last code that counted: no code counts twice (RFC 6238, 5.2)."""
    erased_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SignInKind(StrEnum):
    """How a sign-in is carried on."""

    TOKENS = "tokens"
    """By access and refresh tokens, for programs."""
    PAGE = "page"
    """By a cookie, for browsers."""


class SignIn(Base):
    """One time that someone signed in, until it is ended or runs out."""

    __tablename__ = "sign_ins"
    __table_args__ = (one_of("kind", SignInKind), Index(None, "user_id", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(16))
    cookie_hash: Mapped[bytes | None] = mapped_column(LargeBinary(HASH_BYTES), unique=True)
    client: Mapped[str] = mapped_column(String(200))
    """What the client says it is (User-Agent), for people to recognise."""
    address: Mapped[str | None] = mapped_column(String(45))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RefreshToken(Base):
    """One link in the chain of a sign-in; each is used once, and using it again ends them all."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index(None, "sign_in_id"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(HASH_BYTES), primary_key=True)
    sign_in_id: Mapped[UUID] = mapped_column(ForeignKey("sign_ins.id"))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiToken(Base):
    """A personal token for a program; `scopes` narrow what it may do."""

    __tablename__ = "api_tokens"
    __table_args__ = (Index(None, "user_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(HASH_BYTES), unique=True)
    scopes: Mapped[Any] = mapped_column(JsonDocument)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class LinkPurpose(StrEnum):
    """What a one-time link is for."""

    VERIFY_EMAIL = "verify-email"
    CHANGE_EMAIL = "change-email"
    RESET_PASSWORD = "reset-password"  # noqa: S105 - the name of a purpose, no password
    INVITATION = "invitation"
    """For an account that was made for somebody: sets its first password."""
    SET_UP = "set-up"
    """The first administrator's: chooses the address and the password."""


class Link(Base):
    """A one-time link that was given to someone; `email` is the address it was made for."""

    __tablename__ = "links"
    __table_args__ = (one_of("purpose", LinkPurpose), Index(None, "user_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str] = mapped_column(String(16))
    email: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A code that stands in for the second factor, once."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(HASH_BYTES), primary_key=True)
    used_at: Mapped[datetime | None]


class OpenIdIdentity(Base):
    """Who someone is at an OpenID Connect provider: the pair that never changes."""

    __tablename__ = "openid_identities"
    __table_args__ = (Index(None, "user_id"),)

    issuer: Mapped[str] = mapped_column(String(300), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
