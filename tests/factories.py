"""Requests as the cast would send them; a test names only what it is about."""

from datetime import timedelta
from typing import Any

import httpx2

from turnout import clock

ADA = {"name": "Ada Lovelace", "email": "ada@example.com"}


def in_days(days: float, *, hour: int = 10) -> str:
    """A time some days from now, in India, as RFC 3339."""
    day = (clock.now() + timedelta(days=days)).date()
    return f"{day}T{hour:02}:00:00+05:30"


def an_event(**changes: Any) -> dict[str, Any]:
    """The body of a valid event: the brief's five fields, and `changes`."""
    return {
        "name": "PyCon India",
        "location": "Bengaluru",
        "start_time": in_days(10),
        "end_time": in_days(10, hour=18),
        "max_capacity": 50,
        **changes,
    }


def a_person(n: int) -> dict[str, str]:
    """One of many who want a seat."""
    return {"name": f"Person {n}", "email": f"person{n}@example.com"}


async def make_event(api: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    """An event as the API answers it."""
    answer = await api.post("/events", json=an_event(**changes))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def register(api: httpx2.AsyncClient, event_id: str, **person: str) -> httpx2.Response:
    """The answer to a registration."""
    return await api.post(f"/events/{event_id}/register", json={**ADA, **person})
