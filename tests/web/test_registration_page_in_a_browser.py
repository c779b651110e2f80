"""The page of a registration in a real browser, without scripts: it fits, and gives seats back."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.factories import an_event
from tests.support import product
from tests.support.processes import Server
from tests.web.test_docs_page import launched, overflow

PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with product.served(tmp_path_factory.mktemp("product")) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, launched(playwright) as started:
        yield started


@pytest.fixture(params=[390, 1280], ids=["phone", "desktop"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": request.param, "height": 900}, java_script_enabled=False
    )
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    context.close()


def registered(served: Server) -> dict[str, Any]:
    """A guest's registration for a new event, with the longest words that fit nowhere."""
    with httpx2.Client(base_url=served.url, trust_env=False) as api:
        event = api.post("/events", json=an_event(name="Donaudampfschifffahrt" * 9)).json()
        person = {"name": "A" * 200, "email": f"{'ada.' * 15}a@{'x' * 60}.example.com"}
        made: dict[str, Any] = api.post(f"/events/{event['id']}/register", json=person).json()
    return made


def test_seat_goes_back_by_two_clicks_without_scripts(page: Page, served: Server) -> None:
    made = registered(served)

    page.goto(f"{served.url}/r/{made['manage_token']}")
    address = page.url
    expect(page.get_by_text(made["ticket_code"])).to_be_visible()
    hidden = page.get_by_role("button", name="Cancel my registration").is_visible()
    page.get_by_text("I cannot come").click()
    page.get_by_role("button", name="Cancel my registration").click()

    expect(page.get_by_text("This registration is cancelled")).to_be_visible()
    expect(page.get_by_text("I cannot come")).to_have_count(0)
    assert not hidden
    assert address == page.url == f"{served.url}/registration/{made['id']}"


def test_page_is_no_wider_than_the_screen(page: Page, served: Server) -> None:
    made = registered(served)

    page.goto(f"{served.url}/r/{made['manage_token']}")
    for summary in page.locator("summary").all():
        summary.click()

    assert overflow(page) <= 0
