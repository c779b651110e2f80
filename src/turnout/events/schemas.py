"""What a request may say of an event, and how its times are understood. Knows no database."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from turnout.events import times
from turnout.events.drafts import MOST_SLOTS, EventDraft, PlaceDraft, SlotDraft
from turnout.events.models import Status, Visibility
from turnout.events.times import TIME_PATTERN, Moment
from turnout.fields import Input, Line, Number, Paragraphs, WholeNumber, YesOrNo, ZoneText
from turnout.places import gazetteer

MOST_SEATS = 1_000_000
MOST_TAGS = 20
_WEB_ADDRESS = re.compile(r"^https?://[^\s\x00-\x1f\x7f]+$")


def _has_the_form_of_a_time(text: str) -> str:
    if times.has_form(text):
        return text
    raise PydanticCustomError("invalid-time", times.FORM_SENTENCE)


def _is_web_address(text: str) -> str:
    if _WEB_ADDRESS.fullmatch(text):
        return text
    raise PydanticCustomError("invalid-address", "Must begin with https:// or http://, no spaces.")


TimeText = Annotated[
    str,
    Field(
        strict=True,
        max_length=40,
        examples=["2026-12-05T10:00:00+05:30"],
        json_schema_extra={"pattern": TIME_PATTERN},
    ),
    AfterValidator(_has_the_form_of_a_time),
]
"""A time as people send it: with an offset an instant, without one a wall clock of the zone."""

WebAddress = Annotated[
    str,
    Field(strict=True, max_length=2000, json_schema_extra={"pattern": _WEB_ADDRESS.pattern}),
    AfterValidator(_is_web_address),
]


class PlaceIn(Input):
    """Where an event is. Coordinates are WGS 84 degrees, both or none."""

    name: Annotated[str, Line(200)] | None = None
    address: Annotated[str, Line(300)] | None = None
    city: Annotated[str, Line(120)] | None = None
    country: Annotated[str, Line(120)] | None = None
    latitude: Annotated[Number, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[Number, Field(ge=-180, le=180)] | None = None

    @model_validator(mode="after")
    def _whole_position(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            sentence = "Send latitude and longitude, or neither."
            raise PydanticCustomError("incomplete-position", sentence)
        return self

    def draft(self) -> PlaceDraft:
        """The place, not yet written, with the code of the country where it has one."""
        code = None if self.country is None else gazetteer.load().country_code(self.country)
        return PlaceDraft(**self.model_dump(), country_code=code)


class SlotIn(Input):
    """A part of an event's agenda; its times lie inside the event."""

    title: Annotated[str, Line(200)]
    start_time: TimeText
    end_time: TimeText
    room: Annotated[str, Line(120)] | None = None
    speaker: Annotated[str, Line(200)] | None = None
    description: Annotated[str, Paragraphs(5_000, 0)] | None = None

    def draft(self, n: int, zone: str) -> SlotDraft:
        """The slot, its times understood in the event's `zone`. Raises as `times.read_time`."""
        return SlotDraft(
            self.title,
            times.read_time(self.start_time, zone, field=f"slots.{n}.start_time"),
            times.read_time(self.end_time, zone, field=f"slots.{n}.end_time"),
            self.room,
            self.speaker,
            self.description or None,
        )


class EventIn(Input):
    """A new event; the first five fields are enough."""

    name: Annotated[str, Line(200), Field(examples=["PyCon India"])]
    location: Annotated[str, Line(300), Field(examples=["Bengaluru International Centre"])]
    start_time: TimeText
    end_time: Annotated[TimeText, Field(examples=["2026-12-05T18:00:00+05:30"])]
    max_capacity: (
        Annotated[WholeNumber, Field(ge=1, le=MOST_SEATS, examples=[50], description="Seats.")]
        | None
    ) = Field(description="Seats, or null for no limit.")
    timezone: ZoneText | None = Field(
        None, description="IANA zone of the event; without it the caller's, else the server's."
    )
    description: Annotated[str, Paragraphs(20_000, 0)] = Field("", description="Markdown.")
    place: PlaceIn | None = None
    online_url: WebAddress | None = None
    tags: Annotated[list[Annotated[str, Line(50)]], Field(max_length=MOST_TAGS)] = Field(
        default_factory=list
    )
    slots: Annotated[list[SlotIn], Field(max_length=MOST_SLOTS)] = Field(default_factory=list)
    waitlist_enabled: YesOrNo = False
    registration_opens_at: TimeText | None = None
    registration_closes_at: TimeText | None = None
    visibility: Visibility = Visibility.PUBLIC
    draft: YesOrNo = Field(default=False, description="Keep the event to its organizers for now.")

    def zone(self, fallback: str) -> str:
        """The canonical zone of the event. Raises InvalidTimezone."""
        return fallback if self.timezone is None else times.canonical_zone(self.timezone)

    def event_draft(self, zone: str) -> EventDraft:
        """The event, its times understood in `zone`. Raises as `times.read_time`."""
        return EventDraft(
            name=self.name,
            location=self.location,
            timezone=zone,
            start=times.read_time(self.start_time, zone, field="start_time"),
            end=times.read_time(self.end_time, zone, field="end_time"),
            description=self.description,
            place=self.place.draft() if self.place else PlaceDraft(),
            online_url=self.online_url,
            tags=tuple(dict.fromkeys(self.tags)),
            status=Status.DRAFT if self.draft else Status.PUBLISHED,
            visibility=self.visibility,
            slots=tuple(slot.draft(n, zone) for n, slot in enumerate(self.slots)),
        )

    def window(self, zone: str) -> tuple[Moment | None, Moment | None]:
        """When registration opens and closes, where it says so. Raises as `times.read_time`."""
        opens, closes = self.registration_opens_at, self.registration_closes_at
        return (
            times.read_time(opens, zone, field="registration_opens_at") if opens else None,
            times.read_time(closes, zone, field="registration_closes_at") if closes else None,
        )
