"""From a credential to the account as it stands now. Knows no HTTP."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import select

from turnout.accounts.actor import Actor, Role, Scope, Standing
from turnout.accounts.models import ApiToken, SignIn, User
from turnout.db.held import Asked, Question


class Kind(Enum):
    """What a credential is known by."""

    SIGN_IN = "the id of a sign-in, which an access token names"
    COOKIE = "the hash of a cookie"
    API_TOKEN = "the hash of an API token"  # noqa: S105 - says what it is, no secret


Key = tuple[Kind, UUID | bytes]


@dataclass(frozen=True, slots=True)
class Holder:
    """An account with the credential by which it was found; `ends_at` is the credential's."""

    user_id: UUID
    email: str
    person: str
    name: str
    role: Role
    timezone: str | None
    is_active: bool
    is_verified: bool
    has_second_factor: bool
    ends_at: datetime | None
    is_ended: bool
    sign_in_id: UUID | None
    scopes: frozenset[Scope] | None

    def actor(self, now: datetime, second_factor_roles: Collection[Role]) -> Actor | None:
        """The caller, or None where the credential or the account does not count any more."""
        if self.is_ended or not self.is_active or (self.ends_at or _NEVER) <= now:
            return None
        return Actor(
            standing=Standing.ACCOUNT,
            user_id=self.user_id,
            name=self.name,
            role=self.role,
            timezone=self.timezone,
            email=self.email,
            person=self.person,
            is_verified=self.is_verified,
            must_enrol=self.role in second_factor_roles and not self.has_second_factor,
            sign_in_id=self.sign_in_id,
            scopes=self.scopes,
        )


_NEVER = datetime.max.replace(tzinfo=UTC)
# Tables, not mapped classes: this is on the path of every request.
_USER = User.__table__.c
_SIGN_IN = SignIn.__table__.c
_API_TOKEN = ApiToken.__table__.c
_ACCOUNT = (
    *(_USER.id, _USER.email, _USER.email_canonical, _USER.name, _USER.role, _USER.timezone),
    *(_USER.is_active, _USER.email_verified_at, _USER.totp_confirmed_at),
)
_HELD = (_SIGN_IN.expires_at, _SIGN_IN.ended_at, _SIGN_IN.id.label("sign_in_id"))
_OF_SIGN_INS = User.__table__.join(SignIn.__table__, _SIGN_IN.user_id == _USER.id)
_OF_TOKENS = User.__table__.join(ApiToken.__table__, _API_TOKEN.user_id == _USER.id)
_QUESTIONS: Mapping[Kind, Question] = {
    Kind.SIGN_IN: Question(
        select(_SIGN_IN.id, *_ACCOUNT, *_HELD).select_from(_OF_SIGN_INS), _SIGN_IN.id
    ),
    Kind.COOKIE: Question(
        select(_SIGN_IN.cookie_hash, *_ACCOUNT, *_HELD).select_from(_OF_SIGN_INS),
        _SIGN_IN.cookie_hash,
    ),
    Kind.API_TOKEN: Question(
        select(
            *(_API_TOKEN.token_hash, *_ACCOUNT),
            *(_API_TOKEN.expires_at, _API_TOKEN.revoked_at, _API_TOKEN.scopes),
        ).select_from(_OF_TOKENS),
        _API_TOKEN.token_hash,
    ),
}


async def load(database: Asked, keys: Collection[Key]) -> dict[Key, Holder]:
    """The holder of each credential that there is, ended ones included."""
    by_kind: dict[Kind, list[UUID | bytes]] = defaultdict(list)
    for kind, key in keys:
        by_kind[kind].append(key)
    found: dict[Key, Holder] = {}
    for kind, wanted in by_kind.items():
        for row in await database.rows(_QUESTIONS[kind], wanted):
            key = row[0] if kind is Kind.SIGN_IN else bytes(row[0])
            found[kind, key] = _holder(kind, row)
    return found


def _holder(kind: Kind, row: tuple[Any, ...]) -> Holder:
    _, user_id, email, person, name, role, zone, *state = row
    active, verified, factor, ends, ended, last = state
    is_token = kind is Kind.API_TOKEN
    return Holder(
        user_id=user_id,
        email=email,
        person=person,
        name=name,
        role=Role(role),
        timezone=zone,
        is_active=active,
        is_verified=verified is not None,
        has_second_factor=factor is not None,
        ends_at=ends,
        is_ended=ended is not None,
        sign_in_id=None if is_token else last,
        scopes=frozenset(map(Scope, last)) if is_token else None,
    )
