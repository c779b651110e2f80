"""An answer that has not changed is not sent again, and HEAD says what GET would."""

import httpx2
import pytest
from tests.factories import a_person, make_event, register

PATHS = ["/events", "/events/{}", "/events/{}/attendees", "/events/{}?tz=Asia/Kathmandu"]
FORMS = ["{}", "W/{}", '"other", {}', '"other",W/{} ', "*"]
OF_A_BODY = {"content-length", "content-type"}
OF_ONE_REQUEST = {"x-request-id", "ratelimit", "ratelimit-policy"}
"""Limits are told where a request was counted, and what was kept is given without counting."""


async def an_event_path(api: httpx2.AsyncClient, path: str) -> str:
    event = await make_event(api)
    await register(api, event["id"])
    return path.format(event["id"])


def headers_of(answer: httpx2.Response) -> dict[str, str]:
    return {name: answer.headers[name] for name in answer.headers if name not in OF_ONE_REQUEST}


@pytest.mark.parametrize("path", PATHS)
async def test_etag_that_still_holds_is_answered_without_a_body(
    api: httpx2.AsyncClient, path: str
) -> None:
    path = await an_event_path(api, path)
    first = await api.get(path)
    forms = [form.format(first.headers["etag"]) for form in FORMS]

    # With a cookie that is new the answer is built, without one it may be one that was kept.
    answers = [
        await api.get(path, headers={"If-None-Match": form, **cookie})
        for n, form in enumerate(forms)
        for cookie in ({}, {"Cookie": f"a={n}"})
    ]

    expected = {k: v for k, v in headers_of(first).items() if k not in OF_A_BODY}
    assert [(answer.status_code, answer.content) for answer in answers] == [(304, b"")] * 10
    assert [headers_of(answer) for answer in answers] == [expected] * 10


@pytest.mark.parametrize("path", PATHS)
async def test_etag_of_something_else_is_answered_in_full(
    api: httpx2.AsyncClient, path: str
) -> None:
    path = await an_event_path(api, path)
    first = await api.get(path)

    again = await api.get(path, headers={"If-None-Match": '"other", "etag"'})

    assert (again.status_code, again.content) == (200, first.content)


@pytest.mark.parametrize("path", PATHS)
async def test_etag_changes_with_a_registration(api: httpx2.AsyncClient, path: str) -> None:
    path = await an_event_path(api, path)
    first = await api.get(path)
    event_id = (await api.get("/events")).json()["items"][0]["id"]

    await register(api, event_id, **a_person(1))
    again = await api.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert again.status_code == 200
    assert again.headers["etag"] != first.headers["etag"]
    assert again.content != first.content


async def test_etag_differs_between_zones_and_pages(api: httpx2.AsyncClient) -> None:
    for _ in range(2):
        await make_event(api)

    answers = [await api.get(f"/events{query}") for query in ("", "?tz=UTC", "?limit=1")]

    assert len({answer.headers["etag"] for answer in answers}) == 3


@pytest.mark.parametrize("path", PATHS)
async def test_head_has_the_headers_of_get_and_no_body(api: httpx2.AsyncClient, path: str) -> None:
    path = await an_event_path(api, path)
    got = await api.get(path)

    head = await api.head(path)
    unchanged = await api.head(path, headers={"If-None-Match": got.headers["etag"]})

    assert (head.status_code, head.content) == (200, b"")
    assert headers_of(head) == headers_of(got)
    assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_head_of_a_page_has_its_link(api: httpx2.AsyncClient) -> None:
    for _ in range(2):
        await make_event(api)

    head, got = await api.head("/events?limit=1"), await api.get("/events?limit=1")

    assert head.headers["link"] == got.headers["link"]


async def test_refusal_has_no_etag_and_is_not_kept(api: httpx2.AsyncClient) -> None:
    path = "/events/0194f8c2-7b1e-7c3a-9d64-2f1b6a8e5c07"

    answer = await api.get(path, headers={"If-None-Match": "*"})

    assert answer.status_code == 404
    assert "etag" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", PATHS)
async def test_answer_is_for_the_caller_alone(api: httpx2.AsyncClient, path: str) -> None:
    answer = await api.get(await an_event_path(api, path))

    assert answer.headers["cache-control"] == "private, no-cache"
