"""A day with an agenda, and the calls about its slots; it judges nothing."""

from typing import Any

import httpx2
from tests.factories import make_event

DAY = "2027-06-01"


def at(time: str) -> str:
    return f"{DAY}T{time}:00+05:30"


def a_slot(start: str, end: str, **changes: Any) -> dict[str, Any]:
    return {"title": "Talk", "start_time": at(start), "end_time": at(end), **changes}


async def a_day(api: httpx2.AsyncClient, **changes: Any) -> str:
    """The id of an event from 9 to 18 in India."""
    wanted = {"start_time": at("09:00"), "end_time": at("18:00"), "timezone": "Asia/Kolkata"}
    return str((await make_event(api, **wanted | changes))["id"])


async def added(api: httpx2.AsyncClient, event: str, slot: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post(f"/events/{event}/slots", json=slot)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def agenda(api: httpx2.AsyncClient, event: str) -> list[dict[str, Any]]:
    slots: list[dict[str, Any]] = (await api.get(f"/events/{event}")).json()["slots"]
    return slots
