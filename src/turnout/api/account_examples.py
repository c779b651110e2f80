"""The examples of the API document that are about accounts and who may do what."""

from collections.abc import Mapping
from typing import Any

Shown = Mapping[str, Mapping[str, dict[str, Any]]]

_PASSWORD = "quiet harbour violin ninety"  # noqa: S105 - shown to everybody, and nobody's
_ACCESS_TOKEN = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMWEyMDJmZCJ9.0jC1u9sJH3pX"  # noqa: S105 - opens nothing
_REFRESH_TOKEN = "V3mZQxq0c7T1nYt5RkB9aFhWl2sUeJ8d"  # noqa: S105 - opens nothing
_ACCOUNT_ID = "01a202fd-d1b1-73d8-a26a-90663cd2293e"
_HELPER_ID = "01a202fe-0c4d-7b0e-8f3a-5d2c9e7a1b64"
_EVENT_ID = "01a202ff-5858-7344-a5f9-a038e1760637"
_MADE_AT = "2030-11-22T11:23:38.456272+00:00"
_PROFILE: dict[str, Any] = {
    "id": _ACCOUNT_ID,
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "role": "attendee",
    "timezone": "Europe/London",
    "locale": "en",
    "is_active": True,
    "email_verified": True,
    "created_at": _MADE_AT,
}
_API_TOKEN: dict[str, Any] = {
    "id": "01a20300-1f6e-7c55-9d0b-3e8f6a2c4d71",
    "name": "Nightly export",
    "scopes": ["events:read", "registrations:read"],
    "created_at": _MADE_AT,
    "expires_at": "2031-02-20T11:23:38.456272+00:00",
}
_SIGN_IN: dict[str, Any] = {
    "id": "01a20300-2a3b-7d19-b1c6-7f4e5d8a9b02",
    "kind": "tokens",
    "client": "curl/8.14.1",
    "address": "203.0.113.7",
    "created_at": _MADE_AT,
    "last_used_at": "2030-11-22T12:00:00+00:00",
    "expires_at": "2030-12-22T12:00:00+00:00",
    "is_current": True,
}
_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - opens nothing
_URI = f"otpauth://totp/Turnout:ada%40example.com?secret={_SECRET}&issuer=Turnout"
_PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'
_MEMBER: dict[str, Any] = {
    "user_id": _HELPER_ID,
    "name": "Grace Hopper",
    "email": "grace@example.com",
    "role": "door",
    "created_at": _MADE_AT,
}
_AUDIT_ENTRY: dict[str, Any] = {
    "id": "01a20301-4c8d-7e2f-a5b3-9c1d7f6e8a40",
    "at": _MADE_AT,
    "standing": "account",
    "actor_id": _ACCOUNT_ID,
    "request_id": "01a20301-4c8c-7a11-8e6f-2b5d4c3a9f70",
    "action": "team.set",
    "event_id": _EVENT_ID,
    "subject_id": _HELPER_ID,
    "changes": {"role": "door"},
}


def _one(name: str, summary: str, value: object) -> dict[str, dict[str, Any]]:
    return {name: {"summary": summary, "value": value}}


def _page(item: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return _one("last-page", "The last page", {"items": [item], "next_cursor": None})


_REQUESTS: Shown = {
    "SignUpIn": _one(
        "person",
        "A new account",
        {
            "email": "ada@example.com",
            "password": _PASSWORD,
            "name": "Ada Lovelace",
            "timezone": "Europe/London",
        },
    ),
    "GrantForm": {
        **_one(
            "password",
            "By address and password",
            {"grant_type": "password", "username": "ada@example.com", "password": _PASSWORD},
        ),
        **_one(
            "refresh",
            "By the refresh token of a sign-in",
            {"grant_type": "refresh_token", "refresh_token": _REFRESH_TOKEN},
        ),
    },
    "TokenIn": _one("token", "A token", {"token": _REFRESH_TOKEN}),
    "EmailIn": _one("address", "An address", {"email": "ada@example.com"}),
    "ResetIn": _one(
        "link", "By the token of a link", {"token": _REFRESH_TOKEN, "password": _PASSWORD}
    ),
    "ProfileIn": _one(
        "language", "Another language and zone", {"timezone": "Asia/Kolkata", "locale": "hi-IN"}
    ),
    "UserIn": _one(
        "organizer",
        "Someone who publishes events",
        {"email": "grace@example.com", "name": "Grace Hopper", "role": "organizer"},
    ),
    "UserChangeIn": {
        **_one("role", "Another role", {"role": "organizer"}),
        **_one("disabled", "Let in no more", {"is_active": False}),
    },
    "ApiTokenIn": _one(
        "export",
        "For a program that reads",
        {
            "name": "Nightly export",
            "scopes": ["events:read", "registrations:read"],
            "expires_in_days": 90,
        },
    ),
    "CodeIn": {
        **_one("code", "Six digits of the authenticator", {"code": "492039"}),
        **_one("recovery", "A recovery code", {"code": "89th-fnb8-d8g6-e4wq"}),
    },
    "MemberIn": _one("door", "Someone at the door", {"email": "grace@example.com", "role": "door"}),
}
_ANSWERS: Shown = {
    "TokensOut": _one(
        "signed-in",
        "Signed in",
        {
            "access_token": _ACCESS_TOKEN,
            "token_type": "bearer",
            "expires_in": 900,
            "refresh_token": _REFRESH_TOKEN,
        },
    ),
    "ProfileOut": _one("account", "An account", _PROFILE),
    "UserPage": _page(_PROFILE),
    "SignInPage": _page(_SIGN_IN),
    "ApiTokenPage": _page(_API_TOKEN),
    "NewApiTokenOut": _one(
        "once",
        "With the token, which is shown this once",
        {**_API_TOKEN, "token": "turnout_9fK2mQ7xR4tB8wZ1cV6nY3pL5dH0sJ"},
    ),
    "SecondFactorOut": _one("on", "There is one", {"enabled": True, "recovery_codes_left": 9}),
    "NewSecondFactorOut": _one(
        "secret",
        "For an authenticator",
        {"secret": _SECRET, "uri": _URI, "qr_svg": _PICTURE},
    ),
    "RecoveryCodesOut": _one(
        "codes",
        "To be kept in a safe place",
        {"recovery_codes": ["89th-fnb8-d8g6-e4wq", "crkb-kj3h-706f-nssm"]},
    ),
    "MemberOut": _one("door", "Someone at the door", _MEMBER),
    "TeamPage": _page(_MEMBER),
    "AuditPage": _page(_AUDIT_ENTRY),
}
ACCOUNTS: Shown = {**_REQUESTS, **_ANSWERS}
"""By the name of the schema, then by that of the example."""
