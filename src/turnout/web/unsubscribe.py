"""The page behind "no more mails like this", which mail programs also press by themselves."""

from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import ANONYMOUS
from turnout.edge import forms, sign_in
from turnout.edge.caller import count, runtime_of
from turnout.errors import NotFound
from turnout.notifications import choices, unsubscribe
from turnout.notifications.kinds import CHOICES, MailKind
from turnout.web import page, render

router = page.router()

AGAIN = b"again=yes"
"""The form of the way back; everything else that is sent asks for no more mails."""


@router.get("/unsubscribe/{token}")
async def show_unsubscribe(request: Request) -> Response:
    """What it is about, and a button: programs that look at mails follow links, no more."""
    await count(request, ANONYMOUS, None)
    token: str = request.path_params["token"]
    person, kind = _read(request, token)
    async with runtime_of(request).database.read() as db:
        chosen = await choices.of(db, person)
    return _page(token, person, kind, is_wanted=chosen.wanted[kind], is_done=False)


@router.post("/unsubscribe/{token}")
async def change(request: Request) -> Response:
    """Choose for the reader of the address, whom the token shows to have had the mail.

    Mail programs send `List-Unsubscribe=One-Click` (RFC 8058), as one kind of form or another, with
    no cookie, and from any origin: the token is all it takes, and so no page is asked for.
    """
    await count(request, ANONYMOUS, None)
    token: str = request.path_params["token"]
    person, kind = _read(request, token)
    is_wanted = await forms.raw(request) == AGAIN
    cause, now = sign_in.cause_of(request), clock.now()
    async with runtime_of(request).database.write() as db:
        await choices.choose_by_link(db, person, kind, is_wanted=is_wanted, cause=cause, now=now)
    return _page(token, person, kind, is_wanted=is_wanted, is_done=True)


def _read(request: Request, token: str) -> tuple[str, MailKind]:
    """The address and the kind. Raises NotFound for what is no token of ours."""
    found = unsubscribe.read(runtime_of(request).seals, token)
    if found is None:
        raise NotFound
    return found


def _page(token: str, person: str, kind: MailKind, *, is_wanted: bool, is_done: bool) -> Response:
    answer = render.page(
        "unsubscribe.html",
        token=token,
        email=person,
        choice=CHOICES[kind],
        is_wanted=is_wanted,
        is_done=is_done,
    )
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
