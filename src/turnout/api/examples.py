"""What the API document shows as sent and answered. Each request is one that works as it stands."""

from collections.abc import Mapping
from typing import Any

from turnout import tables
from turnout.api.account_examples import ACCOUNTS
from turnout.api.mail_examples import MAILS
from turnout.api.webhook_examples import WEBHOOKS

_EVENT_ID = "01a202ff-5858-7344-a5f9-a038e1760637"

_NEW_EVENT: dict[str, Any] = {
    "name": "PyCon India",
    "location": "Bengaluru International Centre",
    # Years away, so that people may still register when they try it.
    "start_time": "2030-12-07T10:00:00+05:30",
    "end_time": "2030-12-07T18:00:00+05:30",
    "max_capacity": 50,
}
_CONFERENCE: dict[str, Any] = {
    "name": "Clocks and Calendars",
    "location": "Kongresshalle, Berlin",
    "start_time": "2030-06-14T09:00:00",
    "end_time": "2030-06-15T17:30:00",
    "max_capacity": 300,
    "timezone": "Europe/Berlin",
    "description": "Two days about **time**.",
    "place": {"city": "Berlin", "country": "Germany", "latitude": 52.52, "longitude": 13.405},
    "online_url": "https://example.com/clocks",
    "tags": ["time", "calendars"],
    "slots": [
        {
            "title": "Why an hour is missing in March",
            "start_time": "2030-06-14T10:00:00",
            "end_time": "2030-06-14T10:45:00",
            "room": "Great hall",
            "speaker": "Ada Lovelace",
        }
    ],
    "waitlist_enabled": True,
    "registration_closes_at": "2030-06-13T18:00:00",
}
_EVENT: dict[str, Any] = {
    "id": _EVENT_ID,
    "slug": "pycon-india-a038e1760637",
    "name": "PyCon India",
    "description": "",
    "location": "Bengaluru International Centre",
    "timezone": "Asia/Kolkata",
    "start_time": "2030-12-07T10:00:00+05:30",
    "end_time": "2030-12-07T18:00:00+05:30",
    "max_capacity": 50,
    "seats_taken": 0,
    "seats_left": 50,
    "waitlist_enabled": False,
    "status": "published",
    "visibility": "public",
    "place": None,
    "online_url": None,
    "tags": [],
    "organizer": {"id": "01a202fd-d1b1-73d8-a26a-90663cd2293e", "name": "Turnout"},
    "slots": [],
    "registration_opens_at": None,
    "registration_closes_at": None,
    "cover": None,
    "cancel_reason": None,
    "series_id": None,
    "suggested_timezone": None,
    "created_at": "2030-11-22T16:53:38.456272+05:30",
    "updated_at": "2030-11-22T16:53:38.456272+05:30",
    "display_timezone": "Asia/Kolkata",
    "distance_km": None,
}
_MOVED: dict[str, Any] = {
    **_EVENT,
    "start_time": "2030-12-08T10:00:00+05:30",
    "end_time": "2030-12-08T18:00:00+05:30",
    "seats_taken": 12,
    "seats_left": 38,
}
_CHANGE: dict[str, Any] = {
    "dry_run": True,
    "event": _MOVED,
    "moves": [
        {
            "field": name,
            "slot_id": None,
            "old": f"2030-12-07T{clock}:00:00+05:30",
            "new": f"2030-12-08T{clock}:00:00+05:30",
        }
        for name, clock in (("start_time", "10"), ("end_time", "18"))
    ],
    "affected": {"confirmed": 12, "waitlisted": 0, "promoted": 0},
    "messages": [{"topic": "event.changed", "recipients": 12}],
    "warnings": [],
}
_NEW_SLOT: dict[str, Any] = {
    "title": "Why an hour is missing in March",
    "start_time": "2030-12-07T11:00:00",
    "end_time": "2030-12-07T11:45:00",
    "room": "Great hall",
    "speaker": "Ada Lovelace",
}
_SLOT: dict[str, Any] = {
    **_NEW_SLOT,
    "id": "01a202ff-58f1-7c0d-9b7e-61d2c5a4f3b8",
    "start_time": "2030-12-07T11:00:00+05:30",
    "end_time": "2030-12-07T11:45:00+05:30",
    "description": None,
}
_ROOM_CLASH: dict[str, Any] = {
    "code": "room-clash",
    "field": "room",
    "message": (
        '"Why an hour is missing in March" '
        "(2030-12-07T11:00:00+05:30 to 2030-12-07T11:45:00+05:30) and "
        '"Leap seconds" (2030-12-07T11:30:00+05:30 to 2030-12-07T12:15:00+05:30) '
        "are in one room, Great hall."
    ),
}
_COVER: dict[str, Any] = {
    "url": f"/events/{_EVENT_ID}/cover?v=75b9eb4b189d0aa16a543b2c844d30fa",
    "media_type": "image/webp",
    "width": 1600,
    "height": 700,
}
_PLACE: dict[str, Any] = {
    "name": "Bengaluru",
    "address": "Bengaluru, India",
    "city": "Bengaluru",
    "country": "India",
    "country_code": "IN",
    "latitude": 12.972,
    "longitude": 77.594,
    "timezone": "Asia/Kolkata",
    "source": "gazetteer",
}
_PERSON: dict[str, Any] = {"name": "Ada Lovelace", "email": "ada@example.com"}
_REGISTRATION: dict[str, Any] = {
    "id": "01a202ff-5948-758f-a146-73e7a86a48d0",
    "event_id": _EVENT_ID,
    **_PERSON,
    "status": "confirmed",
    "waitlist_position": None,
    "ticket_code": "JR5RX1SJYEBZ541K",
    "checked_in_at": None,
    "created_at": "2030-11-22T16:53:38.684882+05:30",
    "updated_at": "2030-11-22T16:53:38.684882+05:30",
    "answers": {},
}
_AT_THE_DOOR: dict[str, Any] = {
    name: value
    for name, value in _REGISTRATION.items()
    if name not in {"email", "ticket_code", "answers"}
}


def _shown(summary: str, value: object) -> dict[str, Any]:
    return {"summary": summary, "value": value}


_SERIES_ID = "01a20300-0c4e-7b1d-9a55-6d1f0e2b7c93"
_DATES: list[dict[str, Any]] = [
    {
        "id": _EVENT_ID,
        "start_time": "2030-12-07T10:00:00+05:30",
        "end_time": "2030-12-07T18:00:00+05:30",
    },
    {
        "id": "01a20300-0c4f-7e02-8b61-1c9a54d3f0aa",
        "start_time": "2030-12-14T10:00:00+05:30",
        "end_time": "2030-12-14T18:00:00+05:30",
    },
]
_SERIES: dict[str, Any] = {
    "dry_run": False,
    "series_id": _SERIES_ID,
    "rule": "FREQ=WEEKLY;COUNT=2",
    "timezone": "Asia/Kolkata",
    "events": _DATES,
    "warnings": [],
}
_FOLLOWING: dict[str, Any] = {
    "dry_run": False,
    "series_id": _SERIES_ID,
    "events": [
        {
            **date,
            "name": "PyCon India, once more",
            "status": "published",
            "display_timezone": "Asia/Kolkata",
            "max_capacity": 50,
            "seats_taken": 12,
            "moves": [],
            "affected": {"confirmed": 12, "waitlisted": 0, "promoted": 0},
            "warnings": [],
        }
        for date in _DATES
    ],
    "messages": [{"topic": "event.changed", "recipients": 24}],
}


EXAMPLES: Mapping[str, Mapping[str, dict[str, Any]]] = {
    **ACCOUNTS,
    **MAILS,
    **WEBHOOKS,
    "Alive": {"alive": {"summary": "The process answers", "value": {"status": "ok"}}},
    "Ready": {
        "ready": {
            "summary": "As the machine itself is told",
            "value": {
                "status": "ok",
                "database": "SQLite 3.53.4",
                "schema": tables.REVISION,
                "tzdata": "2026f",
            },
        }
    },
    "EventIn": {
        "five-fields": _shown("Five fields are enough", _NEW_EVENT),
        "conference": _shown("With an agenda, by the clock of Berlin", _CONFERENCE),
    },
    "EventPatch": {
        "later": _shown("A day later, with its agenda", {"start_time": "2030-12-08T10:00:00"}),
        "seats": _shown(
            "More seats, and a waitlist", {"max_capacity": 80, "waitlist_enabled": True}
        ),
    },
    "CancelIn": {"reason": _shown("Everyone reads why", {"reason": "The hall has no power."})},
    "TimezoneIn": {
        "wall-clock": _shown(
            "10:00 stays 10:00, in Kathmandu", {"timezone": "Asia/Kathmandu", "keep": "wall_clock"}
        )
    },
    "DuplicateIn": {"next-year": _shown("A year on", {"start_time": "2031-12-06T10:00:00"})},
    "ChangeOut": {"rehearsal": _shown("What it would do", _CHANGE)},
    "SeriesIn": {
        "weekly": _shown("Every week, four times", {"rule": "FREQ=WEEKLY;COUNT=4"}),
        "rehearsal": _shown(
            "Which days that would be", {"rule": "FREQ=DAILY;INTERVAL=2;COUNT=5", "dry_run": True}
        ),
    },
    "SeriesOut": {"series": _shown("A new series", _SERIES)},
    "SeriesPage": {
        "last-page": _shown(
            "The last page",
            {
                "series_id": _SERIES_ID,
                "rule": "FREQ=WEEKLY;COUNT=2",
                "timezone": "Asia/Kolkata",
                "items": [{**_EVENT, "series_id": _SERIES_ID}],
                "next_cursor": None,
            },
        )
    },
    "FollowingOut": {"following": _shown("What it did to each", _FOLLOWING)},
    "SlotIn": {"talk": _shown("A talk, by the clock of its event", _NEW_SLOT)},
    "SlotPatch": {
        "later": _shown("Later, and as long", {"start_time": "2030-12-07T14:00:00"}),
        "elsewhere": _shown("In another room", {"room": "Small hall"}),
    },
    "SlotOut": {"talk": _shown("A talk", _SLOT)},
    "ScheduledOut": {
        "alone": _shown("Nothing is in its way", {**_SLOT, "warnings": []}),
        "clash": _shown("Another is in the same room", {**_SLOT, "warnings": [_ROOM_CLASH]}),
    },
    "CoverOut": {"cover": _shown("A picture", _COVER)},
    "PlacePage": {"found": _shown("A city", {"items": [_PLACE], "next_cursor": None})},
    "RegisterIn": {"guest": _shown("One person", _PERSON)},
    "EventOut": {"event": _shown("An event", _EVENT)},
    "EventPage": {"last-page": _shown("The last page", {"items": [_EVENT], "next_cursor": None})},
    "NewRegistrationOut": {
        "confirmed": _shown(
            "A guest's seat",
            {**_REGISTRATION, "manage_token": "x5IhOfAR1mlUVp_lFgHJFq3d-4Yw9C9p"},
        )
    },
    "RegistrationChangeIn": {"name": _shown("Another name", {"name": "Ada King"})},
    "RegistrationOut": {"confirmed": _shown("A seat", _REGISTRATION)},
    "DoorRegistrationOut": {"door": _shown("As the people at the door see it", _AT_THE_DOOR)},
    "RegistrationPage": {
        "last-page": _shown("The last page", {"items": [_REGISTRATION], "next_cursor": None})
    },
    "AttendeePage": {
        "last-page": _shown("The last page", {"items": [_REGISTRATION], "next_cursor": None})
    },
}
"""By the name of the schema, then by that of the example: what `examples` of a media type holds."""
IN_PATHS: Mapping[str, str] = {"code": "event-full", "kind": "registration-confirmed"}
"""What can be put for a parameter of a path, by its name, where it is the same on every server."""
