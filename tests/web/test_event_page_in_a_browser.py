"""The page of an event in a real browser: hostile texts do nothing, and the zone switch works."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx2
import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, expect, sync_playwright
from tests.events.hostile import HOSTILE
from tests.events.pictures import a_picture
from tests.factories import an_event
from tests.support import product
from tests.support.processes import Server
from tests.web.test_docs_page import launched, overflow

PATIENCE_MS = 60_000
# Swallows what would break the request, not the page: a text may not hold control characters.
_NOT_IN_TEXT = str.maketrans("", "", "\x01")


@dataclass
class Visit:
    """A page with all that its console said, the dialogs it opened and what it asked elsewhere."""

    page: Page
    origin: str
    said: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)

    def _dialog(self, dialog: Dialog) -> None:
        self.opened.append(dialog.message)
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if not request.url.startswith(f"{self.origin}/"):
            self.elsewhere.append(request.url)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with product.served(tmp_path_factory.mktemp("product")) as server:
        yield server


@pytest.fixture(scope="module")
def api(served: Server) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=served.url, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        opened = launched(playwright)
        yield opened
        opened.close()


@pytest.fixture(params=[390, 1280], ids=["phone", "desktop"])
def visit(browser: Browser, request: pytest.FixtureRequest, served: Server) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    yield Visit(context.new_page(), served.url)
    context.close()


def page_of(api: httpx2.Client, **changes: object) -> str:
    """The address of the page of a new event."""
    answer = api.post("/events", json=an_event(**changes))
    assert answer.status_code == 201, answer.text
    return f"{api.base_url}/e/{answer.json()['slug']}"


def hostile_page(api: httpx2.Client, text: str) -> str:
    """The page of an event that has the text wherever one can be."""
    body = text.translate(_NOT_IN_TEXT)
    line = " ".join(body.split())
    times = {name: an_event()[name] for name in ("start_time", "end_time")}
    slot = {**times, **dict.fromkeys(("title", "room", "speaker", "description"), line)}
    return page_of(api, name=line, location=line, description=body, slots=[slot])


def test_hostile_texts_do_nothing(browser: Browser, api: httpx2.Client, served: Server) -> None:
    """No dialog, no request to anywhere else, nothing that even the policy had to stop."""
    visit = Visit(browser.new_page(), served.url)
    seen = 0
    for text in HOSTILE:
        visit.page.goto(hostile_page(api, text), wait_until="load")

        for link in visit.page.locator(".prose a").all():
            link.hover()
        seen += visit.page.locator("h1").inner_text() != ""
        inside = visit.page.evaluate(
            "document.querySelectorAll('main :is(script, img, iframe, svg, style, object, link,"
            " [onerror], [onload], [onclick], [style])').length"
        )
        assert inside == 0, text

    assert seen == len(HOSTILE) >= 40
    assert (visit.opened, visit.elsewhere, visit.said) == ([], [], [])
    visit.page.close()


def test_what_is_hostile_would_be_noticed(browser: Browser, served: Server) -> None:
    """The control: on a page that trusts these texts, they do open dialogs and ask elsewhere."""
    visit = Visit(browser.new_page(), served.url)

    visit.page.set_content(
        "<img src=x onerror=alert(1)><img src=http://127.0.0.1:9/pixel.png>", wait_until="load"
    )

    assert visit.opened == ["1"]
    assert "http://127.0.0.1:9/pixel.png" in visit.elsewhere
    visit.page.close()


def test_zone_is_switched_by_keyboard_and_remembered(visit: Visit, api: httpx2.Client) -> None:
    first, second = page_of(api), page_of(api, timezone="Asia/Kolkata")
    page = visit.page
    page.goto(first)
    when = page.locator("dd:has(time)")
    expect(when).to_have_count(1)

    page.get_by_label("Also show times in").focus()
    page.keyboard.type("America/New York")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(when).to_have_count(2)
    expect(when.last).to_contain_text("America/New York, UTC-")
    page.goto(second)
    expect(when).to_have_count(2)
    expect(page.get_by_label("Also show times in")).to_have_value("America/New_York")
    page.get_by_label("Also show times in").select_option("")
    page.get_by_role("button", name="Show").click()
    expect(when).to_have_count(1)
    assert page.context.cookies() == []
    assert (visit.said, visit.elsewhere) == ([], [])


def test_page_fits_its_window_whatever_the_event(visit: Visit, api: httpx2.Client) -> None:
    table = f"| {' | '.join('column' * 2 for _ in range(12))} |\n|{'---|' * 12}\n"
    changes = {
        "name": "W" * 120,
        "location": "https://example.com/" + "a" * 250,
        "description": f"{'x' * 500}\n\n{table}\n\n```\n{'y' * 400}\n```",
        "online_url": "https://example.com/" + "b" * 300,
    }
    answer = api.post("/events", json=an_event(**changes))
    event = answer.json()
    api.put(f"/events/{event['id']}/cover", content=a_picture(size=(1_200, 500)))

    visit.page.goto(f"{api.base_url}/e/{event['slug']}")

    picture = visit.page.locator("img.cover")
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 1_200
    assert overflow(visit.page) <= 0
    assert visit.said == []
