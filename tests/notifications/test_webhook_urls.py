"""A webhook that leads inside is not made, and not changed to lead there."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from tests.outside import inside_urls
from tests.support import cast
from tests.support.app import RunningApp

from turnout.settings import Settings

TAKEN = "https://example.com/hook"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough: nothing is written."""
    return sqlite_url


@pytest.fixture
async def api(closed_app: RunningApp) -> AsyncIterator[httpx2.AsyncClient]:
    olive = await cast.olive(closed_app)
    async with olive.api(closed_app) as client:
        yield client


@pytest.fixture
def closed_settings(closed_settings: Settings) -> Settings:
    return closed_settings.model_copy(update={"rate_limits": "off"})


async def test_url_that_leads_inside_is_refused(api: httpx2.AsyncClient) -> None:
    made = (await api.post("/webhooks", json={"url": TAKEN})).json()
    path = f"/webhooks/{made['id']}"
    taken, said = [], set()
    for url in inside_urls.ALL:
        body = {"url": url.format(port=8080)}
        for answer in (await api.post("/webhooks", json=body), await api.patch(path, json=body)):
            problem = answer.json()
            [error] = problem.get("errors", [{}])
            if (answer.status_code, problem["code"]) != (422, "url-not-allowed"):
                taken.append(url)
            said.add((error.get("field"), error.get("code")))

    assert taken == []
    assert said == {("url", "url-not-allowed")}
    assert [each["url"] for each in (await api.get("/webhooks")).json()["items"]] == [TAKEN]


async def test_refusal_says_why(api: httpx2.AsyncClient) -> None:
    urls = ("https://127.0.0.1/", "https://2130706433/", "https://example.com:25/", "http://a.com/")
    answers = [(await api.post("/webhooks", json={"url": url})).json() for url in urls]

    assert [each["detail"] for each in answers] == [
        "The name leads to an address that is not public.",
        "The host is a number, but no address as it is written.",
        "The port must be 80, 443, or 1024 and above.",
        "The address must begin with https://.",
    ]
