"""/docs in a real browser: a call tried out there works, under the strict policy, on any width."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from tests.support import product

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MS = 30_000


@dataclass
class Visit:
    """A page with all that it complained about and asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with product.served(tmp_path_factory.mktemp("product")) as server:
        yield server.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = launched(playwright)
        yield opened
        opened.close()


def launched(playwright: Playwright) -> Browser:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    return playwright.chromium.launch(executable_path=path, args=ARGUMENTS)


@pytest.fixture(params=[390, 1280], ids=["phone", "desktop"])
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    yield Visit(context.new_page())
    context.close()


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    wider: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wider


def foreign(visit: Visit, url: str) -> list[str]:
    """What was asked of anyone but the server; images inside style sheets ask nobody."""
    return [each for each in visit.asked if not each.startswith((f"{url}/", "data:"))]


def test_docs_page_tries_out_a_call(visit: Visit, url: str) -> None:
    page = visit.page
    page.goto(f"{url}/docs")

    call = page.locator("#operations-Events-create_event")
    call.locator(".opblock-summary-control").click()
    call.get_by_role("button", name="Try it out").click()
    call.get_by_role("button", name="Execute").click()
    status = call.locator(".live-responses-table .response-col_status").last
    status.wait_for()

    assert status.inner_text().split() == ["201"]
    assert '"name": "PyCon India"' in call.locator(".live-responses-table").inner_text()
    assert visit.complaints == []
    assert foreign(visit, url) == []
    assert overflow(page) <= 0


def test_start_page_leads_to_the_docs(visit: Visit, url: str) -> None:
    page = visit.page
    page.goto(url)
    is_too_wide = overflow(page) > 0

    page.get_by_role("main").get_by_role("link", name="API documentation").click()
    page.locator(".opblock").first.wait_for()

    assert page.url == f"{url}/docs"
    assert not is_too_wide
    assert visit.complaints == []
    assert foreign(visit, url) == []


def test_policy_with_a_script_inline_makes_the_console_complain(visit: Visit, url: str) -> None:
    """The control: what the other tests find absent would be seen."""
    visit.page.goto(url)

    visit.page.evaluate(
        "document.head.append(Object.assign(document.createElement('script'), {text: '1'}))"
    )

    assert [text for text in visit.complaints if "Content Security Policy" in text]
