"""The calls about the cover picture of an event."""

from dataclasses import asdict
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Scope
from turnout.api import describe, direct, pages, queries, responses
from turnout.api.events import EventId, cause_of
from turnout.api.queries import Query
from turnout.discovery.schemas import CoverOut, cover_out
from turnout.edge import forms
from turnout.edge.caller import actor_of, runtime_of
from turnout.edge.refusals import UnsupportedMediaType
from turnout.errors import NotAllowed, NotFound, NotSignedIn
from turnout.events import covers, pictures, policy
from turnout.events.errors import InvalidPicture, PicturesBusy

router = direct.router("Events")

PATH = "/events/{event_id}/cover"
# Within one browser alone: who may see the event may change, and no shared cache hears of it.
KEPT_FOR_A_YEAR = "private, max-age=31536000, immutable"
_WRONG_TYPE = "Send a JPEG, PNG or WebP picture as the body, as it is."


class CoverQuery(Query):
    """Which picture is meant."""

    v: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="The hash in the cover's `url`: that picture may be kept for a year."
    )


@router.put(
    PATH,
    summary="Set the cover picture",
    response_model=CoverOut,
    **describe.upload(
        NotSignedIn, NotAllowed, NotFound, InvalidPicture, PicturesBusy, kinds=pictures.TAKEN
    ),
)
async def set_cover(event_id: EventId, request: Request) -> Response:
    """The body is the picture: JPEG, PNG or WebP, at most 5 MiB, 8,000 pixels a side.

    It is written anew as WebP, at most 2,000 pixels wide and high, without any metadata; of an
    animation the first frame is taken. What counts is what the bytes are, not what the header says.
    """
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_WRITE)
    policy.require_known(actor)
    wanted, cause = pages.id_of(event_id), cause_of(request, actor)
    async with runtime.database.read() as db:
        event = await covers.editable(db, actor, wanted)
    with runtime.darkroom.place():
        content = await forms.raw(request)
        if not pictures.is_taken(content):
            raise UnsupportedMediaType(_WRONG_TYPE)
        responses.require_match(request, event.version)
        picture = await runtime.darkroom.develop(content)
    async with runtime.database.write() as db:
        event = await covers.editable(db, actor, wanted, locked=True)
        responses.require_match(request, event.version)
        event = await covers.put(db, event, picture, cause, clock.now())
    cover = event.cover and asdict(event.cover)
    return responses.changed(cover_out(event.id, cover), event.version)


@router.get(
    PATH,
    summary="Get the cover picture",
    **describe.picture(NotFound, kind=pictures.MEDIA_TYPE, query=CoverQuery),
)
async def read_cover(event_id: EventId, request: Request) -> Response:
    """The picture, for whoever may see the event."""
    runtime, actor = runtime_of(request), await actor_of(request, Scope.EVENTS_READ)
    wanted = pages.id_of(event_id)
    async with runtime.database.read() as db:
        cover, content = await covers.visible(db, actor, wanted)
    query = queries.read(request, CoverQuery)
    is_asked_for = query.v == cover.hash
    headers = {
        "ETag": f'"{cover.hash}"',
        "Cache-Control": KEPT_FOR_A_YEAR if is_asked_for else responses.REVALIDATE,
        "Content-Disposition": "inline",
    }
    return Response(content, headers=headers, media_type=cover.media_type)


@router.delete(
    PATH,
    summary="Take the cover picture away",
    **describe.done(NotSignedIn, NotAllowed, NotFound, matched=True),
)
async def remove_cover(event_id: EventId, request: Request) -> Response:
    """The event is shown without a picture from then on."""
    actor = await actor_of(request, Scope.EVENTS_WRITE)
    policy.require_known(actor)
    wanted, cause = pages.id_of(event_id), cause_of(request, actor)
    async with runtime_of(request).database.write() as db:
        event = await covers.editable(db, actor, wanted, locked=True)
        responses.require_match(request, event.version)
        await covers.remove(db, event, cause, clock.now())
    return Response(status_code=204)
