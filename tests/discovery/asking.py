"""Makes events to look for, asks for them, and tells them by their names."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import httpx2
from tests.factories import in_days, make_event

MOST_PAGES = 200

BERLIN: dict[str, Any] = {
    "name": "bcc",
    "address": "Alexanderstr. 11",
    "city": "Berlin",
    "country": "Germany",
    "latitude": 52.5208,
    "longitude": 13.4165,
}
"""A place with all that one can have."""


async def make(api: httpx2.AsyncClient, name: str, day: float, **changes: Any) -> str:
    """The id of a new event of that name, some days from now."""
    times = {"start_time": in_days(day), "end_time": in_days(day, hour=18)}
    made = await make_event(api, name=name, **{**times, **changes})
    event_id: str = made["id"]
    return event_id


def query(*filters: str, **values: object) -> str:
    """A query string of filters and values, which may hold anything."""
    return "&".join([*filters, *([urlencode(values)] if values else [])])


async def items(api: httpx2.AsyncClient, asked: str) -> list[dict[str, Any]]:
    """The events of the first page."""
    answer = await api.get(f"/events?{asked}")
    assert answer.status_code == 200, (asked, answer.text)
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def names(api: httpx2.AsyncClient, asked: str) -> list[str]:
    """The names of the events of the first page."""
    return [event["name"] for event in await items(api, asked)]


async def names_of_each(api: httpx2.AsyncClient, asked: Iterable[str]) -> dict[str, list[str]]:
    """The names that each query string finds."""
    return {each: await names(api, each) for each in asked}


async def pages(api: httpx2.AsyncClient, asked: str) -> list[list[str]]:
    """The ids on each page, from the first to the last."""
    found: list[list[str]] = []
    following: str | None = f"/events?{asked}"
    while following is not None:
        answer = await api.get(following)
        assert answer.status_code == 200, (following, answer.text)
        found.append([event["id"] for event in answer.json()["items"]])
        link = answer.links.get("next")
        following = None if link is None else link["url"]
        assert len(found) < MOST_PAGES, asked
    return found


async def ids(api: httpx2.AsyncClient, asked: str) -> list[str]:
    """The ids of all events that are found, page by page, with the longest pages."""
    return [each for page in await pages(api, f"{asked}&limit=100") for each in page]
