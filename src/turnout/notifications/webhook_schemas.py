"""What requests say of webhooks, and what answers show of them. Knows no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from turnout import addresses
from turnout.fields import Input, Line, Patch, YesOrNo
from turnout.notifications import signing
from turnout.notifications.models import Webhook
from turnout.outbox.topics import Topic

TOPICS = tuple(
    topic for topic in Topic if topic.partition(".")[0] in {"event", "registration", "team"}
)
"""What webhooks can hear of: what happens to events."""


def _check_topic(text: str) -> str:
    if text not in TOPICS:
        raise PydanticCustomError("unknown-topic", "There is no such message about events.")
    return text


def _check_secret(text: str) -> str:
    if signing.read(text) is None:
        message = "Must be whsec_ and the base64 of 24 to 64 random bytes."
        raise PydanticCustomError("invalid-secret", message)
    return text


# Looked at when the caller is known: what may be called is for the operator to say as well.
UrlText = Annotated[
    str,
    Field(
        strict=True,
        json_schema_extra={"format": "uri", "maxLength": addresses.LONGEST_URL},
        examples=["https://example.com/turnout"],
    ),
]
TopicText = Annotated[
    str, Field(strict=True, json_schema_extra={"enum": list(TOPICS)}), AfterValidator(_check_topic)
]
Topics = Annotated[
    list[TopicText],
    Field(max_length=len(TOPICS), description="What it hears of; an empty list: everything."),
]


class WebhookIn(Input):
    """A new webhook."""

    url: UrlText
    description: Annotated[str, Line(200, 0)] = ""
    topics: Topics = Field(default_factory=list)
    event_id: UUID | None = Field(
        None, description="The one event that it hears of; null is all events of yours."
    )
    secret: Annotated[str, Field(strict=True), AfterValidator(_check_secret)] | None = Field(
        None, description="A secret that you have already; null lets the server make one."
    )


class WebhookPatch(Patch):
    """A change of a webhook: what is left out stays as it is."""

    never_null = ("url", "description", "topics", "is_active")

    url: UrlText | None = None
    description: Annotated[str, Line(200, 0)] | None = None
    topics: Topics | None = None
    is_active: YesOrNo | None = None


@dataclass(frozen=True, slots=True)
class WebhookOut:
    """A webhook, as its owner and administrators see it; its secret is shown once and no more."""

    id: UUID
    owner_id: UUID
    event_id: UUID | None
    url: str
    description: str
    topics: list[str]
    is_active: bool
    disabled_reason: Annotated[str | None, Field(description="Why it was switched off by itself.")]
    failing_since: Annotated[
        datetime | None, Field(description="Since when no call was taken; null while all are.")
    ]
    former_secret_until: Annotated[
        datetime | None, Field(description="Until then calls are signed by the former secret too.")
    ]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewWebhookOut(WebhookOut):
    """A webhook with its new secret, which nobody can ask for again."""

    secret: str


@dataclass(frozen=True, slots=True)
class WebhookPage:
    """A page of webhooks, the newest first."""

    items: list[WebhookOut]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class WebhookAttemptOut:
    """One call."""

    number: int
    at: datetime
    milliseconds: int
    status: Annotated[int | None, Field(description="Of the answer; null where there was none.")]
    error: str | None


@dataclass(frozen=True, slots=True)
class WebhookDeliveryOut:
    """A message on its way to a webhook, or at its end."""

    id: UUID
    message_id: Annotated[UUID, Field(description="The header webhook-id of every call.")]
    type: str
    state: Annotated[str, Field(examples=["pending", "sent", "dead", "moot"])]
    tries: Annotated[int, Field(description="Since it was made, or asked for anew.")]
    last_status: int | None
    last_error: str | None
    created_at: datetime
    next_try_at: datetime | None
    finished_at: datetime | None
    attempts: list[WebhookAttemptOut]


@dataclass(frozen=True, slots=True)
class WebhookDeliveryPage:
    """A page of deliveries, the newest first."""

    items: list[WebhookDeliveryOut]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ChangeItem:
    """Something that happened; as webhooks are told it, and its place in the feed."""

    id: UUID
    type: Annotated[str, Field(examples=["registration.confirmed"])]
    timestamp: datetime
    data: Mapping[str, Any]
    cursor: Annotated[str, Field(description="What to send as `after` to go on behind it.")]


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """The next messages in the order in which they became known."""

    items: list[ChangeItem]
    next_after: Annotated[str, Field(description="What to send as `after` next.")]


def webhook_out(row: Webhook, zone: tzinfo) -> WebhookOut:
    """A webhook with its times in that zone."""
    return WebhookOut(
        row.id,
        row.owner_id,
        row.event_id,
        row.url,
        row.description,
        row.topics,
        row.is_active,
        row.disabled_reason,
        _shown(row.failing_since, zone),
        _shown(row.former_until, zone),
        row.created_at.astimezone(zone),
        row.updated_at.astimezone(zone),
    )


def new_webhook_out(row: Webhook, secret: bytes, zone: tzinfo) -> NewWebhookOut:
    """A webhook with the secret that it has from now on."""
    seen = webhook_out(row, zone)
    values = {name: getattr(seen, name) for name in WebhookOut.__dataclass_fields__}
    return NewWebhookOut(**values, secret=signing.shown(secret))


def _shown(at: datetime | None, zone: tzinfo) -> datetime | None:
    return None if at is None else at.astimezone(zone)
