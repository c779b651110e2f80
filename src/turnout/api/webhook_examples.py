"""What the API document shows of webhooks and of the feed of changes."""

from collections.abc import Mapping
from typing import Any

_EVENT_ID = "01a202ff-5858-7344-a5f9-a038e1760637"
_AT = "2030-11-22T16:53:38.684882+05:30"
_NEW: dict[str, Any] = {
    "url": "https://example.com/turnout",
    "description": "Badges are printed here",
    "topics": ["registration.confirmed", "registration.cancelled"],
}
_WEBHOOK: dict[str, Any] = {
    "id": "01a20301-7d2e-7a4b-8f10-5b9c2d7e6a31",
    "owner_id": "01a202fd-d1b1-73d8-a26a-90663cd2293e",
    "event_id": None,
    **_NEW,
    "topics": sorted(_NEW["topics"]),
    "is_active": True,
    "disabled_reason": None,
    "failing_since": None,
    "former_secret_until": None,
    "created_at": _AT,
    "updated_at": _AT,
}
_WITH_SECRET = {**_WEBHOOK, "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDvMQ5NYXzPZk="}
_DELIVERY: dict[str, Any] = {
    "id": "01a20302-11aa-7c52-b3d4-90e1f2a3b4c5",
    "message_id": "01a20302-10f7-7d06-9e8a-7b6c5d4e3f2a",
    "type": "registration.confirmed",
    "state": "pending",
    "tries": 1,
    "last_status": 500,
    "last_error": "Answered 500.",
    "created_at": _AT,
    "next_try_at": "2030-11-22T16:53:44.012345+05:30",
    "finished_at": None,
    "attempts": [
        {
            "number": 1,
            "at": "2030-11-22T16:53:38.901234+05:30",
            "milliseconds": 48,
            "status": 500,
            "error": "Answered 500.",
        }
    ],
}
_CHANGE: dict[str, Any] = {
    "id": "01a20302-10f7-7d06-9e8a-7b6c5d4e3f2a",
    "type": "registration.confirmed",
    "timestamp": _AT,
    "data": {
        "registration_id": "01a202ff-5948-758f-a146-73e7a86a48d0",
        "event_id": _EVENT_ID,
    },
    "cursor": "4711",
}


def _one(name: str, summary: str, value: object) -> dict[str, dict[str, Any]]:
    return {name: {"summary": summary, "value": value}}


def _page(item: object) -> dict[str, dict[str, Any]]:
    return _one("last-page", "The last page", {"items": [item], "next_cursor": None})


WEBHOOKS: Mapping[str, Mapping[str, dict[str, Any]]] = {
    "WebhookIn": _one("seats", "Who comes, at all of your events", _NEW),
    "WebhookPatch": {
        **_one("everything", "Everything that happens", {"topics": []}),
        **_one("off", "Nothing for a while", {"is_active": False}),
        **_one("on", "Called again", {"is_active": True}),
    },
    "WebhookOut": _one("webhook", "A webhook", _WEBHOOK),
    "NewWebhookOut": _one("new", "With its secret, shown once", _WITH_SECRET),
    "WebhookPage": _page(_WEBHOOK),
    "WebhookDeliveryOut": _one("retried", "To be tried again", _DELIVERY),
    "WebhookDeliveryPage": _page(_DELIVERY),
    "ChangesPage": _one("new", "Something new", {"items": [_CHANGE], "next_after": "4711"}),
}
