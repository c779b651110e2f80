"""The page of an event, for whoever may see it."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from turnout import clock
from turnout.accounts.actor import Actor
from turnout.discovery import by_slug
from turnout.edge.caller import cookie_name, runtime_of, visitor_of
from turnout.events import times
from turnout.events.errors import InvalidTimezone
from turnout.web import event_data, event_view, page, people, render
from turnout.web.links import event_path

router = page.router()

ZONE_COOKIE = "turnout_zone"
ZONE_SECONDS = 365 * 86_400


@router.get("/e/{slug}")
async def show_event(request: Request) -> Response:
    """What, when, where, by whom; times by the event's clocks and by those of whoever looks.

    `?tz=` switches these and is remembered in a cookie; empty, it forgets.
    """
    actor, runtime = await visitor_of(request), runtime_of(request)
    slug: str = request.path_params["slug"]
    async with runtime.database.read() as db:
        view = await by_slug.event_by_slug(db, actor, slug)
    asked = request.query_params.get("tz")
    zone = times.canonical_zone(asked, field="tz") if asked else _remembered(request, asked, actor)
    shown = await asyncio.to_thread(event_view.shown, view, zone, clock.now())
    base_url, path = runtime.settings.base_url, event_path(slug)
    answer = render.page(
        "event.html",
        event=shown,
        zone=zone,
        zones=times.all_zones(),
        path=path,
        base_url=base_url,
        data=event_data.json_ld(view, base_url, path) if shown.is_listed else None,
    )
    if not shown.is_listed:
        answer.headers["X-Robots-Tag"] = "noindex"
    if asked is not None:
        name = cookie_name(request.scope, ZONE_COOKIE)
        people.set_cookie(request, answer, name, zone or "", ZONE_SECONDS if zone else 0)
    return answer


def _remembered(request: Request, asked: str | None, actor: Actor) -> str | None:
    """The zone that was chosen before, else that of the account; None for the event's own.

    Whoever has just asked for no zone in particular gets the event's own.
    """
    if asked is not None:
        return None
    kept = request.cookies.get(cookie_name(request.scope, ZONE_COOKIE))
    try:
        return times.canonical_zone(kept) if kept else actor.timezone
    except InvalidTimezone:
        return actor.timezone
