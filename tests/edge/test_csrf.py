"""Another site's page changes nothing in a visitor's name; programs are not asked where they are.

Every call that changes something is asked, found in the routes themselves.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from tests.db import rows
from tests.factories import ADA, an_event, in_days, make_event, register
from tests.registrations.scene import NOBODYS_ID
from tests.support import cast
from tests.support.app import BASE_URL, RunningApp
from tests.support.cast import PASSWORD, Person

from turnout.api import router
from turnout.edge.caller import COOKIE
from turnout.edge.csrf import SAFE_METHODS
from turnout.web import router as pages

ALL_ROUTES = [*router.ROUTES, *pages.ROUTES]
CALLS = sorted(
    (method, str(getattr(route, "path", "")))
    for route in ALL_ROUTES
    for method in (getattr(route, "methods", None) or ())
    # That one is pressed by mail programs of any origin; a token in its address opens it.
    if method not in SAFE_METHODS and getattr(route, "path", "") != "/unsubscribe/{token}"
)
FROM_ELSEWHERE = {
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
    "same-site": {"Sec-Fetch-Site": "same-site"},
    "a value of the future": {"Sec-Fetch-Site": "galactic"},
    "cross-site, our Origin": {"Sec-Fetch-Site": "cross-site", "Origin": BASE_URL},
    "Origin null": {"Origin": "null"},
    "foreign Origin": {"Origin": "https://evil.example"},
    "Origin with another port": {"Origin": f"{BASE_URL}:8443"},
    "Origin of a longer name": {"Origin": f"{BASE_URL}.evil.example"},
    "Origin with our name as the user": {"Origin": "http://testserver@evil.example"},
    "Origin that is no address": {"Origin": "http://[evil"},
    "empty Origin": {"Origin": ""},
    "Origin that is all scheme": {"Origin": "http://"},
}
FROM_HERE = {
    "same-origin": {"Sec-Fetch-Site": "same-origin"},
    "typed in": {"Sec-Fetch-Site": "none"},
    "our Origin": {"Origin": BASE_URL},
    "our Origin in capitals": {"Origin": BASE_URL.upper()},
    "our name by https": {"Origin": BASE_URL.replace("http:", "https:")},
    "no browser": {},
}


@dataclass(frozen=True)
class Scene:
    """What there is to change, by the names that paths have for it, and who may change it all."""

    ids: dict[str, str]
    root: Person


SLOT = {"title": "Talk", "start_time": in_days(10), "end_time": in_days(10, hour=12)}


@pytest.fixture
async def scene(closed_app: RunningApp) -> Scene:
    olive, ada, root = [await each(closed_app) for each in (cast.olive, cast.ada, cast.root)]
    async with olive.api(closed_app) as api:
        event = await make_event(api, slots=[SLOT])
        seat = (await register(api, event["id"])).json()
        mine = (await api.get("/users/me/sign-ins")).json()["items"][0]
        wish = {"name": "a program", "scopes": ["events:read"]}
        token = (await api.post("/users/me/tokens", json=wish)).json()
    return Scene(
        {
            "event_id": event["id"],
            "slot_id": event["slots"][0]["id"],
            "registration_id": seat["id"],
            "user_id": str(ada.id),
            "sign_in_id": mine["id"],
            "token_id": token["id"],
            # Whoever comes from elsewhere is not told whether there is one.
            "delivery_id": NOBODYS_ID,
            "webhook_id": NOBODYS_ID,
            "kind": "event-reminder",
        },
        root,
    )


@pytest.fixture
async def bare(closed_app: RunningApp) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that sends nothing by itself."""
    async with closed_app.client() as client:
        yield client


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    """The status of a refusal and its code, of a problem or of a page."""
    named = re.search("/problems/([a-z-]+)", answer.text)
    return answer.status_code, named[1] if named else ""


async def all_calls(
    client: httpx2.AsyncClient, ids: dict[str, str], headers: dict[str, str]
) -> dict[tuple[str, str], tuple[int, str]]:
    """What each call that changes something answers."""
    return {
        (method, path): code_of(await client.request(method, _filled(path, ids), headers=headers))
        for method, path in CALLS
    }


def _filled(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: ids[found[1]], path)


async def test_change_that_another_site_asks_for_is_refused(
    closed_app: RunningApp, scene: Scene, bare: httpx2.AsyncClient
) -> None:
    cookie = {"Cookie": f"{COOKIE}={scene.root.cookie}"}
    before = await rows.dump(closed_app.runtime.database)

    answers = {
        (name, who): await all_calls(bare, scene.ids, {**headers, **credential})
        for name, headers in FROM_ELSEWHERE.items()
        for who, credential in (("by cookie", cookie), ("by nobody", {}))
    }

    refused = dict.fromkeys(CALLS, (403, "csrf-failed"))
    assert {case: found for case, found in answers.items() if found != refused} == {}
    assert await rows.dump(closed_app.runtime.database) == before


async def test_no_call_takes_our_own_page_for_another_site(
    closed_app: RunningApp, scene: Scene, bare: httpx2.AsyncClient
) -> None:
    """The control: what the other site asked for is there to be done."""
    before = await rows.counts(closed_app.runtime.database)

    answers = await all_calls(bare, scene.ids, scene.root.page)

    assert [call for call, answer in answers.items() if answer == (403, "csrf-failed")] == []
    assert await rows.counts(closed_app.runtime.database) != before


async def test_open_mode_gives_another_site_nothing(
    app: RunningApp, api: httpx2.AsyncClient
) -> None:
    event = await make_event(api)
    before = await rows.dump(app.runtime.database)

    answers = {
        (name, path): code_of(await api.post(path, json=body, headers=headers))
        for name, headers in FROM_ELSEWHERE.items()
        for path, body in (("/events", an_event()), (f"/events/{event['id']}/register", ADA))
    }

    assert answers == dict.fromkeys(answers, (403, "csrf-failed"))
    assert await rows.dump(app.runtime.database) == before


async def test_change_that_our_own_page_asks_for_is_made(
    scene: Scene, bare: httpx2.AsyncClient
) -> None:
    cookie = {"Cookie": f"{COOKIE}={scene.root.cookie}"}

    answers = {
        name: await bare.post("/events", json=an_event(), headers={**headers, **cookie})
        for name, headers in FROM_HERE.items()
    }

    made = {name: (got.status_code, got.json()["organizer"]["id"]) for name, got in answers.items()}
    assert made == dict.fromkeys(FROM_HERE, (201, str(scene.root.id)))


async def test_program_with_a_token_is_not_asked_where_it_is(
    closed_app: RunningApp, scene: Scene
) -> None:
    async with scene.root.api(closed_app) as api:
        answers = {
            name: await api.post("/events", json=an_event(), headers=headers)
            for name, headers in FROM_ELSEWHERE.items()
        }

    made = {name: (got.status_code, got.json()["organizer"]["id"]) for name, got in answers.items()}
    assert made == dict.fromkeys(FROM_ELSEWHERE, (201, str(scene.root.id)))


async def test_guest_with_a_ticket_is_not_asked_either(
    scene: Scene, bare: httpx2.AsyncClient
) -> None:
    seat = (await register(bare, scene.ids["event_id"], email="guest@example.com")).json()
    headers = {"Authorization": f"Ticket {seat['manage_token']}", "Sec-Fetch-Site": "cross-site"}

    answer = await bare.post(f"/registrations/{seat['id']}/cancel", headers=headers)

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


async def test_another_site_signs_nobody_in(
    closed_app: RunningApp, bare: httpx2.AsyncClient
) -> None:
    """Whoever acts in a stranger's account unawares (login CSRF) leaves there what they write."""
    mallory = await cast.mallory(closed_app)
    form = {"email": mallory.email, "password": PASSWORD}

    refused = await bare.post("/login", data=form, headers={"Origin": "https://evil.example"})
    taken = await bare.post("/login", data=form, headers={"Origin": BASE_URL})

    assert code_of(refused) == (403, "csrf-failed")
    assert "set-cookie" not in refused.headers
    assert (taken.status_code, COOKIE in taken.cookies) == (303, True)


async def test_another_site_may_lead_to_our_pages(
    closed_app: RunningApp, bare: httpx2.AsyncClient
) -> None:
    ada = await cast.ada(closed_app)
    headers = {"Cookie": f"{COOKIE}={ada.cookie}", "Sec-Fetch-Site": "cross-site"}

    answer = await bare.get("/account", headers=headers)

    assert answer.status_code == 200
    assert ada.email in answer.text


async def test_request_without_host_is_no_reason_to_believe_a_hidden_origin(
    app: RunningApp,
) -> None:
    """HTTP/1.0 has no Host; `null` must not equal its absence."""
    sent: list[int] = []

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.extend([message["status"]] if message["type"] == "http.response.start" else [])

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    scope = {
        "type": "http",
        "http_version": "1.0",
        "method": "POST",
        "path": "/events",
        "raw_path": b"/events",
        "query_string": b"",
        "scheme": "http",
        "headers": [(b"origin", b"null")],
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)

    assert sent == [403]
