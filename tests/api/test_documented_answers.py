"""What the server answers is what the API document says it does, whoever asks and however badly."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from string import Formatter
from typing import Any

import httpx2
import pytest
from tests.api.documents import Document, calls, fetched, require_described
from tests.events.pictures import a_picture
from tests.factories import ADA, in_days, make_event, register
from tests.support import cast
from tests.support.app import RunningApp, running
from tests.support.cast import PASSWORD, Person

from turnout.accounts.actor import Role
from turnout.api.examples import EXAMPLES
from turnout.settings import Settings

NOBODY = "01a202ff-5858-7344-a5f9-a038e1760637"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
BAD_REQUESTS: list[dict[str, Any]] = [
    {},
    {"headers": {"Authorization": "Bearer none"}},
    {"headers": {"Authorization": "Ticket none"}},
    {"headers": {"Idempotency-Key": "two words"}},
    {"headers": {"If-Match": '"1-stale"'}},
    {"headers": {"If-Match": "no tag"}},
    {"headers": {"If-None-Match": "*"}},
    {"headers": {"Sec-Fetch-Site": "cross-site"}},
    {"headers": {f"X-{n}": "1" for n in range(101)}},
    {"headers": {"Host": "a b"}},
    {"params": {"q": "x" * 8_200}},
    {"params": {"tz": "Mars/Olympus"}},
    {"params": {"limit": "0", "cursor": "x"}},
    {"params": {"cursor": "x"}},
    {"params": {"status": "lost", "role": "king", "active": "perhaps", "actor": "me"}},
    {"params": {"from": "2027-03-28T02:30", "to": "yesterday", "tz": "Europe/Berlin"}},
    {"params": b"q=%ff"},
    {"content": b"{", "headers": {"Content-Type": JSON}},
    {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
    {"content": b"{}", "headers": {"Content-Encoding": "gzip"}},
    {"content": b" " * 262_145, "headers": {"Content-Type": JSON}},
    {"content": b"username=%ff", "headers": {"Content-Type": FORM}},
    {"content": b"otp=1&otp=2", "headers": {"Content-Type": FORM}},
    {"content": b"&" * 60, "headers": {"Content-Type": FORM}},
    {"data": {"grant_type": "refresh_token", "refresh_token": "none"}},
    {"data": {"username": "nobody@example.com", "password": PASSWORD}},
    {"json": {}},
    {"json": {"name": "", "email": "a@b", "role": "king", "timezone": "Mars/Olympus"}},
]
GOOD_REQUESTS: dict[str, list[dict[str, Any]]] = {
    # The examples of these are about accounts that are there already, or have another password.
    "issue_tokens": [{"data": {"username": "ada@example.com", "password": PASSWORD}}],
    "create_user": [{"json": {"email": "new@example.com", "name": "New", "role": "attendee"}}],
    "change_profile": [{"json": {"email": "new@example.com", "current_password": "wrong"}}],
    "sign_up": [{"json": {**ADA, "password": "password1234"}}],
    "register": [{"json": {"name": "New", "email": "new@example.com"}}],
    "search_places": [{"params": {"q": "Bengaluru"}}],
    # By then the event is where the example of its change has moved it.
    "add_slot": [
        {
            "json": {
                "title": "Talk",
                "start_time": "2030-12-08T11:00:00",
                "end_time": "2030-12-08T12:00:00",
            }
        }
    ],
    "set_cover": [
        {"content": a_picture()},
        {"content": a_picture()[:60]},
        {"content": a_picture(), "headers": {"If-Match": '"1-stale"'}},
    ],
}
"""Beside the examples, by operation."""
LAST = (
    *(
        "delete_webhook",
        "cancel_registration",
        "remove_member",
        "delete_slot",
        "cancel_event",
        "delete_event",
    ),
    *("revoke_api_token", "end_sign_in", "delete_user"),
    *("revoke_token", "delete_account"),
)
"""After these, things that other calls are about are gone; after the last, the caller is."""

BY_TICKET = {"read_registration", "change_registration", "cancel_registration"}
BY_MAIL = {"verify_email", "reset_password"}
BY_CODE = {"confirm_second_factor", "renew_recovery_codes", "disable_second_factor"}
FOR_ADMINS = {
    *("list_users", "create_user", "read_user", "change_user", "delete_user"),
    *("remove_second_factor", "list_audit", "list_outbox", "retry_delivery"),
    "list_anonymizations",
}
FOR_ORGANIZERS = {
    *("create_event", "list_attendees", "list_team", "add_member", "remove_member"),
    *("set_cover", "remove_cover", "change_event", "delete_event", "publish_event"),
    *("cancel_event", "move_event", "duplicate_event"),
    *("add_slot", "change_slot", "delete_slot", "search_places", "repeat_event"),
    *("read_mails", "set_reminder", "set_wording", "remove_wording", "preview_wording"),
    *("list_webhooks", "create_webhook", "read_webhook", "change_webhook", "delete_webhook"),
    *("rotate_secret", "test_webhook", "list_deliveries", "redeliver", "list_changes"),
}
REFUSED = {
    # Accounts take a seat for themselves, and this one has one.
    "attendee": BY_MAIL | BY_CODE | FOR_ADMINS | FOR_ORGANIZERS | {"register"},
    "organizer": BY_MAIL | BY_CODE | FOR_ADMINS,
    # Of two administrators one has been deleted, so that the other stays.
    "admin": BY_MAIL | BY_CODE | {"delete_account"},
}
"""The calls that never say yes here: to this role, or without what a mail or a device shows."""


@pytest.fixture
async def app(closed_settings: Settings) -> AsyncIterator[RunningApp]:
    """Without limits: here one caller asks for everything, again and again."""
    async with running(closed_settings.model_copy(update={"rate_limits": "off"})) as started:
        yield started


@asynccontextmanager
async def world(
    app: RunningApp, caller: str
) -> AsyncIterator[tuple[httpx2.AsyncClient, dict[str, str]]]:
    """A client of the caller, and an id for each parameter of a path, of things that are there."""
    people = {
        "attendee": await cast.ada(app),
        "organizer": await cast.olive(app),
        "admin": await cast.root(app),
    }
    other = await cast.join(app, "Grace", Role.ADMIN)
    async with people["organizer"].api(app) as api:
        slot = {"title": "Talk", "start_time": in_days(10), "end_time": in_days(10, hour=11)}
        event = await make_event(api, slots=[slot])
        await api.put(f"/events/{event['id']}/cover", content=a_picture())
        first, rule = await make_event(api), {"rule": "FREQ=DAILY;COUNT=3"}
        series = (await api.post(f"/events/{first['id']}/series", json=rule)).json()
        hook = (await api.post("/webhooks", json={"url": "https://example.com/hook"})).json()
        delivery = (await api.post(f"/webhooks/{hook['id']}/test")).json()
    async with other.api(app) as api:
        feed = (await api.post("/users/me/calendar-feed")).json()["url"]
    async with people["attendee"].api(app) as api:
        seat = (await api.post(f"/events/{event['id']}/register", json={})).json()
    me = people.get(caller, people["attendee"])
    ids = {
        "event_id": event["id"],
        "slot_id": event["slots"][0]["id"],
        "series_id": series["series_id"],
        "registration_id": seat["id"],
        "user_id": str(other.id),
        "webhook_id": hook["id"],
        "delivery_id": delivery["id"],
        "kind": "event-reminder",
        "token": feed.rpartition("/")[2].removesuffix(".ics"),
        "code": "event-full",
        **await own_ids(app, me),
    }
    async with me.api(app) if caller in people else app.client() as client:
        yield client, ids


async def own_ids(app: RunningApp, me: Person) -> dict[str, str]:
    """An API token and the other sign-in of someone."""
    async with me.api(app) as api:
        token = await api.post("/users/me/tokens", json=EXAMPLES["ApiTokenIn"]["export"]["value"])
        places = (await api.get("/users/me/sign-ins")).json()["items"]
    page = next(place["id"] for place in places if not place["is_current"])
    return {"token_id": token.json()["id"], "sign_in_id": page}


def in_order(document: Document) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Operation id, path, method and description, in an order in which all can say yes."""
    found = [(name, *rest) for name, rest in calls(document).items()]
    return sorted(found, key=lambda call: LAST.index(call[0]) + 1 if call[0] in LAST else 0)


def requests_of(name: str, call: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Requests of all kinds: bad for any call, good for this one, and spoilt ones of those."""
    yield from BAD_REQUESTS
    yield from GOOD_REQUESTS.get(name, ())
    taken = {parameter["name"] for parameter in call.get("parameters", ())}
    for kind, media in call.get("requestBody", {}).get("content", {}).items():
        way = "json" if kind == JSON else "data"
        for example in media.get("examples", {}).values():
            yield from _spoilt(way, example["value"])
            if "If-Match" in taken:
                yield {way: example["value"], "headers": {"If-Match": '"1-stale"'}}
                yield {way: example["value"], "headers": {"If-Match": "no tag"}}
            if "Idempotency-Key" in taken:
                yield {way: example["value"], "headers": {"Idempotency-Key": "again"}}
                yield {way: example["value"], "headers": {"Idempotency-Key": "again"}}
                changed = {**example["value"], "name": "Another"}
                yield {way: changed, "headers": {"Idempotency-Key": "again"}}


def _spoilt(way: str, value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for field in value:
        yield {way: {**value, field: "\x00"}}
        yield {way: {name: kept for name, kept in value.items() if name != field}}
    if way == "json":
        yield {way: {**value, "surprise": 1}}
        for field in value:
            yield {way: {**value, field: {}}}
    yield {way: value}


async def walked(client: httpx2.AsyncClient, ids: dict[str, str], document: Document) -> set[str]:
    """The calls that said yes to none of their requests; each answer is one that is described."""
    refused = set[str]()
    for name, path, method, call in in_order(document):
        unknown, real = path.format_map(dict.fromkeys(ids, NOBODY)), path.format_map(ids)
        answers = [
            await client.request(method, unknown),
            *[await client.request(method, real, **each) for each in requests_of(name, call)],
        ]
        for answer in answers:
            require_described(document, call, answer)
        if all(answer.status_code >= 300 for answer in answers):
            refused.add(name)
    return refused


def needing_a_credential(document: Document) -> set[str]:
    described = {name: call["security"] for name, (_, _, call) in calls(document).items()}
    return {name for name, ways in described.items() if ways and {} not in ways}


@pytest.mark.parametrize(
    ("caller", "database_url"),
    [
        ("attendee", "sqlite"),
        ("organizer", "postgresql"),
        ("admin", "sqlite"),
        ("admin", "postgresql"),
    ],
    indirect=["database_url"],
)
async def test_answers_to_an_account_are_those_that_the_document_describes(
    caller: str, app: RunningApp
) -> None:
    async with world(app, caller) as (client, ids):
        document = await fetched(client)

        refused = await walked(client, ids, document)

    assert refused == REFUSED[caller]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_answers_to_nobody_are_those_that_the_document_describes(app: RunningApp) -> None:
    async with world(app, "anonymous") as (client, ids):
        document = await fetched(client)

        refused = await walked(client, ids, document)

    assert refused == needing_a_credential(document) | BY_MAIL


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_answers_to_a_guest_are_those_that_the_document_describes(app: RunningApp) -> None:
    async with world(app, "anonymous") as (client, ids):
        document = await fetched(client)
        seat = (await register(client, ids["event_id"], email="guest@example.com")).json()
        client.headers["Authorization"] = f"Ticket {seat['manage_token']}"

        refused = await walked(client, {**ids, "registration_id": seat["id"]}, document)

    assert refused == needing_a_credential(document) - BY_TICKET | BY_MAIL


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_credentials_are_looked_at_where_the_document_says_so(app: RunningApp) -> None:
    async with world(app, "anonymous") as (client, ids):
        document = await fetched(client)
        for name, (path, method, call) in calls(document).items():
            filled = path.format(**ids)

            without = await client.request(method, filled)
            wrong = await client.request(method, filled, headers={"Authorization": "Bearer none"})

            is_needed = name in needing_a_credential(document)
            assert (without.status_code == 401) == is_needed, name
            assert (wrong.status_code == 401) == bool(call["security"]), name


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_api_tokens_for_other_things_get_what_the_document_describes(
    app: RunningApp,
) -> None:
    root = await cast.root(app)
    wanted = {"name": "Looks at me", "scopes": ["profile:read"]}
    async with root.api(app) as api:
        token = (await api.post("/users/me/tokens", json=wanted)).json()["token"]
        api.headers["Authorization"] = f"Bearer {token}"

        codes = await codes_of_refusals(api)

        document = await fetched(api)
    own = {"read_profile", "list_sign_ins", "list_tokens", "read_second_factor"}
    own |= {"read_preferences"}
    narrowed = {name for name, code in codes.items() if code == "insufficient-scope"}
    asked = {name for name, (_, _, call) in calls(document).items() if call["security"]}
    assert narrowed == asked - own


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_roles_without_their_second_factor_get_what_the_document_describes(
    closed_settings: Settings,
) -> None:
    careful = closed_settings.model_copy(update={"second_factor_roles": ("admin",)})
    async with running(careful) as app:
        root = await cast.root(app)
        async with root.api(app) as api:
            codes = await codes_of_refusals(api)

    missing = {name for name, code in codes.items() if code == "second-factor-missing"}
    own = {"create_event", "search_places", "create_webhook", "list_webhooks", "list_changes"}
    assert missing == FOR_ADMINS | own


async def codes_of_refusals(client: httpx2.AsyncClient) -> dict[str, str | None]:
    """By operation, why an empty request about nothing is refused, as it is described."""
    document, found = await fetched(client), dict[str, str | None]()
    for name, path, method, call in in_order(document):
        answer = await client.request(method, path.format_map(dict.fromkeys(_names(path), NOBODY)))
        require_described(document, call, answer)
        found[name] = answer.json()["code"] if answer.status_code >= 400 else None
    return found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_limits_are_told_where_the_document_says_so(closed_app: RunningApp) -> None:
    async with closed_app.client() as client:
        document = await fetched(client)
        for name, (path, method, call) in calls(document).items():
            filled = path.format_map(dict.fromkeys(_names(path), NOBODY))

            answer = await client.request(method, filled)

            described = call["responses"][str(answer.status_code)]["headers"]
            told = {each for each in ("RateLimit", "RateLimit-Policy") if each in answer.headers}
            assert told == {each for each in described if each.startswith("RateLimit")}, name
            assert bool(told) == ("429" in call["responses"]), name


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_too_many_requests_get_what_the_document_describes(closed_app: RunningApp) -> None:
    async with closed_app.client() as client:
        document = await fetched(client)
        _, _, call = calls(document)["forgot_password"]

        answers = [
            await client.post("/auth/forgot-password", json={"email": "nobody"}) for _ in range(61)
        ]

    assert [answer.status_code for answer in answers] == [422] * 60 + [429]
    require_described(document, call, answers[-1])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_methods_are_those_that_the_document_describes(app: RunningApp) -> None:
    async with app.client() as client:
        document = await fetched(client)
        for path, described in document["paths"].items():
            filled = path.format_map(dict.fromkeys(_names(path), NOBODY))
            answer = await client.request("OPTIONS", filled)

            methods = {method.upper() for method in described}
            taken = methods | {"HEAD"} if "GET" in methods else methods
            assert answer.status_code == 405, path
            assert set(answer.headers["Allow"].split(", ")) == taken, path


def _names(path: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(path) if name is not None]
