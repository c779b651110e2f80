"""Which of several reasons a refusal names: who may not know learns nothing from the rest."""

import json
from typing import Any

import httpx2
import pytest
from tests.factories import ADA, an_event, make_event

NOBODYS_ID = "0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"
# What is decided here is decided before the database is asked for more than the event.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
VALID = json.dumps(an_event()).encode()


def told(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (VALID, JSON),
        (b"{", JSON),
        (b"", {}),
        (VALID, TEXT),
        (b'{"name": 5}', JSON),
        (VALID, {**JSON, "Idempotency-Key": "a b"}),
        (VALID, {**JSON, "Content-Encoding": "gzip"}),
    ],
)
async def test_create_without_a_credential_is_refused_before_its_body_is_read(
    closed_api: httpx2.AsyncClient, body: bytes, headers: dict[str, str]
) -> None:
    answer = await closed_api.post("/events", content=body, headers=headers)

    assert told(answer) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "errors" not in answer.json()


async def test_create_with_too_large_a_body_is_refused_before_the_credential(
    closed_api: httpx2.AsyncClient,
) -> None:
    answer = await closed_api.post("/events", content=b" " * 262_145, headers=JSON)

    assert told(answer) == (413, "payload-too-large")


@pytest.mark.parametrize(
    ("body", "headers", "known"),
    [
        (json.dumps(ADA).encode(), TEXT, (415, "unsupported-media-type")),
        (json.dumps(ADA).encode(), {}, (415, "unsupported-media-type")),
        (b"{", JSON, (400, "malformed-json")),
        (b"{}", JSON, (422, "validation-error")),
        (b'{"name": "Ada", "email": "a@b"}', JSON, (422, "invalid-email")),
        (
            json.dumps(ADA).encode(),
            {**JSON, "Idempotency-Key": "a b"},
            (400, "idempotency-key-invalid"),
        ),
    ],
)
async def test_register_at_an_unknown_event_is_not_found_whatever_else_is_wrong(
    api: httpx2.AsyncClient, body: bytes, headers: dict[str, str], known: tuple[int, str]
) -> None:
    event = await make_event(api)

    answers = [
        await api.post(f"/events/{event_id}/register", content=body, headers=headers)
        for event_id in (NOBODYS_ID, event["id"])
    ]

    assert [told(answer) for answer in answers] == [(404, "not-found"), known]


@pytest.mark.parametrize("query", ["?tz=Mars", "?limit=0", "?cursor=x", "?status=gone"])
async def test_read_of_an_unknown_event_is_not_found_whatever_the_query(
    api: httpx2.AsyncClient, query: str
) -> None:
    paths = [f"/events/{NOBODYS_ID}{query}", f"/events/{NOBODYS_ID}/attendees{query}"]

    answers = [await api.get(path) for path in paths]

    assert [told(answer) for answer in answers] == [(404, "not-found")] * 2


CREDENTIALS = ["", "Bearer", "Bearer ", "Bearer x.y.z", "Basic YTpi", "Ticket abc", "x" * 8_000]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/events"),
        ("GET", "/events/{}"),
        ("GET", "/events/{}/attendees"),
        ("POST", "/events"),
        ("POST", "/events/{}/register"),
    ],
)
async def test_credential_that_does_not_count_is_refused_on_every_call(
    api: httpx2.AsyncClient, method: str, path: str
) -> None:
    path = path.format((await make_event(api))["id"])
    body: dict[str, Any] = {} if method == "GET" else {"json": ADA}

    answers = [
        await api.request(method, path, headers={"Authorization": credential}, **body)
        for credential in CREDENTIALS
    ]

    assert [told(answer) for answer in answers] == [(401, "invalid-token")] * len(CREDENTIALS)
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}


async def test_attendees_without_a_credential_are_refused_before_the_event_is_looked_for(
    api: httpx2.AsyncClient, closed_api: httpx2.AsyncClient
) -> None:
    event = await make_event(api)

    answers = [
        await closed_api.get(f"/events/{event_id}/attendees?limit=0")
        for event_id in (event["id"], NOBODYS_ID, "1")
    ]

    assert [told(answer) for answer in answers] == [(401, "unauthenticated")] * 3


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/events", "GET, HEAD, POST"),
        ("PUT", f"/events/{NOBODYS_ID}", "DELETE, GET, HEAD, PATCH"),
        ("GET", f"/events/{NOBODYS_ID}/register", "POST"),
        ("POST", f"/events/{NOBODYS_ID}/attendees", "GET, HEAD"),
    ],
)
async def test_method_that_the_address_does_not_take_goes_before_the_credential(
    closed_api: httpx2.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await closed_api.request(method, path, headers={"Authorization": "Bearer x"})

    assert told(answer) == (405, "method-not-allowed")
    assert answer.headers["allow"] == allowed


async def test_method_in_a_header_does_not_count(api: httpx2.AsyncClient) -> None:
    event = await make_event(api)

    answer = await api.get(f"/events/{event['id']}", headers={"X-HTTP-Method-Override": "DELETE"})

    assert (answer.status_code, answer.json()["id"]) == (200, event["id"])
