"""Which names the product answers to: its own and the machine's, so that no other can lead here."""

import httpx2
import pytest
from tests.support.app import running

from turnout.settings import Settings


@pytest.mark.parametrize(
    ("base_url", "host", "status"),
    [
        ("https://events.example.org", "events.example.org", 200),
        ("https://events.example.org", "EVENTS.example.org:8443", 200),
        ("https://events.example.org", "localhost:8000", 200),
        ("https://events.example.org", "[::1]:8000", 200),
        ("https://events.example.org", "evil.example", 400),
        ("https://events.example.org", "events.example.org.evil.example", 400),
        ("http://127.0.0.1:8000", "rebound.evil.example:8000", 400),
        ("http://0.0.0.0:8000", "whatever.example", 200),
    ],
)
async def test_request_by_a_name_that_is_not_ours_is_refused(
    settings: Settings, base_url: str, host: str, status: int
) -> None:
    named = settings.model_copy(update={"base_url": base_url})

    async with running(named) as app, app.client() as client:
        answer: httpx2.Response = await client.get("/health/live", headers={"host": host})

    assert answer.status_code == status
