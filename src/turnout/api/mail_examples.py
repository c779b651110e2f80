"""The examples of the API document about mails, choices, calendars and what is known of people."""

from collections.abc import Mapping
from typing import Any

Shown = Mapping[str, Mapping[str, dict[str, Any]]]

_EVENT_ID = "01a202ff-5858-7344-a5f9-a038e1760637"
_ACCOUNT_ID = "01a202fd-d1b1-73d8-a26a-90663cd2293e"
_MADE_AT = "2030-11-22T11:23:38.456272+00:00"
_PREFERENCES = {
    "event-created": True,
    "event-reminder": False,
    "new-sign-in": True,
    "registration-received": False,
}
_WORDS = {
    "subject": "See you at {{event}}",
    "body": "Dear {{name}},\n\nbring a **laptop**. Doors open at {{start}}.",
}
_PLACEHOLDERS = [
    *("name", "event", "start", "end", "location", "organizer", "event_link", "ticket_code"),
]  # fmt: skip
_WORDING: dict[str, Any] = {
    "kind": "registration-confirmed",
    "placeholders": _PLACEHOLDERS,
    **_WORDS,
    "updated_at": "2030-11-22T16:53:38.456272+05:30",
}
_REMINDER = {"minutes_before": 1440, "due_at": "2030-12-06T10:00:00+05:30"}
_DELIVERY: dict[str, Any] = {
    "id": "01a20300-3b1c-7a44-8e02-9c5d7f1e2a63",
    "channel": "mail",
    "kind": "registration-confirmed",
    "event_id": _EVENT_ID,
    "to": "ada@example.com",
    "state": "retrying",
    "tries": 2,
    "due_at": "2030-11-22T11:31:38.684882+00:00",
    "created_at": "2030-11-22T11:23:38.684882+00:00",
    "finished_at": None,
    "last_error": "451 try again later",
}
_EXPORT: dict[str, Any] = {
    "exported_at": "2030-11-23T08:00:00+00:00",
    "profile": {
        "id": _ACCOUNT_ID,
        "email": "ada@example.com",
        "email_verified_at": _MADE_AT,
        "name": "Ada Lovelace",
        "role": "attendee",
        "timezone": "Europe/London",
        "locale": None,
        "is_active": True,
        "has_password": True,
        "second_factor_since": None,
        "calendar_feed_since": None,
        "created_at": _MADE_AT,
        "updated_at": _MADE_AT,
    },
    "identities": [],
    "preferences": _PREFERENCES,
    "sign_ins": [],
    "api_tokens": [],
    "registrations": [],
    "events": [],
    "teams": [],
    "webhooks": [],
    "mails": [
        {
            "id": "01a20300-3b1c-7a44-8e02-9c5d7f1e2a63",
            "kind": "verify-email",
            "event_id": None,
            "address": "ada@example.com",
            "created_at": _MADE_AT,
            "finished_at": "2030-11-22T11:23:39.011904+00:00",
            "outcome": "sent",
        }
    ],
    "actions": [
        {
            "id": "01a20300-4c2d-7b55-9f13-0d6e8a2f3b74",
            "at": _MADE_AT,
            "action": "user.email-verified",
            "event_id": None,
            "subject_id": _ACCOUNT_ID,
            "changes": None,
        }
    ],
}


def _shown(summary: str, value: object) -> dict[str, Any]:
    return {"summary": summary, "value": value}


_REQUESTS: Shown = {
    "PreferencesIn": {
        "no-reminders": _shown("No reminders any more", {"event-reminder": False}),
        "each-registration": _shown(
            "A mail for each registration at your events", {"registration-received": True}
        ),
    },
    "ReminderIn": {
        "hour": _shown("An hour before", {"minutes_before": 60}),
        "never": _shown("Never", {"minutes_before": None}),
    },
    "WordingIn": {"words": _shown("Markdown, with placeholders", _WORDS)},
}
_ANSWERS: Shown = {
    "PreferencesOut": {"chosen": _shown("No reminders", _PREFERENCES)},
    "CalendarFeedOut": {
        "link": _shown(
            "A secret link",
            {"url": "https://events.example.com/feeds/8mJ2vQk3pXw5sLr9tYb4nZc7dHg6fKa1.ics"},
        )
    },
    "ReminderOut": {"day": _shown("A day before", _REMINDER)},
    "WordingOut": {"words": _shown("An organizer's own words", _WORDING)},
    "MailsOut": {
        "worded": _shown(
            "One kind in the organizer's words",
            {
                "reminder": _REMINDER,
                "wordings": [
                    _WORDING,
                    {
                        "kind": "registration-waitlisted",
                        "placeholders": _PLACEHOLDERS[:-1],
                        "subject": None,
                        "body": None,
                        "updated_at": None,
                    },
                    {
                        "kind": "event-reminder",
                        "placeholders": _PLACEHOLDERS,
                        "subject": None,
                        "body": None,
                        "updated_at": None,
                    },
                ],
            },
        )
    },
    "PreviewOut": {
        "mail": _shown(
            "The beginning of a mail",
            {
                "subject": "See you at PyCon India",
                "text": "Dear Ada Lovelace,\n\nbring a **laptop**.\n",
                "html": "<p>Dear Ada Lovelace,</p><p>bring a <strong>laptop</strong>.</p>",
            },
        )
    },
    "OutgoingOut": {"retrying": _shown("A mail that is tried again", _DELIVERY)},
    "OutboxPage": {
        "last-page": _shown(
            "The last page",
            {
                "items": [_DELIVERY],
                "next_cursor": None,
                "backlog": {"waiting": 0, "retrying": 1, "dead": 0, "undispatched": 0},
            },
        )
    },
    "AnonymizationPage": {
        "last-page": _shown(
            "The last page",
            {
                "items": [{"event_id": _EVENT_ID, "at": _MADE_AT, "registrations": 48}],
                "next_cursor": None,
            },
        )
    },
    "PersonalData": {"ada": _shown("What is known of Ada", _EXPORT)},
}
MAILS: Shown = {**_REQUESTS, **_ANSWERS}
"""By the name of the schema, then by that of the example."""
