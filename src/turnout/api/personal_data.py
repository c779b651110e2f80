"""The call by which a person takes along everything that is known of them."""

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from turnout import clock
from turnout.accounts.actor import Actor
from turnout.accounts.policy import require_account
from turnout.api import describe, direct, responses
from turnout.api.events import cause_of
from turnout.edge.caller import actor_of, runtime_of
from turnout.errors import NotSignedIn
from turnout.notifications import exporting
from turnout.notifications.exporting import SECTIONS, Person, PersonalData
from turnout.runtime import Runtime

router = direct.router("Accounts")


class _Streamed(StreamingResponse):
    """Does not look at what else the client sends, which may be refused when it is read."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; to a client that has gone the server sends nothing."""
        del scope, receive
        await self.stream_response(send)


@router.get(
    "/users/me/export",
    summary="Take your data along",
    response_model=PersonalData,
    **describe.streamed(NotSignedIn),
)
async def export_data(request: Request) -> Response:
    """Everything that is known of you, as one document; that you asked is in the audit.

    Of passwords, tokens and secrets it says only that they exist.
    """
    runtime, actor = runtime_of(request), await actor_of(request, None)
    require_account(actor)
    person = await _begin(runtime, request, actor)
    return _Streamed(
        _document(runtime, person),
        headers={"Content-Disposition": 'attachment; filename="turnout-export.json"'},
        media_type=responses.MEDIA_TYPE,
    )


async def _begin(runtime: Runtime, request: Request, actor: Actor) -> Person:
    async with runtime.database.write() as db:
        return await exporting.begin(db, actor, cause_of(request, actor), clock.now())


async def _document(runtime: Runtime, person: Person) -> AsyncIterator[bytes]:
    """The document piece by piece, as some people have done very many things."""
    head = {
        "exported_at": clock.now(),
        "profile": person.profile,
        "identities": person.identities,
        "preferences": person.preferences,
    }
    yield responses.body_of(head).removesuffix(b"}")
    for section in SECTIONS:
        yield b',"%s":[' % section.name.encode()
        after, comma = None, b""
        while True:
            async with runtime.database.read() as db:
                found, after = await exporting.rows(db, section, person, after)
            for row in found:
                yield comma + responses.body_of(row)
                comma = b","
            if after is None:
                break
        yield b"]"
    yield b"}"
